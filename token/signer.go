// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Signer is the private key of a certificate on a token. It implements
// [crypto.Signer]. Close it after use.
//
// It may be used by several goroutines, and makes one signature at a time.
type Signer struct {
	token       *Token
	certificate *x509.Certificate
	login       login
	key         key
	unlock      func() // takes back the Signer's part in the token's login

	mu      sync.Mutex // guards what follows, and the session
	session *session   // nil when closed
	pin     []byte     // only for a key that always authenticates; nil with a keypad
	dead    error      // why the Signer makes no more signatures
}

// Signer logs in to the token, unless this process already is, and returns the
// private key of a certificate listed by [Token.Certificates].
//
// ask is called once at most: to log in, or, when already logged in, for a key
// that wants the PIN again for every signature. A token with a keypad
// of its own asks there. What is wrong with a PIN is a [*PINError]. If the token has
// no key for the certificate the error matches [ErrNoKey].
func (t *Token) Signer(ctx context.Context, c *Certificate, ask PINPrompt, o LoginOptions) (*Signer, error) {
	if err := t.module.enter(); err != nil {
		return nil, err
	}
	defer t.module.leave()
	s, err := t.signer(ctx, login{token: t, certificate: c, ask: ask, options: o})
	if err != nil {
		return nil, fmt.Errorf("opening key on token %q: %w", t.Label, err)
	}
	return s, nil
}

func (t *Token) signer(ctx context.Context, l login) (*Signer, error) {
	if err := l.certificate.usable(); err != nil {
		return nil, err
	}
	session, err := t.module.lib.openSession(ctx, t.Slot)
	if err != nil {
		return nil, err
	}
	s := &Signer{token: t, certificate: l.certificate.X509, login: l, session: session, unlock: func() {}}
	if err := s.open(ctx); err != nil {
		_ = s.Close() // err says more
		return nil, err
	}
	t.module.add(s)
	return s, nil
}

// open logs in, finds the key, and gets the PIN that the key itself may want.
func (s *Signer) open(ctx context.Context) error {
	slot := s.token.module.lib.slot(s.token.Slot)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	if err := s.logIn(ctx); err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	slot.signers.Add(1)
	s.unlock = func() { slot.signers.Add(-1) }
	var err error
	if s.key, err = s.session.privateKey(ctx, s.login.certificate); err != nil {
		return err
	}
	if !s.key.alwaysAuthenticate {
		s.wipe()
		return nil
	}
	if s.pin == nil && !s.token.PIN.Pad {
		s.pin, err = s.login.pin(ctx, PINUseSignature)
	}
	return err
}

// logIn logs in if that is needed, and keeps the PIN for the moment.
func (s *Signer) logIn(ctx context.Context) error {
	_, flags, err := s.token.refresh(ctx)
	if err != nil || flags&cryptoki.CKF_LOGIN_REQUIRED == 0 {
		return err
	}
	if in, err := s.session.loggedIn(ctx); err != nil || in {
		return err
	}
	if s.pin, err = s.login.pin(ctx, PINUseLogin); err != nil {
		return err
	}
	err = s.session.login(ctx, s.pin)
	if isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
		// Somebody else in the process was faster. The PIN is unproven, so the
		// key must not have it.
		s.wipe()
		return nil
	}
	return s.login.check(ctx, err)
}

// privateKey finds the private key of a certificate; see belonging for the rules.
func (s *session) privateKey(ctx context.Context, c *Certificate) (key, error) {
	public, err := s.keys(ctx, cryptoki.CKO_PUBLIC_KEY)
	if err != nil {
		return key{}, err
	}
	private, err := s.privateKeys(ctx, public)
	if err != nil {
		return key{}, err
	}
	mine := belonging(private, c.ID, c.publicPart())
	switch {
	case len(mine) == 0:
		return key{}, fmt.Errorf("%w: looked for CKA_ID %x and for its public key among %d private keys", ErrNoKey, c.ID, len(private))
	case len(mine) > 1 && mine[0].public == nil:
		return key{}, fmt.Errorf("%w that can be told: %d private keys have CKA_ID %x and none shows its public part", ErrNoKey, len(mine), c.ID)
	}
	return mine[0], nil
}

// Public returns the certificate's public key, an [*rsa.PublicKey] or an
// [*ecdsa.PublicKey].
func (s *Signer) Public() crypto.PublicKey { return s.certificate.PublicKey }

// Certificate returns the certificate that the key belongs to.
func (s *Signer) Certificate() *x509.Certificate { return s.certificate }

// AlwaysAuthenticate says whether the key wants the PIN for every signature. With
// a keypad that means that the user types it every time.
func (s *Signer) AlwaysAuthenticate() bool { return s.key.alwaysAuthenticate }

