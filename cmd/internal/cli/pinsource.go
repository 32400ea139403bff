// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/token"
)

// secretFlags say where a secret comes from. There is no flag for a secret itself:
// the arguments of a program can be seen by every other.
type secretFlags struct {
	file string
	fd   int
}

const noFD = -1

// register adds the flags --NAME-file and --NAME-fd.
func (f *secretFlags) register(c *cobra.Command, name, what string) {
	c.Flags().StringVar(&f.file, name+"-file", "", "read "+what+" from the first line of `FILE`; - is standard input")
	c.Flags().IntVar(&f.fd, name+"-fd", noFD, "read "+what+" from the first line of the open file descriptor `N`")
	c.Flags().Lookup(name + "-fd").DefValue = "0" // keeps the default out of the help
}

func (f *secretFlags) check(c *cobra.Command, name string) error {
	if err := notEmpty(c, name+"-file"); err != nil {
		return err
	}
	switch {
	case f.file != "" && f.fd != noFD:
		return usageError(helpHint(c), "--%s-file and --%s-fd exclude each other", name, name)
	case f.fd < 0 && c.Flags().Changed(name+"-fd"):
		return usageError(helpHint(c), "--%s-fd is %d, and can't be negative", name, f.fd)
	}
	return nil
}

func (f *secretFlags) given() bool { return f.file != "" || f.fd != noFD }

// usesInput says whether the secret is read from standard input.
func (f *secretFlags) usesInput() bool { return f.file == stdio || f.fd == 0 }

// pinFlags say where the PIN comes from.
type pinFlags struct {
	secretFlags
	lastTry  bool
	pinentry string // a program that asks; empty: none
}

func (f *pinFlags) register(c *cobra.Command) {
	f.secretFlags.register(c, "pin", "the PIN")
	c.Flags().BoolVar(&f.lastTry, "last-try", false, "send the PIN also when one more wrong one locks the card")
	c.Flags().StringVar(&f.pinentry, "pinentry", "", "ask for the PIN with this pinentry `PROGRAM`, such as pinentry-gnome3")
}

func (f *pinFlags) check(c *cobra.Command) error { return f.secretFlags.check(c, "pin") }

// loginOptions are the choices of a login to a card by these flags. What can't be the
// PIN of an Italian card, such as one with a space after it, costs no try.
func (a *app) loginOptions(c *card, f pinFlags) token.LoginOptions {
	wrong := a.wrongSecrets()[wrongKey(c)]
	return token.LoginOptions{
		AllowLastTry: f.lastTry,
		DigitsOnly:   c.isItalian(),
		WrongPINs:    wrong.PIN,
		WrongPUKs:    wrong.PUK,
		Answered:     func(puk bool, err error) { a.countWrong(c, puk, err) },
		OnPad:        func(token.PINRequest) { a.say("type the PIN on the keypad of the reader") },
	}
}

// pinSource returns what gets the PIN when a card asks for it, once: a file, a
// descriptor and the variable have it only the first time. The variable
// PECTOKEN_PIN is taken out of the environment, whether it is used or not, for
// neither a card's module nor another program to find it there. From here on the
// program leaves no core file, which would have the PIN in it.
func (a *app) pinSource(f pinFlags) token.PINPrompt {
	if err := token.DisableCoreDumps(); err != nil {
		a.say("note: a crash could leave the PIN in a core file: %v", err)
	}
	f.closeOnExec()
	fromVariable := []byte(a.getenv("PECTOKEN_PIN"))
	_ = a.unsetenv("PECTOKEN_PIN")
	return func(ctx context.Context, r token.PINRequest) ([]byte, error) {
		pin, err := a.getPIN(ctx, f, fromVariable, r)
		fromVariable = nil // whoever gets it overwrites it
		return checkedSecret(ctx, r.Use, pin, err)
	}
}

// checkedSecret refuses a secret that is empty, and explains one that is missing.
func checkedSecret(ctx context.Context, use token.PINUse, secret []byte, err error) ([]byte, error) {
	if errors.Is(err, io.EOF) || err == nil && len(secret) == 0 {
		err = errors.New("it is empty")
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, noSecret(use, err)
	}
	return secret, nil
}

// readPIN is a PIN that was read, or why it was not.
type readPIN struct {
	pin []byte
	err error
}

