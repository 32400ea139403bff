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

// pinFlags say where the PIN comes from. There is no flag for the PIN itself:
// the arguments of a program can be seen by every other.
type pinFlags struct {
	file    string
	fd      int
	lastTry bool
}

const noFD = -1

func (f *pinFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "pin-file", "", "read the PIN from the first line of `FILE`; - is standard input")
	c.Flags().IntVar(&f.fd, "pin-fd", noFD, "read the PIN from the first line of the open file descriptor `N`")
	c.Flags().Lookup("pin-fd").DefValue = "0" // keeps the default out of the help
	c.Flags().BoolVar(&f.lastTry, "last-try", false, "send the PIN also when one more wrong one locks the card")
}

func (f *pinFlags) check(c *cobra.Command) error {
	switch {
	case f.file != "" && f.fd != noFD:
		return usageError(helpHint(c), "--pin-file and --pin-fd exclude each other")
	case f.fd < noFD:
		return usageError(helpHint(c), "--pin-fd is %d, and can't be negative", f.fd)
	}
	return nil
}

// usesInput says whether the PIN is read from standard input.
func (f *pinFlags) usesInput() bool { return f.file == "-" || f.fd == 0 }

// loginOptions are the choices of a login by these flags.
func (a *app) loginOptions(f pinFlags) token.LoginOptions {
	return token.LoginOptions{
		AllowLastTry: f.lastTry,
		OnPad:        func(token.PINRequest) { a.say("type the PIN on the keypad of the reader") },
	}
}

// pinSource returns what gets the PIN when a card asks for it. The variable
// PECTOKEN_PIN is taken out of the environment, whether it is used or not, for
// neither a card's module nor another program to find it there.
func (a *app) pinSource(f pinFlags) token.PINPrompt {
	fromVariable := []byte(a.getenv("PECTOKEN_PIN"))
	_ = a.unsetenv("PECTOKEN_PIN")
	return func(ctx context.Context, r token.PINRequest) ([]byte, error) {
		pin, err := a.getPIN(ctx, f, fromVariable, r)
		if errors.Is(err, io.EOF) || err == nil && len(pin) == 0 {
			err = errors.New("it is empty")
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, noPIN(err)
		}
		return pin, nil
	}
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

// noPIN is the error when there is no PIN to send.
func noPIN(err error) error {
	p := &problem{exit: exitPIN, code: "noPIN", err: fmt.Errorf("getting the PIN: %w", err)}
	if errors.Is(err, errNoTerminal) {
		p.hint = []string{"without a terminal the PIN comes from --pin-file FILE, --pin-fd N or the variable PECTOKEN_PIN"}
	}
	return p
}

func (a *app) getPIN(ctx context.Context, f pinFlags, fromVariable []byte, r token.PINRequest) ([]byte, error) {
	switch {
	case f.file == "-" || f.fd == 0:
		return unlessDone(ctx, func() ([]byte, error) { return firstLine(a.in) })
	case f.file != "":
		return unlessDone(ctx, func() ([]byte, error) { return a.pinFile(f.file) })
	case f.fd != noFD:
		return unlessDone(ctx, func() ([]byte, error) { return pinDescriptor(f.fd) })
	case len(fromVariable) > 0:
		return fromVariable, nil
	}
	return a.askPIN(ctx, promptText(r))
}

func (a *app) pinFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
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
	about := "serial " + clip(r.Token.Serial, 40)
	if r.Certificate != nil && r.Certificate.X509 != nil {
		about = nameOf(r.Certificate.X509) + ", " + about
	}
	return fmt.Sprintf("%sPIN for \"%s\" (%s): ", triesText(r.Token.PIN.State), clip(r.Token.Label, 40), about)
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
