// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

// Collector collects the certificates and revocation values that a signature of level
// B-LT keeps inside, with the same checks by which [File] believes them later. It is what
// sign.Options.ValidationData takes, and may be shared between goroutines.
type Collector struct {
	// Trust are the anchors that chains end with. With nil they end with the highest
	// issuer that can be found, whoever that is.
	Trust      *trust.Anchors
	Revocation *revocation.Checker // REQUIRED
	Now        func() time.Time    // REQUIRED: the clock
}

// ValidationData returns the chain of a certificate, without its root, and an OCSP
// response or CRL for each certificate in it, as of a moment; zero is now. Others are
// certificates that may be issuers or responders. It is an error if there is no chain
// that was valid at the moment, if nothing is known of one of its certificates, and if
// one was revoked or suspended.
func (c *Collector) ValidationData(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate, at time.Time) (*cms.ValidationData, error) {
	if c.Revocation == nil || c.Now == nil {
		return nil, errors.New("collecting validation data: Collector.Revocation or Collector.Now is not set")
	}
	now := c.Now()
	if at.IsZero() {
		at = now
	}
	o := Options{Trust: c.Trust, Revocation: c.Revocation, Now: now}.begin(ctx)
	m := &material{certificates: slices.Clone(others)}
	if c.Trust == nil {
		highest := c.highest(ctx, certificate, m)
		if highest == nil {
			return nil, fmt.Errorf("collecting validation data: the issuer %q of the certificate can't be found", cns.DistinguishedName(certificate.Issuer))
		}
		o.Trust = trust.NewAnchors(highest)
	}
	chain := o.chain(certificate, m, at)
	if chain.Status != trust.Trusted {
		return nil, fmt.Errorf("collecting validation data: %s", chain.Reason)
	}
	data := &cms.ValidationData{}
	for i, member := range chain.Path {
		if i == 0 || !selfIssued(member) {
			data.Certificates = append(data.Certificates, member.Raw)
		}
		if i+1 == len(chain.Path) {
			break
		}
		q := revocation.Question{Certificate: member, Issuer: chain.Path[i+1], At: at, Now: now, Others: m.certificates}
		if err := c.prove(ctx, q, data); err != nil {
			return nil, fmt.Errorf("collecting validation data: %w", err)
		}
	}
	return data, nil
}

// prove adds what proves that a certificate was good, and if need be its responder's.
func (c *Collector) prove(ctx context.Context, q revocation.Question, data *cms.ValidationData) error {
	answer, err := c.Revocation.Check(ctx, q)
	if err != nil {
		return err
	}
	if status := answer.At(q.At); status != revocation.Good {
		return fmt.Errorf("the certificate of %q was %s on %s", cns.DistinguishedName(q.Certificate.Subject), status, day(answer.RevokedAt))
	}
	switch answer.Kind {
	case revocation.KindOCSP:
		data.OCSP = append(data.OCSP, answer.Raw)
	case revocation.KindCRL:
		data.CRLs = append(data.CRLs, answer.Raw)
	}
	if !answer.NeedsCheck(q.Issuer) {
		return nil
	}
	if answer.Signer.Equal(q.Certificate) {
		return errors.New("the OCSP responder speaks for itself")
	}
	data.Certificates = append(data.Certificates, answer.Signer.Raw)
	q.Certificate, q.At = answer.Signer, answer.ProducedAt
	return c.prove(ctx, q, data)
}

// highest climbs from a certificate to its issuers, as far as there are any; nil if
// there is none. Issuers that are fetched are added to m.
func (c *Collector) highest(ctx context.Context, certificate *x509.Certificate, m *material) (top *x509.Certificate) {
	const longest = 8 // two that issued each other would lead in circles
	current := certificate
	for range longest {
		if selfIssued(current) {
			break
		}
		issuer := issuerAmong(m.certificates, current)
		if issuer == nil && c.Revocation.Fetcher != nil {
			found, _ := c.Revocation.Fetcher.Issuers(ctx, current) // what can't be fetched is as good as not named
			m.certificates, m.issuers = append(m.certificates, found...), nil
			issuer = issuerAmong(found, current)
		}
		if issuer == nil {
			return top
		}
		top, current = issuer, issuer
	}
	return top
}

func issuerAmong(list []*x509.Certificate, certificate *x509.Certificate) *x509.Certificate {
	for _, c := range list {
		if !bytes.Equal(c.RawSubject, certificate.RawIssuer) || oversizedKey(c) {
			continue
		}
		if certificate.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

// oversizedKey says whether checking one signature with a key takes seconds.
func oversizedKey(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() > 8192
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }
