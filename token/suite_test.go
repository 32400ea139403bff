// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/tokentest"
)

// tokenOf describes a token of the suite.
type tokenOf struct {
	label, pin string
	objects    []softhsm.Object
}

const rightPIN, wrongPIN = "123456", "654321"

// fake is a scripted module of the suite.
type fake struct{ *tokentest.Module }

// newFake makes a module with a token for each description.
func newFake(tokens ...tokenOf) fake {
	var cards []*tokentest.Token
	for _, t := range tokens {
		card := tokentest.NewToken(t.label, t.pin)
		for _, o := range t.objects {
			card.Objects = append(card.Objects, tokentest.Identity{
				ID: o.ID, Label: o.Label, Key: o.Key, Certificate: o.Certificate,
				AlwaysAuthenticate: o.AlwaysAuthenticate, NoPublicKey: o.NoPublicKey,
			}.Objects()...)
		}
		cards = append(cards, card)
	}
	return fake{tokentest.New(cards...)}
}

// open returns a Module of the fake, and at the end of the test makes sure that
// everything opened was closed again.
func (f fake) open(t *testing.T) *Module {
	t.Helper()
	m, err := OpenScripted("fake.so", f)
	if err != nil {
		t.Fatalf("initialising the fake: %v", err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("closing the fake: %v", err)
		}
		if err := f.Idle(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// each runs a test of the suite on the scripted module and on SoftHSM2, each with
// the same tokens.
func each(t *testing.T, tokens []tokenOf, test func(t *testing.T, m *Module)) {
	t.Run("scripted", func(t *testing.T) {
		test(t, newFake(tokens...).open(t))
	})
	t.Run("softhsm", func(t *testing.T) {
		h := softhsm.New(t)
		for _, token := range tokens {
			if _, err := h.AddToken(token.label, token.pin, token.objects...); err != nil {
				t.Fatalf("making token %q: %v", token.label, err)
			}
		}
		test(t, mustOpen(t, h.Module()))
	})
}

func mustOpen(t *testing.T, path string) *Module {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// issuer is one PKI for all tests, made when the first needs it.
var issuer = sync.OnceValue(func() *pki.PKI { return pki.New(time.Now()) })

// object is a key and certificate of the PKI as stored on a token.
func object(t *testing.T, id string, name pki.Name) softhsm.Object {
	t.Helper()
	identity := issuer().Must(t, name)
	return softhsm.Object{ID: []byte(id), Label: id, Key: identity.Key, Certificate: identity.Certificate}
}

// firma is the usual token: a signature and an authentication certificate.
func firma(t *testing.T) tokenOf {
	return tokenOf{"Firma", rightPIN, []softhsm.Object{object(t, "DS0", pki.Signer), object(t, "CNS0", pki.CNS)}}
}

// tokensOf lists the tokens of a module.
func tokensOf(t *testing.T, m *Module) []*Token {
	t.Helper()
	tokens, skipped, err := m.Tokens(t.Context())
	if err != nil || len(skipped) > 0 {
		t.Fatalf("listing tokens: %v, skipped %v", err, skipped)
	}
	return tokens
}

// find returns the only token with a label and its certificate with an ID.
func find(t *testing.T, m *Module, label, id string) (*Token, *Certificate) {
	t.Helper()
	for _, token := range tokensOf(t, m) {
		if token.Label != label {
			continue
		}
		certificates, err := token.Certificates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range certificates {
			if string(c.ID) == id {
				return token, c
			}
		}
	}
	t.Fatalf("no certificate %q on a token %q", id, label)
	return nil, nil
}

// prompt answers with a PIN and counts how often it was asked.
type prompt struct {
	pin   string
	mu    sync.Mutex
	asked []PINRequest
	given [][]byte
}

func (p *prompt) ask(_ context.Context, r PINRequest) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pin := []byte(p.pin)
	p.asked, p.given = append(p.asked, r), append(p.given, pin)
	return pin, nil
}

// wiped makes sure that every PIN given away was overwritten.
func (p *prompt) wiped(t *testing.T) {
	t.Helper()
	for _, pin := range p.given {
		if !bytes.Equal(pin, make([]byte, len(pin))) {
			t.Error("a PIN was not overwritten")
		}
	}
}

// discreet returns err, having made sure that no PIN is in its text.
func discreet(t *testing.T, err error) error {
	t.Helper()
	if err == nil {
		return nil
	}
	for _, pin := range []string{rightPIN, wrongPIN} {
		if strings.Contains(err.Error(), pin) {
			t.Errorf("error %q holds a PIN", err)
		}
	}
	return err
}

func mustSigner(t *testing.T, token *Token, c *Certificate, p *prompt) *Signer {
	t.Helper()
	s, err := token.Signer(t.Context(), c, p.ask, LoginOptions{})
	if discreet(t, err) != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		p.wiped(t)
	})
	return s
}

func digestOf(h crypto.Hash, s string) []byte {
	hasher := h.New()
	hasher.Write([]byte(s))
	return hasher.Sum(nil)
}

func TestTokens(t *testing.T) {
	each(t, []tokenOf{firma(t), {"Doppia", rightPIN, nil}, {"Doppia", rightPIN, nil}}, func(t *testing.T, m *Module) {
		tokens := tokensOf(t, m)
		if len(tokens) != 3 {
			t.Fatalf("got %d tokens, want 3", len(tokens))
		}
		labels, serials := map[string]int{}, map[string]bool{}
		for _, token := range tokens {
			labels[token.Label]++
			serials[token.Serial] = true
			if token.PIN.State != PINStateOK || token.PIN.Min == 0 || token.PIN.Max < token.PIN.Min || token.PIN.Pad {
				t.Errorf("token %q: PIN %+v", token.Label, token.PIN)
			}
			if token.Reader == "" || token.Model == "" || token.Manufacturer == "" {
				t.Errorf("token %q: incomplete: %+v", token.Label, token.Info)
			}
		}
		if labels["Firma"] != 1 || labels["Doppia"] != 2 || len(serials) != 3 {
			t.Errorf("labels %v, serials %v", labels, serials)
		}
	})
}

func TestCertificates(t *testing.T) {
	tokens := []tokenOf{firma(t), {"Vuota", rightPIN, nil}}
	tokens[0].objects = append(tokens[0].objects, softhsm.Object{ID: []byte("CA"), Label: "CA", Certificate: issuer().Must(t, pki.QualifiedCA).Certificate})
	each(t, tokens, func(t *testing.T, m *Module) {
		for _, token := range tokensOf(t, m) {
			certificates, err := token.Certificates(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if token.Label == "Vuota" {
				if len(certificates) != 0 {
					t.Errorf("an empty token has %d certificates", len(certificates))
				}
				continue
			}
			keys := map[string]bool{}
			for _, c := range certificates {
				keys[string(c.ID)] = c.HasPrivateKey
				if c.Label != string(c.ID) || c.ParseError != nil || !bytes.Equal(c.X509.Raw, c.Raw) {
					t.Errorf("certificate %q: label %q, parse error %v", c.ID, c.Label, c.ParseError)
				}
			}
			if len(keys) != 3 || !keys["DS0"] || !keys["CNS0"] || keys["CA"] {
				t.Errorf("private keys: %v", keys)
			}
		}
	})
}

func TestSigner(t *testing.T) {
	tokens := []tokenOf{{"Firma", rightPIN, []softhsm.Object{
		object(t, "rsa2048", pki.Signer), object(t, "rsa3072", pki.SignerRSA3072), object(t, "p256", pki.SignerP256), object(t, "p384", pki.SignerP384),
	}}}
	pss := func(h crypto.Hash, salt int) crypto.SignerOpts { return &rsa.PSSOptions{Hash: h, SaltLength: salt} }
	cases := []struct {
		name, id string
		opts     crypto.SignerOpts
	}{
		{"PKCS1 SHA-1", "rsa2048", crypto.SHA1},
		{"PKCS1 SHA-256", "rsa2048", crypto.SHA256},
		{"PKCS1 SHA-384", "rsa3072", crypto.SHA384},
		{"PKCS1 SHA-512", "rsa2048", crypto.SHA512},
		{"PSS SHA-256", "rsa2048", pss(crypto.SHA256, rsa.PSSSaltLengthEqualsHash)},
		{"PSS SHA-256, salt auto", "rsa2048", pss(crypto.SHA256, rsa.PSSSaltLengthAuto)},
		{"PSS SHA-384", "rsa3072", pss(crypto.SHA384, rsa.PSSSaltLengthEqualsHash)},
		{"PSS SHA-256, salt of 20", "rsa2048", pss(crypto.SHA256, 20)},
		{"P-256 SHA-256", "p256", crypto.SHA256},
		{"P-256 SHA-512", "p256", crypto.SHA512},
		{"P-384 SHA-384", "p384", crypto.SHA384},
	}
	each(t, tokens, func(t *testing.T, m *Module) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				token, certificate := find(t, m, "Firma", c.id)
				p := &prompt{pin: rightPIN}
				s := mustSigner(t, token, certificate, p)
				digest := digestOf(c.opts.HashFunc(), "hello")
				signature, err := s.Sign(rand.Reader, digest, c.opts)
				if discreet(t, err) != nil {
					t.Fatal(err)
				}
				checkSignature(t, s.Public(), digest, signature, c.opts)
				if len(p.asked) != 1 || p.asked[0].Use != PINUseLogin || p.asked[0].Certificate != certificate || p.asked[0].Token.Label != "Firma" {
					t.Errorf("PIN asked %d times: %+v", len(p.asked), p.asked)
				}
			})
		}
	})
}

