// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

// What cards and modules are known to do wrong, one test or more for each. The numbers
// are those of the README's table of cards and modules.

// TestQuirk01TwoModules has the signature certificate shown by the vendor's module
// alone, and the authentication certificate by OpenSC as well.
func TestQuirk01TwoModules(t *testing.T) {
	candidates := []Candidate{
		{Path: "/opt/opensc-pkcs11.so", Vendor: vendorOpenSC, Source: SourceKnown}, {Path: "/opt/libbit4xpki.so", Vendor: "Bit4id", Source: SourceKnown},
	}
	d, err := Discover(t.Context(), candidates, DiscoverOptions{Open: twoViews(t)})
	if err != nil {
		t.Fatal(err)
	}
	through := map[string]int{}
	for _, c := range d.Certificates {
		through[string(c.ID)] = len(c.Ways)
		if c.Ways[0].Token.Module.Vendor != "Bit4id" {
			t.Errorf("%s is best reached through %s", c.ID, c.Ways[0].Token.Module.Vendor)
		}
	}
	if len(through) != 2 || through["DS0"] != 1 || through["CNS0"] != 2 {
		t.Errorf("ways: %v", through)
	}
}

// TestQuirk02LabelsMislead pairs by CKA_ID, which is the ASCII of a name, and not by
// labels, which are those of the other key here.
func TestQuirk02LabelsMislead(t *testing.T) {
	f := newFake(firma(t))
	for _, o := range f.Token(0).Objects {
		if o.Class == cryptoki.CKO_PRIVATE_KEY || o.Class == cryptoki.CKO_PUBLIC_KEY {
			other := map[string]string{"DS0": "CNS0", "CNS0": "DS0"}[string(o.Attributes[cryptoki.CKA_ID])]
			o.Attributes[cryptoki.CKA_LABEL] = []byte(other)
		}
	}
	m := f.open(t)
	for _, id := range []string{"DS0", "CNS0"} {
		token, certificate := find(t, m, "Firma", id)
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestQuirk03FalseLock logs in to a card that OpenSC calls locked.
func TestQuirk03FalseLock(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Model = lyingModel
	f.Token(0).Flags |= cryptoki.CKF_USER_PIN_LOCKED
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	mustSigner(t, token, certificate, &prompt{pin: rightPIN})

	_, err := token.Signer(t.Context(), certificate, nil, LoginOptions{})
	if err != nil {
		t.Errorf("logged in already: %v", err)
	}
}

// TestQuirk03LastTryByCount takes the word of who keeps count for the last try where the
// card doesn't say how many are left, and tells them what it answers.
func TestQuirk03LastTryByCount(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Model = lyingModel
	f.Token(0).Flags |= cryptoki.CKF_USER_PIN_LOCKED
	token := tokensOf(t, f.open(t))[0]
	var answers []error
	o := LoginOptions{WrongPINs: 1, WrongPUKs: 2, Answered: func(puk bool, err error) {
		if puk {
			t.Error("it is about the PUK")
		}
		answers = append(answers, err)
	}}
	wantPINError(t, token.VerifyPIN(t.Context(), (&prompt{pin: wrongPIN}).ask, o), PINWrong)
	o.WrongPINs++
	for _, try := range []func() error{
		func() error { return token.VerifyPIN(t.Context(), (&prompt{pin: rightPIN}).ask, o) },
		func() error { return token.ChangePIN(t.Context(), changing(rightPIN, newPIN).ask, o) },
		func() error { return token.UnblockPIN(t.Context(), changing(rightPUK, newPIN).ask, o) },
	} {
		refused := wantPINError(t, try(), PINLastTry)
		if refused.Sent || refused.Left != TriesUnknown || !strings.HasSuffix(refused.Error(), "one more may lock it") {
			t.Errorf("%+v: %v", refused, refused)
		}
	}
	if len(answers) != 1 || f.Token(0).Tries != 2 {
		t.Errorf("%d answers, %d tries left", len(answers), f.Token(0).Tries)
	}
	o.AllowLastTry = true
	p := &prompt{pin: rightPIN}
	if err := token.VerifyPIN(t.Context(), p.ask, o); err != nil || len(answers) != 2 || answers[1] != nil {
		t.Errorf("%v, answers %v", err, answers)
	}
	if state := p.asked[0].Token.PIN.State; state != PINStateFinal {
		t.Errorf("the prompt says %v", state)
	}
}

// TestQuirk03RealLock believes the card's own answer.
func TestQuirk03RealLock(t *testing.T) {
	f := newFake(firma(t))
	f.Token(0).Model = lyingModel
	f.Token(0).Tries = 0
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	_, err := token.Signer(t.Context(), certificate, (&prompt{pin: rightPIN}).ask, LoginOptions{})
	refused := wantPINError(t, err, PINLocked)
	if refused.Left != TriesNone || refused.Code != cryptoki.CKR_PIN_LOCKED {
		t.Errorf("%+v", refused)
	}
}

// TestQuirk04TwoPINs has one card in two slots, each with its PIN: it is one card, and
// each prompt says which PIN it wants.
func TestQuirk04TwoPINs(t *testing.T) {
	f := newFake(
		tokenOf{"Token PIN", rightPIN, []softhsm.Object{object(t, "CNS0", pki.CNS)}},
		tokenOf{"Digital Signature PIN", wrongPIN, []softhsm.Object{object(t, "DS0", pki.Signer)}})
	f.Token(1).Serial = f.Token(0).Serial
	m := f.open(t)
	if cards := Cards(tokensOf(t, m)); len(cards) != 1 || len(cards[0]) != 2 {
		t.Errorf("cards %v", cards)
	}
	for label, want := range map[string]struct{ id, pin string }{"Token PIN": {"CNS0", rightPIN}, "Digital Signature PIN": {"DS0", wrongPIN}} {
		token, certificate := find(t, m, label, want.id)
		p := &prompt{pin: want.pin}
		mustSigner(t, token, certificate, p)
		if len(p.asked) != 1 || p.asked[0].Token.Label != label || p.asked[0].Token.Reader == "" || p.asked[0].Certificate != certificate {
			t.Errorf("asked %+v", p.asked)
		}
	}
}

// TestQuirk05ContextLogin looks at the very calls of a signature: nothing may
// stand between C_SignInit, C_Login and C_Sign.
func TestQuirk05ContextLogin(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{always}})
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	f.Forget()
	for range 2 {
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	triple := []string{"C_SignInit 0x1", "C_Login context", "C_Sign"}
	if got := f.Calls(); !slices.Equal(got, append(triple, triple...)) {
		t.Errorf("calls: %q", got)
	}
}

// TestQuirk06LyingMechanisms refuses what a list would promise, when the signature
// begins.
func TestQuirk06LyingMechanisms(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKM_RSA_PKCS)
	digest := digestOf(crypto.SHA256, "x")
	signature, err := s.SignMessage(nil, []byte("x"), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, s.Public(), digest, signature, crypto.SHA256)
	f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKM_RSA_PKCS, cryptoki.CKM_SHA256_RSA_PKCS)
	if signature, err = s.SignMessage(nil, []byte("x"), crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	checkSignature(t, s.Public(), digest, signature, crypto.SHA256)
	if got := inits(f); !slices.Equal(got, []string{"0x1", "0x40", "0x40", "0x1", "0x3"}) {
		t.Errorf("mechanisms %q", got)
	}
}

