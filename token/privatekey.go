// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// privateKey is the private key of a certificate on a token, in use: what Signer
// and Decrypter have in common.
type privateKey struct {
	token       *Token
	certificate *x509.Certificate
	login       login
	use         PINUse // what a PIN is for that the key itself wants
	key         key
	atATime     int    // how many sessions the pool may have
	unlock      func() // takes back the part in the token's login

	using  sync.RWMutex // held shared by uses of the key, exclusively by Close
	closed bool
	pool   *pool

	// A key that always authenticates has one session, and who has the session may
	// use the PIN.
	pin []byte // nil with a keypad

	mu     sync.Mutex    // guards what follows
	dead   error         // why the key is not used any more
	worked map[uint]rung // by the mechanism that is tried first
}

// openKey logs in, unless this process already is, and finds the key of a
// certificate.
func (t *Token) openKey(ctx context.Context, l login, use PINUse) (*privateKey, error) {
	if err := t.module.enter(); err != nil {
		return nil, err
	}
	defer t.module.leave()
	if err := l.certificate.usable(); err != nil {
		return nil, err
	}
	session, err := t.openSession(ctx, false)
	if err != nil {
		return nil, err
	}
	k := &privateKey{
		token: t, certificate: l.certificate.X509, login: l, use: use, unlock: func() {},
		pool: newPool(session), worked: map[uint]rung{},
	}
	if err := k.open(ctx, session); err != nil {
		_ = k.Close() // err says more
		return nil, err
	}
	t.module.add(k)
	return k, nil
}

// open logs in, finds the key, and gets the PIN that the key itself may want.
func (k *privateKey) open(ctx context.Context, s *session) error {
	slot := s.lib.slot(s.slot)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	if err := k.logIn(ctx, s); err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	slot.signers.Add(1)
	k.unlock = func() { slot.signers.Add(-1) }
	var err error
	if k.key, err = s.privateKey(ctx, k.login.certificate); err != nil {
		return err
	}
	if !k.key.alwaysAuthenticate {
		k.wipe()
		if k.atATime = s.signaturesAtATime(ctx); k.atATime > 1 {
			k.pool.grow()
		}
		return nil
	}
	if k.pin == nil && !k.token.PIN.Pad {
		k.pin, err = k.login.pin(ctx, k.use)
	}
	return err
}

// logIn logs in if that is needed, and keeps the PIN for the moment.
func (k *privateKey) logIn(ctx context.Context, s *session) error {
	_, flags, err := k.token.refresh(ctx)
	if err != nil || flags&cryptoki.CKF_LOGIN_REQUIRED == 0 {
		return err
	}
	if in, err := s.loggedIn(ctx); err != nil || in {
		return err
	}
	if k.pin, err = k.login.pin(ctx, PINUseLogin); err != nil {
		return err
	}
	err = s.login(ctx, cryptoki.CKU_USER, k.pin)
	if isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
		// Somebody else in the process was faster. The PIN is unproven, so the
		// key must not have it.
		k.wipe()
		return nil
	}
	return k.login.check(ctx, err, false)
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
func (k *privateKey) Public() crypto.PublicKey { return k.certificate.PublicKey }

// Certificate returns the certificate that the key belongs to.
func (k *privateKey) Certificate() *x509.Certificate { return k.certificate }

// AlwaysAuthenticate says whether the key wants the PIN every time it is used. With
// a keypad that means that the user types it every time.
func (k *privateKey) AlwaysAuthenticate() bool { return k.key.alwaysAuthenticate }

// AtATime says how many signatures are made at the same time at the most: one by a
// card in a reader, which has one processor, and by a key that wants the PIN every
// time. More can be asked for; they wait.
func (k *privateKey) AtATime() int { return max(k.atATime, 1) }

// Close closes the key's sessions, which ends the login if they were the last ones
// on the token, and overwrites the PIN. It waits for uses of the key in progress.
// Closing twice is harmless.
func (k *privateKey) Close() error {
	k.using.Lock()
	defer k.using.Unlock()
	k.wipe()
	if k.closed {
		return nil
	}
	k.closed = true
	k.unlock()
	k.token.module.remove(k)
	if err := k.pool.close(); err != nil {
		return fmt.Errorf("closing key on token %q: %w", k.token.Label, err)
	}
	return nil
}

func (k *privateKey) wipe() {
	clear(k.pin)
	k.pin = nil
}

// run tries the ways to do an operation, the one that worked before first, and goes
// on to the next when the token refuses the mechanism.
func (k *privateKey) run(op operation, ways []attempt) ([]byte, error) {
	k.using.RLock()
	defer k.using.RUnlock()
	if k.closed {
		return nil, ErrClosed
	}
	s := k.pool.get()
	defer k.pool.put(s)
	first := ways[0].mechanism.Kind
	var err error
	for _, a := range k.ordered(first, ways) {
		var result []byte
		if result, err = k.try(s, op, a); err == nil {
			k.remember(first, a.rung)
			return result, nil
		}
		if !errors.As(err, new(*refusedError)) {
			return nil, k.token.explain(err)
		}
	}
	return nil, err
}

