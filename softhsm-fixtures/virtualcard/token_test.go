// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package virtualcard_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
	"github.com/pectoken/pectoken/token"
)

// reached is what package token sees through pcscd and OpenSC, by label.
func reached(t *testing.T) map[string]*token.Token {
	t.Helper()
	module, err := token.Open(virtualcard.OpenSC(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := module.Close(); err != nil {
			t.Error(err)
		}
	})
	tokens, skipped, err := module.Tokens(t.Context())
	if err != nil || len(skipped) > 0 {
		t.Fatal(err, skipped)
	}
	byLabel := map[string]*token.Token{}
	for _, each := range tokens {
		byLabel[each.Label] = each
	}
	return byLabel
}

const (
	labelCNS       = "MARIO ROSSI (PIN CNS0)"
	labelSignature = "MARIO ROSSI (PIN CNS1)"
)

func typed(pin string) token.PINPrompt {
	return func(context.Context, token.PINRequest) ([]byte, error) { return []byte(pin), nil }
}

// certificate is the only one on a token.
func certificate(t *testing.T, from *token.Token) *token.Certificate {
	t.Helper()
	if from == nil {
		t.Fatal("the token is not listed")
	}
	certificates, err := from.Certificates(t.Context())
	if err != nil || len(certificates) != 1 {
		t.Fatalf("there are %d certificates, %v", len(certificates), err)
	}
	return certificates[0]
}

func signer(t *testing.T, from *token.Token, pin string) *token.Signer {
	t.Helper()
	s, err := from.Signer(t.Context(), certificate(t, from), typed(pin), token.LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) // of a card that may be gone
	return s
}

var digest = sha256.Sum256([]byte("content"))

