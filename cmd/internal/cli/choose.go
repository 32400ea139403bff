// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/token"
)

// candidate is a certificate that might sign, and the card it is on.
type candidate struct {
	*token.Certificate
	card *card
	kind cns.Kind
}

// choice is how to find the one certificate to sign with.
type choice struct {
	command      string     // what is typed to make it, with %s for the flags
	wanted       string     // ID, label or fingerprint; empty: the one that fits
	uri          *token.URI // may mean a certificate; nil: does not
	now          time.Time
	allowExpired bool
}

// candidates are the certificates of holders. Those of authorities, which some
// cards hold too, are left out.
func (w *wallet) candidates() []candidate {
	var all []candidate
	for _, card := range w.cards {
		for _, c := range card.certificates {
			if c.X509 == nil || c.X509.IsCA && !c.HasPrivateKey {
				continue
			}
			kind, _ := cns.Classify(c.X509)
			all = append(all, candidate{c.Certificate, card, kind})
		}
	}
	return all
}

// signer chooses the certificate to sign documents with: the one that was asked
// for; else the one qualified certificate; else the one other certificate with a
// key. An authentication certificate (CNS, CIE) is never chosen unasked: a
// signature made with it is not what the law calls a signature.
func (o choice) signer(all []candidate) (candidate, error) {
	if len(all) == 0 {
		return candidate{}, &problem{
			exit: exitNoToken, code: "noCertificate", err: fmt.Errorf("the token has no certificate to sign with"),
			hint: []string{"pectoken tokens shows what is on it"},
		}
	}
	all, err := o.meant(all)
	if err != nil {
		return candidate{}, err
	}
	if o.namesCertificate() {
		return o.one(all, func(candidate) bool { return true }, nil)
	}
	if o.wanted != "" {
		return o.one(all, o.asked, fmt.Errorf("no certificate has the ID, label or fingerprint %q", o.wanted))
	}
	if slices.ContainsFunc(all, qualified) {
		return o.one(all, qualified, nil)
	}
	return o.one(all, ordinary, fmt.Errorf("no certificate is for signing documents, and one for logging in is not taken unasked"))
}

// meant leaves out the certificates that the URI doesn't mean.
func (o choice) meant(all []candidate) ([]candidate, error) {
	if o.uri == nil {
		return all, nil
	}
	all = slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !o.uri.MatchCertificate(c.Certificate) })
	if len(all) > 0 {
		return all, nil
	}
	return nil, &problem{
		exit: exitUsage, code: "noCertificate", err: fmt.Errorf("no certificate is meant by %s", o.uri),
		hint: []string{"pectoken tokens shows what is on the card"},
	}
}

// namesCertificate says whether the URI is about an object, not a token alone.
func (o choice) namesCertificate() bool {
	if o.uri == nil {
		return false
	}
	_, id := o.uri.Get("id")
	_, label := o.uri.Get("object")
	return id || label
}

func qualified(c candidate) bool { return c.kind == cns.QualifiedSignature }

// ordinary is a certificate of no special kind that has a key and may sign.
func ordinary(c candidate) bool {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	return c.kind == cns.Other && c.HasPrivateKey && (c.X509.KeyUsage == 0 || c.X509.KeyUsage&signs != 0)
}

// asked says whether --cert means this certificate.
func (o choice) asked(c candidate) bool {
	prefix := strings.ToLower(strings.ReplaceAll(o.wanted, ":", ""))
	return o.wanted == c.Label || o.wanted == string(c.ID) || prefix == hexID(c.ID) ||
		len(prefix) >= 8 && strings.HasPrefix(fingerprint(c.Raw), prefix)
}

// one returns the only candidate that fits. Of several, those outside their
// validity do not count: cards keep the old certificate beside the renewed one.
func (o choice) one(all []candidate, fits func(candidate) bool, none error) (candidate, error) {
	var found, current []candidate
	for _, c := range all {
		if !fits(c) {
			continue
		}
		found = append(found, c)
		if o.validity(c) == nil {
			current = append(current, c)
		}
	}
	switch {
	case len(found) == 0:
		return candidate{}, o.list("noCertificate", none, all)
	case len(current) == 1:
		return current[0], nil
	case len(current) > 1:
		return candidate{}, o.list("ambiguous", fmt.Errorf("%d certificates fit, and one has to be chosen", len(current)), current)
	}
	return candidate{}, o.validity(found[0])
}

// validity refuses a certificate outside its validity.
func (o choice) validity(c candidate) error {
	switch from, to := c.X509.NotBefore, c.X509.NotAfter; {
	case o.now.Before(from):
		return &problem{
			exit: exitFailed, code: "notYetValid", hint: []string{"is the clock of this computer right?"},
			err: fmt.Errorf("the certificate of %s is valid from %s only", nameOf(c.X509), day(from)),
		}
	case o.now.After(to) && !o.allowExpired:
		return &problem{
			exit: exitFailed, code: "expired", hint: []string{"pectoken tokens shows what else is on the card"},
			err: fmt.Errorf("the certificate of %s expired on %s: nobody would accept the signature", nameOf(c.X509), day(to)),
		}
	}
	return nil
}

// list is the error that lists what there is to choose from, each with the command that
// takes it.
func (o choice) list(code string, err error, from []candidate) error {
	p := &problem{exit: exitUsage, code: code, err: err}
	for _, c := range from {
		p.hint = append(p.hint, fmt.Sprintf("%s  (%s, %s, until %s, on %q)",
			fmt.Sprintf(o.command, "--token "+shellWord(c.card.Serial)+" --cert "+shellWord(c.word(from))), nameOf(c.X509), kindText(c.kind), day(c.X509.NotAfter), c.card.Label))
	}
	return p
}

// word is what --cert means this certificate by: its ID, unless that is empty or
// another certificate of the card has it too, as a renewed one may.
func (c candidate) word(among []candidate) string {
	for _, other := range among {
		if other.card == c.card && bytes.Equal(other.ID, c.ID) && !bytes.Equal(other.Raw, c.Raw) || len(c.ID) == 0 {
			return fingerprint(c.Raw)[:16]
		}
	}
	return textID(c.ID)
}

func hexID(id []byte) string { return hex.EncodeToString(id) }

func day(t time.Time) string { return t.Local().Format(time.DateOnly) }

// chain returns the certificates of issuers that are on the card, nearest
// first, without the root.
func (c candidate) chain() []*x509.Certificate {
	const longest = 5
	var chain []*x509.Certificate
	for child := c.X509; len(chain) < longest; child = chain[len(chain)-1] {
		issuer := c.card.issuer(child)
		if issuer == nil || bytes.Equal(issuer.RawSubject, issuer.RawIssuer) {
			break
		}
		chain = append(chain, issuer)
	}
	return chain
}

func (c *card) issuer(of *x509.Certificate) *x509.Certificate {
	for _, other := range slices.Concat(c.certificates, c.better) {
		if other.X509 != nil && bytes.Equal(other.X509.RawSubject, of.RawIssuer) && of.CheckSignatureFrom(other.X509) == nil {
			return other.X509
		}
	}
	return nil
}
