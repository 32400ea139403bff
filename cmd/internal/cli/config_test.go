// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"
)

func TestParseConfig(t *testing.T) {
	c, err := parseConfig("config", strings.NewReader("# mine\n\n module = /a b/c.so \nmodule=/d.so\r\npinentry = pinentry-mac\n"))
	if err != nil || strings.Join(c.modules, "|") != "/a b/c.so|/d.so" || c.pinentry != "pinentry-mac" {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, text := range []string{"module", "module =", "= x", "pin = 12345", "module: x", strings.Repeat("x", 1<<17)} {
		_, err := parseConfig("config", strings.NewReader(text))
		if err == nil || problemOf(err).exit != exitUsage || strings.Contains(err.Error(), "12345") {
			t.Errorf("%.20q gives %v, want a usage error", text, err)
		}
	}
}
