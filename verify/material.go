// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/x509"
	"slices"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/revocation"
)

// material is what a signed file brings along to be judged with: certificates,
// which are helpers and never trusted, and revocation values, which prove themselves.
type material struct {
	certificates []*x509.Certificate
	revocation   revocation.Evidence
	issuers      *x509.CertPool // of certificates; nil when they changed
	octets       int            // of the certificates in the encoding of the file
	shared       bool           // by the signers of a file
}

// materialOf is what stands in a SignedData.
func materialOf(sd *cms.SignedData) *material {
	m := &material{shared: true}
	m.addCertificates(sd.Certificates)
	m.addRevocation(sd.Revocation())
	m.issuers = sd.CertPool()
	return m
}

// with returns m and what a signer keeps in its unsigned attributes. Most keep
// nothing, and share m.
func (m *material) with(s *cms.SignerInfo) *material {
	certificates, values := s.CertificateValues(), s.Revocation()
	if len(certificates)+len(values.CRLs)+len(values.OCSP)+len(values.Basic) == 0 {
		return m
	}
	own := m.clone()
	own.addCertificates(certificates)
	own.addRevocation(values)
	return own
}

// add adds what other material holds.
func (m *material) add(other *material) {
	if len(other.certificates) > 0 {
		m.certificates, m.issuers = append(m.certificates, other.certificates...), nil
	}
	m.revocation.OCSP = append(m.revocation.OCSP, other.revocation.OCSP...)
	m.revocation.CRLs = append(m.revocation.CRLs, other.revocation.CRLs...)
}

func (m *material) clone() *material {
	return &material{
		octets:       m.octets,
		certificates: slices.Clone(m.certificates),
		revocation:   revocation.Evidence{OCSP: slices.Clone(m.revocation.OCSP), CRLs: slices.Clone(m.revocation.CRLs)},
	}
}

// pool returns the certificates that can be issuers.
func (m *material) pool() *x509.CertPool {
	if m.issuers == nil {
		bag := &cms.SignedData{}
		for _, c := range m.certificates {
			bag.Certificates = append(bag.Certificates, &cms.Certificate{Raw: c.Raw})
		}
		m.issuers = bag.CertPool()
	}
	return m.issuers
}

// addToken adds what stands in a timestamp token.
func (m *material) addToken(t *timestamp.Token) {
	m.addCertificates(t.SignedData.Certificates)
	m.addRevocation(t.SignedData.Revocation())
	for _, s := range t.SignedData.Signers {
		m.addCertificates(s.CertificateValues())
		m.addRevocation(s.Revocation())
	}
}

// maxCertificates is how many octets of certificates are taken apart for one signer: in
// memory they are many times larger.
const maxCertificates = 4 << 20

// addCertificates adds those that Go can parse.
func (m *material) addCertificates(list []*cms.Certificate) {
	for _, c := range list {
		if m.octets += len(c.Raw); m.octets > maxCertificates {
			return
		}
		if x, err := c.X509(); err == nil {
			m.certificates, m.issuers = append(m.certificates, x), nil
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