// unlessDone waits for get to return, or for the end of ctx: a read from a pipe
// that nobody writes to can't be interrupted, only left behind.
func unlessDone(ctx context.Context, get func() ([]byte, error)) ([]byte, error) {
	got := make(chan readPIN, 1)
	go func() {
		pin, err := get()
		got <- readPIN{pin, err}
	}()
	select {
	case read := <-got:
		return read.pin, read.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// noSecret is the error when there is no PIN or PUK to send.
func noSecret(use token.PINUse, err error) error {
	name, from := "PIN", "--pin-file FILE, --pin-fd N, the variable PECTOKEN_PIN or --pinentry PROGRAM"
	switch use {
	case token.PINUseNew:
		name, from = "new PIN", "--new-pin-file FILE, --new-pin-fd N or --pinentry PROGRAM"
	case token.PINUsePUK:
		name, from = "PUK", "--puk-file FILE, --puk-fd N or --pinentry PROGRAM"
	}
	p := &problem{exit: exitPIN, code: "noPIN", err: fmt.Errorf("getting the %s: %w", name, err)}
	if errors.Is(err, errNoTerminal) {
		p.hint = []string{fmt.Sprintf("without a terminal the %s comes from %s", name, from)}
	}
	return p
}

func (a *app) getPIN(ctx context.Context, f pinFlags, fromVariable []byte, r token.PINRequest) ([]byte, error) {
	switch {
	case f.given():
		return a.readSecret(ctx, f.secretFlags)
	case len(fromVariable) > 0:
		return fromVariable, nil
	}
	return a.ask(ctx, f, promptText(r))
}

// readSecret reads a secret from where the flags say.
func (a *app) readSecret(ctx context.Context, f secretFlags) ([]byte, error) {
	return unlessDone(ctx, func() ([]byte, error) {
		switch {
		case f.usesInput():
			return firstLine(a.in)
		case f.file != "":
			return a.pinFile(f.file)
		}
		return pinDescriptor(f.fd)
	})
}

// ask asks the user, with the pinentry program of the flags or the configuration, or
// else on the terminal.
func (a *app) ask(ctx context.Context, f pinFlags, prompt string) ([]byte, error) {
	program := f.pinentry
	if program == "" {
		c, err := a.readConfig()
		if err != nil {
			return nil, err
		}
		program = c.pinentry
	}
	if program != "" {
		return askPinentry(ctx, program, prompt)
	}
	return a.askPIN(ctx, prompt)
}

func (a *app) pinFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, bare(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		a.say("warning: others can read the PIN in %q; chmod 600 prevents that", path)
	}
	return firstLine(file)
}

func pinDescriptor(fd int) ([]byte, error) {
	file := os.NewFile(uintptr(fd), fmt.Sprintf("file descriptor %d", fd))
	if file == nil {
		return nil, fmt.Errorf("file descriptor %d is not open", fd)
	}
	defer file.Close()
	return firstLine(file)
}

// firstLine reads a line and drops its end. A longer one than any PIN is a
// mistake, such as the wrong file.
func firstLine(r io.Reader) ([]byte, error) {
	const longest = 1024
	buffered := bufio.NewReaderSize(io.LimitReader(r, longest), longest)
	line, err := buffered.ReadSlice('\n')
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case err != nil && len(line) == longest:
		return nil, fmt.Errorf("the first line has more than %d characters", longest-1)
	}
	pin := bytes.Clone(bytes.TrimRight(line, "\r\n"))
	clear(line)
	return pin, nil
}

// promptText asks for a PIN, saying of what and how the tries stand.
func promptText(r token.PINRequest) string {
	return fmt.Sprintf("%sPIN for %s: ", triesText(r.Token.PIN.State), about(r))
}

// about says what a PIN or PUK is of.
func about(r token.PINRequest) string {
	of := "serial " + clip(r.Token.Serial, 40)
	if r.Certificate != nil && r.Certificate.X509 != nil {
		of = nameOf(r.Certificate.X509) + ", " + of
	}
	return fmt.Sprintf("\"%s\" (%s)", clip(r.Token.Label, 40), of)
}

// triesText is a line before the prompt when tries were used up.
func triesText(state token.PINState) string {
	switch state {
	case token.PINStateLow:
		return "the last PIN given to this token was wrong; it locks after a few\n"
	case token.PINStateFinal:
		return "LAST TRY: if this PIN is wrong the token locks\n"
	}
	return ""
}
