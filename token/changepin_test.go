// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"errors"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

const newPIN, rightPUK, wrongPUK = "24680135", "87654321", "12121212"

// secrets answers each use with a secret of its own.
type secrets struct {
	prompt
	by map[PINUse]string
}

func (s *secrets) ask(ctx context.Context, r PINRequest) ([]byte, error) {
	s.pin = s.by[r.Use]
	return s.prompt.ask(ctx, r)
}

func (s *secrets) uses() (list []PINUse) {
	for _, r := range s.asked {
		list = append(list, r.Use)
	}
	return list
}

func changing(old, fresh string) *secrets {
	return &secrets{by: map[PINUse]string{PINUseChange: old, PINUsePUK: old, PINUseNew: fresh}}
}

func TestChangePIN(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token := tokensOf(t, m)[0]
		change := func(old, fresh string) error {
			s := changing(old, fresh)
			err := token.ChangePIN(t.Context(), s.ask, LoginOptions{DigitsOnly: true})
			s.wiped(t)
			if !slices.Equal(s.uses(), []PINUse{PINUseChange, PINUseNew}) {
				t.Errorf("asked for %v", s.uses())
			}
			return discreet(t, err)
		}
		refused := wantPINError(t, change(wrongPIN, newPIN), PINWrong)
		if refused.PUK || !refused.Sent {
			t.Errorf("%+v", refused)
		}
		if err := change(rightPIN, newPIN); err != nil {
			t.Fatal(err)
		}
		wantPINError(t, token.VerifyPIN(t.Context(), (&prompt{pin: rightPIN}).ask, LoginOptions{}), PINWrong)
		if err := token.VerifyPIN(t.Context(), (&prompt{pin: newPIN}).ask, LoginOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// TestChangePINBesideSigner changes the PIN while a key is in use.
func TestChangePINBesideSigner(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		if err := token.ChangePIN(t.Context(), changing(rightPIN, newPIN).ask, LoginOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Error(err)
		}
	})
}

func TestChangePINRefusedBeforeTheCard(t *testing.T) {
	cases := []struct {
		name       string
		old, fresh string
		reason     PINReason
	}{
		{"present PIN too short", "1", newPIN, PINLength},
		{"new PIN too long", rightPIN, "123456789", PINLength},
		{"new PIN empty", rightPIN, "", PINLength},
		{"new PIN with letters", rightPIN, "abc123", PINInvalid},
		{"present PIN with letters", "abc123", newPIN, PINInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(firma(t))
			token := tokensOf(t, f.open(t))[0]
			s := changing(c.old, c.fresh)
			refused := wantPINError(t, token.ChangePIN(t.Context(), s.ask, LoginOptions{DigitsOnly: true}), c.reason)
			if refused.Sent || f.Count("C_SetPIN")+f.Count("C_Login") != 0 {
				t.Errorf("%+v, %d calls", refused, f.Count("C_SetPIN"))
			}
			s.wiped(t)
		})
	}
}

func TestChangePINTries(t *testing.T) {
	f := newFake(firma(t))
	card := f.Token(0)
	token := tokensOf(t, f.open(t))[0]
	card.Tries = 1
	wantPINError(t, token.ChangePIN(t.Context(), changing(rightPIN, newPIN).ask, LoginOptions{}), PINLastTry)
	refused := wantPINError(t, token.ChangePIN(t.Context(), changing(wrongPIN, newPIN).ask, LoginOptions{AllowLastTry: true}), PINWrong)
	if refused.Left != TriesNone || refused.Error() != "wrong PIN, and now the PIN is locked" {
		t.Errorf("%+v", refused)
	}
	wantPINError(t, token.ChangePIN(t.Context(), changing(rightPIN, newPIN).ask, LoginOptions{AllowLastTry: true}), PINLocked)
	if f.Count("C_Login") != 1 || f.Count("C_SetPIN") != 0 {
		t.Errorf("calls %q", f.Calls())
	}
}

func TestChangePINOnKeypad(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Pad("")
	token := tokensOf(t, f.open(t))[0]
	var told []PINUse
	options := LoginOptions{OnPad: func(r PINRequest) { told = append(told, r.Use) }}
	if err := token.ChangePIN(t.Context(), nil, options); err != nil {
		t.Error(err)
	}
	if err := token.UnblockPIN(t.Context(), nil, options); err == nil {
		t.Error("a PIN was set to nothing") // the scripted keypad types no new PIN
	}
	if !slices.Equal(told, []PINUse{PINUseChange, PINUsePUK}) {
		t.Errorf("told %v", told)
	}
}

