// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/term"
)

// errNoTerminal says that there is nobody to ask.
var errNoTerminal = errors.New("there is no terminal to ask on")

// askOnTerminal asks for a PIN on the terminal itself, whatever standard input
// and output are, without showing what is typed. When ctx ends the terminal is
// left as it was found.
func askOnTerminal(ctx context.Context, prompt string) ([]byte, error) {
	in, out, err := openTerminal()
	if err != nil {
		return nil, errNoTerminal
	}
	defer out.Close()
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, errors.Join(errNoTerminal, in.Close())
	}
	if err := hideInput(fd); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	fmt.Fprint(out, prompt)
	pin, err := unlessDone(ctx, func() ([]byte, error) { return readHidden(in) })
	fmt.Fprintln(out)
	if ctx.Err() != nil { // in is still being read from, and stays open
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	return pin, errors.Join(err, term.Restore(fd, before), in.Close())
}