// explain finds out whether an answer that may mean anything means that the card was
// pulled out: OpenSC says CKR_GENERAL_ERROR then.
func (t *Token) explain(err error) error {
	if !isCode(err, cryptoki.CKR_GENERAL_ERROR, cryptoki.CKR_DEVICE_ERROR, cryptoki.CKR_FUNCTION_FAILED) {
		return err
	}
	if _, _, now := t.refresh(context.Background()); errors.Is(now, ErrRemoved) {
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	}
	return err
}

// ordered puts the rung that worked before first.
func (k *privateKey) ordered(first uint, ways []attempt) []attempt {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, a := range ways {
		if a.rung == k.worked[first] && i > 0 {
			ordered := append([]attempt{a}, ways[:i]...)
			return append(ordered, ways[i+1:]...)
		}
	}
	return ways
}

func (k *privateKey) remember(first uint, r rung) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.worked[first] = r
}

// refusedError is a mechanism refused by the token.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// authenticationError is a refusal of the login that a key asks for between
// C_SignInit and C_Sign, or an answer about the PIN to one of these: some modules ask
// the card no earlier.
type authenticationError struct{ error }

func (e *authenticationError) Unwrap() error { return e.error }

// try does an operation in one way, in a session that nobody else uses now.
func (k *privateKey) try(s *session, op operation, a attempt) ([]byte, error) {
	if dead := k.died(nil); dead != nil {
		return nil, dead
	}
	if k.key.alwaysAuthenticate && k.token.PIN.Pad {
		k.login.announce(PINRequest{Use: k.use, Token: k.token.Info, Certificate: k.login.certificate})
	}
	raw, err := s.crypt(op, a, k.key, k.pin)
	if refused := new(authenticationError); errors.As(err, &refused) {
		// Never send this PIN again, nor have a module do it that keeps it. The
		// session is of no more use either: the operation that was begun still hangs
		// in it.
		if k.key.alwaysAuthenticate {
			k.wipe()
		}
		return nil, k.died(k.login.check(context.Background(), refused.error, false))
	}
	if err != nil {
		return nil, err
	}
	return a.finish(raw)
}

// died returns why the key is not used any more, which is why unless it is known
// already; nil if it is in use.
func (k *privateKey) died(why error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead == nil {
		k.dead = why
	}
	return k.dead
}

// operation is the pair of functions of PKCS#11 that use a private key.
type operation struct {
	begin func(c cryptoki.Module, session uint, m cryptoki.Mechanism, key uint) error
	end   func(c cryptoki.Module, session uint, data []byte, size int) ([]byte, error)
}

// crypt runs C_SignInit and C_Sign, or C_DecryptInit and C_Decrypt (PKCS #11 v2.40,
// sections 5.11 and 5.9). If the key always authenticates, the context-specific login
// (section 5.6) stands between the two and no other call of this process does: some
// modules forget the PIN at any other call (OpenSC#1071).
func (s *session) crypt(op operation, a attempt, k key, pin []byte) (result []byte, err error) {
	run := s.lib.call
	if k.alwaysAuthenticate {
		run = s.lib.alone
	}
	err = run(context.Background(), func(c cryptoki.Module) error {
		if err := op.begin(c, s.handle, a.mechanism, k.handle); err != nil {
			return refusal(code(err))
		}
		if k.alwaysAuthenticate {
			err := code(c.Login(s.handle, cryptoki.CKU_CONTEXT_SPECIFIC, pin))
			if err != nil && !isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
				return &authenticationError{err}
			}
		}
		if result, err = op.end(c, s.handle, a.input, a.size); err != nil {
			return refusal(code(err))
		}
		return nil
	})
	return result, err
}

// refusal marks the answers that mean "not with this mechanism", and those about the
// PIN. The former belong to the beginning of an operation; some modules find out at its
// end (OpenSC with cards whose keys it takes for shorter than they are).
func refusal(err error) error {
	if code := Code(0); errors.As(err, &code) && pinReasons[code] != PINReasonUnknown {
		return &authenticationError{err}
	}
	if isCode(err, cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKR_MECHANISM_PARAM_INVALID, cryptoki.CKR_FUNCTION_NOT_SUPPORTED,
		cryptoki.CKR_KEY_TYPE_INCONSISTENT, cryptoki.CKR_KEY_FUNCTION_NOT_PERMITTED, cryptoki.CKR_ARGUMENTS_BAD) {
		return &refusedError{err}
	}
	return err
}
