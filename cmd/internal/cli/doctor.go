// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cns"
	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

type doctorOptions struct {
	card          cardFlags
	pin           pinFlags
	codiceFiscale string
	checkKey      bool
}

func newDoctorCmd(a *app, runF func(context.Context, *doctorOptions) error) *cobra.Command {
	o := &doctorOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *doctorOptions) error { return runDoctor(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with reader, driver, card and certificates",
		Long: `Doctor looks at everything between the reader and the certificates, in this order:
the PC/SC service, the readers, the card and its chip, the driver it needs, the
drivers that are installed, the slots, the PINs, the certificates and their issuers,
whether a PEC webmail would accept the CNS, the key, how long the chip is certified,
and when the certificates can be renewed.

Each line is ok, a warning, a fault, or unknown, and says what to do. No PIN is asked
and no try used up, except with --check-key, which makes one signature and throws it
away, and asks for the PIN for that.

What is known of chips, drivers and renewals comes from tables of November 2026, put
together from what others published. Whether a certificate was revoked is not
checked.

The exit code is 1 if there is a fault; 5 if there is no reader, no card or no driver
for it, and no other fault.`,
		Example: `  pectoken doctor
  pectoken doctor --codice-fiscale RSSMRA80A01H501U
  pectoken doctor --check-key --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(o.pin.check(c), o.card.check(c), o.checkCode(c)); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(c)
	o.pin.register(c)
	c.Flags().StringVar(&o.codiceFiscale, "codice-fiscale", "", "the mailbox or service is registered for this `CODE`")
	c.Flags().BoolVar(&o.checkKey, "check-key", false, "check with a signature that each key belongs to its certificate; asks for the PIN")
	return c
}

func (o *doctorOptions) checkCode(c *cobra.Command) error {
	if o.codiceFiscale == "" {
		return nil
	}
	if _, err := cns.ParseCodiceFiscale(o.codiceFiscale); err != nil {
		return usageError(helpHint(c), "--codice-fiscale: %w", err)
	}
	return nil
}

// runDoctor looks at everything, then says what it saw.
func runDoctor(ctx context.Context, a *app, o *doctorOptions) error {
	stored := o.pin.given() || a.getenv("PECTOKEN_PIN") != ""
	ask := a.pinSource(o.pin)
	p, err := a.examine(ctx, o)
	if err != nil {
		return err
	}
	var checks []check
	for _, look := range []func(*patient) []check{
		checkService, checkReaders, checkCards, checkDrivers, checkModules, checkSlots, checkPINs,
		checkCertificates, checkIssuers, checkHolders, checkWebmail, checkChips, checkRenewal,
	} {
		checks = append(checks, look(p)...)
	}
	exit, err := a.showChecks(checks)
	if err != nil || !o.checkKey {
		return cmp.Or(err, ending(exit))
	}
	if stored && len(p.wallet.cards) > 1 {
		return errSeveralPINs(p.wallet.cards)
	}
	test := &keyTest{app: a, wallet: p.wallet, ask: ask, flags: o.pin, pins: map[*card][]byte{}}
	keys, err := test.run(ctx, p.holders())
	more, shown := a.showChecks(keys)
	return cmp.Or(shown, err, ending(worst(exit, more)))
}

// errSeveralPINs keeps a PIN that was not typed from being sent to a token that has
// another.
func errSeveralPINs(cards []*card) error {
	return &problem{
		exit: exitUsage, code: "ambiguous", hint: listCards(cards),
		err: fmt.Errorf("the keys are not checked: %d PINs are here, and one was given", len(cards)),
	}
}

// patient is everything that doctor looks at.
type patient struct {
	now           time.Time
	codiceFiscale string // empty: not given

	readers   []cnscard.Reader
	noReaders error // why the readers can't be listed

	noModule error // why no module was tried
	tried    []token.Candidate
	found    *token.Discovery
	wallet   *wallet
}

// examine looks at readers and modules. What is missing is no error, but part of the
// answer.
func (a *app) examine(ctx context.Context, o *doctorOptions) (*patient, error) {
	p := &patient{now: a.now(), codiceFiscale: o.codiceFiscale, found: &token.Discovery{}, wallet: &wallet{}}
	p.readers, p.noReaders = a.readers(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	candidates, err := a.candidates(o.card)
	if err != nil {
		if problemOf(err).exit != exitNoToken {
			return nil, err
		}
		p.noModule = err
		return p, nil
	}
	p.tried = candidates
	p.found, err = token.Discover(ctx, candidates, a.discovery())
	if err != nil {
		return nil, err
	}
	a.remember(p.found, candidates)
	p.wallet.cards = cardsOf(p.found, o.card)
	a.keep(p.wallet)
	return p, nil
}

// cardsInReaders are the cards that answer.
func (p *patient) cardsInReaders() []inserted { return cardsIn(p.readers) }

func cardsIn(readers []cnscard.Reader) []inserted {
	var list []inserted
	for _, r := range readers {
		if r.State == cnscard.ReaderWithCard {
			atr, _ := cns.ParseATR(r.ATR) // nil when it isn't one, which is said of the card
			chip, known := cns.ChipOf(atr)
			list = append(list, inserted{r, atr, chip, known})
		}
	}
	return list
}

// inserted is a card in a reader, as PC/SC sees it.
type inserted struct {
	reader cnscard.Reader
	atr    *cns.ATR
	chip   cns.Chip
	known  bool
}

// limitedByOpenSC explains a signature that failed because OpenSC takes the card's key
// for a shorter one.
func (a *app) limitedByOpenSC(ctx context.Context, c *card, err error) error {
	if !isOpenSC(c.module) {
		return err
	}
	readers, unread := a.readers(ctx)
	if unread != nil {
		return err
	}
	for _, in := range cardsIn(readers) {
		if sameReader(c.Reader, in.reader.Name) && in.atr != nil && in.atr.LimitsOpenSC() {
			return &problem{
				exit: exitNoToken, code: "driver", hint: []string{"install " + in.needs()},
				err: fmt.Errorf("%w: OpenSC takes this card for a CNS 1.0 with keys of 1024 bits, and can't sign with a longer one", err),
			}
		}
	}
	return err
}

// shownBy returns the modules that show a token in a reader.
func (p *patient) shownBy(reader string) []*token.FoundModule {
	var list []*token.FoundModule
	for _, m := range p.found.Modules {
		for _, t := range m.Tokens {
			if sameReader(t.Reader, reader) {
				list = append(list, m)
				break
			}
		}
	}
	return list
}

// holders are the certificates of persons in the wallet; authorities are left out.
func (p *patient) holders() []candidate { return p.wallet.candidates() }

// authentication is the certificate for logging in, preferably a real CNS that is
// valid; nil if there is none.
func (p *patient) authentication() *x509.Certificate { return p.best(p.holders()) }

// authenticationBeside is the one on the card of another certificate, or else any: the
// kit may be two cards.
func (p *patient) authenticationBeside(c candidate) *x509.Certificate {
	var beside []candidate
	for _, other := range p.holders() {
		if other.card.Serial == c.card.Serial {
			beside = append(beside, other)
		}
	}
	if best := p.best(beside); best != nil {
		return best
	}
	return p.authentication()
}

// best is the best certificate for logging in of some.
func (p *patient) best(of []candidate) *x509.Certificate {
	var best *x509.Certificate
	score := 0
	for _, c := range of {
		now := 0
		switch c.kind {
		case cns.CNS:
			now = 4
		case cns.CNSLike:
			now = 2
		default:
			continue
		}
		if !p.now.After(c.X509.NotAfter) {
			now++
		}
		if now > score {
			best, score = c.X509, now
		}
	}
	return best
}