// TestQuirk07HiddenKeys lists certificates of a card that shows no key before the
// login, and finds the key after it, always asking for one class of objects.
func TestQuirk07HiddenKeys(t *testing.T) {
	o := object(t, "DS0", pki.Signer)
	o.NoPublicKey = true
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{o}})
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	if certificate.HasPrivateKey {
		t.Error("a key is seen before the login")
	}
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Error(err)
	}
}

// TestQuirk08PSS signs as TLS 1.3 wants it with cards that have no PSS, and says so of
// those that have not even raw RSA.
func TestQuirk08PSS(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	opts := &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthEqualsHash}
	digest := digestOf(crypto.SHA256, "x")
	f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKM_RSA_PKCS_PSS)
	signature, err := s.Sign(nil, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, s.Public(), digest, signature, opts)
	f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, cryptoki.CKM_RSA_PKCS_PSS, cryptoki.CKM_RSA_X_509)
	if _, err := s.Sign(nil, digest, opts); !isCode(err, cryptoki.CKR_MECHANISM_INVALID) {
		t.Errorf("error %v", err)
	}
	if _, err := s.Sign(nil, digest, crypto.SHA256); err != nil {
		t.Errorf("PKCS #1 v1.5 with the same card: %v", err)
	}
}

// TestQuirk09Removal pulls the card out as each kind of module reports it.
func TestQuirk09Removal(t *testing.T) {
	codes := []uint{
		cryptoki.CKR_DEVICE_REMOVED, cryptoki.CKR_TOKEN_NOT_PRESENT, cryptoki.CKR_SESSION_HANDLE_INVALID, cryptoki.CKR_SESSION_CLOSED,
		cryptoki.CKR_SLOT_ID_INVALID, cryptoki.CKR_GENERAL_ERROR, cryptoki.CKR_DEVICE_ERROR, cryptoki.CKR_FUNCTION_FAILED,
	}
	for _, code := range codes {
		t.Run(Code(code).String(), func(t *testing.T) {
			f := newFake(firma(t))
			token, certificate := find(t, f.open(t), "Firma", "DS0")
			s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
			pull := f.PullOut(0, "C_SignInit 0x1", 2)
			f.Script = func(call string) error {
				if pull(call) != nil {
					return tokentest.Code(code)
				}
				return nil
			}
			if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			_, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
			if !errors.Is(err, ErrRemoved) || !isCode(err, Code(code)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestQuirk09OtherFailures does not take every failure for a removal.
func TestQuirk09OtherFailures(t *testing.T) {
	f := newFake(firma(t))
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	f.Script = tokentest.Answer("C_SignInit 0x1", cryptoki.CKR_GENERAL_ERROR)
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); errors.Is(err, ErrRemoved) || !isCode(err, cryptoki.CKR_GENERAL_ERROR) {
		t.Errorf("error %v", err)
	}
}

// TestQuirk09SlotList has a module that looks for cards only when it is asked for the
// length of the list.
func TestQuirk09SlotList(t *testing.T) {
	needCgo(t)
	m := mustOpen(t, tokentest.Library(t, tokentest.StaleSlots))
	for range 2 {
		if list := tokensOf(t, m); len(list) != 0 {
			t.Errorf("tokens %v", list)
		}
	}
}

// TestQuirk10CrashAndHang keeps a program alive beside modules that crash and hang.
func TestQuirk10CrashAndHang(t *testing.T) {
	o := inChildren(t)
	o.Timeout = 3 * time.Second
	h := hsmWithFirma(t)
	d, err := Discover(t.Context(), given(tokentest.Library(t, tokentest.CrashStarting), tokentest.Library(t, tokentest.HangStarting), h.Module()), o)
	if err != nil || len(d.Problems) != 2 || len(d.Certificates) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	if !strings.Contains(d.Problems[0].Reason, "crashed") || !errors.Is(d.Problems[1], context.DeadlineExceeded) {
		t.Errorf("problems %v", d.Problems)
	}
}

// TestQuirk11PINLength refuses what the card rules out before it costs a try.
func TestQuirk11PINLength(t *testing.T) {
	for _, pin := range []string{"", "1234", "123456789"} {
		f := newFake(firma(t))
		token, certificate := find(t, f.open(t), "Firma", "DS0")
		p := &prompt{pin: pin}
		_, err := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
		refused := wantPINError(t, err, PINLength)
		if refused.Min != 5 || refused.Max != 8 || !strings.HasSuffix(err.Error(), "5 to 8 characters") {
			t.Errorf("PIN of %d: %v", len(pin), err)
		}
		if f.Count("C_Login user") != 0 || f.Token(0).Tries != 3 {
			t.Errorf("PIN of %d reached the card", len(pin))
		}
		p.wiped(t)
	}
}

// TestQuirk11PINCounter knows the tries left from flags, as there is no counter.
func TestQuirk11PINCounter(t *testing.T) {
	for tries, want := range map[int]PINState{3: PINStateOK, 2: PINStateLow, 1: PINStateFinal, 0: PINStateLocked} {
		f := newFake(firma(t))
		f.Token(0).Tries = tries
		if got := tokensOf(t, f.open(t))[0].PIN.State; got != want {
			t.Errorf("%d tries: %v", tries, got)
		}
	}
}

// TestQuirk13Keypad never asks for a PIN that is typed on the reader, and sends NULL.
func TestQuirk13Keypad(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{always}})
	f.Token(0).Flags |= cryptoki.CKF_PROTECTED_AUTHENTICATION_PATH
	m := f.open(t)
	token, certificate := find(t, m, "Firma", "DS0")
	if !token.PIN.Pad {
		t.Fatal("the keypad is not seen")
	}
	var told []PINUse
	options := LoginOptions{OnPad: func(r PINRequest) { told = append(told, r.Use) }}
	if err := token.VerifyPIN(t.Context(), nil, options); err != nil {
		t.Fatal(err)
	}
	p := &prompt{pin: wrongPIN}
	s, err := token.Signer(t.Context(), certificate, p.ask, options)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Error(err)
		}
	}
	if len(p.asked) != 0 || !slices.Equal(told, []PINUse{PINUseVerify, PINUseLogin, PINUseSignature, PINUseSignature}) {
		t.Errorf("asked %d times, told %v", len(p.asked), told)
	}
}

