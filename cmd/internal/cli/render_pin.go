// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/pectoken/pectoken/token"
)

// pinResultJSON is the line of --json for a PIN that was checked.
type pinResultJSON struct {
	Token  string         `json:"token"`
	Serial string         `json:"serial"`
	PIN    checkedPINJSON `json:"pin"`
}

type checkedPINJSON struct {
	Correct bool           `json:"correct"`
	State   token.PINState `json:"state"` // after the check
}

// pinResult shows whether the token took the PIN; refused says why not.
func (a *app) pinResult(c *card, refused *token.PINError, err error) error {
	if a.json {
		result := pinResultJSON{c.Label, c.Serial, checkedPINJSON{refused == nil, stateAfter(refused)}}
		if err := a.printJSON(result); err != nil {
			return err
		}
	}
	if refused != nil {
		p := problemOf(err)
		a.complain(p)
		return ending(p.exit)
	}
	if a.json {
		return nil
	}
	return a.print(fmt.Sprintf("PIN correct: \"%s\" (serial %s)\n", printable(c.Label), printable(c.Serial)))
}

// pinSetJSON is the line of --json for a PIN that was changed or unblocked.
type pinSetJSON struct {
	Token  string `json:"token"`
	Serial string `json:"serial"`
	Done   string `json:"done"` // changed or unblocked
}

// pinSet shows that a PIN was changed or unblocked.
func (a *app) pinSet(c *card, done string, err error) error {
	switch {
	case err != nil:
		return err
	case a.json:
		return a.printJSON(pinSetJSON{c.Label, c.Serial, done})
	}
	return a.print(fmt.Sprintf("PIN %s: \"%s\" (serial %s)\n", done, printable(c.Label), printable(c.Serial)))
}

// stateAfter is the state of a PIN after a try. A right PIN sets the counter
// back.
func stateAfter(refused *token.PINError) token.PINState {
	switch {
	case refused == nil:
		return token.PINStateOK
	case refused.Left == token.TriesNone:
		return token.PINStateLocked
	case refused.Left == token.TriesOne:
		return token.PINStateFinal
	case refused.Reason == token.PINNotSet:
		return token.PINStateNotSet
	case refused.Reason == token.PINWrong:
		return token.PINStateLow
	}
	return token.PINStateUnknown
}
