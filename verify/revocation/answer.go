// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Status is what is known of a certificate. The zero value is nothing.
type Status int

// What can be known.
const (
	Unknown   Status = iota // nothing, or nothing that can be relied on
	Good                    // not revoked and not suspended
	Revoked                 // for ever
	Suspended               // certificateHold: it may be lifted, or become a revocation
)

var statusWords = [...]string{"unknown", "good", "revoked", "suspended"}

// String returns the word: unknown, good, revoked or suspended.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusWords) {
		return statusWords[Unknown]
	}
	return statusWords[s]
}

// Kind is the kind of evidence.
type Kind string

// The kinds.
const (
	KindOCSP Kind = "ocsp"
	KindCRL  Kind = "crl"
)

// Reason is a CRLReason (RFC 5280, section 5.3.1).
type Reason int

// certificateHold is the reason of a suspension.
const certificateHold Reason = 6

var reasonWords = map[Reason]string{
	0: "unspecified", 1: "key compromise", 2: "CA compromise", 3: "affiliation changed", 4: "superseded", 5: "cessation of operation",
	6: "certificate hold", 8: "removed from the list", 9: "privilege withdrawn", 10: "attribute authority compromise",
}

// String returns the reason in words.
func (r Reason) String() string {
	if word, ok := reasonWords[r]; ok {
		return word
	}
	return fmt.Sprintf("reason %d", int(r))
}

// Answer is what one piece of evidence says of one certificate.
type Answer struct {
	Status    Status
	RevokedAt time.Time // of Revoked and Suspended
	Reason    Reason    // of Revoked and Suspended; 0 when not given

	Kind       Kind
	ProducedAt time.Time // when the response was signed; of a CRL its ThisUpdate
	ThisUpdate time.Time // when what it says was known to be right
	NextUpdate time.Time // when newer information will be there at the latest; zero if it doesn't say
	Cutoff     time.Time // since when revoked certificates stay known after they expired; zero if not said

	Signer *x509.Certificate // whose key signed the evidence: the issuer, or its responder
	Raw    []byte            // the evidence: a whole OCSPResponse or CertificateList in DER
	Source string            // where it came from, for a person
}

// At returns the status at a moment, as this answer knows it: a certificate that
// was revoked later was good then. It says nothing about whether the answer is
// recent enough; see [Answer.Fresh].
func (a *Answer) At(moment time.Time) Status {
	if (a.Status == Revoked || a.Status == Suspended) && moment.Before(a.RevokedAt) {
		return Good
	}
	return a.Status
}

// Fresh says whether the answer may be relied on for a moment: it was right at that
// moment or later, or no newer information was due by then. An answer without
// NextUpdate is fresh for as long as grace.
func (a *Answer) Fresh(moment time.Time, grace time.Duration) bool {
	if !a.ThisUpdate.Before(moment) {
		return true
	}
	if a.NextUpdate.IsZero() {
		return !moment.After(a.ThisUpdate.Add(grace))
	}
	return !moment.After(a.NextUpdate)
}

// speaks says whether evidence of that time may still know of a certificate: after
// its end an issuer forgets who was revoked, unless it says that it doesn't (RFC 6960,
// section 4.4.4; X.509, expiredCertsOnCRL).
func (a *Answer) speaks(certificate *x509.Certificate) bool {
	if a.Status == Revoked || a.Status == Suspended || !a.ThisUpdate.After(certificate.NotAfter) {
		return true
	}
	return !a.Cutoff.IsZero() && !a.Cutoff.After(certificate.NotAfter)
}