func TestUnblockPIN(t *testing.T) {
	f := newFake(firma(t))
	card := f.Token(0)
	card.Tries = 0
	token := tokensOf(t, f.open(t))[0]
	unblock := func(puk string, o LoginOptions) error {
		s := changing(puk, newPIN)
		err := token.UnblockPIN(t.Context(), s.ask, o)
		s.wiped(t)
		return discreet(t, err)
	}
	refused := wantPINError(t, unblock(wrongPUK, LoginOptions{}), PINWrong)
	if !refused.PUK || refused.Error() != "wrong PUK" || card.PUKTries != 2 {
		t.Errorf("%+v, %d tries", refused, card.PUKTries)
	}
	refused = wantPINError(t, unblock(wrongPUK, LoginOptions{}), PINWrong)
	if refused.Left != TriesOne || refused.Error() != "wrong PUK, one try left" {
		t.Errorf("%+v", refused)
	}
	if got := tokensOf(t, token.module)[0]; got.PUK != PINStateFinal || got.PIN.State != PINStateLocked {
		t.Errorf("PUK %v, PIN %v", got.PUK, got.PIN.State)
	}
	refused = wantPINError(t, unblock(rightPUK, LoginOptions{}), PINLastTry)
	if !refused.PUK || refused.Sent || refused.Error() != "only one try is left before the PUK locks" {
		t.Errorf("%+v", refused)
	}
	if err := unblock(rightPUK, LoginOptions{AllowLastTry: true}); err != nil {
		t.Fatal(err)
	}
	if f.Count("C_Login so") != 3 || card.Tries != 3 {
		t.Errorf("%d logins, %d tries", f.Count("C_Login so"), card.Tries)
	}
	if err := token.VerifyPIN(t.Context(), (&prompt{pin: newPIN}).ask, LoginOptions{}); err != nil {
		t.Error(err)
	}
	card.PUKTries = 0
	wantPINError(t, unblock(rightPUK, LoginOptions{}), PINLocked)
}

// TestUnblockPINOnSoftHSM does it on real code too: there the PUK is the PIN of
// the security officer.
func TestUnblockPINOnSoftHSM(t *testing.T) {
	const officer = "12345678" // of every token that package softhsm makes
	m := mustOpen(t, hsmWithFirma(t).Module())
	token := tokensOf(t, m)[0]
	refused := wantPINError(t, token.UnblockPIN(t.Context(), changing(wrongPUK, newPIN).ask, LoginOptions{}), PINWrong)
	if !refused.PUK {
		t.Errorf("%+v", refused)
	}
	if err := token.UnblockPIN(t.Context(), changing(officer, newPIN).ask, LoginOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := token.VerifyPIN(t.Context(), (&prompt{pin: newPIN}).ask, LoginOptions{}); err != nil {
		t.Error(err)
	}
}

// TestUnblockPINLate meets OpenSC's way: any PUK is taken, and the card asked only
// when the PIN is set.
func TestUnblockPINLate(t *testing.T) {
	cases := []struct {
		code   uint
		reason PINReason
		puk    bool
	}{
		{cryptoki.CKR_PIN_INCORRECT, PINWrong, true}, {cryptoki.CKR_PIN_LOCKED, PINLocked, true},
		{cryptoki.CKR_PIN_LEN_RANGE, PINLength, false}, {cryptoki.CKR_PIN_INVALID, PINInvalid, false},
	}
	for _, c := range cases {
		f := newFake(firma(t))
		token := tokensOf(t, f.open(t))[0]
		f.Script = tokentest.Answer("C_InitPIN", c.code)
		refused := wantPINError(t, token.UnblockPIN(t.Context(), changing(rightPUK, newPIN).ask, LoginOptions{}), c.reason)
		if refused.PUK != c.puk || f.Count("C_InitPIN") != 1 || f.Count("C_Logout") != 1 {
			t.Errorf("%+v, calls %q", refused, f.Calls())
		}
	}
}

func TestUnblockPINNotPossible(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	for _, call := range []string{"C_Login so", "C_InitPIN"} {
		f.Script = tokentest.Answer(call, cryptoki.CKR_FUNCTION_NOT_SUPPORTED)
		err := token.UnblockPIN(t.Context(), changing(rightPUK, newPIN).ask, LoginOptions{})
		if !errors.Is(err, ErrNoUnblock) || !isCode(err, cryptoki.CKR_FUNCTION_NOT_SUPPORTED) {
			t.Errorf("%s: %v", call, err)
		}
	}
	f.Script = nil
	mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	s := changing(rightPUK, newPIN)
	if err := token.UnblockPIN(t.Context(), s.ask, LoginOptions{}); !errors.Is(err, ErrLoggedIn) || len(s.asked) != 0 {
		t.Errorf("beside a signer: %v", err)
	}
}

func TestPINUseWords(t *testing.T) {
	want := []string{"unknown", "login", "signature", "verify", "decryption", "change", "new", "puk", "unknown"}
	for i, word := range want {
		if got := PINUse(i).String(); got != word {
			t.Errorf("use %d is %q", i, got)
		}
	}
}
