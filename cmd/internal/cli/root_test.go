// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"strings"
	"testing"
)

// said runs a command line and returns all that it prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var text bytes.Buffer
	a := &app{out: &text, err: &text, now: fixedNow, getenv: func(string) string { return "" }}
	a.run(t.Context(), args)
	return text.String()
}

// A command that is made alone is the one that is made with the others.
func TestCommandAlone(t *testing.T) {
	for _, c := range commands() {
		if use := c.build(&app{}).Name(); use != c.name {
			t.Errorf("%s is made for %s", use, c.name)
		}
		alone, among := said(t, c.name, "--help"), said(t, "help", c.name)
		if alone != among || !strings.Contains(alone, "pectoken "+c.name) {
			t.Errorf("the help of %s is\n%s\nand among the others\n%s", c.name, alone, among)
		}
		alone, among = said(t, c.name, "--no-such-flag"), said(t, "--json=false", c.name, "--no-such-flag")
		if alone != among || !strings.Contains(alone, "unknown flag") {
			t.Errorf("a mistake with %s is told as\n%s\nand among the others as\n%s", c.name, alone, among)
		}
	}
}
