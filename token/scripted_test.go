// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

// What SoftHSM cannot show: only the scripted module runs these.

func TestPINStates(t *testing.T) {
	cases := []struct {
		name  string
		info  cryptoki.TokenInfo
		tries int
		want  PINState
	}{
		{"fresh", cryptoki.TokenInfo{}, 3, PINStateOK},
		{"one wrong", cryptoki.TokenInfo{}, 2, PINStateLow},
		{"two wrong", cryptoki.TokenInfo{}, 1, PINStateFinal},
		{"locked", cryptoki.TokenInfo{}, 0, PINStateLocked},
		{"OpenSC's false lock", cryptoki.TokenInfo{Model: "PKCS#15 emulated"}, 0, PINStateUnknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(firma(t))
			f.Token(0).Tries = c.tries
			if c.info.Model != "" {
				f.Token(0).Model = c.info.Model
			}
			if got := tokensOf(t, f.open(t))[0].PIN.State; got != c.want {
				t.Errorf("state %v, want %v", got, c.want)
			}
		})
	}
	f := newFake(firma(t))
	f.Token(0).Flags &^= cryptoki.CKF_USER_PIN_INITIALIZED
	if got := tokensOf(t, f.open(t))[0].PIN.State; got != PINStateNotSet {
		t.Errorf("state %v, want notSet", got)
	}
}

func TestPINStateWords(t *testing.T) {
	want := []string{"unknown", "ok", "low", "final", "locked", "notSet", "unknown"}
	for i, word := range want {
		text, err := PINState(i).MarshalText()
		if err != nil || string(text) != word {
			t.Errorf("state %d is %q, %v", i, text, err)
		}
	}
}

func TestPINLimits(t *testing.T) {
	cases := []struct {
		min, max uint
		want     PIN
	}{
		{5, 8, PIN{State: PINStateOK, Min: 5, Max: 8}},
		{0, 0, PIN{State: PINStateOK}},
		{8, 5, PIN{State: PINStateOK}},
		{4, ^uint(0), PIN{State: PINStateOK}},
	}
	for _, c := range cases {
		i := cryptoki.TokenInfo{Flags: cryptoki.CKF_USER_PIN_INITIALIZED, MinPIN: c.min, MaxPIN: c.max}
		if got := pinOf(i); got != c.want {
			t.Errorf("%d to %d: %+v", c.min, c.max, got)
		}
	}
}

// TestWrongPINCostsOneTry runs a PIN down to its lock, one refusal at a time.
func TestWrongPINCostsOneTry(t *testing.T) {
	f := newFake(firma(t))
	m := f.open(t)
	token, certificate := find(t, m, "Firma", "DS0")
	open := func(o LoginOptions) error {
		_, err := token.Signer(t.Context(), certificate, (&prompt{pin: wrongPIN}).ask, o)
		return discreet(t, err)
	}
	steps := []struct {
		options LoginOptions
		reason  PINReason
		left    Tries
		tries   int // left on the card afterwards
		text    string
	}{
		{LoginOptions{}, PINWrong, TriesUnknown, 2, "wrong PIN"},
		{LoginOptions{}, PINWrong, TriesOne, 1, "wrong PIN, one try left"},
		{LoginOptions{}, PINLastTry, TriesOne, 1, "only one try is left before the PIN locks"},
		{LoginOptions{AllowLastTry: true}, PINWrong, TriesNone, 0, "wrong PIN, and now the PIN is locked"},
		{LoginOptions{AllowLastTry: true}, PINLocked, TriesNone, 0, "the PIN is locked"},
	}
	for i, step := range steps {
		err := open(step.options)
		refused := wantPINError(t, err, step.reason)
		if refused.Left != step.left || f.Token(0).Tries != step.tries || refused.Error() != step.text {
			t.Errorf("step %d: %q, left %d, card has %d", i, err, refused.Left, f.Token(0).Tries)
		}
	}
	if n := f.Count("C_Login user"); n != 3 {
		t.Errorf("%d logins, want 3", n)
	}
}