// checkSignature verifies without any help of the package.
func checkSignature(t *testing.T, public crypto.PublicKey, digest, signature []byte, opts crypto.SignerOpts) {
	t.Helper()
	ok := false
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, digest, signature)
	case *rsa.PublicKey:
		if pss, is := opts.(*rsa.PSSOptions); is {
			salt := pss.SaltLength
			if salt == rsa.PSSSaltLengthAuto {
				salt = rsa.PSSSaltLengthEqualsHash
			}
			ok = rsa.VerifyPSS(k, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: salt}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(k, opts.HashFunc(), digest, signature) == nil
		}
	}
	if !ok {
		t.Errorf("the signature does not verify")
	}
}

func TestSignerRefusesWrongDigests(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		sum := sha256.Sum256(nil)
		cases := []struct {
			name   string
			digest []byte
			opts   crypto.SignerOpts
			want   string
		}{
			{"short", []byte("short"), crypto.SHA256, "5 bytes"},
			{"of another hash", sum[:], crypto.SHA512, "32 bytes"},
			{"no hash", sum[:], crypto.Hash(0), "not given"},
			{"no options", sum[:], nil, "not given"},
			{"PSS without a hash", sum[:], &rsa.PSSOptions{}, "not given"},
			{"unsupported hash", sum[:16], crypto.MD5, "not supported"},
			{"unknown hash", sum[:], crypto.Hash(999), "not supported"},
			{"salt too long", sum[:], &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 300}, "too short"},
			{"impossible salt", sum[:], &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: -2}, "not possible"},
		}
		for _, c := range cases {
			if _, err := s.Sign(rand.Reader, c.digest, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
			}
		}
		if _, err := s.Sign(nil, sum[:], crypto.SHA256); err != nil {
			t.Errorf("a right digest after the wrong ones: %v", err)
		}
	})
}

