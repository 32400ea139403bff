// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"fmt"
	"time"
)

// WebmailReady says whether the webmail of a PEC provider would let somebody in
// with this certificate. It asks what Aruba's does: that the certificate be active
// at the given time, of the CNS's format, and for the codice fiscale that the
// mailbox is registered for. An empty codiceFiscale is not compared.
//
// Whether a certificate that is only like a CNS (see [CNSLike]) has the format is
// not published: the answer for it is AnswerUnknown. Active is meant by its dates
// alone: revocation is not looked at, nor is the issuer. A holder whose code
// differs can register the kit for the mailbox beforehand.
func WebmailReady(c *x509.Certificate, at time.Time, codiceFiscale string) (Answer, []Finding) {
	if c == nil {
		return No, []Finding{{No, "no certificate for authentication"}}
	}
	findings := []Finding{activeAt(c, at), format(c)}
	if codiceFiscale != "" {
		findings = append(findings, heldBy(c, codiceFiscale))
	}
	return all(findings), findings
}

func activeAt(c *x509.Certificate, at time.Time) Finding {
	switch {
	case at.Before(c.NotBefore):
		return Finding{No, "not valid before " + c.NotBefore.UTC().Format(time.DateOnly)}
	case at.After(c.NotAfter):
		return Finding{No, "expired on " + c.NotAfter.UTC().Format(time.DateOnly)}
	}
	return Finding{Yes, "active until " + c.NotAfter.UTC().Format(time.DateOnly)}
}

func format(c *x509.Certificate) Finding {
	switch kind, _ := Classify(c); kind {
	case CNS:
		return Finding{Yes, "a CNS certificate"}
	case CNSLike:
		return Finding{AnswerUnknown, "like a CNS certificate, but not one: some providers may take it"}
	case QualifiedSignature:
		return Finding{No, "a certificate for signatures, not the CNS certificate"}
	}
	return Finding{No, "not a CNS certificate"}
}

func heldBy(c *x509.Certificate, want string) Finding {
	got, ok := CodiceFiscale(c)
	if !ok {
		return Finding{No, "no codice fiscale in it"}
	}
	switch CompareCodes(got, want) {
	case SameHolder:
		return Finding{Yes, "for the codice fiscale asked for"}
	case HolderUnknown:
		return Finding{AnswerUnknown, fmt.Sprintf("the codice fiscale to compare with is not one: %.32q", want)}
	case OmocodeHint:
		return Finding{No, fmt.Sprintf("for the codice fiscale %s, which differs by omocodia from the one asked for", got)}
	}
	return Finding{No, fmt.Sprintf("for another codice fiscale, %s", got)}
}
