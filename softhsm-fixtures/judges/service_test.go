// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// question and answer are those of a service that is a shell script.
type question struct {
	Word string `json:"word"`
	File path   `json:"file,omitempty"`
}

type answer struct{ Echo question }

// shell is a service that answers what a script answers for a line.
func shell(t *testing.T, script string) *service {
	t.Helper()
	Need(t, "sh")
	s := &service{name: "shell", command: []string{"sh", "-c", "while read -r line; do " + script + "; done"}}
	t.Cleanup(s.close)
	return s
}

const echo = `printf '{"echo": %s}\n' "$line"`

func TestServiceAnswers(t *testing.T) {
	s := shell(t, echo)
	for _, word := range []string{"one", "two", "perché"} {
		var got answer
		if err := s.ask(t.Context(), question{Word: word}, &got); err != nil || got.Echo.Word != word {
			t.Errorf("asked %q: %+v, %v", word, got, err)
		}
	}
}

func TestServiceIsToldWholePaths(t *testing.T) {
	s := shell(t, echo)
	var got answer
	if err := s.ask(t.Context(), question{File: "a.pdf"}, &got); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := path(filepath.Join(here, "a.pdf")); got.Echo.File != want {
		t.Errorf("told %q, want %q", got.Echo.File, want)
	}
}

func TestServiceFails(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"dies", `echo why it died >&2; exit 3`, "it ended without an answer: why it died"},
		{"says nothing", `exit 0`, "it said nothing"},
		{"answers no JSON", `echo yes`, "reading the answer of shell"},
		{"answers too much", `head -c 5000000 /dev/zero`, "longer than 4194304 bytes"},
		{"is not there", `exec no-such-program`, "no-such-program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shell(t, c.script)
			for range 2 { // the second time it starts anew
				err := s.ask(t.Context(), question{}, &answer{})
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want one that says %q", err, c.want)
				}
			}
		})
	}
	s := &service{name: "nobody", command: []string{"no-such-program"}}
	if err := s.ask(t.Context(), question{}, &answer{}); err == nil {
		t.Error("a service that can't start is no error")
	}
}

func TestServiceRefuses(t *testing.T) {
	err := shell(t, `echo '{"refused": "not today"}'`).ask(t.Context(), question{}, &answer{})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Judge != "shell" || refused.Says != "not today" {
		t.Errorf("%v", err)
	}
}

func TestServiceSurvivesTimeouts(t *testing.T) {
	s := shell(t, `case $line in *hang*) sleep 60;; *) `+echo+`;; esac`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.ask(ctx, question{Word: "hang"}, &answer{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v", err)
	}
	if err := s.ask(ctx, question{Word: "late"}, &answer{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too late: %v", err)
	}
	var got answer
	if err := s.ask(t.Context(), question{Word: "again"}, &got); err != nil || got.Echo.Word != "again" {
		t.Errorf("after it: %+v, %v", got, err)
	}
}

func TestServiceEnds(t *testing.T) {
	s := shell(t, echo)
	if err := s.ask(t.Context(), question{}, &answer{}); err != nil {
		t.Fatal(err)
	}
	cmd := s.running.cmd
	s.close()
	if s.running != nil || cmd.ProcessState == nil || !cmd.ProcessState.Success() {
		t.Errorf("after its end: %v", cmd.ProcessState)
	}
	s.close() // a second time changes nothing
}

func TestTailIsBounded(t *testing.T) {
	var last tail
	for range 100 {
		if n, err := last.Write([]byte(strings.Repeat("x", 999) + "\n")); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := last.String(); len(got) != maxSaid || !strings.HasSuffix(got, "x\n") {
		t.Errorf("keeps %d bytes", len(got))
	}
}