func TestSignerAlwaysAuthenticate(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	plain := object(t, "CNS0", pki.CNS)
	each(t, []tokenOf{{"Firma", rightPIN, []softhsm.Object{always, plain}}}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		digest := digestOf(crypto.SHA256, "batch")
		first := &prompt{pin: rightPIN}
		s := mustSigner(t, token, certificate, first)
		if !s.AlwaysAuthenticate() {
			t.Fatal("the key does not always authenticate")
		}
		for range 3 {
			signature, err := s.Sign(rand.Reader, digest, crypto.SHA256)
			if discreet(t, err) != nil {
				t.Fatal(err)
			}
			checkSignature(t, s.Public(), digest, signature, crypto.SHA256)
		}
		if len(first.asked) != 1 {
			t.Errorf("PIN asked %d times for a batch", len(first.asked))
		}

		// Logged in by now, the key still has to ask for its PIN.
		second := &prompt{pin: rightPIN}
		again := mustSigner(t, token, certificate, second)
		if len(second.asked) != 1 || second.asked[0].Use != PINUseSignature {
			t.Errorf("second signer asked %+v", second.asked)
		}
		if _, err := again.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
			t.Error(err)
		}

		// A wrong PIN for the signature is sent once, and never again.
		third := &prompt{pin: wrongPIN}
		wrong := mustSigner(t, token, certificate, third)
		for range 3 {
			_, err := wrong.Sign(rand.Reader, digest, crypto.SHA256)
			var refused *PINError
			if !errors.As(discreet(t, err), &refused) || refused.Reason != PINWrong || !refused.Sent {
				t.Errorf("wrong PIN for a signature: %v", err)
			}
		}
		if _, err := s.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
			t.Errorf("the first signer suffers from the third: %v", err)
		}
	})
}