func TestPINAnswers(t *testing.T) {
	cases := map[Code]PINReason{
		0xa1: PINInvalid, 0xa2: PINLength, 0xa3: PINExpired, 0xa4: PINLocked, 0x102: PINNotSet,
	}
	for code, reason := range cases {
		f := newFake(firma(t))
		token, _ := find(t, f.open(t), "Firma", "DS0")
		f.Script = tokentest.Answer("C_Login user", uint(code))
		wantPINError(t, token.VerifyPIN(t.Context(), (&prompt{pin: rightPIN}).ask, LoginOptions{}), reason)
	}
}

func TestNobodyToAsk(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	_, err := token.Signer(t.Context(), certificate, nil, LoginOptions{})
	if err == nil || !strings.Contains(err.Error(), "nobody to ask") {
		t.Errorf("error %v", err)
	}
	stop := errors.New("no terminal")
	_, err = token.Signer(t.Context(), certificate, func(context.Context, PINRequest) ([]byte, error) { return nil, stop }, LoginOptions{})
	if !errors.Is(err, stop) || f.Count("C_Login user") != 0 {
		t.Errorf("error %v", err)
	}
}

func TestWrongSignaturePINIsSentOnce(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{always}})
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	mustSigner(t, token, certificate, &prompt{pin: rightPIN}) // logs in
	s := mustSigner(t, token, certificate, &prompt{pin: wrongPIN})
	for range 3 {
		_, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
		wantPINError(t, err, PINWrong)
	}
	if f.Count("C_Login context") != 1 || f.Token(0).Tries != 2 {
		t.Errorf("%d logins, %d tries left", f.Count("C_Login context"), f.Token(0).Tries)
	}
	if s.pin != nil {
		t.Error("the wrong PIN is kept")
	}
}

// TestLoginOfSomebodyElse meets CKR_USER_ALREADY_LOGGED_IN in spite of the
// session's state: good enough to sign, but no proof of a PIN.
func TestLoginOfSomebodyElse(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	f.Script = func(call string) error {
		if call == "C_Login user" {
			f.Token(0).LoggedIn = true
			return tokentest.Code(cryptoki.CKR_USER_ALREADY_LOGGED_IN)
		}
		return nil
	}
	if err := token.VerifyPIN(t.Context(), (&prompt{pin: wrongPIN}).ask, LoginOptions{}); !errors.Is(err, ErrLoggedIn) {
		t.Errorf("verifying: %v", err)
	}
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Error(err)
	}
}

// TestVerifyPINLogsOutFirst checks a PIN on a token where a login was left over.
func TestVerifyPINLogsOutFirst(t *testing.T) {
	f := newFake(firma(t))
	token, _ := find(t, f.open(t), "Firma", "DS0")
	f.Token(0).LoggedIn = true
	wantPINError(t, token.VerifyPIN(t.Context(), (&prompt{pin: wrongPIN}).ask, LoginOptions{}), PINWrong)
	if f.Count("C_Login user") != 1 {
		t.Errorf("%d logins", f.Count("C_Login user"))
	}
}

func TestVerifyPINLeavesForeignLoginAlone(t *testing.T) {
	f := newFake(firma(t))
	f.SetInitialised(true) // by other code of the process
	m := f.open(t)
	t.Cleanup(func() { f.SetInitialised(false) })
	token, _ := find(t, m, "Firma", "DS0")
	f.Token(0).LoggedIn = true
	if err := token.VerifyPIN(t.Context(), (&prompt{pin: rightPIN}).ask, LoginOptions{}); !errors.Is(err, ErrLoggedIn) {
		t.Errorf("verifying: %v", err)
	}
	if err := m.Close(); err != nil || f.Count("C_Finalize") != 0 {
		t.Errorf("somebody else's library was finalized: %v", err)
	}
}

