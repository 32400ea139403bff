// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"errors"
	"sync"
)

// nowhere is where the certificates say that their issuer's services are, when
// nobody said where: on the loopback, so that a program that follows it by
// mistake stays on the machine.
const nowhere = "http://127.0.0.1:8080"

// address is where the services of the authorities are. The first certificate
// that names it makes it final.
type address struct {
	mu   sync.Mutex
	base string
	used bool
}

// use returns the address for a certificate.
func (a *address) use() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used = true
	if a.base == "" {
		return nowhere
	}
	return a.base
}

func (a *address) set(base string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used {
		return errors.New("publishing services: there are certificates already that say they are elsewhere; publish before issuing")
	}
	a.base = base
	return nil
}

// Publish says where the services of the authorities are: certificates issued
// from now on name the issuer's certificate as BASE/ca/ISSUER.cer, its
// revocation list as BASE/crl/ISSUER.crl and its OCSP responder as
// BASE/ocsp/ISSUER (RFC 5280, sections 4.2.1.13 and 4.2.2.1). It is an error
// after the first certificate that is not of a root. Without it the addresses
// are ones where nobody answers.
//
// Package authority starts the services and calls Publish.
func (p *PKI) Publish(base string) error { return p.base.set(base) }

// pointToIssuer says where the issuer's certificate, revocation list and OCSP
// responder are.
func pointToIssuer(c *x509.Certificate, base string, issuer Name) {
	c.IssuingCertificateURL = []string{base + "/ca/" + string(issuer) + ".cer"}
	c.CRLDistributionPoints = []string{base + "/crl/" + string(issuer) + ".crl"}
	c.OCSPServer = []string{base + "/ocsp/" + string(issuer)}
}