func TestSignerSharesLogin(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, ds := find(t, m, "Firma", "DS0")
		_, cns := find(t, m, "Firma", "CNS0")
		mustSigner(t, token, ds, &prompt{pin: rightPIN})
		second := &prompt{pin: rightPIN}
		s := mustSigner(t, token, cns, second)
		if len(second.asked) != 0 {
			t.Error("the PIN was asked although the token is logged in")
		}
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Error(err)
		}
	})
}

func TestSignerWrongPIN(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		p := &prompt{pin: wrongPIN}
		_, err := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
		wantPINError(t, err, PINWrong)
		if len(p.asked) != 1 {
			t.Errorf("PIN asked %d times", len(p.asked))
		}
		p.wiped(t)
		if now := tokensOf(t, m)[0]; now.PIN.State != PINStateLow {
			t.Errorf("after a wrong PIN the state is %v", now.PIN.State)
		}
		mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	})
}

// wantPINError checks that err is a PINError for a reason and that its code is
// within reach.
func wantPINError(t *testing.T, err error, reason PINReason) *PINError {
	t.Helper()
	var refused *PINError
	if !errors.As(discreet(t, err), &refused) {
		t.Fatalf("error %v is no PINError", err)
	}
	var code Code
	if refused.Reason != reason || refused.Sent != errors.As(err, &code) || code != refused.Code {
		t.Errorf("error %q: %+v, code %v", err, *refused, code)
	}
	return refused
}

func TestVerifyPIN(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		verify := func(pin string) error {
			p := &prompt{pin: pin}
			err := token.VerifyPIN(t.Context(), p.ask, LoginOptions{})
			p.wiped(t)
			if len(p.asked) == 1 && (p.asked[0].Use != PINUseVerify || p.asked[0].Certificate != nil) {
				t.Errorf("asked %+v", p.asked[0])
			}
			return discreet(t, err)
		}
		if err := verify(rightPIN); err != nil {
			t.Fatal(err)
		}
		wantPINError(t, verify(wrongPIN), PINWrong)
		wantPINError(t, verify("1"), PINLength)
		wantPINError(t, verify(""), PINLength)
		if err := verify(rightPIN); err != nil {
			t.Fatalf("the right PIN after wrong ones: %v", err)
		}

		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		if err := verify(wrongPIN); !errors.Is(err, ErrLoggedIn) {
			t.Errorf("a wrong PIN beside an open signer: %v", err)
		}
		if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
			t.Errorf("the signer suffers from a check of the PIN: %v", err)
		}
	})
}