func TestMechanismLadder(t *testing.T) {
	pss := &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthEqualsHash}
	cases := []struct {
		refused string
		code    Code
		name    pki.Name
		opts    crypto.SignerOpts
	}{
		{"C_SignInit 0x1", 0x70, pki.Signer, crypto.SHA256},
		{"C_SignInit 0xd", 0x70, pki.Signer, pss},
		{"C_SignInit 0xd", 0x71, pki.SignerRSA3072, pss},
		{"C_SignInit 0xd", 0x54, pki.Signer, &rsa.PSSOptions{Hash: crypto.SHA512, SaltLength: 17}},
	}
	for i, c := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			o := object(t, "DS0", c.name)
			o.AlwaysAuthenticate = true
			f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{o}})
			token, certificate := find(t, f.open(t), "Firma", "DS0")
			s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
			f.Script = tokentest.Answer(c.refused, uint(c.code))
			digest := digestOf(c.opts.HashFunc(), "x")
			signature, err := s.Sign(nil, digest, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			checkSignature(t, s.Public(), digest, signature, c.opts)
			if f.Count(c.refused) != 1 || f.Count("C_SignInit 0x3") != 1 || f.Count("C_Login context") != 1 {
				t.Errorf("calls: %q", f.Calls())
			}
		})
	}
}

// TestLateRefusal has modules that take any PIN between C_SignInit and C_Sign, or none
// at all, and ask the card in C_Sign, as OpenSC does with the PIN it keeps: a wrong one
// costs one try there too, not one for every file of a batch.
func TestLateRefusal(t *testing.T) {
	for _, always := range []bool{true, false} {
		for _, call := range []string{"C_Sign", "C_SignInit 0x1"} {
			o := object(t, "DS0", pki.Signer)
			o.AlwaysAuthenticate = always
			f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{o}})
			token, certificate := find(t, f.open(t), "Firma", "DS0")
			s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
			f.Script = tokentest.Answer(call, cryptoki.CKR_PIN_INCORRECT)
			f.Forget()
			for range 3 {
				_, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
				if refused := wantPINError(t, err, PINWrong); !refused.Sent {
					t.Errorf("%s: %+v", call, refused)
				}
			}
			if n := f.Count("C_SignInit 0x1"); n != 1 || s.pin != nil {
				t.Errorf("%s, always %v: the card was asked %d times, want 1", call, always, n)
			}
		}
	}
}

func TestMechanismAllRefused(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	f.Script = func(call string) error {
		if strings.HasPrefix(call, "C_SignInit") {
			return tokentest.Code(cryptoki.CKR_MECHANISM_INVALID)
		}
		return nil
	}
	_, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
	if !isCode(err, cryptoki.CKR_MECHANISM_INVALID) {
		t.Errorf("error %v", err)
	}
}

// TestBadSignature replaces the key under the certificate once the Signer has
// it, as a faulty card might.
func TestBadSignature(t *testing.T) {
	for _, other := range []pki.Name{pki.CNS, pki.SignerRSA3072} {
		f := newFake(firma(t))
		token, certificate := find(t, f.open(t), "Firma", "DS0")
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		f.Token(0).Objects[s.key.handle-1].Key = issuer().Must(t, other).Key
		for _, opts := range []crypto.SignerOpts{crypto.SHA256, &rsa.PSSOptions{Hash: crypto.SHA256}} {
			if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), opts); !errors.Is(err, ErrBadSignature) {
				t.Errorf("%s, %T: error %v", other, opts, err)
			}
		}
	}
	if _, err := ecdsaSignature([]byte{1, 2, 3}); !errors.Is(err, ErrBadSignature) {
		t.Errorf("odd ECDSA signature: %v", err)
	}
}

// TestAmbiguousKeys refuses to guess between keys that show nothing of
// themselves.
func TestAmbiguousKeys(t *testing.T) {
	f := newFake(firma(t))
	for _, o := range f.Token(0).Objects {
		if o.Class != cryptoki.CKO_CERTIFICATE {
			o.Attributes[cryptoki.CKA_ID] = []byte("DS0")
			delete(o.Attributes, cryptoki.CKA_MODULUS)
		}
	}
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	p := &prompt{pin: rightPIN}
	_, err := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
	if !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "2 private keys") {
		t.Errorf("error %v", err)
	}
	p.wiped(t)
}

