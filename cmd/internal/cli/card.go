// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/token"
)

// cardFlags say which module and which token to use.
type cardFlags struct {
	module string
	token  string
}

func (f *cardFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.module, "module", "", "use the PKCS#11 module (driver) at `PATH`, and no other")
	c.Flags().StringVar(&f.token, "token", "", "use the token with this `LABEL|SERIAL`")
}

// card is a token that is present, and what is on it.
type card struct {
	*token.Token
	module       string // path
	certificates []*token.Certificate
}

// wallet is every card in reach.
type wallet struct {
	modules []*token.Module
	cards   []*card
	notes   []error // modules, readers and cards that could not be read
}

// openWallet reads every card through every module that is installed, or the
// one that was asked for. It needs no PIN. No card is an error.
func (a *app) openWallet(ctx context.Context, f cardFlags) (*wallet, error) {
	paths, err := a.modulePaths(f)
	if err != nil {
		return nil, err
	}
	w := &wallet{}
	for _, path := range paths {
		if err := w.addModule(ctx, path); err != nil {
			w.notes = append(w.notes, err)
		}
	}
	err = w.mustHold(f, paths)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		a.sayNotes(w.notes)
		w.close()
		return nil, err
	}
	return w, nil
}

// sayNotes tells what could not be read on the way.
func (a *app) sayNotes(notes []error) {
	for _, note := range notes {
		a.say("note: %v", note)
	}
}

// modulePaths says which modules to try, best first.
func (a *app) modulePaths(f cardFlags) ([]string, error) {
	if !hasCgo { // said once, and not of every module
		return nil, token.ErrNoCgo
	}
	if f.module != "" {
		return []string{f.module}, nil
	}
	if path := a.getenv("PECTOKEN_MODULE"); path != "" {
		return []string{path}, nil
	}
	var paths []string
	for _, module := range a.modules() {
		paths = append(paths, module.Path)
	}
	if len(paths) == 0 {
		return nil, &problem{
			exit: exitNoToken, code: "noModule", err: errors.New("no driver (PKCS#11 module) for a card is installed"),
			hint: []string{
				"install the software that came with the kit, or OpenSC (Debian, Ubuntu: apt install opensc)",
				"if it is in an unusual place: pectoken tokens --module PATH",
			},
		}
	}
	return paths, nil
}

func (w *wallet) addModule(ctx context.Context, path string) error {
	module, err := token.Open(path)
	if err != nil {
		return err
	}
	w.modules = append(w.modules, module)
	tokens, skipped, err := module.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, slot := range skipped {
		w.notes = append(w.notes, fmt.Errorf("module %q: %w", path, slot))
	}
	for _, t := range tokens {
		w.addCard(ctx, path, t)
	}
	return nil
}

func (w *wallet) addCard(ctx context.Context, module string, t *token.Token) {
	certificates, err := t.Certificates(ctx)
	if err != nil {
		w.notes = append(w.notes, err)
	}
	w.cards = append(w.cards, &card{t, module, certificates})
}

// mustHold drops the cards that were not asked for, and explains why there are
// none.
func (w *wallet) mustHold(f cardFlags, paths []string) error {
	present := w.cards
	w.cards = nil
	for _, c := range present {
		if f.token == "" || c.Label == f.token || strings.EqualFold(c.Serial, f.token) {
			w.cards = append(w.cards, c)
		}
	}
	switch {
	case len(w.cards) > 0:
		return nil
	case len(present) > 0:
		return &problem{
			exit: exitNoToken, code: "noToken", hint: listCards(present),
			err: fmt.Errorf("no token has the label or serial number %q", f.token),
		}
	case len(w.modules) == 0:
		first := w.notes[0]
		w.notes = w.notes[1:]
		return first
	}
	return &problem{
		exit: exitNoToken, code: "noToken",
		err:  fmt.Errorf("no token found by %s", strings.Join(paths, ", ")),
		hint: []string{"is the card in the reader, and the reader plugged in? with another driver: pectoken tokens --module PATH"},
	}
}

// listCards is a list for hints.
func listCards(cards []*card) []string {
	var lines []string
	for _, c := range cards {
		lines = append(lines, fmt.Sprintf("--token %s is %q", shellWord(c.Serial), c.Label))
	}
	return lines
}

func (w *wallet) close() {
	for _, m := range w.modules {
		_ = m.Close() // nothing was written through it
	}
}

// only returns the one card there is. A card that two modules see is one card,
// seen best through the first.
func (w *wallet) only(c *cobra.Command) (*card, error) {
	var distinct []*card
	for _, found := range w.cards {
		if !slices.ContainsFunc(distinct, found.sameCard) {
			distinct = append(distinct, found)
		}
	}
	if len(distinct) > 1 {
		return nil, &problem{
			exit: exitUsage, code: "ambiguous", hint: listCards(distinct),
			err: fmt.Errorf("%d tokens are here, and %s wants one", len(distinct), c.CommandPath()),
		}
	}
	return distinct[0], nil
}

// sameCard says whether another module shows the same card.
func (c *card) sameCard(other *card) bool {
	return c.module != other.module && c.Serial != "" && c.Serial == other.Serial
}

// shellWord quotes a text for the command line of a hint if need be.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
