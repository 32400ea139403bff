// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Signer is the private key of a certificate on a token. It implements
// [crypto.Signer] and [crypto.MessageSigner]. Close it after use.
//
// It may be used by several goroutines. Signatures are made at the same time in up
// to four sessions, if the token allows that, and one after the other by a card in
// a reader and with a key that wants the PIN for every signature.
type Signer struct {
	*privateKey
	verifier verifier
}

var (
	_ crypto.Signer        = (*Signer)(nil)
	_ crypto.MessageSigner = (*Signer)(nil)
)

var signing = operation{cryptoki.Module.SignInit, cryptoki.Module.Sign}

// Signer logs in to the token, unless this process already is, and returns the
// private key of a certificate listed by [Token.Certificates].
//
// ask is called once at most: to log in, or, when already logged in, for a key
// that wants the PIN again for every signature. A token with a keypad
// of its own asks there. What is wrong with a PIN is a [*PINError]. If the token has
// no key for the certificate the error matches [ErrNoKey].
func (t *Token) Signer(ctx context.Context, c *Certificate, ask PINPrompt, o LoginOptions) (*Signer, error) {
	k, err := t.openKey(ctx, login{token: t, certificate: c, ask: ask, options: o}, PINUseSignature)
	if err != nil {
		return nil, fmt.Errorf("opening key on token %q: %w", t.Label, err)
	}
	return &Signer{k, newVerifier(k.certificate.PublicKey)}, nil
}

// Sign signs a digest, whose length must be that of opts.HashFunc().
//
// RSA keys sign with PKCS #1 v1.5, or with PSS if opts is an [*rsa.PSSOptions]
// (RFC 8017, sections 8.2 and 8.1); both automatic salt lengths mean that of the
// hash. EC keys return an ASN.1 signature. The token gets no more than a
// digest or padded block: everything else is done here. If the token refuses
// the usual mechanism for the key, the padding is done here as well
// (CKM_RSA_X_509), where random supplies the salt of PSS; nil means crypto/rand.
// What worked is tried first the next time.
//
// The signature is verified with the certificate before it is returned; if it
// is not right the error is [ErrBadSignature]. A key that wants the PIN for
// every signature gets it between C_SignInit and C_Sign. If it refuses it the error
// is a [*PINError], and the Signer never sends it again: every later call
// returns the same error.
func (s *Signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.signed(random, digest, nil, opts)
}

// SignMessage signs a message by its digest, as Sign does. Tokens that refuse to sign
// a digest but hash by themselves (CKM_SHA256_RSA_PKCS and the like) get the message.
// They do so over again, so it should not be long.
func (s *Signer) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	var digest []byte
	if opts != nil && hashes[opts.HashFunc()].mechanism != 0 {
		hasher := opts.HashFunc().New()
		hasher.Write(message)
		digest = hasher.Sum(nil)
	}
	if message == nil {
		message = []byte{}
	}
	return s.signed(random, digest, message, opts)
}

// signed signs a digest and, if it is not nil, the message of that digest.
func (s *Signer) signed(random io.Reader, digest, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.sign(random, digest, message, opts)
	if err != nil {
		return nil, fmt.Errorf("signing with token %q: %w", s.token.Label, err)
	}
	return signature, nil
}

func (s *Signer) sign(random io.Reader, digest, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := checkDigest(digest, opts); err != nil {
		return nil, err
	}
	ways, err := attempts(s.certificate.PublicKey, random, digest, message, opts)
	if err != nil {
		return nil, err
	}
	signature, err := s.run(signing, ways)
	if err != nil {
		return nil, err
	}
	if !s.verifier.verify(digest, signature, opts) {
		return nil, ErrBadSignature
	}
	return signature, nil
}