func TestSignerNoKey(t *testing.T) {
	ca := issuer().Must(t, pki.QualifiedCA)
	each(t, []tokenOf{{"Firma", rightPIN, []softhsm.Object{
		object(t, "DS0", pki.Signer), {ID: []byte("CA"), Label: "CA", Certificate: ca.Certificate},
	}}}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "CA")
		p := &prompt{pin: rightPIN}
		_, err := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
		if !errors.Is(discreet(t, err), ErrNoKey) || !strings.Contains(err.Error(), "4341") {
			t.Errorf("error %v", err)
		}
		p.wiped(t)
	})
}

// TestPairing finds keys for certificates whose CKA_ID helps, does not help, or
// misleads.
func TestPairing(t *testing.T) {
	without := func(o softhsm.Object) softhsm.Object { o.NoPublicKey = true; return o }
	split := func(id, keyID string, name pki.Name) []softhsm.Object {
		o := object(t, id, name)
		key := o
		key.ID, key.Label, key.Certificate = []byte(keyID), "another label", nil
		o.Key = nil
		return []softhsm.Object{o, key}
	}
	cases := []struct {
		name    string
		objects []softhsm.Object
	}{
		{"no public key object", []softhsm.Object{without(object(t, "DS0", pki.Signer))}},
		{"EC without a public key object", []softhsm.Object{without(object(t, "DS0", pki.SignerP256))}},
		{"another CKA_ID", split("DS0", "key", pki.Signer)},
		{"another CKA_ID, EC", split("DS0", "key", pki.SignerP256)},
		{"two keys with one CKA_ID", append(split("DS0", "DS0", pki.Signer), object(t, "DS0", pki.CNS))},
		{"the CKA_ID of another key", append(split("DS0", "key", pki.Signer), split("CNS0", "DS0", pki.CNS)...)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			each(t, []tokenOf{{"Firma", rightPIN, c.objects}}, func(t *testing.T, m *Module) {
				token, certificate := find(t, m, "Firma", "DS0")
				s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
				if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestConcurrentSigning(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	each(t, []tokenOf{{"Firma", rightPIN, []softhsm.Object{always, object(t, "CNS0", pki.CNS)}}}, func(t *testing.T, m *Module) {
		token, ds := find(t, m, "Firma", "DS0")
		_, cns := find(t, m, "Firma", "CNS0")
		signers := []*Signer{mustSigner(t, token, ds, &prompt{pin: rightPIN}), mustSigner(t, token, cns, &prompt{pin: rightPIN})}
		digest := digestOf(crypto.SHA256, "x")
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				for range 4 {
					if _, err := signers[i%2].Sign(nil, digest, crypto.SHA256); err != nil {
						t.Error(err)
					}
					if _, err := token.Certificates(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
	})
}

func TestClosed(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		p := &prompt{pin: rightPIN}
		s := mustSigner(t, token, certificate, p)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		p.wiped(t)
		_, signing := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
		_, _, listing := m.Tokens(t.Context())
		_, reading := token.Certificates(t.Context())
		_, opening := token.Signer(t.Context(), certificate, p.ask, LoginOptions{})
		verifying := token.VerifyPIN(t.Context(), p.ask, LoginOptions{})
		for _, err := range []error{signing, listing, reading, opening, verifying} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

func TestContext(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		ctx, cancel := context.WithCancel(t.Context())
		asking := func(context.Context, PINRequest) ([]byte, error) {
			cancel()
			return []byte(wrongPIN), nil
		}
		_, err := token.Signer(ctx, certificate, asking, LoginOptions{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled during the prompt: %v", err)
		}
		if now := tokensOf(t, m)[0]; now.PIN.State != PINStateOK {
			t.Errorf("a PIN was sent after the context was cancelled")
		}
		if _, _, err := m.Tokens(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("listing: %v", err)
		}
	})
}
