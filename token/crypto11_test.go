// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"testing"

	"github.com/eclipse-keypont/crypto11"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// TestSecondOpinion asks another PKCS#11 library, crypto11, for the same keys.
// Signatures of PKCS #1 v1.5 leave no choice, so both must be the same bytes.
func TestSecondOpinion(t *testing.T) {
	h := softhsm.New(t)
	firma := firma(t)
	if _, err := h.AddToken(firma.label, firma.pin, firma.objects...); err != nil {
		t.Fatal(err)
	}
	digest := digestOf(crypto.SHA256, "hello")
	theirs := map[string][]byte{}
	other, err := crypto11.Configure(&crypto11.Config{Path: h.Module(), TokenLabel: firma.label, Pin: firma.pin})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range firma.objects {
		pair, err := other.FindKeyPair(o.ID, nil)
		if err != nil || pair == nil {
			t.Fatalf("crypto11 finds no key %q: %v", o.ID, err)
		}
		if theirs[string(o.ID)], err = pair.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	m := mustOpen(t, h.Module())
	for id, want := range theirs {
		token, certificate := find(t, m, "Firma", id)
		s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
		got, err := s.Sign(nil, digest, crypto.SHA256)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("key %q: %x, %v; crypto11 signs %x", id, got, err, want)
		}
	}
}

// TestSignAsksForRoom gives C_Sign too little room at first.
func TestSignAsksForRoom(t *testing.T) {
	m := mustOpen(t, hsmWithFirma(t).Module())
	token, certificate := find(t, m, "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	digest := digestOf(crypto.SHA256, "x")
	ways, err := attempts(s.Public(), nil, digest, nil, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	ways[0].size = 10
	signature, err := s.run(signing, ways[:1])
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, s.Public(), digest, signature, crypto.SHA256)
}
