// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// PINPrompt gets a PIN from the user or wherever it is kept. It is called at
// most once for a login, and once for each of the two secrets of a change, holding
// up other logins to the same token, and must not call back into the module. The
// bytes it returns belong to this package from then on and are overwritten after use:
// a prompt that keeps a PIN has to return a copy.
type PINPrompt func(ctx context.Context, r PINRequest) ([]byte, error)

// PINRequest says what a PIN is wanted for.
type PINRequest struct {
	Use         PINUse
	Token       Info         // of now: its PIN.State tells of tries left, its Min and Max how long a PIN may be
	Certificate *Certificate // whose key is to be used; nil if no key is
}

// PINUse is what a PIN is wanted for.
type PINUse uint8

// Uses of a PIN.
const (
	PINUseUnknown    PINUse = iota
	PINUseLogin             // to log in
	PINUseSignature         // to allow signatures of a key that asks every time, when already logged in
	PINUseVerify            // to check the PIN, nothing else
	PINUseDecryption        // as PINUseSignature, for decryption
	PINUseChange            // the present PIN, to change it
	PINUseNew               // the new PIN
	PINUsePUK               // the PUK, to set a new PIN
)

// String returns unknown, login, signature, verify, decryption, change, new or puk.
func (u PINUse) String() string {
	words := [...]string{"unknown", "login", "signature", "verify", "decryption", "change", "new", "puk"}
	if int(u) >= len(words) {
		return words[PINUseUnknown]
	}
	return words[u]
}

// LoginOptions are the choices of a login. The zero value is the careful one.
type LoginOptions struct {
	// AllowLastTry lets a PIN or PUK be sent when the token says that one more
	// wrong one locks it.
	AllowLastTry bool

	// DigitsOnly refuses, before the token is asked, a PIN or PUK that is not made of
	// digits alone: those of Italian cards are.
	DigitsOnly bool

	// WrongPINs and WrongPUKs are how many wrong ones in a row the token is known to
	// have been sent, if anybody keeps count. Where the token does not say how many tries
	// are left, two of them make the next one the last: Italian cards lock after three.
	WrongPINs, WrongPUKs int

	// Answered is called when the token has answered to a PIN or a PUK, with nil for a
	// right one, for who keeps count. Nil: nobody is told.
	Answered func(puk bool, err error)

	// OnPad is called just before a reader with its own keypad waits for the PIN,
	// instead of a PINPrompt. Nil: nobody is told.
	OnPad func(PINRequest)
}

// PINReason says what is wrong with a PIN.
type PINReason uint8

// Reasons of a PINError.
const (
	PINReasonUnknown PINReason = iota
	PINWrong                   // the token refused it
	PINLocked                  // no tries are left
	PINLastTry                 // one try is left and AllowLastTry was not given
	PINLength                  // too short or too long for the token
	PINInvalid                 // characters that the token does not take
	PINExpired                 // it must be changed first
	PINNotSet                  // the token has no PIN yet
)

// Tries is what is known about the tries left for a PIN. PKCS#11 has no counter,
// only flags.
type Tries uint8

// Tries left.
const (
	TriesUnknown Tries = iota
	TriesNone
	TriesOne
)

// PINError reports a PIN that the token refused, or that was not sent to it
// because that could only do harm. The card counts every refusal: ask the user
// again, never retry.
type PINError struct {
	Reason   PINReason
	PUK      bool // it is about the PUK
	New      bool // it is about the new PIN of a change
	Left     Tries
	Sent     bool // the token was asked, so that a try may have been used
	Code     Code // the token's answer, 0 if it was not asked
	Min, Max int  // the token's limits, for PINLength
}

func (e *PINError) Error() string {
	name := e.name()
	switch e.Reason {
	case PINWrong:
		return "wrong " + name + e.left()
	case PINLocked:
		return "the " + name + " is locked"
	case PINLastTry:
		if e.Left == TriesUnknown {
			return "the last " + name + "s that were sent from here were wrong, and one more may lock it"
		}
		return "only one try is left before the " + name + " locks"
	case PINLength:
		return "the " + name + " has a wrong length" + e.limits()
	case PINInvalid:
		return "the " + name + " has characters that the token does not take" + e.left()
	case PINExpired:
		return "the " + name + " has expired and must be changed"
	case PINNotSet:
		return "the " + name + " was never set"
	}
	return "the " + name + " was refused"
}

