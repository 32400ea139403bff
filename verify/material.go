// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
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

	fetched []*x509.Certificate // from the network: the file does not hold them
	digests map[*byte]digest    // of octets by where they are in memory, as lists are large
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

// size grows with everything that is added.
func (m *material) size() int {
	return len(m.certificates) + len(m.fetched) + len(m.revocation.CRLs) + len(m.revocation.OCSP)
}

func (m *material) clone() *material {
	if m.digests == nil {
		m.digests = map[*byte]digest{}
	}
	return &material{
		octets:       m.octets,
		certificates: slices.Clone(m.certificates),
		revocation:   revocation.Evidence{OCSP: slices.Clone(m.revocation.OCSP), CRLs: slices.Clone(m.revocation.CRLs)},
		fetched:      slices.Clone(m.fetched),
		issuers:      m.issuers,
		digests:      m.digests,
	}
}

// digest names a certificate or revocation value.
func (m *material) digest(raw []byte) digest {
	if d, known := m.digests[&raw[0]]; known {
		return d
	}
	if m.digests == nil {
		m.digests = map[*byte]digest{}
	}
	d := sha256.Sum256(raw)
	m.digests[&raw[0]] = d
	return d
}

// all names all of it that stands in the file.
func (m *material) all() (list []digest) {
	for _, c := range m.certificates {
		list = append(list, m.digest(c.Raw))
	}
	for _, o := range m.revocation.OCSP {
		list = append(list, m.digest(o.Raw))
	}
	for _, l := range m.revocation.CRLs {
		list = append(list, m.digest(l.Raw()))
	}
	return list
}

// fetch adds certificates from the network.
func (m *material) fetch(found []*x509.Certificate) {
	if len(found) > 0 {
		m.fetched, m.issuers = append(m.fetched, found...), nil
	}
}

// pool returns the certificates that can be issuers.
func (m *material) pool() *x509.CertPool {
	if m.issuers == nil {
		m.issuers = x509.NewCertPool()
		for _, c := range slices.Concat(m.certificates, m.fetched) {
			if mayIssue(c) {
				m.issuers.AddCert(c)
			}
		}
	}
	return m.issuers
}

// mayIssue says whether a certificate is one of an authority, with a key that takes no
// seconds to check a few signatures with, as for [cms.SignedData.CertPool].
func mayIssue(c *x509.Certificate) bool { return c.IsCA && !oversizedKey(c) }

// poolWork is what it takes to make the pool.
func (m *material) poolWork() int {
	if m.issuers != nil {
		return 0
	}
	return len(m.certificates) + len(m.fetched)
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
		x, err := c.X509()
		if err != nil {
			continue
		}
		m.certificates = append(m.certificates, x)
		if mayIssue(x) {
			m.issuers = nil
		}
	}
}

// maxValues is how many revocation values are taken apart for one signer.
const maxValues = 2_000

// addRevocation adds what can be read, as far as there is room. The rest proves nothing,
// and its absence is said when it is missed.
func (m *material) addRevocation(r cms.Revocation) {
	for _, der := range r.CRLs {
		if l, err := revocation.ParseCRL(der); err == nil && m.hasRoom() {
			m.revocation.CRLs = append(m.revocation.CRLs, l)
		}
	}
	for _, der := range r.OCSP {
		if o, err := revocation.ParseOCSP(der); err == nil && m.hasRoom() {
			m.revocation.OCSP = append(m.revocation.OCSP, o)
		}
	}
	for _, der := range r.Basic {
		if o, err := revocation.ParseBasicOCSP(der); err == nil && m.hasRoom() {
			m.revocation.OCSP = append(m.revocation.OCSP, o)
		}
	}
}

func (m *material) hasRoom() bool { return len(m.revocation.CRLs)+len(m.revocation.OCSP) < maxValues }