func sign(t *testing.T, s crypto.Signer) {
	t.Helper()
	signature, err := s.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(s.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestTokenReads(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tokens := reached(t)
	for label, name := range map[string]pki.Name{labelCNS: pki.CNS, labelSignature: pki.Signer} {
		if got := certificate(t, tokens[label]); !got.X509.Equal(authority.Must(t, name).Certificate) {
			t.Errorf("%s has the certificate of %s", label, got.X509.Subject)
		}
		if got := tokens[label]; got.Serial != pki.CardID || got.PIN.State != token.PINStateUnknown || got.PIN.Min != 5 || got.PIN.Max != 8 {
			t.Errorf("%s is %+v", label, got.Info)
		}
	}
	if r := card.Report(); len(tokens) != 2 || r.Verifies() != 0 || r.KeyUses() != 0 {
		t.Errorf("%d tokens cost %+v", len(tokens), r)
	}
}

func TestTokenSignsManyWithOneVerify(t *testing.T) {
	const signatures = 50
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tokens := reached(t)
	authentication, signature := signer(t, tokens[labelCNS], virtualcard.StandardPIN), signer(t, tokens[labelSignature], virtualcard.StandardSignaturePIN)
	for range signatures {
		sign(t, authentication)
		sign(t, signature)
	}
	r := card.Report()
	if r.PIN.Verified != 1 || r.SignaturePIN.Verified != 1 || r.Verifies() != 2 || r.KeyUses() != 2*signatures {
		t.Errorf("that cost %+v", r)
	}
}

func TestTokenWrongPINCostsOneTry(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tokens := reached(t)
	for n, want := range []token.PINReason{token.PINWrong, token.PINWrong, token.PINLocked} {
		err := tokens[labelCNS].VerifyPIN(t.Context(), typed("99999999"), token.LoginOptions{AllowLastTry: true})
		wrong := new(token.PINError)
		if !errors.As(err, &wrong) || wrong.Reason != want || !wrong.Sent {
			t.Errorf("wrong PIN %d: %v", n+1, err)
		}
		if r := card.Report(); r.Verifies() != n+1 || r.PIN.Refused != n+1 || r.PIN.TriesLeft != 2-n {
			t.Errorf("wrong PIN %d cost %+v", n+1, r)
		}
	}
	if err := tokens[labelSignature].VerifyPIN(t.Context(), typed(virtualcard.StandardSignaturePIN), token.LoginOptions{}); err != nil {
		t.Errorf("the other PIN: %v", err)
	}
	if r := card.Report(); r.SignaturePIN.Verified != 1 || r.Verifies() != 4 {
		t.Errorf("that cost %+v", r)
	}
}

func TestTokenLengthCostsNoTry(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	err := reached(t)[labelCNS].VerifyPIN(t.Context(), typed("1234"), token.LoginOptions{})
	wrong := new(token.PINError)
	if !errors.As(err, &wrong) || wrong.Reason != token.PINLength || wrong.Sent {
		t.Errorf("a short PIN: %v", err)
	}
	if r := card.Report(); r.Verifies() != 0 || r.PIN.TriesLeft != 3 {
		t.Errorf("that cost %+v", r)
	}
}

func TestTokenCardPulledInBatch(t *testing.T) {
	card := virtualcard.Make(t, authority)
	pcsc := virtualcard.Start(t, card)
	card.SetFaults(virtualcard.PulledAfterSignatures(3))
	s := signer(t, reached(t)[labelCNS], virtualcard.StandardPIN)
	for range 3 {
		sign(t, s)
	}
	if _, err := s.Sign(nil, digest[:], crypto.SHA256); err == nil {
		t.Error("a card that is gone signs")
	}
	if r := card.Report(); r.KeyUses() != 3 || r.PIN.Verified != 1 {
		t.Errorf("that cost %+v", r)
	}
	if err := errors.Join(pcsc.First.Remove(), pcsc.First.Insert(card)); err != nil {
		t.Fatal(err)
	}
}

// A card that is put back has forgotten the login, and needs a new Signer.
func TestTokenCardPutBack(t *testing.T) {
	card := virtualcard.Make(t, authority)
	pcsc := virtualcard.Start(t, card)
	t.Run("before", func(t *testing.T) { sign(t, signer(t, reached(t)[labelCNS], virtualcard.StandardPIN)) })
	if err := pcsc.First.Remove(); err != nil {
		t.Fatal(err)
	}
	t.Run("without", func(t *testing.T) {
		if tokens := reached(t); len(tokens) > 0 {
			t.Errorf("%v are listed", tokens)
		}
	})
	if err := pcsc.First.Insert(card); err != nil {
		t.Fatal(err)
	}
	t.Run("after", func(t *testing.T) { sign(t, signer(t, reached(t)[labelCNS], virtualcard.StandardPIN)) })
	if r := card.Report(); r.PIN.Verified != 2 || r.KeyUses() != 2 {
		t.Errorf("that cost %+v", r)
	}
}

func TestTokenOnCNS10(t *testing.T) {
	card := virtualcard.Make(t, authority, func(p *virtualcard.Profile) { p.ATR = virtualcard.CNS10.Bytes() })
	virtualcard.Start(t, card)
	s := signer(t, reached(t)[labelCNS], virtualcard.StandardPIN)
	if _, err := s.Sign(nil, digest[:], crypto.SHA256); err == nil {
		t.Error("OpenSC signs with RSA-2048 on a CNS 1.0")
	} else {
		t.Log(err)
	}
	if r := card.Report(); r.PIN.Verified != 1 || r.KeyUses() != 0 {
		t.Errorf("that cost %+v", r)
	}
}

// The card is pulled out by hand while it makes a signature.
func TestTokenCardPulledAtWork(t *testing.T) {
	card := virtualcard.Make(t, authority)
	pcsc := virtualcard.Start(t, card)
	s := signer(t, reached(t)[labelCNS], virtualcard.StandardPIN)
	card.SetDelay(0, time.Hour)
	signed := make(chan error)
	go func() {
		_, err := s.Sign(nil, digest[:], crypto.SHA256)
		signed <- err
	}()
	if err := pcsc.First.Remove(); err != nil {
		t.Error(err)
	}
	if err := <-signed; err == nil {
		t.Error("a card that is gone signs")
	}
	if r := card.Report(); r.KeyUses() != 0 {
		t.Errorf("that cost %+v", r)
	}
}
