// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cns"
	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

func newCNSCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "cns",
		Short: "What a Carta Nazionale dei Servizi says of itself",
		Args:  cobra.ArbitraryArgs,
		RunE:  runGroup,
	}
	c.AddCommand(newCNSShowCmd(a, nil))
	return c
}

type cnsShowOptions struct {
	card cardFlags
	cert string
}

func newCNSShowCmd(a *app, runF func(context.Context, *cnsShowOptions) error) *cobra.Command {
	o := &cnsShowOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *cnsShowOptions) error { return runCNSShow(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the CNS certificate and the personal data on a card, cross-checked",
		Long: `Show reads the certificate with which a CNS logs in, the number of the card and
the personal data on it, and says whether they agree: the number of the card, the
hash of the personal data in the certificate, the holder of both certificates.

It asks for no PIN. The card is read through its driver, and through the reader
itself (PC/SC) where the driver doesn't show its files.

Nothing proves that the card is genuine: who issued the certificate, and whether it
was revoked, is not checked, and the personal data is signed by nobody. Nobody has
published which part of the personal data the hash is of, so that one that matches
no reading is no error.`,
		Example: `  pectoken cns show
  pectoken cns show --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.card.check(c, o.cert); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(c)
	c.Flags().StringVar(&o.cert, "cert", "", "show the certificate of this `ID|LABEL|FINGERPRINT`")
	return c
}

func runCNSShow(ctx context.Context, a *app, o *cnsShowOptions) error {
	w, err := a.openWallet(ctx, o.card, o.suits(a))
	if err != nil {
		return a.showWithoutDriver(ctx, o, err)
	}
	chosen, err := o.choice(a).authentication(w.candidates())
	if err != nil {
		return errors.Join(err, a.sayNotes(w))
	}
	onCard, _, err := w.use(ctx, chosen.card)
	if err != nil {
		return err
	}
	facts, err := cnscard.Read(ctx, objects{onCard}, chosen.card.Reader)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.showCNS(a.describeCNS(chosen, w.signatureBeside(chosen), facts, err))
}

// showWithoutDriver shows what the reader alone tells, when no driver shows a card.
// None is why.
func (a *app) showWithoutDriver(ctx context.Context, o *cnsShowOptions, none error) error {
	if problemOf(none).exit != exitNoToken || o.card != (cardFlags{}) || o.cert != "" {
		return none
	}
	facts, err := a.readCard(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return none
	}
	a.say("note: no driver shows this card, so it is read through the reader alone: %v", none)
	return a.showCNS(a.describeCNS(candidate{Certificate: &token.Certificate{X509: facts.Certificate}}, nil, facts, nil))
}

func (o *cnsShowOptions) choice(a *app) choice {
	return choice{command: "pectoken cns show %s", wanted: o.cert, uri: o.card.uri, now: a.now(), allowExpired: true}
}

func (o *cnsShowOptions) suits(a *app) func(*wallet) bool {
	return func(w *wallet) bool {
		_, err := o.choice(a).authentication(w.candidates())
		return err == nil
	}
}

// authentication chooses the certificate for logging in: the one that was asked for;
// else the one CNS certificate; else one of another kind that logs in.
func (o choice) authentication(all []candidate) (candidate, error) {
	all, err := o.meant(all)
	if err != nil {
		return candidate{}, err
	}
	none := fmt.Errorf("no certificate is for logging in (CNS): another driver may show it")
	switch {
	case o.wanted != "":
		return o.one(all, o.asked, fmt.Errorf("no certificate has the ID, label or fingerprint %q", o.wanted))
	case slices.ContainsFunc(all, func(c candidate) bool { return c.kind == cns.CNS }):
		return o.one(all, func(c candidate) bool { return c.kind == cns.CNS }, none)
	case slices.ContainsFunc(all, func(c candidate) bool { return authenticates(c.kind) }):
		return o.one(all, func(c candidate) bool { return authenticates(c.kind) }, none)
	}
	return candidate{}, &problem{exit: exitNoToken, code: "noCertificate", err: none, hint: []string{"pectoken tokens shows what is on the card"}}
}

// signatureBeside returns the certificate for qualified signatures on the same card,
// the current one of several; nil if none is seen.
func (w *wallet) signatureBeside(c candidate) *candidate {
	var beside []candidate
	for _, other := range w.candidates() {
		if other.kind == cns.QualifiedSignature && (other.card == c.card || other.card.sameCard(c.card) || other.card.sameToken(c.card)) {
			beside = append(beside, other)
		}
	}
	if len(beside) == 0 {
		return nil
	}
	newest := slices.MaxFunc(beside, func(a, b candidate) int { return a.X509.NotAfter.Compare(b.X509.NotAfter) })
	return &newest
}

// objects shows package card the data objects of a token.
type objects struct{ token *token.Token }

func (o objects) DataObjects(ctx context.Context) ([]cnscard.DataObject, error) {
	list, err := o.token.DataObjects(ctx)
	var shown []cnscard.DataObject
	for _, d := range list {
		shown = append(shown, cnscard.DataObject{Label: d.Label, Application: d.Application, Value: d.Value})
	}
	return shown, err
}

// cnsReport is what cns show shows, and its --json.
type cnsReport struct {
	Certificate  *cnsCertificateJSON `json:"certificate"` // null: none was read
	Card         cnsCardJSON         `json:"card"`
	PersonalData *personalDataJSON   `json:"personalData"` // null: not read
	Checks       []cnsCheckJSON      `json:"checks"`
	Gaps         []string            `json:"gaps"`
}

type cnsCardJSON struct {
	ID     string `json:"id,omitempty"`
	Source string `json:"source"` // module, reader or unknown
	Reader string `json:"reader,omitempty"`
	ATR    string `json:"atr,omitempty"`
	Chip   string `json:"chip,omitempty"`
	Token  string `json:"token,omitempty"`
	Serial string `json:"serial,omitempty"`
	Module string `json:"module,omitempty"`
}

// cnsCheckJSON is a cross-check: cardNumber, dataHash, dataHolder, signatureHolder.
type cnsCheckJSON struct {
	Check  string     `json:"check"`
	Answer cns.Answer `json:"answer"`
	What   string     `json:"what"`
}

// describeCNS puts together what was read; problem says why nothing of the card's
// files was.
func (a *app) describeCNS(c candidate, signature *candidate, facts *cnscard.Facts, problem error) cnsReport {
	r := cnsReport{Checks: []cnsCheckJSON{}, Gaps: []string{}}
	if problem != nil {
		r.Gaps = append(r.Gaps, "the card's files: "+problem.Error())
		facts = &cnscard.Facts{}
	}
	for _, gap := range facts.Gaps {
		r.Gaps = append(r.Gaps, fmt.Sprintf("%s: %v", gap.What, gap.Err))
	}
	r.Card = describeCard(c.card, facts)
	r.PersonalData = describePersonalData(facts.PersonalData)
	certificate := cmp.Or(c.X509, facts.Certificate)
	r.Certificate = describeCNSCertificate(certificate)
	r.Checks = append(crossChecks(c.card, facts, certificate), signatureHolder(certificate, signature)...)
	return r
}
