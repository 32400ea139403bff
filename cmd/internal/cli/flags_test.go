// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/verify/report"
)

// parse runs a command with a fake world and reports what was asked of it.
func parse[O any](t *testing.T, newCmd func(*app, func(context.Context, *O) error) *cobra.Command, args ...string) (*O, error) {
	t.Helper()
	a, _ := fakeApp(nil, "", "")
	a.now = fixedNow
	var got *O
	c := newCmd(a, func(_ context.Context, o *O) error { got = o; return nil })
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	return got, c.ExecuteContext(t.Context())
}

func TestSignFlags(t *testing.T) {
	o, err := parse(t, newSignCmd, "a.pdf", "b.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(o.files) != 2 || o.format != "auto" || o.level.level != "b" || o.hash != "sha256" || o.detached || o.pss ||
		o.allowExpired || o.output.overwrite || o.pin.fd != noFD || o.pin.lastTry {
		t.Errorf("the defaults are %+v", o)
	}
	if o, err = parse(t, newSignCmd, "-"); err != nil || o.output.path != stdio {
		t.Errorf("standard input goes to %q, %v", o.output.path, err)
	}
	for _, args := range [][]string{
		{}, {""}, {"-", "a"}, {"-", "--pin-fd", "0"}, {"a", "b", "-o", "c"}, {"a", "-o", "b", "--output-dir", "c"},
		{"a", "--level", "ltv"}, {"a", "--tsa", "http://x"}, {"a", "--level", "t"}, {"a.p7m", "--add", "--level", "lt", "--tsa", "http://x"}, {"a", "--hash", "sha1"}, {"a", "--format", "xades"}, {"a", "--pin-fd", "-2"},
		{"a", "--format", "pades", "--detached"},
	} {
		if _, err := parse(t, newSignCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("%q gives %v, want a usage error", args, err)
		}
	}
}

func TestVerifyFlags(t *testing.T) {
	o, err := parse(t, newVerifyCmd, "a.p7m", "--at", "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	if got := o.judge.Time.Format("2006-01-02T15:04:05Z07:00"); got != "2026-01-31T00:00:00Z" {
		t.Errorf("--at is understood as %s", got)
	}
	if !o.judge.Now.Equal(fixedNow()) || o.judge.Trust.Len() != 0 {
		t.Errorf("the defaults are %+v", o.judge)
	}
	for _, args := range [][]string{
		{}, {"a", "--at", "31/01/2026"}, {"a", "b", "--content", "c"}, {"-", "--content", "-"}, {"-", "-"}, {"a", "--trust", "missing"},
	} {
		if _, err := parse(t, newVerifyCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("%q gives %v, want a usage error", args, err)
		}
	}
}

func TestExtractFlags(t *testing.T) {
	o, err := parse(t, newExtractCmd, "--all", "--broken", "d/a.txt.p7m")
	if err != nil || o.file != "d/a.txt.p7m" || !o.broken || !o.all {
		t.Errorf("got %+v, %v", o, err)
	}
	if o, err = parse(t, newExtractCmd, "-"); err != nil || o.output.path != stdio {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"--all", "--outer", "a.p7m"}, {"--all", "-o", "x", "a.p7m"}} {
		if _, err := parse(t, newExtractCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("%q gives %v, want a usage error", args, err)
		}
	}
}

// TestExtractPlan decides what is written where, from what was found inside.
func TestExtractPlan(t *testing.T) {
	t.Chdir(t.TempDir())
	content := &report.Content{}
	inner := &report.Report{Format: "cades", Content: content}
	nested := &report.Report{Format: "cades", Content: content, Nested: []*report.Report{inner}}
	for name, c := range map[string]struct {
		o    extractOptions
		in   *report.Report
		want []string
	}{
		"down to the document": {extractOptions{file: "a.p7m.p7m"}, nested, []string{"a"}},
		"each":                 {extractOptions{file: "a.p7m.p7m", all: true}, nested, []string{"a.p7m", "a"}},
		"one envelope":         {extractOptions{file: "a.p7m.p7m"}, inner, []string{"a.p7m"}},
		"one .p7m too few":     {extractOptions{file: "a.p7m"}, nested, []string{"a"}},
		"the outer one alone":  {extractOptions{file: "a.pdf.m7m", outer: true}, nested, []string{"a.pdf.p7m"}},
		"by name":              {extractOptions{file: "x", output: outputFlags{path: "-"}}, nested, []string{"-"}},
	} {
		plan, err := c.o.plan(&input{}, c.in)
		var got []string
		for _, e := range plan {
			got = append(got, e.output)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	o := extractOptions{file: "a.dat"}
	if _, err := o.plan(&input{}, nested); err == nil || problemOf(err).exit != exitUsage {
		t.Errorf("a name without .p7m gives %v, want a usage error", err)
	}
}

// TestTerminalRefused makes sure that no document is written to a terminal.
func TestTerminalRefused(t *testing.T) {
	a, _ := fakeApp(nil, "", "")
	a.outIsTerminal = true
	if err := a.checkStream(&cobra.Command{}, stdio); problemOf(err).exit != exitUsage {
		t.Errorf("a terminal gives %v, want a usage error", err)
	}
	a.outIsTerminal, a.json = false, true
	if err := a.checkStream(&cobra.Command{}, stdio); problemOf(err).exit != exitUsage {
		t.Errorf("--json gives %v, want a usage error", err)
	}
	a.json = false
	if err := a.checkStream(&cobra.Command{}, stdio); err != nil {
		t.Error(err)
	}
}

func TestWantsJSON(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{
		{[]string{"sign", "--json"}, true},
		{[]string{"--json=true", "sign"}, true},
		{[]string{"sign", "--", "--json"}, false},
		{[]string{"sign"}, false},
	} {
		if got := wantsJSON(c.args); got != c.want {
			t.Errorf("wantsJSON(%q) = %v", c.args, got)
		}
	}
}

func TestEnding(t *testing.T) {
	if ending(exitOK) != nil {
		t.Error("a good end is an error")
	}
	var o outcome
	if err := ending(exitPIN); !errors.As(err, &o) || exitCode(o) != exitPIN {
		t.Errorf("the end is %v", err)
	}
}
