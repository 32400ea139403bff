// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// wantMismatch gives a signature other values, none of which is one.
func wantMismatch(t *testing.T, p7m []byte, values map[string][]byte) {
	t.Helper()
	for name, value := range values {
		f, err := forge.Parse(p7m)
		if err != nil {
			t.Fatal(err)
		}
		f.Data.Signers[0].Value = value
		sd, _ := read(t, must(t)(f.DER()))
		if c := sd.Check(sd.Signers[0]); c.ValueMatches || !c.Has(cms.SignatureMismatch) {
			t.Errorf("%s: value matches %v: %v", name, c.ValueMatches, c.Findings)
		}
	}
}

func TestForgedECDSAValues(t *testing.T) {
	pair := func(r, s *big.Int) []byte { return must(t)(asn1.Marshal([]*big.Int{r, s})) }
	zero, one, order := big.NewInt(0), big.NewInt(1), elliptic.P256().Params().N
	p7m := sign(t, []byte("vero"), false, signer(t, pki.SignerP256))
	f, err := forge.Parse(p7m)
	if err != nil {
		t.Fatal(err)
	}
	var good struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(f.Data.Signers[0].Value, &good); err != nil {
		t.Fatal(err)
	}
	plus := func(n *big.Int) *big.Int { return new(big.Int).Add(n, order) }
	minus := func(n *big.Int) *big.Int { return new(big.Int).Sub(n, order) }
	wantMismatch(t, p7m, map[string][]byte{
		"both zero": pair(zero, zero), "r zero": pair(zero, one), "s zero": pair(one, zero),
		"the order": pair(order, order), "negative": pair(new(big.Int).Neg(good.R), good.S), "one": pair(one, one),
		"empty": {}, "no numbers": {0x30, 0}, "with a third": must(t)(asn1.Marshal([]*big.Int{good.R, good.S, one})),
		"r beyond the order": pair(plus(good.R), good.S), "s below zero": pair(good.R, minus(good.S)),
		"octets after it": append(pair(good.R, good.S), 0),
		"not in DER":      append([]byte{0x30, 0x81}, pair(good.R, good.S)[1:]...),
	})
}

// publicOnly is a key of which nobody knows the private part: it signs nonsense.
type publicOnly struct{ *rsa.PublicKey }

// Public implements [crypto.Signer].
func (k publicOnly) Public() crypto.PublicKey { return k.PublicKey }

// Sign implements [crypto.Signer].
func (k publicOnly) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return bytes.Repeat([]byte{1}, k.Size()), nil
}

// TestForgedRSAPadding: with a public exponent of 3, a cube root is a signature
// to those who don't look at all of the padding (Bleichenbacher, 2006).
func TestForgedRSAPadding(t *testing.T) {
	modulus := new(big.Int).SetBytes(bytes.Repeat([]byte{0xc5}, 256)) // composed of small primes and good enough here
	twin, err := people.IssueCustom(pki.QualifiedCA, publicOnly{&rsa.PublicKey{N: modulus, E: 3}}, func(*x509.Certificate) {})
	if err != nil {
		t.Fatal(err)
	}
	p7m := must(t)(forge.SwappedCertificates(sign(t, []byte("vero"), false, signer(t, pki.Signer)), twin.Certificate.Raw))
	f, err := forge.Parse(p7m)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(must(t)(f.SignedSet()))
	values := map[string][]byte{"zero": make([]byte, 256), "the modulus": modulus.Bytes(), "empty": {}}
	for name, info := range map[string]string{
		"NULL":          "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
		"no parameters": "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20",
	} {
		value, err := forgedBlock(append([]byte(info), digest[:]...))
		if err != nil {
			t.Fatal(err)
		}
		values["garbage after the digest, "+name] = value
	}
	wantMismatch(t, p7m, values)
}

// forgedBlock returns a number whose cube begins like the block of PKCS #1 with
// this DigestInfo and goes on with whatever comes.
func forgedBlock(info []byte) ([]byte, error) {
	begin := append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8)...), 0)
	begin = append(begin, info...)
	target := new(big.Int).SetBytes(append(begin, bytes.Repeat([]byte{0xff}, 256-len(begin))...))
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), 700)
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(target) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	if cube := new(big.Int).Exp(low, big.NewInt(3), nil).FillBytes(make([]byte, 256)); !bytes.HasPrefix(cube, begin) {
		return nil, errors.New("the forgery does not begin like a signature")
	}
	return low.FillBytes(make([]byte, 256)), nil
}
