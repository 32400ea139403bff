// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
)

// fails has each command that asks for a time stamp ask an authority with a fault, and
// checks what is said, that nothing is left in the folder of the results, and that the
// request was sent once: fails hang 'no answer within 1s'
func (k *kit) fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fails FAULT MESSAGE")
	}
	s, err := authority.Open(k.pki, authority.Options{Clock: time.Now, Unpublished: true})
	ts.Check(err)
	ts.Defer(func() { _ = s.Close() })
	ts.Check(s.Fail(authority.TSA, authority.Fault(args[0])))
	said := regexp.MustCompile("(?m)" + args[1])
	for i, command := range [][]string{
		{"sign", "--pin-file", "pin", "--level", "t", "--output-dir", "out", "notes.txt"},
		{"sign", "--pin-file", "pin", "--level", "t", "--output-dir", "out", "contract.pdf"},
		{"extend", "--level", "t", "--output-dir", "out", "notes.txt.p7m"},
		{"extend", "--level", "t", "--output-dir", "out", "contract-signed.pdf"},
		{"timestamp", "--output-dir", "out", "notes.txt"},
	} {
		err := ts.Exec("pectoken", append(command, "--timeout", "1s", "--tsa", s.URL(authority.TSA))...)
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) || exit.ExitCode() != int(exitFailed) {
			ts.Fatalf("%s: %v, want exit code %d", command, err, exitFailed)
		}
		if text := ts.ReadFile("stderr"); !said.MatchString(text) {
			ts.Fatalf("%s: %q is not in\n%s", command, args[1], text)
		}
		if s.Count(authority.TSA) != i+1 {
			ts.Fatalf("%s: %d requests in all", command, s.Count(authority.TSA))
		}
		left, err := os.ReadDir(ts.MkAbs("out"))
		ts.Check(err)
		if len(left) > 0 {
			ts.Fatalf("%s: it leaves %s behind", command, left[0].Name())
		}
	}
}
