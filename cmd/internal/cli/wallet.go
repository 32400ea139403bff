// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

// wallet is every token in reach that was asked for.
type wallet struct {
	cards    []*card
	problems []*token.ModuleError // modules that could not be used
	notes    []error              // readers and cards that could not be read

	open []*token.Module
}

// openWallet finds the cards, for as long as the program lives. It needs no PIN. No card
// is an error.
//
// The cards of last time are looked for first, through the one module that showed
// them; that is enough if suits approves, nil being content with anything. Else every
// module is tried, each in a process of its own.
func (a *app) openWallet(ctx context.Context, f cardFlags, suits func(*wallet) bool) (*wallet, error) {
	candidates, err := a.candidates(f)
	if err != nil {
		return nil, err
	}
	if w := a.recall(ctx, f, candidates); w != nil {
		if suits == nil || suits(w) {
			a.keep(w)
			return w, nil
		}
		w.close()
	}
	w, err := a.discover(ctx, f, candidates)
	if err == nil {
		a.keep(w)
	}
	return w, err
}

// keep has a wallet closed at the end, and adds to its cards what is known of wrong PINs.
func (a *app) keep(w *wallet) {
	a.wallets = append(a.wallets, w)
	all := a.wrongSecrets()
	for _, c := range w.cards {
		c.wrong = all[wrongKey(c)]
	}
}

// candidates says which modules to try.
func (a *app) candidates(f cardFlags) ([]token.Candidate, error) {
	if !hasCgo { // said once, and not of every module
		return nil, token.ErrNoCgo
	}
	places, err := a.places(f)
	if err != nil {
		return nil, err
	}
	candidates := places.Candidates()
	if f.uri != nil {
		candidates = slices.DeleteFunc(candidates, func(c token.Candidate) bool { return !f.uri.MatchModule(c.Path) })
	}
	if len(candidates) == 0 {
		return nil, &problem{
			exit: exitNoToken, code: "noModule", err: errors.New("no driver (PKCS#11 module) for a card is installed"),
			hint: []string{
				"install the software that came with the kit, or OpenSC" + onThisSystem(installOpenSC),
				"if it is in an unusual place: pectoken tokens --module PATH",
			},
		}
	}
	return candidates, nil
}

// places says where to look for modules. Those that the user names are the only
// ones.
func (a *app) places(f cardFlags) (token.Places, error) {
	only := token.Places{P11Kit: []string{}, Known: []token.KnownModule{}}
	switch {
	case f.module != "":
		only.Paths = []string{f.module}
		return only, nil
	case a.getenv("PECTOKEN_MODULE") != "":
		only.Getenv = a.getenv
		return only, nil
	}
	c, err := a.readConfig()
	return token.Places{Config: c.modules, Getenv: a.getenv, Known: a.known}, err
}

// discover asks every module. What is found is remembered.
func (a *app) discover(ctx context.Context, f cardFlags, candidates []token.Candidate) (*wallet, error) {
	found, err := token.Discover(ctx, candidates, a.discovery())
	if err != nil {
		return nil, err
	}
	a.remember(found, candidates)
	w := &wallet{problems: found.Problems}
	for _, m := range found.Modules {
		for _, slot := range m.Skipped {
			w.notes = append(w.notes, fmt.Errorf("module %q: %w", m.Path, slot))
		}
	}
	w.cards = cardsOf(found, f)
	for _, c := range w.cards {
		if c.problem != nil {
			w.notes = append(w.notes, c.problem)
		}
	}
	if len(w.cards) > 0 {
		return w, nil
	}
	return nil, a.noCard(ctx, f, found, w)
}

// discovery says how modules are looked into.
func (a *app) discovery() token.DiscoverOptions {
	return token.DiscoverOptions{Command: a.probe, Open: a.openModule}
}

// cardsOf makes cards of the tokens that fit. What two modules show is shown once,
// where it is shown best.
func cardsOf(found *token.Discovery, f cardFlags) []*card {
	byToken := map[*token.FoundToken]*card{}
	var cards []*card
	for _, m := range found.Modules {
		for _, t := range m.Tokens {
			if f.fitsLibrary(m.Library) && f.fits(t.Info) {
				byToken[t] = &card{Info: t.Info, module: m.Path, problem: t.Problem}
				cards = append(cards, byToken[t])
			}
		}
	}
	for _, c := range found.Certificates {
		share(c.Ways, byToken)
	}
	return withoutShadows(cards)
}

// share gives a certificate to the cards of the best module that shows it. The other
// modules are named there.
func share(ways []token.Way, byToken map[*token.FoundToken]*card) {
	ways = slices.DeleteFunc(slices.Clone(ways), func(w token.Way) bool { return byToken[w.Token] == nil })
	also := otherModules(ways)
	for _, w := range ways {
		c := byToken[w.Token]
		held := &certificate{w.Certificate, also}
		if w.Token.Module == ways[0].Token.Module {
			c.certificates = append(c.certificates, held)
		} else {
			c.better = append(c.better, held)
		}
	}
}

// otherModules are those beside the best one.
func otherModules(ways []token.Way) []string {
	var others []string
	for _, w := range ways {
		if best := ways[0].Token.Module; w.Token.Module != best {
			others = append(others, w.Token.Module.Path)
		}
	}
	return slices.Compact(others)
}

// withoutShadows leaves out tokens that only show what another module shows better,
// and names their modules there.
func withoutShadows(cards []*card) []*card {
	var shown []*card
	for _, c := range cards {
		for _, held := range c.certificates {
			c.also = append(c.also, held.also...)
		}
	}
	for _, c := range cards {
		at := slices.IndexFunc(shown, c.sameToken)
		switch {
		case len(c.certificates) > 0 || len(c.better) == 0 && at < 0:
			shown = append(shown, c)
		case len(c.better) == 0:
			shown[at].also = append(shown[at].also, c.module)
		}
	}
	for _, c := range shown {
		slices.Sort(c.also)
		c.also = slices.Compact(c.also)
	}
	return shown
}