func TestBadSlotIsSkipped(t *testing.T) {
	f := newFake(firma(t), tokenOf{"Estranea", rightPIN, nil}, tokenOf{"Vuota", rightPIN, nil}, tokenOf{"", "", nil})
	f.Token(3).Flags = 0 // not initialised
	f.Script = tokentest.Answer("C_GetTokenInfo 1", cryptoki.CKR_TOKEN_NOT_RECOGNIZED)
	tokens, skipped, err := f.open(t).Tokens(t.Context())
	if err != nil || len(tokens) != 2 || tokens[0].Label != "Firma" || tokens[1].Label != "Vuota" {
		t.Fatalf("tokens %v, error %v", tokens, err)
	}
	if len(skipped) != 1 || skipped[0].Slot != 1 || skipped[0].Reader != "Reader 1" || !isCode(skipped[0], cryptoki.CKR_TOKEN_NOT_RECOGNIZED) {
		t.Errorf("skipped %v", skipped)
	}
	if want := `reading token in slot 1 ("Reader 1"): CKR_TOKEN_NOT_RECOGNIZED (0xe1)`; len(skipped) == 1 && skipped[0].Error() != want {
		t.Errorf("skipped: %v", skipped[0])
	}
}

// TestCardPulledOut takes the card away from an open Signer.
func TestCardPulledOut(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	f.Script = f.PullOut(0, "C_SignInit 0x1", 1)
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); !errors.Is(err, ErrRemoved) {
		t.Errorf("signing: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing what is gone: %v", err)
	}
	f.Script = nil
}

func TestSlotListThatGrows(t *testing.T) {
	f := newFake(firma(t))
	m := f.open(t)
	left := 2
	f.Script = func(call string) error {
		if call == "C_GetSlotList" && left > 0 {
			left--
			return tokentest.Code(cryptoki.CKR_BUFFER_TOO_SMALL)
		}
		return nil
	}
	if len(tokensOf(t, m)) != 1 {
		t.Error("the token is not listed")
	}
	f.Script = tokentest.Answer("C_GetSlotList", cryptoki.CKR_BUFFER_TOO_SMALL)
	if _, _, err := m.Tokens(t.Context()); !isCode(err, cryptoki.CKR_BUFFER_TOO_SMALL) {
		t.Errorf("error %v", err)
	}
}

// TestAnotherCard swaps the card in the reader: the PIN must not go to it.
func TestAnotherCard(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	f.Token(0).Serial = "7430000000000001"
	p := &prompt{pin: rightPIN}
	_, opening := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
	_, listing := token.Certificates(t.Context())
	verifying := token.VerifyPIN(t.Context(), p.ask, LoginOptions{})
	for _, err := range []error{opening, listing, verifying} {
		if !errors.Is(err, ErrRemoved) {
			t.Errorf("error %v", err)
		}
	}
	if len(p.asked) != 0 || f.Count("C_Login user") != 0 {
		t.Error("the PIN was asked for or sent")
	}
}

// TestDamagedObjects lists a certificate that cannot be parsed and one of another
// type, with attributes missing.
func TestDamagedObjects(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Objects = append(f.Token(0).Objects,
		&tokentest.Object{Class: cryptoki.CKO_CERTIFICATE, Attributes: map[uint][]byte{cryptoki.CKA_VALUE: []byte("no DER"), cryptoki.CKA_LABEL: []byte("\x1b[2Jbad\x00\x00")}},
		&tokentest.Object{Class: cryptoki.CKO_CERTIFICATE, Attributes: map[uint][]byte{cryptoki.CKA_CERTIFICATE_TYPE: tokentest.ULong(1), cryptoki.CKA_VALUE: []byte("attribute certificate")}},
		&tokentest.Object{Class: cryptoki.CKO_CERTIFICATE, Attributes: map[uint][]byte{}},
	)
	m := f.open(t)
	token := tokensOf(t, m)[0]
	certificates, err := token.Certificates(t.Context())
	if err != nil || len(certificates) != 4 {
		t.Fatalf("%d certificates, error %v", len(certificates), err)
	}
	bad := certificates[2]
	if bad.X509 != nil || bad.ParseError == nil || string(bad.Raw) != "no DER" || bad.Label != "[2Jbad" || bad.HasPrivateKey {
		t.Errorf("damaged certificate: %+v", bad)
	}
	for _, c := range []*Certificate{bad, {}, nil} {
		if _, err := token.Signer(t.Context(), c, nil, LoginOptions{}); err == nil {
			t.Errorf("a signer for %+v", c)
		}
	}
}

