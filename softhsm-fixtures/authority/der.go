// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // of certificate identifiers, which are no signatures
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// The digest and signature algorithms, by digest. They are never written to.
var (
	digestOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA1:   {1, 3, 14, 3, 2, 26},
		crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
		crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
		crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	}
	rsaOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA256: {1, 2, 840, 113549, 1, 1, 11},
		crypto.SHA384: {1, 2, 840, 113549, 1, 1, 12},
		crypto.SHA512: {1, 2, 840, 113549, 1, 1, 13},
	}
	ecdsaOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA256: {1, 2, 840, 10045, 4, 3, 2},
		crypto.SHA384: {1, 2, 840, 10045, 4, 3, 3},
		crypto.SHA512: {1, 2, 840, 10045, 4, 3, 4},
	}
	oidPSS  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
)

// hashOf returns the digest of an identifier, 0 when it is none of ours.
func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	for hash, known := range digestOIDs {
		if known.Equal(oid) {
			return hash
		}
	}
	return 0
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// signer makes signatures in one way.
type signer struct {
	identity *pki.Identity
	hash     crypto.Hash // SHA-256 when 0
	pss      bool        // of an RSA key; others have no choice
	flip     bool        // change a bit of the value
}

func (s signer) digest() crypto.Hash {
	if s.hash == 0 {
		return crypto.SHA256
	}
	return s.hash
}

// sign returns the signature over data, and its algorithm.
func (s signer) sign(data []byte) (pkix.AlgorithmIdentifier, []byte, error) {
	algorithm, options, err := s.algorithm()
	if err != nil {
		return algorithm, nil, fmt.Errorf("signing: %w", err)
	}
	value, err := s.identity.Key.Sign(rand.Reader, sum(s.digest(), data), options)
	if err == nil && s.flip {
		value[len(value)-1] ^= 1
	}
	return algorithm, value, err
}

func (s signer) algorithm() (pkix.AlgorithmIdentifier, crypto.SignerOpts, error) {
	hash := s.digest()
	if rsaOIDs[hash] == nil {
		return pkix.AlgorithmIdentifier{}, nil, fmt.Errorf("no signatures with %v", hash)
	}
	switch s.identity.Key.Public().(type) {
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: ecdsaOIDs[hash]}, hash, nil
	case *rsa.PublicKey:
		if s.pss {
			parameters, err := pssParameters(hash)
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
			return pkix.AlgorithmIdentifier{Algorithm: oidPSS, Parameters: parameters}, options, err
		}
		return pkix.AlgorithmIdentifier{Algorithm: rsaOIDs[hash], Parameters: asn1.NullRawValue}, hash, nil
	}
	return pkix.AlgorithmIdentifier{}, nil, errors.New("neither an RSA nor an EC key")
}

// pssParameters is RSASSA-PSS-params (RFC 4055, section 3.1) with MGF1 and a
// salt as long as the digest.
func pssParameters(hash crypto.Hash) (asn1.RawValue, error) {
	digest := pkix.AlgorithmIdentifier{Algorithm: digestOIDs[hash], Parameters: asn1.NullRawValue}
	inner, err := asn1.Marshal(digest)
	if err != nil {
		return asn1.RawValue{}, err
	}
	return encode(struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
		MGF  pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
		Salt int                      `asn1:"explicit,tag:2"`
	}{digest, pkix.AlgorithmIdentifier{Algorithm: oidMGF1, Parameters: asn1.RawValue{FullBytes: inner}}, hash.Size()})
}

// encode returns the DER of v in a form that fits into a structure.
func encode(v any) (asn1.RawValue, error) {
	der, err := asn1.Marshal(v)
	return asn1.RawValue{FullBytes: der}, err
}

// tagged is a context-specific value with constructed contents.
func tagged(tag int, contents ...[]byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: bytes.Join(contents, nil)}
}

// generalizedTime is a GeneralizedTime in UTC, with the milliseconds if there
// are any (RFC 3161, section 2.4.2).
func generalizedTime(t time.Time) asn1.RawValue {
	text := t.UTC().Format("20060102150405.999Z")
	return asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(text)}
}

// unmarshal reads the DER of a whole structure.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d octets are left", len(rest))
	}
	return err
}

// randomNumber returns a number of 127 bits or a little less, never zero.
func randomNumber() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil
}