// noCard explains why there is none.
func (a *app) noCard(ctx context.Context, f cardFlags, found *token.Discovery, w *wallet) error {
	if len(found.Modules) == 0 && len(found.Problems) > 0 {
		first := found.Problems[0]
		w.problems = found.Problems[1:]
		return errors.Join(first, a.sayNotes(w))
	}
	if err := a.sayNotes(w); err != nil {
		return err
	}
	if present := cardsOf(found, cardFlags{}); len(present) > 0 {
		return &problem{
			exit: exitNoToken, code: "noToken", hint: listCards(present),
			err: f.noneFits(),
		}
	}
	var asked []string
	for _, m := range found.Modules {
		asked = append(asked, m.Path)
	}
	why, hints := a.whyNoCard(ctx)
	return &problem{
		exit: exitNoToken, code: "noToken",
		err:  fmt.Errorf("no token found by %s%s", strings.Join(asked, ", "), why),
		hint: append(hints, "is the card in the reader, and the reader plugged in? pectoken doctor looks for the reason"),
	}
}

// whyNoCard is what the readers say to it, and what to do.
func (a *app) whyNoCard(ctx context.Context) (why string, hints []string) {
	readers, err := a.readers(ctx)
	present := cardsIn(readers)
	switch {
	case errors.Is(err, cnscard.ErrNoService):
		return ", and the PC/SC service, which readers need, is not running", []string{onThisSystem(startPCSC)}
	case len(present) > 0:
		return fmt.Sprintf(", though a card is in %q", present[0].reader.Name), []string{"install " + present[0].needs()}
	}
	return "", nil
}

// moduleProblemJSON is the line of --json for a module that can't be used.
type moduleProblemJSON struct {
	Module  string `json:"module"`
	Problem string `json:"problem"`
}

// sayNotes tells what could not be read on the way, once.
func (a *app) sayNotes(w *wallet) error {
	for _, p := range w.problems {
		a.say("note: %v", p)
		if a.json {
			if err := a.printJSON(moduleProblemJSON{p.Path, p.Reason}); err != nil {
				return err
			}
		}
	}
	for _, note := range w.notes {
		a.say("note: %v", note)
	}
	w.problems, w.notes = nil, nil
	return nil
}

// use opens the token of a card, and the module if another process found it.
func (w *wallet) use(ctx context.Context, c *card) (*token.Token, *token.Module, error) {
	if c.live != nil {
		return c.live, c.through, nil
	}
	found, err := answer(ctx, answerLimit, func() (opened, error) { return openAndFind(ctx, c) })
	if errors.Is(err, errNoAnswer) {
		err = &token.ModuleError{Path: c.module, Reason: err.Error(), Err: err}
	}
	if found.module != nil {
		w.open = append(w.open, found.module)
	}
	c.live, c.through = found.token, found.module
	return c.live, c.through, err
}

// opened is a token and the module it was found through.
type opened struct {
	module *token.Module
	token  *token.Token
}

func openAndFind(ctx context.Context, c *card) (o opened, err error) {
	if o.module, err = token.Open(c.module); err == nil {
		o.token, err = o.module.Find(ctx, c.Info)
	}
	return o, err
}

// close ends the modules.
func (w *wallet) close() {
	closeAll(w.open)
	w.open = nil
}

// closeAll ends keys or modules of which nothing is wanted any more: what they say to it
// is of no matter, and one that hangs is left to the end of the process.
func closeAll[T io.Closer](open []T) {
	if len(open) == 0 {
		return
	}
	_, _ = answer(context.Background(), goodbye, func() (struct{}, error) {
		for _, c := range open {
			_ = c.Close()
		}
		return struct{}{}, nil
	})
}

// end closes what is open when everything has been said, and the work is done: a driver
// that crashes even now changes nothing of how it ended.
func (a *app) end(code exitCode) exitCode {
	if len(a.wallets) > 0 && a.crashTo != nil {
		a.crashTo(int(code))
	}
	for _, w := range a.wallets {
		w.close()
	}
	return code
}

// id names a certificate, and its card if there are several.
func (w *wallet) id(c candidate) string { return clip(textID(c.ID), 20) + w.on(c.card) }

// on names a card, and is empty if it is the only one.
func (w *wallet) on(c *card) string {
	if len(byCard(w.cards)) < 2 {
		return ""
	}
	return " on " + clip(cmp.Or(c.Serial, c.Label), 40)
}

// narrow leaves out tokens without the certificate or key that a URI is about, if
// another one has it.
func (w *wallet) narrow(f cardFlags) {
	wanted := choice{uri: f.uri}
	if !wanted.namesCertificate() {
		return
	}
	without := func(c *card) bool {
		return !slices.ContainsFunc(c.certificates, func(held *certificate) bool { return f.uri.MatchCertificate(held.Certificate) })
	}
	if left := slices.DeleteFunc(slices.Clone(w.cards), without); len(left) > 0 {
		w.cards = left
	}
}

// only returns the one token there is.
func (w *wallet) only(c *cobra.Command) (*card, error) {
	if len(w.cards) == 1 {
		return w.cards[0], nil
	}
	what := "tokens are"
	if len(byCard(w.cards)) == 1 {
		what = "PINs of one card are"
	}
	return nil, &problem{
		exit: exitUsage, code: "ambiguous", hint: listCards(w.cards),
		err: fmt.Errorf("%d %s here, and %s wants one", len(w.cards), what, c.CommandPath()),
	}
}
