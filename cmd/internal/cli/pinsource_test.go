// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/token"
)

// fakeApp is a world without a process: its variables, and what is typed.
func fakeApp(env map[string]string, stdin, typed string) (a *app, stderr *bytes.Buffer) {
	stderr = &bytes.Buffer{}
	return &app{
		configDir: func() (string, error) { return "", errNoTerminal },
		cacheDir:  func() (string, error) { return "", errNoTerminal },
		in:        strings.NewReader(stdin), out: io.Discard, err: stderr,
		getenv:   func(name string) string { return env[name] },
		unsetenv: func(name string) error { delete(env, name); return nil },
		askPIN: func(context.Context, string) ([]byte, error) {
			if typed == "" {
				return nil, errNoTerminal
			}
			return []byte(typed), nil
		},
	}, stderr
}

func TestPINSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte("1111\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		flags        pinFlags
		env          string
		stdin, typed string
		want         string
	}{
		{"file before all", pinFlags{secretFlags: secretFlags{file: file, fd: noFD}}, "3333", "2222", "4444", "1111"},
		{"standard input", pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}}, "3333", "2222\r\n", "4444", "2222"},
		{"without a line end", pinFlags{secretFlags: secretFlags{fd: 0}}, "3333", "2222", "4444", "2222"},
		{"variable before the terminal", pinFlags{secretFlags: secretFlags{fd: noFD}}, "3333", "2222", "4444", "3333"},
		{"terminal", pinFlags{secretFlags: secretFlags{fd: noFD}}, "", "2222", "4444", "4444"},
		{"spaces are part of a PIN", pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}}, "", " 22 \n", "", " 22 "},
		{"nowhere", pinFlags{secretFlags: secretFlags{fd: noFD}}, "", "2222", "", ""},
		{"empty line", pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}}, "", "\n2222\n", "", ""},
		{"nothing", pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}}, "", "", "", ""},
		{"endless line", pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}}, "", strings.Repeat("1", 5000), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := map[string]string{"PECTOKEN_PIN": c.env}
			a, _ := fakeApp(env, c.stdin, c.typed)
			pin, err := a.pinSource(c.flags)(t.Context(), token.PINRequest{})
			if string(pin) != c.want {
				t.Errorf("the PIN is %q, want %q", pin, c.want)
			}
			if c.want == "" && (err == nil || problemOf(err).exit != exitPIN) {
				t.Errorf("the error is %v, want one about the PIN", err)
			}
			if _, left := env["PECTOKEN_PIN"]; left {
				t.Error("PECTOKEN_PIN is still in the environment")
			}
		})
	}
}

// TestPINSourceOnce asks a second time when the first PIN has been overwritten, as package
// token does: what is left of it is no PIN.
func TestPINSourceOnce(t *testing.T) {
	a, _ := fakeApp(map[string]string{"PECTOKEN_PIN": "3333"}, "", "4444")
	ask := a.pinSource(pinFlags{secretFlags: secretFlags{fd: noFD}})
	for _, want := range []string{"3333", "4444"} {
		pin, err := ask(t.Context(), token.PINRequest{})
		if err != nil || string(pin) != want {
			t.Errorf("the PIN is %q, want %q (%v)", pin, want, err)
		}
		clear(pin)
	}
}

func TestPINSourceInterrupted(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	defer read.Close()
	a, _ := fakeApp(nil, "", "")
	a.in = read
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.pinSource(pinFlags{secretFlags: secretFlags{file: "-", fd: noFD}})(ctx, token.PINRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestPromptText(t *testing.T) {
	r := token.PINRequest{Token: token.Info{Label: "Firma\x1b[2J", Serial: "42"}}
	if got, want := promptText(r), `PIN for "Firma\x1b[2J" (serial 42): `; got != want {
		t.Errorf("the prompt is %q, want %q", got, want)
	}
	r.Token.PIN.State = token.PINStateFinal
	if got := promptText(r); !strings.HasPrefix(got, "LAST TRY") {
		t.Errorf("the prompt is %q, want it to begin with a warning", got)
	}
}
