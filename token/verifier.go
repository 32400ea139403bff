// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"

	"filippo.io/bigmod"
)

// verifier holds a token's signatures against the public key of the certificate.
type verifier struct {
	public crypto.PublicKey

	// modulus is that of an RSA key, made ready for arithmetic once. crypto/rsa does
	// that at every verification, which takes it nearly half of the time, and a
	// token in software is fast enough for that to show.
	modulus *bigmod.Modulus
}

func newVerifier(public crypto.PublicKey) verifier {
	v := verifier{public: public}
	if k, ok := public.(*rsa.PublicKey); ok {
		v.modulus, _ = bigmod.NewModulus(k.N.Bytes()) // nil for an odd kind of number
	}
	return v
}

// verify says whether a signature is what was asked for.
func (v verifier) verify(digest, signature []byte, opts crypto.SignerOpts) bool {
	switch k := v.public.(type) {
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return verifyPSS(k, digest, signature, pss)
		}
		return v.verifyPKCS1(k, digest, signature, opts.HashFunc())
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest, signature)
	}
	return false
}

// verifyPKCS1 is RSASSA-PKCS1-V1_5-VERIFY of RFC 8017, section 8.2.2: the block of the
// signature must be the very block of the digest.
func (v verifier) verifyPKCS1(k *rsa.PublicKey, digest, signature []byte, h crypto.Hash) bool {
	want, err := pkcs1Block(k, digest, h)
	if err != nil || v.modulus == nil || k.E < 3 {
		return false
	}
	s, err := bigmod.NewNat().SetBytes(signature, v.modulus) // below the modulus, or an error
	if err != nil {
		return false
	}
	block := bigmod.NewNat().ExpShortVarTime(s, uint(k.E), v.modulus).Bytes(v.modulus)
	return len(signature) == k.Size() && bytes.Equal(block, want)
}

func verifyPSS(k *rsa.PublicKey, digest, signature []byte, opts *rsa.PSSOptions) bool {
	salt, err := saltLength(opts)
	return err == nil && rsa.VerifyPSS(k, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: salt}) == nil
}