// TestEndlessSearch meets a module that always finds more.
func TestEndlessSearch(t *testing.T) {
	f := newFake(firma(t))
	m := f.open(t)
	token := tokensOf(t, m)[0]
	f.Script = func(call string) error {
		if call == "C_FindObjects" {
			f.FindMore(2)
		}
		return nil
	}
	if _, err := token.Certificates(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 4096") {
		t.Errorf("error %v", err)
	}
}

// TestEveryCallMayFail lets each call of the whole way fail in turn, with a
// removed card and with a plain failure. Nothing may be left open (the fake's
// cleanup sees to that), and what was signed must be right.
func TestEveryCallMayFail(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	tokens := tokenOf{"Firma", rightPIN, []softhsm.Object{always}}
	way := func(m *Module, p *prompt) error {
		tokens, _, err := m.Tokens(t.Context())
		if err != nil || len(tokens) == 0 {
			return errors.Join(err, ErrRemoved)
		}
		certificates, err := tokens[0].Certificates(t.Context())
		if err != nil {
			return err
		}
		s, err := tokens[0].Signer(t.Context(), certificates[0], p.ask, LoginOptions{})
		if err != nil {
			return err
		}
		defer s.Close()
		digest := digestOf(crypto.SHA256, "x")
		signature, err := s.Sign(nil, digest, crypto.SHA256)
		if err == nil {
			checkSignature(t, s.Public(), digest, signature, crypto.SHA256)
		}
		return err
	}
	whole := newFake(tokens)
	if err := way(whole.open(t), &prompt{pin: rightPIN}); err != nil {
		t.Fatal(err)
	}
	calls := len(whole.Calls())
	for _, code := range []Code{cryptoki.CKR_DEVICE_REMOVED, cryptoki.CKR_GENERAL_ERROR, 0x6} {
		failed := 0
		for n := 2; n <= calls; n++ { // the first is C_Initialize
			t.Run(fmt.Sprintf("%v in call %d", code, n), func(t *testing.T) {
				f := newFake(tokens)
				m := f.open(t)
				p := &prompt{pin: rightPIN}
				at := n - 1
				f.Script = func(call string) error {
					if at--; at == 0 && call != "C_CloseSession" && call != "C_Finalize" {
						return tokentest.Code(uint(code))
					}
					return nil
				}
				err := discreet(t, way(m, p))
				if err != nil {
					failed++
				}
				if err != nil && !expected(err, code) {
					t.Errorf("error %v", err)
				}
				p.wiped(t)
			})
		}
		if failed < 10 {
			t.Errorf("%v: only %d of %d failures were noticed", code, failed, calls)
		}
	}
}

// expected says whether an error is a fair account of a call that failed with
// code: the code itself, or what follows from an attribute that could not be read.
func expected(err error, code Code) bool {
	return isCode(err, code, cryptoki.CKR_USER_NOT_LOGGED_IN) || errors.Is(err, ErrRemoved) || errors.Is(err, ErrNoKey) ||
		strings.Contains(err.Error(), "does not show its content")
}

func TestLibraryThatCannotLock(t *testing.T) {
	f := newFake(firma(t))
	first := true
	f.Script = func(call string) error {
		if call == "C_Initialize" && first {
			first = false
			return tokentest.Code(cryptoki.CKR_CANT_LOCK)
		}
		return nil
	}
	m := f.open(t)
	if !m.lib.serial || len(tokensOf(t, m)) != 1 {
		t.Error("the library is not used one call at a time")
	}
}

func TestTokenWithoutLogin(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Flags &^= cryptoki.CKF_LOGIN_REQUIRED
	for i := range f.Token(0).Objects {
		f.Token(0).Objects[i].Private = false
	}
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s, err := token.Signer(t.Context(), certificate, nil, LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Error(err)
	}
}
