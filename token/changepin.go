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
// wrong present PIN is a [*PINError] and costs one try; the token is asked once.
//
// Whether the new PIN is typed twice is up to ask. A token with two PINs is two
// tokens here: see [Cards].
func (t *Token) ChangePIN(ctx context.Context, ask PINPrompt, o LoginOptions) error {
	return t.setting(ctx, "changing PIN", login{token: t, ask: ask, options: o}, login.change)
}

// UnblockOptions are the choices of UnblockPIN.
type UnblockOptions struct {
	LoginOptions

	// PlainSetPIN unblocks by C_SetPIN without a login, the PUK in the place of the
	// old PIN, as OpenSC does if it is configured with user_pin_unblock_style =
	// set_pin_in_unlogged_session. A module that does not do it so takes the PUK for
	// a wrong PIN, which costs a try of the PIN if it has one left.
	PlainSetPIN bool
}

// UnblockPIN sets a new user PIN with the PUK: the security officer's PIN of
// PKCS#11, by C_Login(CKU_SO) and C_InitPIN (PKCS #11 v2.40, sections 5.6 and
// 5.5). ask is called for the PUK (PINUsePUK), then for the new PIN (PINUseNew); with
// a keypad both are typed there. Both are checked before the token is asked. A
// wrong PUK is a [*PINError] with PUK set, and costs one of its few tries: a card
// whose PUK is locked is lost. It is sent once.
//
// No Signer may be open, or the error is [ErrLoggedIn]. A module that cannot unblock
// gives [ErrNoUnblock]. OpenSC does it for Italian cards only if it is configured with
// user_pin_unblock_style = init_pin_in_so_session.
func (t *Token) UnblockPIN(ctx context.Context, ask PINPrompt, o UnblockOptions) error {
	way := login.unblock
	if o.PlainSetPIN {
		way = login.unblockBySetPIN
	}
	return t.setting(ctx, "unblocking PIN", login{token: t, ask: ask, options: o.LoginOptions}, way)
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

func (l login) change(ctx context.Context, s *session) error {
	return l.replace(ctx, s, PINUseChange)
}

func (l login) unblockBySetPIN(ctx context.Context, s *session) error {
	if err := l.token.leaveLogin(ctx, s, l.token.module.lib.slot(s.slot)); err != nil {
		return err
	}
	return l.replace(ctx, s, PINUsePUK)
}

// replace asks for two secrets and hands both to C_SetPIN.
func (l login) replace(ctx context.Context, s *session, use PINUse) error {
	old, fresh, err := l.both(ctx, use)
	if err != nil {
		return err
	}
	defer clear(old)
	defer clear(fresh)
	err = s.lib.call(ctx, func(c cryptoki.Module) error { return c.SetPIN(s.handle, old, fresh) })
	return l.check(ctx, unsupported(err), use == PINUsePUK)
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
	// From here on the card is at work: a change that was begun is brought to its end.
	ctx = context.WithoutCancel(ctx)
	err = s.lib.call(ctx, func(c cryptoki.Module) error { return c.InitPIN(s.handle, fresh) })
	_ = s.logout(ctx) // closing the session does it too
	return l.check(ctx, unsupported(err), false)
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
