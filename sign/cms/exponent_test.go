// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"math/big"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// bigExponent is an RSA key with a public exponent of 32 bits, which crypto/rsa
// doesn't compute with.
type bigExponent struct {
	public rsa.PublicKey
	d      *big.Int
}

func newBigExponent(t *testing.T) *bigExponent {
	const e = 2296065917
	for {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(key.Primes[0], one), new(big.Int).Sub(key.Primes[1], one))
		if d := new(big.Int).ModInverse(big.NewInt(e), phi); d != nil {
			return &bigExponent{rsa.PublicKey{N: key.N, E: e}, d}
		}
	}
}

func (k *bigExponent) Public() crypto.PublicKey { return &k.public }

// Sign makes the block of RFC 8017, section 9.2, for a SHA-256 digest.
func (k *bigExponent) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	info := slices.Concat([]byte{0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32}, digest)
	block := slices.Concat([]byte{0, 1}, slices.Repeat([]byte{0xff}, 256-3-len(info)), []byte{0}, info)
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, k.d, k.public.N).FillBytes(make([]byte, 256)), nil
}

// TestBigExponent verifies a signature of such a key, and no other.
func TestBigExponent(t *testing.T) {
	key := newBigExponent(t)
	id, err := people.IssueCustom(pki.QualifiedCA, key, func(*x509.Certificate) {})
	if err != nil {
		t.Fatal(err)
	}
	file := sign(t, []byte("contenuto"), false, cms.Signer{Key: key, Certificate: id.Certificate})
	sd, _ := read(t, file)
	if c := sd.Check(sd.Signers[0]); !c.ValueMatches || len(c.Findings) > 0 {
		t.Errorf("found %+v", c.Findings)
	}
	sum := sha256.Sum256([]byte("altro"))
	sd.Signers[0].Signature, _ = key.Sign(nil, sum[:], crypto.SHA256)
	if c := sd.Check(sd.Signers[0]); !c.Has(cms.SignatureMismatch) {
		t.Errorf("a signature over something else: %+v", c.Findings)
	}
}
