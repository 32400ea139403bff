// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/cns"
)

// Status is the answer about a chain. The zero value is no trust.
type Status int

// The answers.
const (
	NoChain     Status = iota // no chain to an anchor
	Trusted                   // a chain to an anchor, all of it valid at the moment asked for
	OutOfBounds               // a chain to an anchor, but a certificate in it isn't valid at that moment
	Violation                 // a chain to an anchor that breaks a rule of one of its certificates
)

// Chain is the answer about one certificate.
type Chain struct {
	Status Status
	Path   []*x509.Certificate // the certificate first, the anchor last; nil without a chain
	Reason string              // one sentence; empty when Trusted
}

// Chain looks for a chain from a certificate over others to an anchor, valid
// at a moment (RFC 5280, section 6.1: signatures, names, validity, CA flag,
// key usage, path length, name constraints, unknown critical extensions). Critical
// constraints on directory names are taken for unknown ones.
//
// The others are helpers and never trusted; nil is none. Revocation,
// certificate policies and the purpose of the certificate itself are not
// checked.
func (a *Anchors) Chain(certificate *x509.Certificate, others *x509.CertPool, at time.Time) Chain {
	if a.Len() == 0 {
		return Chain{Reason: "no trust anchors were given"}
	}
	path, err := a.verify(certificate, others, at)
	if err == nil {
		return Chain{Status: Trusted, Path: path}
	}
	return a.explain(certificate, others, at, err)
}

func (a *Anchors) verify(certificate *x509.Certificate, others *x509.CertPool, at time.Time) ([]*x509.Certificate, error) {
	o := x509.VerifyOptions{
		Roots:         a.roots,
		Intermediates: others,
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	chains, err := certificate.Verify(o)
	if err != nil {
		return nil, err
	}
	var shortest []*x509.Certificate
	for _, c := range chains {
		if other := checkDirectoryNames(c); other != nil {
			err = other
		} else if shortest == nil || len(c) < len(shortest) {
			shortest = c
		}
	}
	if shortest == nil {
		return nil, err
	}
	return shortest, nil
}

// explain finds out why there is no valid chain: it looks for one at the
// moments when each certificate was young.
func (a *Anchors) explain(certificate *x509.Certificate, others *x509.CertPool, at time.Time, err error) Chain {
	for _, moment := range []time.Time{certificate.NotAfter, certificate.NotBefore} {
		path, other := a.verify(certificate, others, moment)
		if other == nil {
			return Chain{Status: OutOfBounds, Path: path, Reason: outOfBounds(path, at)}
		}
		if violates(other) {
			err = other
		}
	}
	if violates(err) {
		return Chain{Status: Violation, Reason: fmt.Sprintf("the chain breaks a rule: %v", err)}
	}
	return Chain{Reason: fmt.Sprintf("no chain from the issuer %q to a given trust anchor", cns.DistinguishedName(certificate.Issuer))}
}

// violates tells whether a chain was found and broke a rule, as opposed to
// none being found.
func violates(err error) bool {
	var invalid x509.CertificateInvalidError
	var critical x509.UnhandledCriticalExtension
	if errors.As(err, &invalid) {
		return invalid.Reason != x509.Expired
	}
	return errors.As(err, &critical) || errors.As(err, new(*directoryNameError))
}

// outOfBounds says which certificate of a path isn't valid at a moment.
func outOfBounds(path []*x509.Certificate, at time.Time) string {
	for i, c := range path {
		who := "the signer's certificate"
		if i > 0 {
			who = fmt.Sprintf("the certificate %q in the chain", cns.DistinguishedName(c.Subject))
		}
		if at.Before(c.NotBefore) {
			return fmt.Sprintf("%s is not valid before %s", who, c.NotBefore.UTC().Format(time.RFC3339))
		}
		if at.After(c.NotAfter) {
			return fmt.Sprintf("%s expired on %s", who, c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return "the chain was never valid at one moment"
}