// TestQuirk14OtherProcessor says in words why a module cannot be loaded.
func TestQuirk14OtherProcessor(t *testing.T) {
	needCgo(t)
	_, err := Open(tokentest.Library(t, tokentest.OtherProcessor))
	if err == nil || !strings.Contains(err.Error(), "built for ") || !strings.Contains(err.Error(), ", this program is ") {
		t.Errorf("error %v", err)
	}
}

// TestQuirk14OldLibrary names the library that an old module needs.
func TestQuirk14OldLibrary(t *testing.T) {
	needCgo(t)
	_, err := Open(tokentest.Library(t, tokentest.MissingLibrary))
	if err == nil || !strings.Contains(err.Error(), "the system does not load it: libpcsclite.so.0") {
		t.Errorf("error %v", err)
	}
}

// TestQuirk15OneLogin keeps its session, and takes CKR_USER_ALREADY_LOGGED_IN for
// success.
func TestQuirk15OneLogin(t *testing.T) {
	f := newFake(firma(t))
	m := f.open(t)
	token, ds := find(t, m, "Firma", "DS0")
	_, cns := find(t, m, "Firma", "CNS0")
	f.Forget()
	first := mustSigner(t, token, ds, &prompt{pin: rightPIN})
	second := mustSigner(t, token, cns, &prompt{pin: rightPIN})
	for range 5 {
		for _, s := range []*Signer{first, second} {
			if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
				t.Fatal(err)
			}
		}
	}
	if f.Count("C_Login") != 1 || f.Count("C_OpenSession") != 2 {
		t.Errorf("%d logins, %d sessions", f.Count("C_Login"), f.Count("C_OpenSession"))
	}
}

