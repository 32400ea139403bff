// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto/x509"
	"sync"
)

// Certificate is an element of the certificates field as found (RFC 5652,
// section 10.2.2). Only what is needed to find a signer's is taken apart
// here, so that one certificate Go can't parse spoils no other.
type Certificate struct {
	Raw    []byte
	issuer []byte // raw Name, nil when the element is no X.509 certificate
	serial []byte // contents octets of the serialNumber
	parse  sync.Once
	parsed *x509.Certificate
	err    error
}

func newCertificate(raw []byte) *Certificate {
	c := &Certificate{Raw: raw}
	c.issuer, c.serial = issuerAndSerial(raw)
	return c
}

// X509 parses the certificate. The error says why Go can't: no X.509
// certificate, an unsupported curve, an encoding it refuses.
func (c *Certificate) X509() (*x509.Certificate, error) {
	c.parse.Do(func() { c.parsed, c.err = x509.ParseCertificate(c.Raw) })
	return c.parsed, c.err
}

// CertPool returns the certificates of authorities in the file, as far as Go can
// parse them, for building chains from a signer to somebody trusted. They are
// whatever the file says: never use them as roots. Certificates that issue none
// are left out, since a look into the pool takes longer with each that is in it,
// and so are RSA keys over 8,192 bits, with which a few signatures take seconds.
func (sd *SignedData) CertPool() *x509.CertPool {
	sd.poolOnce.Do(func() {
		sd.pool = x509.NewCertPool()
		for _, c := range sd.Certificates {
			if x, err := c.X509(); err == nil && x.IsCA && !oversized(x.PublicKey) {
				sd.pool.AddCert(x)
			}
		}
	})
	return sd.pool
}

// issuerAndSerial finds the two fields of a Certificate (RFC 5280, section
// 4.1) that name it, leniently: nil when it isn't built like one.
func issuerAndSerial(raw []byte) (issuer, serial []byte) {
	certificate, _, err := nextValue(raw)
	if err != nil || certificate.id != tagSequence {
		return nil, nil
	}
	tbs, _, err := nextValue(certificate.body)
	if err != nil || tbs.id != tagSequence {
		return nil, nil
	}
	fields, err := tbs.children(16)
	if err != nil {
		return nil, nil
	}
	if len(fields) > 0 && fields[0].id == tagContext0 {
		fields = fields[1:] // version
	}
	if len(fields) < 3 || fields[0].id != tagInteger || fields[2].id != tagSequence {
		return nil, nil
	}
	return fields[2].raw, fields[0].body
}

// named tells whether the signer's identifier names this certificate (RFC
// 5652, section 5.3).
func (c *Certificate) named(s *SignerInfo) bool {
	if s.SubjectKeyID != nil {
		x, err := c.X509()
		return err == nil && len(x.SubjectKeyId) > 0 && bytes.Equal(x.SubjectKeyId, s.SubjectKeyID)
	}
	return c.issuer != nil && bytes.Equal(c.issuer, s.Issuer) && bytes.Equal(c.serial, s.serial)
}

// isSigners tells whether the certificate is one that signs documents:
// no authority's, and none for timestamps or OCSP answers only.
func (c *Certificate) isSigners() bool {
	x, err := c.X509()
	if err != nil || x.IsCA {
		return false
	}
	for _, usage := range x.ExtKeyUsage {
		if usage == x509.ExtKeyUsageTimeStamping || usage == x509.ExtKeyUsageOCSPSigning {
			return false
		}
	}
	return true
}
