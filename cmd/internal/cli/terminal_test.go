// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// atPrompt starts pin verify on a new terminal and returns when it asks.
func atPrompt(t *testing.T) (c *exec.Cmd, terminal *os.File, screen *bufio.Reader) {
	t.Helper()
	hsm := softhsm.Standard(t, pki.New(time.Now()))
	c = exec.Command("pectoken", "pin", "verify", "--module", hsm.Module())
	terminal, err := pty.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	screen = bufio.NewReader(terminal)
	seen := ""
	for !strings.HasSuffix(seen, "): ") {
		b, err := screen.ReadByte()
		if err != nil {
			t.Fatalf("no prompt after %q: %v", seen, err)
		}
		seen += string(b)
	}
	if want := `PIN for "Firma" (serial `; !strings.HasPrefix(seen, want) {
		t.Errorf("the prompt is %q, want it to begin with %q", seen, want)
	}
	return c, terminal, screen
}

func TestPromptHidesPIN(t *testing.T) {
	c, terminal, screen := atPrompt(t)
	if _, err := io.WriteString(terminal, softhsm.StandardPIN+"\n"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(screen) // ends with an error when the last process leaves the terminal
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, rest)
	}
	if strings.Contains(string(rest), softhsm.StandardPIN) {
		t.Errorf("the terminal shows the PIN: %q", rest)
	}
	if !strings.Contains(string(rest), "PIN correct") {
		t.Errorf("the terminal shows %q, want it to say that the PIN is correct", rest)
	}
}

func TestInterruptAtPrompt(t *testing.T) {
	c, terminal, screen := atPrompt(t)
	hidden := state(t, terminal)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(screen)
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != int(exitFailed) {
		t.Errorf("the program ended with %v: %s", c.ProcessState, rest)
	}
	if state(t, terminal) == hidden {
		t.Error("the terminal is left as it was for the prompt, without echo")
	}
}

// state is how a terminal is set, echo and all.
func state(t *testing.T, terminal *os.File) term.State {
	t.Helper()
	s, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return *s
}
