// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/rsa"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// TestVerifierAgrees compares with crypto/rsa what the verifier takes for right.
func TestVerifierAgrees(t *testing.T) {
	for _, name := range []pki.Name{pki.Signer, pki.SignerRSA3072} {
		key := issuer().Must(t, name).Key.(*rsa.PrivateKey)
		v := newVerifier(&key.PublicKey)
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA512} {
			digest := digestOf(h, "x")
			signature, err := rsa.SignPKCS1v15(nil, key, h, digest)
			if err != nil {
				t.Fatal(err)
			}
			if !v.verify(digest, signature, h) {
				t.Errorf("%s, %v: a right signature is refused", name, h)
			}
			damaged := [][]byte{nil, signature[1:], append([]byte{0}, signature...), make([]byte, len(signature)), key.N.Bytes()}
			for i := range signature {
				other := append([]byte(nil), signature...)
				other[i] ^= 1
				damaged = append(damaged, other)
			}
			for i, s := range damaged {
				if v.verify(digest, s, h) || rsa.VerifyPKCS1v15(&key.PublicKey, h, digest, s) == nil {
					t.Errorf("%s, %v: wrong signature %d is accepted", name, h, i)
				}
			}
			if v.verify(digestOf(h, "y"), signature, h) {
				t.Errorf("%s, %v: the signature of something else is accepted", name, h)
			}
		}
	}
	if newVerifier("no key").verify(nil, nil, crypto.SHA256) {
		t.Error("a key of no kind")
	}
}