// Sign signs a digest, whose length must be that of opts.HashFunc().
//
// RSA keys sign with PKCS #1 v1.5, or with PSS if opts is an [*rsa.PSSOptions]
// (RFC 8017, sections 8.2 and 8.1); both automatic salt lengths mean that of the
// hash. EC keys return an ASN.1 signature. The token gets no more than a
// digest or padded block: everything else is done here. If the token refuses
// the usual mechanism for the key when the signature begins, the padding is done
// here as well (CKM_RSA_X_509), where random supplies the salt of PSS; nil means
// crypto/rand.
//
// The signature is verified with the certificate before it is returned; if it
// is not right the error is [ErrBadSignature]. A key that wants the PIN for
// every signature gets it between C_SignInit and C_Sign. If it refuses it the error
// is a [*PINError], and the Signer never sends it again: every later call
// returns the same error.
func (s *Signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.sign(random, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("signing with token %q: %w", s.token.Label, err)
	}
	return signature, nil
}

func (s *Signer) sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := checkDigest(digest, opts); err != nil {
		return nil, err
	}
	ways, err := attempts(s.certificate.PublicKey, random, digest, opts)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range ways {
		var signature []byte
		if signature, err = s.try(a); err == nil {
			return signature, s.verify(digest, signature, opts)
		}
		if !errors.As(err, new(*refusedError)) {
			return nil, err
		}
	}
	return nil, err
}

// refusedError is a mechanism refused by C_SignInit, before anything was used up.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// authenticationError is a refusal of the login that a key asks for between
// C_SignInit and C_Sign.
type authenticationError struct{ error }

func (e *authenticationError) Unwrap() error { return e.error }

// try makes one signature; s.mu is held.
func (s *Signer) try(a attempt) ([]byte, error) {
	switch {
	case s.session == nil:
		return nil, ErrClosed
	case s.dead != nil:
		return nil, s.dead
	}
	if s.key.alwaysAuthenticate && s.token.PIN.Pad {
		s.login.announce(PINRequest{Use: PINUseSignature, Token: s.token.Info, Certificate: s.login.certificate})
	}
	raw, err := s.session.sign(a, s.key, s.pin)
	if refused := new(authenticationError); errors.As(err, &refused) {
		// Never send this PIN again. The session is of no more use either: the
		// operation begun by C_SignInit still hangs in it.
		s.dead = s.login.check(context.Background(), refused.error)
		s.wipe()
		return nil, s.dead
	}
	if err != nil {
		return nil, err
	}
	return a.finish(raw)
}

// sign runs C_SignInit and C_Sign (PKCS #11 v2.40, section 5.11). If the key
// always authenticates, the context-specific login (section 5.6) stands between
// the two and no other call of this process does: some modules forget the PIN at
// any other call (OpenSC#1071).
func (s *session) sign(a attempt, k key, pin []byte) (signature []byte, err error) {
	run := s.lib.call
	if k.alwaysAuthenticate {
		run = s.lib.alone
	}
	err = run(context.Background(), func(c cryptoki.Module) error {
		if err := c.SignInit(s.handle, a.mechanism, k.handle); err != nil {
			return refusal(code(err))
		}
		if k.alwaysAuthenticate {
			err := c.Login(s.handle, cryptoki.CKU_CONTEXT_SPECIFIC, pin)
			if err = code(err); err != nil && !isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
				return &authenticationError{code(err)}
			}
		}
		signature, err = c.Sign(s.handle, a.input, a.size)
		return err
	})
	return signature, err
}

// refusal marks the answers of C_SignInit that mean "not with this mechanism".
func refusal(err error) error {
	if isCode(err, cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKR_MECHANISM_PARAM_INVALID, cryptoki.CKR_FUNCTION_NOT_SUPPORTED, cryptoki.CKR_KEY_TYPE_INCONSISTENT, cryptoki.CKR_KEY_FUNCTION_NOT_PERMITTED) {
		return &refusedError{err}
	}
	return err
}

// verify holds the token's signature against the certificate.
func (s *Signer) verify(digest, signature []byte, opts crypto.SignerOpts) error {
	ok := false
	switch public := s.certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		ok = verifyRSA(public, digest, signature, opts) == nil
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(public, digest, signature)
	}
	if !ok {
		return ErrBadSignature
	}
	return nil
}

// Close closes the key's session, which ends the login if it was the last one on
// the token, and overwrites the PIN. Closing twice is harmless.
func (s *Signer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	if s.session == nil {
		return nil
	}
	session := s.session
	s.session = nil
	s.unlock()
	s.token.module.remove(s)
	if err := session.close(); err != nil {
		return fmt.Errorf("closing key on token %q: %w", s.token.Label, err)
	}
	return nil
}

func (s *Signer) wipe() {
	clear(s.pin)
	s.pin = nil
}
