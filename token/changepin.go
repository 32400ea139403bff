// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"fmt"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// ChangePIN changes the user PIN (C_SetPIN, PKCS #11 v2.40, section 5.5). ask is
// called for the present PIN (PINUseChange), then for the new one (PINUseNew); with
// a keypad both are typed there. Both are checked before the token is asked. A
// wrong present PIN is a [*PINError] and costs one try: it is sent once.
//
// Whether the new PIN is typed twice is up to ask. A token with two PINs is two
// tokens here: see [Cards].
func (t *Token) ChangePIN(ctx context.Context, ask PINPrompt, o LoginOptions) error {
	return t.setting(ctx, "changing PIN", login{token: t, ask: ask, options: o}, login.change)
}

// UnblockPIN sets a new user PIN with the PUK: the security officer's PIN of
// PKCS#11, by C_Login(CKU_SO) and C_InitPIN (PKCS #11 v2.40, sections 5.6 and
// 5.5). ask is called for the PUK (PINUsePUK), then for the new PIN (PINUseNew); with
// a keypad both are typed there. Both are checked before the token is asked. A
// wrong PUK is a [*PINError] with PUK set, and costs one of its few tries: a card
// whose PUK is locked is lost. It is sent once.
//
// No Signer may be open, or the error is [ErrLoggedIn]. A module that cannot unblock
// gives [ErrNoUnblock], before the card is asked. OpenSC unblocks Italian cards only
// if its configuration says user_pin_unblock_style = init_pin_in_so_session.
func (t *Token) UnblockPIN(ctx context.Context, ask PINPrompt, o LoginOptions) error {
	return t.setting(ctx, "unblocking PIN", login{token: t, ask: ask, options: o}, login.unblock)
}

// setting runs a change of PIN in a session that may write.
func (t *Token) setting(ctx context.Context, step string, l login, change func(login, context.Context, *session) error) (err error) {
	if err := t.module.enter(); err != nil {
		return err
	}
	defer t.module.leave()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s of token %q: %w", step, t.Label, err)
		}
	}()
	s, err := t.openSession(ctx, true)
	if err != nil {
		return err
	}
	defer s.closeAfter(&err)
	slot := t.module.lib.slot(s.slot)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	return change(l, ctx, s)
}

// change logs in before C_SetPIN, though the standard does not want it: without a
// login OpenSC, if so configured, takes the present PIN for the PUK and uses up one
// of its tries. So a right PIN is sent twice, and a wrong one once.
func (l login) change(ctx context.Context, s *session) error {
	old, fresh, err := l.both(ctx, PINUseChange)
	if err != nil {
		return err
	}
	defer clear(old)
	defer clear(fresh)
	if old != nil {
		err := s.login(ctx, cryptoki.CKU_USER, old)
		if err != nil && !isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
			return l.check(ctx, err, false)
		}
	}
	// From here on the card is at work: a change that was begun is brought to its end.
	ctx = context.WithoutCancel(ctx)
	err = s.lib.call(ctx, func(c cryptoki.Module) error { return c.SetPIN(s.handle, old, fresh) })
	return l.check(ctx, unsupported(err), false)
}

func (l login) unblock(ctx context.Context, s *session) error {
	if err := l.token.leaveLogin(ctx, s, l.token.module.lib.slot(s.slot)); err != nil {
		return err
	}
	puk, fresh, err := l.both(ctx, PINUsePUK)
	if err != nil {
		return err
	}
	defer clear(puk)
	defer clear(fresh)
	if err := s.login(ctx, cryptoki.CKU_SO, puk); err != nil {
		return l.check(ctx, unsupported(err), true)
	}
	ctx = context.WithoutCancel(ctx)
	err = s.lib.call(ctx, func(c cryptoki.Module) error { return c.InitPIN(s.handle, fresh) })
	_ = s.logout(ctx) // closing the session does it too
	// OpenSC asks the card for the first time now, so that this may be about the PUK.
	return l.check(ctx, unsupported(err), !isCode(err, cryptoki.CKR_PIN_INVALID, cryptoki.CKR_PIN_LEN_RANGE))
}

// both asks for the secret that allows a change, and the new PIN. On a keypad the
// user types both, and both are nil.
func (l login) both(ctx context.Context, use PINUse) (old, fresh []byte, err error) {
	if old, err = l.pin(ctx, use); err != nil || old == nil {
		return nil, nil, err
	}
	if fresh, err = l.pin(ctx, PINUseNew); err != nil {
		clear(old)
		return nil, nil, err
	}
	return old, fresh, nil
}

// unsupported marks the answers of modules that do not change or unblock PINs.
func unsupported(err error) error {
	if isCode(err, cryptoki.CKR_FUNCTION_NOT_SUPPORTED, cryptoki.CKR_USER_TYPE_INVALID) {
		return fmt.Errorf("%w: %w", ErrNoUnblock, err)
	}
	return err
}
