// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/twpayne/go-pinentry/v4"
)

// askPinentry asks with a program of the pinentry family, which shows a window or
// takes over the terminal. The copies of the PIN that the library makes on the way are
// out of reach, and not overwritten.
func askPinentry(program, prompt string) (pin []byte, err error) {
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("the pinentry program %q: %w", program, errors.Unwrap(err))
	}
	about, _ := strings.CutSuffix(prompt, ": ")
	client, err := pinentry.NewClient(
		pinentry.WithBinaryName(program), pinentry.WithGPGTTY(),
		pinentry.WithTitle("pectoken"), pinentry.WithDesc(about), pinentry.WithPrompt("PIN:"),
	)
	if err != nil {
		return nil, fmt.Errorf("starting %q: %w", program, err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	result, err := client.GetPIN()
	switch {
	case pinentry.IsCancelled(err):
		return nil, errors.New("it was not typed")
	case err != nil:
		return nil, errors.New("the pinentry program failed") // what it said may hold what was typed
	}
	return []byte(result.PIN), nil
}
