// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/token"
)

// tokenJSON is the line of --json for a token.
type tokenJSON struct {
	Module       string                 `json:"module"`
	Reader       string                 `json:"reader"`
	Slot         uint                   `json:"slot"`
	Label        string                 `json:"label"`
	Serial       string                 `json:"serial"`
	Model        string                 `json:"model"`
	Manufacturer string                 `json:"manufacturer"`
	PIN          pinJSON                `json:"pin"`
	Certificates []tokenCertificateJSON `json:"certificates"`
}

type pinJSON struct {
	State token.PINState `json:"state"`
	Min   int            `json:"min"`
	Max   int            `json:"max"`
	Pad   bool           `json:"pad"`
}

// tokenCertificateJSON is a certificate on a token. One that can't be read has
// an error and the fields that don't depend on its content.
type tokenCertificateJSON struct {
	ID                 string     `json:"id"`
	Label              string     `json:"label"`
	Subject            string     `json:"subject,omitempty"`
	CodiceFiscale      string     `json:"codiceFiscale,omitempty"`
	Kind               cns.Kind   `json:"kind"`
	NotBefore          *time.Time `json:"notBefore,omitempty"`
	NotAfter           *time.Time `json:"notAfter,omitempty"`
	SHA256             string     `json:"sha256"`
	PrivateKey         bool       `json:"privateKey"`
	AlwaysAuthenticate bool       `json:"alwaysAuthenticate"`
	AlsoBy             []string   `json:"alsoBy,omitempty"` // other modules that show it
	Error              *errorJSON `json:"error,omitempty"`
}

func (a *app) tokensJSON(cards []*card) error {
	for _, c := range cards {
		if err := a.printJSON(c.json()); err != nil {
			return err
		}
	}
	return nil
}

func (c *card) json() tokenJSON {
	list := []tokenCertificateJSON{} // never null
	for _, certificate := range inOrder(c.certificates) {
		list = append(list, onToken(certificate))
	}
	return tokenJSON{
		Module: c.module, Reader: c.Reader, Slot: c.Slot, Label: c.Label, Serial: c.Serial,
		Model: c.Model, Manufacturer: c.Manufacturer, Certificates: list,
		PIN: pinJSON{c.PIN.State, c.PIN.Min, c.PIN.Max, c.PIN.Pad},
	}
}

// inOrder puts those that sign documents first, and authorities last: drivers list
// them in any order, some in another one each time.
func inOrder(certificates []*certificate) []*certificate {
	rank := func(c *certificate) int {
		switch {
		case c.X509 == nil:
			return math.MaxInt
		case c.X509.IsCA:
			return math.MaxInt - 1
		}
		kind, _ := cns.Classify(c.X509)
		return int(kind)
	}
	return slices.SortedStableFunc(slices.Values(certificates), func(a, b *certificate) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), bytes.Compare(a.ID, b.ID))
	})
}

func onToken(c *certificate) tokenCertificateJSON {
	line := tokenCertificateJSON{
		AlsoBy: c.also,
		ID:     hexID(c.ID), Label: c.Label, SHA256: fingerprint(c.Raw), Kind: cns.Other,
		PrivateKey: c.HasPrivateKey, AlwaysAuthenticate: c.AlwaysAuthenticate,
	}
	if c.X509 == nil {
		line.Error = &errorJSON{Code: "unreadable", Message: fmt.Sprintf("reading certificate: %v", c.ParseError)}
		return line
	}
	from, to := c.X509.NotBefore.UTC(), c.X509.NotAfter.UTC()
	line.Kind, _ = cns.Classify(c.X509)
	line.Subject = cns.DistinguishedName(c.X509.Subject)
	line.CodiceFiscale, _ = cns.CodiceFiscale(c.X509)
	line.NotBefore, line.NotAfter = &from, &to
	return line
}

