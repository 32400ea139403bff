// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/rsa"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

// inits are the mechanisms with which signatures and decryptions were begun.
func inits(f fake) (list []string) {
	for _, call := range f.Calls() {
		if name, kind, ok := strings.Cut(call, "Init "); ok && (name == "C_Sign" || name == "C_Decrypt") {
			list = append(list, kind)
		}
	}
	return list
}

// TestLadderIsRemembered climbs down once for a key.
func TestLadderIsRemembered(t *testing.T) {
	pss := &rsa.PSSOptions{Hash: crypto.SHA256}
	cases := []struct {
		name    string
		key     pki.Name
		refused []uint
		message bool
		opts    crypto.SignerOpts
		want    []string // of two signatures
	}{
		{"nothing refused", pki.Signer, nil, false, crypto.SHA256, []string{"0x1", "0x1"}},
		{"message of no use", pki.Signer, nil, true, crypto.SHA256, []string{"0x1", "0x1"}},
		{"PKCS #1 on the host", pki.Signer, []uint{1}, false, crypto.SHA256, []string{"0x1", "0x3", "0x3"}},
		{"hashed on the token", pki.Signer, []uint{1}, true, crypto.SHA256, []string{"0x1", "0x40", "0x40"}},
		{"SHA-512 hashed on the token", pki.Signer, []uint{1, 3}, true, crypto.SHA512, []string{"0x1", "0x42", "0x42"}},
		{"down to the last rung", pki.Signer, []uint{1, 0x40}, true, crypto.SHA256, []string{"0x1", "0x40", "0x3", "0x3"}},
		{"PSS on the host", pki.Signer, []uint{0xd}, false, pss, []string{"0xd", "0x3", "0x3"}},
		{"PSS hashed on the token", pki.Signer, []uint{0xd}, true, pss, []string{"0xd", "0x43", "0x43"}},
		{"ECDSA hashed on the token", pki.SignerP256, []uint{0x1041}, true, crypto.SHA256, []string{"0x1041", "0x1044", "0x1044"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{object(t, "DS0", c.key)}})
			token, certificate := find(t, f.open(t), "Firma", "DS0")
			s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
			f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, c.refused...)
			digest := digestOf(c.opts.HashFunc(), "x")
			for range 2 {
				var signature []byte
				var err error
				if c.message {
					signature, err = s.SignMessage(nil, []byte("x"), c.opts)
				} else {
					signature, err = s.Sign(nil, digest, c.opts)
				}
				if err != nil {
					t.Fatal(err)
				}
				checkSignature(t, s.Public(), digest, signature, c.opts)
			}
			if got := inits(f); !slices.Equal(got, c.want) {
				t.Errorf("mechanisms %q, want %q", got, c.want)
			}
		})
	}
}

// TestLadderRefusedLate meets a token that takes the mechanism and refuses when the
// signature is made, with a key that wants the PIN each time.
func TestLadderRefusedLate(t *testing.T) {
	always := object(t, "DS0", pki.Signer)
	always.AlwaysAuthenticate = true
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{always}})
	token, certificate := find(t, f.open(t), "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	signs := 0
	f.Script = func(call string) error {
		if call != "C_Sign" {
			return nil
		}
		if signs++; signs == 1 {
			// the operation ends with the refusal
			f.EndOperations()
			return tokentest.Code(cryptoki.CKR_FUNCTION_NOT_SUPPORTED)
		}
		return nil
	}
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if got := inits(f); !slices.Equal(got, []string{"0x1", "0x3"}) || f.Token(0).Tries != 3 {
		t.Errorf("mechanisms %q, %d tries", got, f.Token(0).Tries)
	}
}

// TestSignMessage signs messages, on real code too, and refuses what Sign does.
func TestSignMessage(t *testing.T) {
	tokens := []tokenOf{{"Firma", rightPIN, []softhsm.Object{object(t, "rsa", pki.Signer), object(t, "p256", pki.SignerP256)}}}
	each(t, tokens, func(t *testing.T, m *Module) {
		for _, id := range []string{"rsa", "p256"} {
			token, certificate := find(t, m, "Firma", id)
			s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
			for _, message := range []string{"", "hello"} {
				signature, err := s.SignMessage(nil, []byte(message), crypto.SHA384)
				if err != nil {
					t.Fatal(err)
				}
				checkSignature(t, s.Public(), digestOf(crypto.SHA384, message), signature, crypto.SHA384)
			}
			if _, err := s.SignMessage(nil, nil, crypto.SHA256); err != nil {
				t.Error(err)
			}
			for _, opts := range []crypto.SignerOpts{nil, crypto.Hash(0), crypto.MD5, crypto.Hash(999)} {
				if _, err := s.SignMessage(nil, []byte("x"), opts); err == nil {
					t.Errorf("signed with %v", opts)
				}
			}
		}
	})
}

// TestConcurrentSessions counts the sessions that signatures at the same time use,
// on a token that has no more than two.
func TestConcurrentSessions(t *testing.T) {
	cases := []struct {
		most, want        int
		always, removable bool
	}{{0, maxSessions, false, false}, {2, 2, false, false}, {0, 1, true, false}, {0, 1, false, true}}
	for _, c := range cases {
		o := object(t, "DS0", pki.Signer)
		o.AlwaysAuthenticate = c.always
		f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{o}})
		f.Token(0).MaxSessions = c.most
		f.Token(0).Removable = c.removable
		token, certificate := find(t, f.open(t), "Firma", "DS0")
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		if one := c.always || c.removable; one != (s.AtATime() == 1) {
			t.Errorf("%d signatures at a time", s.AtATime())
		}
		taken := make([]*session, c.want)
		for i := range taken {
			taken[i] = s.pool.get()
		}
		if f.Sessions() != c.want {
			t.Errorf("%d sessions", f.Sessions())
		}
		done := make(chan error)
		go func() {
			_, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256)
			done <- err
		}()
		for _, session := range taken {
			s.pool.put(session)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if f.Sessions() != c.want {
			t.Errorf("%d sessions after a signature", f.Sessions())
		}
	}
}
