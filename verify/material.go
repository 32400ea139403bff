// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/x509"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/revocation"
)

// material is what a signed file brings along to be judged with: certificates,
// which are helpers and never trusted, and revocation values, which prove themselves.
type material struct {
	certificates []*x509.Certificate
	revocation   revocation.Evidence
}

// addCMS adds what stands in a SignedData and beside one of its signers.
func (m *material) addCMS(sd *cms.SignedData, s *cms.SignerInfo) {
	m.addCertificates(sd.Certificates)
	m.addRevocation(sd.Revocation())
	if s != nil {
		m.addCertificates(s.CertificateValues())
		m.addRevocation(s.Revocation())
	}
}

// addToken adds what stands in a timestamp token.
func (m *material) addToken(t *timestamp.Token) {
	for _, s := range t.SignedData.Signers {
		m.addCMS(t.SignedData, s)
	}
}

// addCertificates adds those that Go can parse.
func (m *material) addCertificates(list []*cms.Certificate) {
	for _, c := range list {
		if x, err := c.X509(); err == nil {
			m.certificates = append(m.certificates, x)
		}
	}
}

// addRevocation adds what can be read. The rest proves nothing, and its absence is
// said when it is missed.
func (m *material) addRevocation(r cms.Revocation) {
	for _, der := range r.CRLs {
		if l, err := revocation.ParseCRL(der); err == nil {
			m.revocation.CRLs = append(m.revocation.CRLs, l)
		}
	}
	for _, der := range r.OCSP {
		if o, err := revocation.ParseOCSP(der); err == nil {
			m.revocation.OCSP = append(m.revocation.OCSP, o)
		}
	}
	for _, der := range r.Basic {
		if o, err := revocation.ParseBasicOCSP(der); err == nil {
			m.revocation.OCSP = append(m.revocation.OCSP, o)
		}
	}
}