func (a *app) tokensText(cards []*card) error {
	var b strings.Builder
	for i, tokens := range byCard(cards) {
		if i > 0 {
			b.WriteString("\n")
		}
		a.cardText(&b, tokens)
	}
	return a.print(b.String())
}

// cardText shows a card: its one token, or the several that have a PIN each.
func (a *app) cardText(b *strings.Builder, tokens []*card) {
	c := tokens[0]
	if len(tokens) == 1 {
		fmt.Fprintf(b, "%s (serial %s)\n", printable(c.Label), printable(c.Serial))
	} else {
		fmt.Fprintf(b, "Card with %d PINs (serial %s)\n", len(tokens), printable(c.Serial))
	}
	fmt.Fprintf(b, "  model   %s\n", printable(strings.TrimSpace(c.Manufacturer+" "+c.Model)))
	fmt.Fprintf(b, "  reader  %s\n", printable(c.Reader))
	fmt.Fprintf(b, "  module  %s\n", printable(c.module))
	for _, other := range c.also {
		fmt.Fprintf(b, "  also by %s\n", printable(other))
	}
	for _, t := range tokens {
		if len(tokens) > 1 {
			fmt.Fprintf(b, "  %s\n", printable(t.Label))
		}
		fmt.Fprintf(b, "  PIN     %s\n", pinText(t.PIN, t.wrong))
		a.certificatesText(b, t.certificates)
	}
}

// pinText says how the PIN stands, and what is known of wrong ones where the token
// doesn't say.
func pinText(p token.PIN, sent wrongCount) string {
	words := map[token.PINState]string{
		token.PINStateOK:     "ok",
		token.PINStateLow:    "low: a wrong one was given since the last right one",
		token.PINStateFinal:  "final: one try left",
		token.PINStateLocked: "locked: only the PUK helps",
		token.PINStateNotSet: "not set yet",
	}
	text, known := words[p.State]
	if !known {
		text = "unknown: the token does not say"
	}
	if !known && sent.PIN > 0 {
		text += fmt.Sprintf("; %s in a row sent from here", count(sent.PIN, "wrong one"))
	}
	if p.Max > 0 {
		text += fmt.Sprintf(" (%d to %d characters)", p.Min, p.Max)
	}
	if p.Pad {
		text += ", typed on the reader"
	}
	return text
}

func (a *app) certificatesText(b *strings.Builder, certificates []*certificate) {
	if len(certificates) == 0 {
		b.WriteString("  no certificates\n")
		return
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  ID\tLABEL\tFOR\tHOLDER\tCODICE FISCALE\tVALIDITY")
	for _, c := range inOrder(certificates) {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", orDash(clip(textID(c.ID), 40)), orDash(clip(c.Label, 40)), a.aboutCertificate(c))
	}
	_ = table.Flush() // a strings.Builder takes everything
}

// aboutCertificate is the part of a certificate's line that it says itself.
func (a *app) aboutCertificate(c *certificate) string {
	if c.X509 == nil {
		return "?\tunreadable: " + clip(fmt.Sprint(c.ParseError), 80) + "\t\t"
	}
	kind, _ := cns.Classify(c.X509)
	code, _ := cns.CodiceFiscale(c.X509)
	return strings.Join([]string{purpose(c, kind), nameOf(c.X509), orDash(code), a.validityText(c)}, "\t")
}

func purpose(c *certificate, kind cns.Kind) string {
	if c.X509.IsCA {
		return "authority"
	}
	return kindText(kind)
}

// validityText counts the days, as people do who have to renew in time.
func (a *app) validityText(c *certificate) string {
	now := a.now()
	switch from, to := c.X509.NotBefore, c.X509.NotAfter; {
	case now.After(to):
		return "EXPIRED on " + day(to)
	case now.Before(from):
		return "not before " + day(from)
	default:
		return fmt.Sprintf("%d days left, until %s", int(to.Sub(now).Hours()/24), day(to))
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