func (e *PINError) name() string {
	switch {
	case e.PUK:
		return "PUK"
	case e.New:
		return "new PIN"
	}
	return "PIN"
}

func (e *PINError) left() string {
	switch e.Left {
	case TriesOne:
		return ", one try left"
	case TriesNone:
		return ", and now the " + e.name() + " is locked"
	}
	return ""
}

func (e *PINError) limits() string {
	if e.Max == 0 {
		return ""
	}
	return fmt.Sprintf(": this token wants %d to %d characters", e.Min, e.Max)
}

// Unwrap leads to the [Code], if the token was asked.
func (e *PINError) Unwrap() error {
	if e.Code == 0 {
		return nil
	}
	return e.Code
}

// pinReasons tells which answers of C_Login are about the PIN.
var pinReasons = map[Code]PINReason{
	cryptoki.CKR_PIN_INCORRECT:            PINWrong,
	cryptoki.CKR_PIN_INVALID:              PINInvalid,
	cryptoki.CKR_PIN_LEN_RANGE:            PINLength,
	cryptoki.CKR_PIN_EXPIRED:              PINExpired,
	cryptoki.CKR_PIN_LOCKED:               PINLocked,
	cryptoki.CKR_USER_PIN_NOT_INITIALIZED: PINNotSet,
}

// VerifyPIN checks the user PIN by a login (C_Login, PKCS #11 v2.40, section
// 5.6), and logs out again. A wrong PIN is a [*PINError] and costs one try; more
// than one is never used.
//
// A token that is logged in accepts any PIN, so VerifyPIN logs out first. When it
// may not, because a [Signer] is open or the login is somebody else's, the error
// is [ErrLoggedIn] and nothing is asked. The PIN of a key that wants its own one
// for every signature is not checked.
func (t *Token) VerifyPIN(ctx context.Context, ask PINPrompt, o LoginOptions) error {
	if err := t.module.enter(); err != nil {
		return err
	}
	defer t.module.leave()
	if err := t.verifyPIN(ctx, login{token: t, ask: ask, options: o}); err != nil {
		return fmt.Errorf("verifying PIN of token %q: %w", t.Label, err)
	}
	return nil
}

func (t *Token) verifyPIN(ctx context.Context, l login) (err error) {
	s, err := t.openSession(ctx, false)
	if err != nil {
		return err
	}
	defer s.closeAfter(&err)
	slot := t.module.lib.slot(s.slot)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	if err := t.leaveLogin(ctx, s, slot); err != nil {
		return err
	}
	pin, err := l.pin(ctx, PINUseVerify)
	if err != nil {
		return err
	}
	defer clear(pin)
	err = s.login(ctx, cryptoki.CKU_USER, pin)
	if isCode(err, cryptoki.CKR_USER_ALREADY_LOGGED_IN) {
		return fmt.Errorf("%w: %w", ErrLoggedIn, err)
	}
	if err == nil {
		_ = s.logout(context.WithoutCancel(ctx)) // closing the last session does it too
	}
	return l.check(ctx, err, false)
}

// leaveLogin makes sure that nobody is logged in.
func (t *Token) leaveLogin(ctx context.Context, s *session, slot *slotState) error {
	in, err := s.loggedIn(ctx)
	if err != nil || !in {
		return err
	}
	if slot.signers.Load() > 0 || !t.module.lib.owned {
		return ErrLoggedIn
	}
	return s.logout(ctx)
}

// login is one login to a token: whom to ask for the PIN, and for what.
type login struct {
	token       *Token
	certificate *Certificate
	ask         PINPrompt
	options     LoginOptions
}

