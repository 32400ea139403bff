// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify/report"
)

// describe fills in who signed, with what, and when they say they did.
func describe(s *report.Signature, c *cms.Check) {
	s.Algorithm = c.Signer.Algorithm(c.Certificate)
	if !c.SigningTime.IsZero() {
		claimed := c.SigningTime.UTC()
		s.ClaimedTime = &claimed
	}
	if c.Certificate != nil {
		s.Certificate = DescribeCertificate(c.Certificate)
		s.Signer = describeSigner(c.Certificate)
	}
	if c.Order == cms.OrderStored {
		warn(s, "attributeOrder", "the signed attributes verify only in the order stored, which is not the DER that the standard asks for")
	}
}

// describeProfile decides format and level: CAdES wants the certificate bound
// to the signature, and B-B a signing time and the certificate in the file
// (ETSI EN 319 122-1, clause 6.3).
func describeProfile(s *report.Signature, sd *cms.SignedData, c *cms.Check) {
	if !c.Referenced {
		s.Format = "CMS"
		warn(s, "certificateNotBound", "no signing-certificate attribute binds the certificate to the signature: this is plain CMS, not CAdES")
		return
	}
	if c.Order == cms.OrderDER && !c.SigningTime.IsZero() && c.Raw != nil {
		s.Level = "B-B"
	}
}

func describeSigner(c *x509.Certificate) *report.Signer {
	who := cns.SubjectOf(c)
	return &report.Signer{Name: who.Name, CodiceFiscale: who.CodiceFiscale, Organization: who.Organization, Country: who.Country}
}

// DescribeCertificate identifies a certificate as reports do.
func DescribeCertificate(c *x509.Certificate) *report.Certificate {
	return &report.Certificate{
		Subject:   cns.DistinguishedName(c.Subject),
		Issuer:    cns.DistinguishedName(c.Issuer),
		Serial:    fmt.Sprintf("%X", c.SerialNumber),
		SHA256:    fmt.Sprintf("%x", sha256.Sum256(c.Raw)),
		NotBefore: c.NotBefore.UTC(),
		NotAfter:  c.NotAfter.UTC(),
	}
}
