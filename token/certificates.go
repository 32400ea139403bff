// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Certificate is a certificate object on a token.
type Certificate struct {
	ID    []byte // CKA_ID, which pairs it with its key; often the ASCII of a name such as "DS0"
	Label string // CKA_LABEL, for the eye only
	Raw   []byte // DER, as the token holds it

	// X509 is the certificate that Raw holds, nil if it cannot be parsed; then
	// ParseError says why.
	X509       *x509.Certificate
	ParseError error

	// HasPrivateKey says that the token shows a private key for the certificate,
	// or a public key, which has its private key beside it. False proves nothing:
	// before a login most modules hide private keys, and some have no public ones.
	HasPrivateKey bool

	// AlwaysAuthenticate says that the visible private key wants the PIN before
	// every signature (CKA_ALWAYS_AUTHENTICATE). False proves nothing while the
	// key is hidden.
	AlwaysAuthenticate bool
}

// Certificates lists the X.509 certificates on the token and what can be seen of
// their keys, without a PIN and whoever is logged in. A certificate that Go
// cannot parse is listed all the same. The certificates are not checked in any
// way.
func (t *Token) Certificates(ctx context.Context) ([]*Certificate, error) {
	if err := t.module.enter(); err != nil {
		return nil, err
	}
	defer t.module.leave()
	certificates, err := t.certificates(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading certificates of token %q: %w", t.Label, err)
	}
	return certificates, nil
}

func (t *Token) certificates(ctx context.Context) (list []*Certificate, err error) {
	s, err := t.openSession(ctx, false)
	if err != nil {
		return nil, err
	}
	defer s.closeAfter(&err)
	handles, err := s.objects(ctx, cryptoki.CKO_CERTIFICATE)
	if err != nil {
		return nil, err
	}
	for _, handle := range handles {
		c, err := s.certificate(ctx, handle)
		if err != nil {
			return nil, err
		}
		if c != nil {
			list = append(list, c)
		}
	}
	return list, s.pair(ctx, list)
}

// certificate reads one object, nil if it is not an X.509 certificate.
func (s *session) certificate(ctx context.Context, handle uint) (*Certificate, error) {
	v, err := s.attributes(ctx, handle, cryptoki.CKA_CERTIFICATE_TYPE, cryptoki.CKA_ID, cryptoki.CKA_LABEL, cryptoki.CKA_VALUE)
	if err != nil {
		return nil, err
	}
	if kind, ok := number(v[0]); ok && kind != cryptoki.CKC_X_509 {
		return nil, nil
	}
	c := &Certificate{ID: v[1], Label: clean(string(v[2])), Raw: v[3]}
	c.parse()
	return c, nil
}

// parse reads Raw into X509, or says in ParseError why not.
func (c *Certificate) parse() {
	if len(c.Raw) == 0 {
		c.ParseError = fmt.Errorf("reading certificate %q: the token does not show its content", c.Label)
		return
	}
	parsed, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		c.ParseError = fmt.Errorf("parsing certificate %q: %w", c.Label, err)
		return
	}
	c.X509 = parsed
}

// pair fills in what the visible keys say about the certificates.
func (s *session) pair(ctx context.Context, list []*Certificate) error {
	public, err := s.keys(ctx, cryptoki.CKO_PUBLIC_KEY)
	if err != nil {
		return err
	}
	private, err := s.privateKeys(ctx, public)
	if err != nil {
		return err
	}
	for _, c := range list {
		mine := belonging(private, c.ID, c.publicPart())
		c.HasPrivateKey = len(mine) > 0 || len(belonging(public, c.ID, c.publicPart())) > 0
		c.AlwaysAuthenticate = len(mine) > 0 && mine[0].alwaysAuthenticate
	}
	return nil
}

func (c *Certificate) publicPart() []byte {
	if c.X509 == nil {
		return nil
	}
	return publicPart(c.X509.PublicKey)
}

// usable says what keeps a certificate from being signed with.
func (c *Certificate) usable() error {
	switch {
	case c == nil:
		return errors.New("no certificate given")
	case c.X509 == nil && c.ParseError != nil:
		return c.ParseError
	case c.X509 == nil:
		return errors.New("the certificate was not parsed")
	case c.publicPart() == nil:
		return fmt.Errorf("keys of kind %s are not supported", c.X509.PublicKeyAlgorithm)
	}
	return nil
}