// pin asks for the PIN, once, after looking at the token's state of now, and
// refuses what could only use up a try. It is nil when the reader's keypad asks.
func (l login) pin(ctx context.Context, use PINUse) ([]byte, error) {
	now, _, err := l.token.refresh(ctx)
	if err != nil {
		return nil, err
	}
	l.count(&now)
	if err := l.allows(now, use); err != nil {
		return nil, err
	}
	r := PINRequest{Use: use, Token: now, Certificate: l.certificate}
	switch {
	case now.PIN.Pad:
		l.announce(r)
		return nil, nil
	case l.ask == nil:
		return nil, fmt.Errorf("a %s is needed and there is nobody to ask for it", use.secret())
	}
	pin, err := l.ask(ctx, r)
	if err == nil {
		err = l.accepts(now.PIN, pin, use)
	}
	if err != nil {
		clear(pin)
		return nil, err
	}
	return pin, nil
}

// secret names what is asked for.
func (u PINUse) secret() string {
	switch u {
	case PINUsePUK:
		return "PUK"
	case PINUseNew:
		return "new PIN"
	}
	return "PIN"
}

// lastOfThree is after how many wrong ones in a row the next may be the last.
const lastOfThree = 2

// count adds what is known of tries to what the token says.
func (l login) count(now *Info) {
	if now.PIN.State == PINStateUnknown && l.options.WrongPINs >= lastOfThree {
		now.PIN.State = PINStateFinal
	}
	if now.PUK == PINStateUnknown && l.options.WrongPUKs >= lastOfThree {
		now.PUK = PINStateFinal
	}
}

// allows refuses to ask for a secret that is locked, or about to be.
func (l login) allows(now Info, use PINUse) error {
	state, wrong, puk := now.PIN.State, l.options.WrongPINs, use == PINUsePUK
	if puk {
		state, wrong = now.PUK, l.options.WrongPUKs
	}
	left := TriesOne
	if wrong >= lastOfThree { // it may well be that the token does not say it
		left = TriesUnknown
	}
	switch {
	case use == PINUseNew:
		return nil
	case state == PINStateLocked:
		return &PINError{Reason: PINLocked, PUK: puk, Left: TriesNone}
	case state == PINStateFinal && !l.options.AllowLastTry:
		return &PINError{Reason: PINLastTry, PUK: puk, Left: left}
	}
	return nil
}

// announce tells the user to look at the reader.
func (l login) announce(r PINRequest) {
	if l.options.OnPad != nil {
		l.options.OnPad(r)
	}
}

// accepts refuses a PIN that the token rules out. An empty one is always refused:
// it would reach the module as NULL, which means "ask on the keypad".
func (l login) accepts(limits PIN, pin []byte, use PINUse) error {
	puk, fresh := use == PINUsePUK, use == PINUseNew
	switch {
	case len(pin) == 0 || limits.Max > 0 && (len(pin) < limits.Min || len(pin) > limits.Max):
		return &PINError{Reason: PINLength, PUK: puk, New: fresh, Min: limits.Min, Max: limits.Max}
	case l.options.DigitsOnly && bytes.ContainsFunc(pin, func(r rune) bool { return r < '0' || r > '9' }):
		return &PINError{Reason: PINInvalid, PUK: puk, New: fresh}
	}
	return nil
}

// check turns a module's answer into a PINError where it is about the PIN, or
// about the PUK if that was sent, and finds out how many tries are left by reading
// the flags again.
func (l login) check(ctx context.Context, err error, puk bool) error {
	err = l.meaning(ctx, err, puk)
	if l.options.Answered != nil {
		l.options.Answered(puk, err)
	}
	return err
}

func (l login) meaning(ctx context.Context, err error, puk bool) error {
	var code Code
	if !errors.As(err, &code) || pinReasons[code] == PINReasonUnknown {
		return err
	}
	e := &PINError{Reason: pinReasons[code], PUK: puk, Sent: true, Code: code}
	now, _, err := l.token.refresh(context.WithoutCancel(ctx))
	state := now.PIN.State
	if puk {
		state = now.PUK
	}
	switch {
	case e.Reason == PINLocked || err == nil && state == PINStateLocked:
		e.Left = TriesNone
	case err == nil && state == PINStateFinal:
		e.Left = TriesOne
	}
	e.Min, e.Max = now.PIN.Min, now.PIN.Max
	return e
}
