// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"
)

// CRL returns the revocation list of issuer in DER, good for a week: the
// entities described as revoked, for keyCompromise, since thirty days.
func (p *PKI) CRL(issuer Name) ([]byte, error) {
	ca, err := p.Issue(issuer)
	if err != nil {
		return nil, err
	}
	template := &x509.RevocationList{
		Number:                    serialNumber(issuer, entity{}),
		ThisUpdate:                p.now,
		NextUpdate:                p.now.Add(7 * 24 * time.Hour),
		RevokedCertificateEntries: p.RevokedBy(issuer),
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.Certificate, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("issuing revocation list of %s: %w", issuer, err)
	}
	return der, nil
}

// keyCompromise is a reason code of RFC 5280, section 5.3.1.
const keyCompromise = 1

// RevokedBy returns the entries of the revocation list of issuer: serial
// number, time and reason of what the description says is revoked.
func (p *PKI) RevokedBy(issuer Name) []x509.RevocationListEntry {
	var entries []x509.RevocationListEntry
	for _, name := range Names() {
		e := entities[name]
		if e.revoked && e.issuer == issuer {
			entries = append(entries, x509.RevocationListEntry{
				SerialNumber:   serialNumber(name, e),
				RevocationTime: p.now.Add(-30 * 24 * time.Hour),
				ReasonCode:     keyCompromise,
			})
		}
	}
	return entries
}
