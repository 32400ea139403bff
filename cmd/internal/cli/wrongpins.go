// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/pectoken/pectoken/token"
)

// wrongCount is how many wrong PINs and PUKs in a row were sent to a token from here.
// Drivers such as OpenSC say nothing of tries that another run used up.
type wrongCount struct{ PIN, PUK int }

// mostCounted is of how many tokens count is kept, before it begins anew.
const mostCounted = 1000

// wrongKey tells a token from the others, and one PIN of a card from the other.
func wrongKey(c *card) string { return fmt.Sprintf("%q %q", c.Serial, c.Label) }

// wrongPath is where count is kept, and empty where nothing can be.
func (a *app) wrongPath() string {
	folder, err := a.cacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "pectoken", "wrong-pins.json")
}

// wrongSecrets is the count of each token by its key; those without a wrong PIN are not
// in it.
func (a *app) wrongSecrets() map[string]wrongCount {
	return readJSON[map[string]wrongCount](a.wrongPath())
}

// countWrong notes what a token answered to a PIN or a PUK: nil is for a right one. A
// right PUK sets a new PIN, and where one is locked there is nothing to be careful of any
// more. That the count can't be kept, in a home folder that is read only for instance,
// stops nobody: the token keeps its own.
func (a *app) countWrong(c *card, puk bool, err error) {
	all := a.wrongSecrets()
	before := all[wrongKey(c)]
	now := before.after(puk, err)
	if now == before || a.wrongPath() == "" {
		return
	}
	if all == nil || len(all) >= mostCounted {
		all = map[string]wrongCount{}
	}
	all[wrongKey(c)] = now
	if now == (wrongCount{}) {
		delete(all, wrongKey(c))
	}
	_ = keepJSON(a.wrongPath(), all)
}

// after is the count after an answer.
func (n wrongCount) after(puk bool, err error) wrongCount {
	var refused *token.PINError
	counted := &n.PIN
	if puk {
		counted = &n.PUK
	}
	switch isPIN := errors.As(err, &refused); {
	case err == nil && puk:
		return wrongCount{}
	case err == nil, isPIN && refused.Reason == token.PINLocked:
		*counted = 0
	case isPIN && refused.Reason == token.PINWrong:
		*counted++
	}
	return n
}
