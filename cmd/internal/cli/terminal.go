// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return nil, errors.Join(errNoTerminal, in.Close())
	}
	fmt.Fprint(out, prompt)
	defer fmt.Fprintln(out)
	typed := make(chan typedPIN, 1)
	go readHidden(in, typed)
	select {
	case answer := <-typed:
		return answer.pin, errors.Join(answer.err, in.Close())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(int(in.Fd()), before))
	}
}

type typedPIN struct {
	pin []byte
	err error
}

// readHidden reads one line. It may wait for ever: nothing ends a read from a
// terminal but the end of the program.
func readHidden(in *os.File, typed chan<- typedPIN) {
	pin, err := term.ReadPassword(int(in.Fd()))
	typed <- typedPIN{pin, err}
}
