// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"
)

// PKI issues the certificates of the description for one moment in time.
type PKI struct {
	now    time.Time
	base   address
	issued map[Name]func() (*Identity, error)
}

// Identity is a certificate with its private key.
type Identity struct {
	Name        Name
	Key         crypto.Signer
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // its issuers, nearest first, without the root
}

// New returns the PKI as it is at now, to the second: certificates are
// current, expired or not yet valid at that time.
func New(now time.Time) *PKI {
	p := &PKI{now: now.UTC().Truncate(time.Second), issued: map[Name]func() (*Identity, error){}}
	for name, e := range entities {
		p.issued[name] = sync.OnceValues(func() (*Identity, error) { return p.issue(name, e) })
	}
	return p
}

// Now returns the time that was given to [New].
func (p *PKI) Now() time.Time { return p.now }

// Issue returns the certificate and key of name, making them and those of its
// issuers the first time. Every call with one name returns the same Identity,
// which the caller must not change.
func (p *PKI) Issue(name Name) (*Identity, error) {
	issue, ok := p.issued[name]
	if !ok {
		return nil, fmt.Errorf("issuing certificate: no entity is named %q", name)
	}
	return issue()
}

// Must is Issue for tests: it fails t instead of returning an error.
func (p *PKI) Must(t testing.TB, name Name) *Identity {
	t.Helper()
	identity, err := p.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// RootPEM returns the certificate of Root in PEM. It panics if Root cannot be
// issued, which only a mistake in the description causes.
func (p *PKI) RootPEM() []byte {
	root, err := p.Issue(Root)
	if err != nil {
		panic(err)
	}
	return root.CertificatePEM()
}

// IssueCustom issues a certificate below parent for key. It starts from the
// description of Signer, serial number and subject included, and edit changes
// what should differ. Left as it is, the result is a twin: the issuer and
// serial number of Signer with another key. The Name of the result is empty.
//
// To give another subject, set Subject as a whole: the one to start from is in
// Subject.ExtraNames. The policies and the QcStatements are in ExtraExtensions.
func (p *PKI) IssueCustom(parent Name, key crypto.Signer, edit func(*x509.Certificate)) (*Identity, error) {
	issuer, err := p.Issue(parent)
	if err != nil {
		return nil, err
	}
	template, err := p.template(Signer, entities[Signer], key.Public())
	if err != nil {
		return nil, err
	}
	edit(template)
	return sign(template, issuer, key)
}

func (p *PKI) issue(name Name, e entity) (*Identity, error) {
	identity, err := p.issueNamed(name, e)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate of %s: %w", name, err)
	}
	identity.Name = name
	return identity, nil
}

func (p *PKI) issueNamed(name Name, e entity) (*Identity, error) {
	key, err := keyOf(name, e.key)
	if err != nil {
		return nil, err
	}
	template, err := p.template(name, e, key.Public())
	if err != nil {
		return nil, err
	}
	if e.issuer == name {
		return sign(template, nil, key)
	}
	issuer, err := p.Issue(e.issuer)
	if err != nil {
		return nil, err
	}
	return sign(template, issuer, key)
}

// sign makes the certificate of key from template. Without an issuer it is
// self-signed.
func sign(template *x509.Certificate, issuer *Identity, key crypto.Signer) (*Identity, error) {
	if issuer == nil {
		issuer = &Identity{Key: key, Certificate: template}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, key.Public(), issuer.Key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Identity{Key: key, Certificate: certificate, Chain: issuer.chainBelow()}, nil
}

// chainBelow is the chain of what i issues: a root is in nobody's chain.
func (i *Identity) chainBelow() []*x509.Certificate {
	if entities[i.Name].issuer == i.Name {
		return nil
	}
	return append([]*x509.Certificate{i.Certificate}, i.Chain...)
}

// template fills in what the description says of an entity.
func (p *PKI) template(name Name, e entity, public crypto.PublicKey) (*x509.Certificate, error) {
	keyID, err := keyIdentifier(public)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(name, e),
		Subject:      pkixName(e.subject),
		NotBefore:    p.now.Add(e.from),
		NotAfter:     p.now.Add(e.until),
		SubjectKeyId: keyID,
	}
	if e.issuer != name {
		pointToIssuer(template, p.base.use(), e.issuer)
	}
	return template, e.profile(template)
}

// serialNumber follows from the name, or from that of the twin: 16 bytes with
// the high bit clear and the next one set.
func serialNumber(name Name, e entity) *big.Int {
	if e.twin != "" {
		name = e.twin
	}
	digest := sha256.Sum256([]byte(name))
	digest[0] = digest[0]&0x7F | 0x40
	return new(big.Int).SetBytes(digest[:16])
}

// keyIdentifier is the leading 160 bits of the SHA-256 of the
// SubjectPublicKeyInfo, one of the ways of RFC 7093, section 2.
func keyIdentifier(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(der)
	return digest[:20], nil
}