// TestQuirk15MalformedInfo lists a token whose information makes no sense.
func TestQuirk15MalformedInfo(t *testing.T) {
	f := newFake(firma(t))
	card := f.Token(0)
	card.Label, card.Model, card.Manufacturer, card.Reader = "\xff\xfeFirma\x1b[2J\x00rest", "\x00", "   ", "\x01\x02"
	card.MinPIN, card.MaxPIN = 99, 3
	card.Flags = cryptoki.CKF_USER_PIN_INITIALIZED | cryptoki.CKF_LOGIN_REQUIRED | 1<<63
	got := tokensOf(t, f.open(t))
	if len(got) != 1 || got[0].Label != "\uFFFDFirma[2J" || got[0].Model != "" || got[0].Reader != "" || got[0].PIN != (PIN{State: PINStateOK}) {
		t.Errorf("%+v", got[0].Info)
	}
}

// TestQuirk17HashOnHost asks the token for nothing but the signature.
func TestQuirk17HashOnHost(t *testing.T) {
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{object(t, "rsa", pki.Signer), object(t, "p256", pki.SignerP256)}})
	m := f.open(t)
	cases := map[string][]crypto.SignerOpts{"rsa": {crypto.SHA256, crypto.SHA512, &rsa.PSSOptions{Hash: crypto.SHA256}}, "p256": {crypto.SHA256, crypto.SHA512}}
	for id, options := range cases {
		token, certificate := find(t, m, "Firma", id)
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		for _, opts := range options {
			f.Forget()
			if _, err := s.SignMessage(nil, []byte("x"), opts); err != nil {
				t.Fatal(err)
			}
			if got := f.Calls(); len(got) != 2 || !slices.Contains([]string{"C_SignInit 0x1", "C_SignInit 0xd", "C_SignInit 0x1041"}, got[0]) || got[1] != "C_Sign" {
				t.Errorf("%s, %s: calls %q", id, fmt.Sprint(opts), got)
			}
		}
	}
}

// TestQuirk18MovedSlot lets the slots be numbered anew: the token is followed.
func TestQuirk18MovedSlot(t *testing.T) {
	f := newFake(firma(t))
	card := f.Token(0)
	m := f.open(t)
	token, certificate := find(t, m, "Firma", "DS0")
	f.Remove(0)
	f.Insert(7, card)
	other := tokentest.NewToken("Altra", rightPIN)
	other.Serial = "7430000000000009"
	f.Insert(0, other)
	if list, err := token.Certificates(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	p := &prompt{pin: rightPIN}
	s := mustSigner(t, token, certificate, p)
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Error(err)
	}
	if len(p.asked) != 1 || p.asked[0].Token.Slot != 7 || card.LoggedIn != true || other.LoggedIn {
		t.Errorf("asked %+v", p.asked)
	}
	now, err := m.Find(t.Context(), token.Info)
	if err != nil || now.Slot != 7 || now.Serial != token.Serial {
		t.Errorf("%+v, %v", now, err)
	}
	f.Remove(7)
	if _, err := m.Find(t.Context(), token.Info); !errors.Is(err, ErrRemoved) {
		t.Errorf("error %v", err)
	}
	if _, err := token.Certificates(t.Context()); !errors.Is(err, ErrRemoved) {
		t.Errorf("error %v", err)
	}
}
