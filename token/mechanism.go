// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // the hashes that hostPSS may be asked for
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// attempt is one way to ask a token for a signature or a decryption: the mechanism,
// what is handed to it, and what makes a result of what comes back.
type attempt struct {
	rung      rung
	mechanism cryptoki.Mechanism
	input     []byte
	size      int // of what comes back
	finish    func(raw []byte) ([]byte, error)
}

// rung says how much of the work a way leaves to the token.
type rung uint8

const (
	_           rung = iota
	rungPadding      // the token pads, or takes the padding away
	rungMessage      // it hashes the message as well
	rungRaw          // it does the arithmetic alone
)

// hash is what PKCS#11 and PKCS #1 call a hash function.
type hash struct {
	mechanism, mgf    uint
	pkcs1, pss, ecdsa uint   // mechanisms that hash on the token
	digestInfo        string // what stands before the digest: RFC 8017, section 9.2, note 1
}

var hashes = map[crypto.Hash]hash{
	crypto.SHA1: {
		cryptoki.CKM_SHA_1, cryptoki.CKG_MGF1_SHA1,
		cryptoki.CKM_SHA1_RSA_PKCS, cryptoki.CKM_SHA1_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA1,
		"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
	},
	crypto.SHA224: {
		cryptoki.CKM_SHA224, cryptoki.CKG_MGF1_SHA224,
		cryptoki.CKM_SHA224_RSA_PKCS, cryptoki.CKM_SHA224_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA224,
		"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c",
	},
	crypto.SHA256: {
		cryptoki.CKM_SHA256, cryptoki.CKG_MGF1_SHA256,
		cryptoki.CKM_SHA256_RSA_PKCS, cryptoki.CKM_SHA256_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA256,
		"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	},
	crypto.SHA384: {
		cryptoki.CKM_SHA384, cryptoki.CKG_MGF1_SHA384,
		cryptoki.CKM_SHA384_RSA_PKCS, cryptoki.CKM_SHA384_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA384,
		"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	},
	crypto.SHA512: {
		cryptoki.CKM_SHA512, cryptoki.CKG_MGF1_SHA512,
		cryptoki.CKM_SHA512_RSA_PKCS, cryptoki.CKM_SHA512_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA512,
		"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
	},
}

// checkDigest refuses, before the card is troubled, what is not the digest that
// the options say.
func checkDigest(digest []byte, opts crypto.SignerOpts) error {
	if opts == nil || opts.HashFunc() == 0 {
		return errors.New("the hash of the digest is not given")
	}
	h := opts.HashFunc()
	if _, ok := hashes[h]; !ok {
		return fmt.Errorf("hash %v is not supported", h)
	}
	if len(digest) != h.Size() {
		return fmt.Errorf("the digest has %d bytes, one of %v has %d", len(digest), h, h.Size())
	}
	return nil
}

// attempts returns the ways to sign with a key, best first. Those that need the
// message are left out if it is nil.
func attempts(public crypto.PublicKey, random io.Reader, digest, message []byte, opts crypto.SignerOpts) (ways []attempt, err error) {
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		ways = ecdsaAttempts(public, digest, message, opts.HashFunc())
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			ways, err = pssAttempts(public, random, digest, message, pss)
		} else {
			ways, err = pkcs1Attempts(public, digest, message, opts.HashFunc())
		}
	default:
		return nil, fmt.Errorf("keys of type %T are not supported", public)
	}
	if message == nil {
		ways = slices.DeleteFunc(ways, func(a attempt) bool { return a.rung == rungMessage })
	}
	return ways, err
}

// ecdsaAttempts uses CKM_ECDSA (PKCS #11 v2.40 mechanisms, section 2.3.6). A
// digest longer than the group order is cut as FIPS 186-5, section 6.4.1, does,
// since not every card does it.
func ecdsaAttempts(public *ecdsa.PublicKey, digest, message []byte, h crypto.Hash) []attempt {
	size := (public.Params().N.BitLen() + 7) / 8
	digest = digest[:min(len(digest), size)]
	return []attempt{
		{rungPadding, cryptoki.Mechanism{Kind: cryptoki.CKM_ECDSA}, digest, 2 * size, ecdsaSignature},
		{rungMessage, cryptoki.Mechanism{Kind: hashes[h].ecdsa}, message, 2 * size, ecdsaSignature},
	}
}

// ecdsaSignature turns r and s of equal length, as tokens return them, into the
// Ecdsa-Sig-Value of RFC 3279, section 2.2.3.
func ecdsaSignature(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no pair of numbers", ErrBadSignature, len(raw))
	}
	half := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
}

// pkcs1Attempts uses CKM_RSA_PKCS on a DigestInfo, a mechanism that hashes, or raw
// RSA on the whole block of RFC 8017, section 9.2.
func pkcs1Attempts(public *rsa.PublicKey, digest, message []byte, h crypto.Hash) ([]attempt, error) {
	block, err := pkcs1Block(public, digest, h)
	if err != nil {
		return nil, err
	}
	info := block[len(block)-len(digest)-len(hashes[h].digestInfo):]
	size, finish := public.Size(), rsaSignature(public)
	return []attempt{
		{rungPadding, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS}, info, size, finish},
		{rungMessage, cryptoki.Mechanism{Kind: hashes[h].pkcs1}, message, size, finish},
		{rungRaw, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_X_509}, block, size, finish},
	}, nil
}

// pkcs1Block is EMSA-PKCS1-v1_5 of RFC 8017, section 9.2.
func pkcs1Block(public *rsa.PublicKey, digest []byte, h crypto.Hash) ([]byte, error) {
	fill := public.Size() - 3 - len(hashes[h].digestInfo) - len(digest)
	if fill < 8 {
		return nil, fmt.Errorf("the key of %d bits is too short for %v", public.N.BitLen(), h)
	}
	block := append(make([]byte, 0, public.Size()), 0, 1)
	block = append(block, bytes.Repeat([]byte{0xff}, fill)...)
	block = append(block, 0)
	block = append(block, hashes[h].digestInfo...)
	return append(block, digest...), nil
}

// pssAttempts uses CKM_RSA_PKCS_PSS, a mechanism that hashes as well, or raw RSA on a
// block made here.
func pssAttempts(public *rsa.PublicKey, random io.Reader, digest, message []byte, opts *rsa.PSSOptions) ([]attempt, error) {
	h := opts.HashFunc()
	salt, err := saltLength(opts)
	if err != nil {
		return nil, err
	}
	block, err := hostPSS(public, random, digest, h, salt)
	if err != nil {
		return nil, err
	}
	parameters := &cryptoki.PSS{Hash: hashes[h].mechanism, MGF: hashes[h].mgf, Salt: uint(salt)}
	size, finish := public.Size(), rsaSignature(public)
	return []attempt{
		{rungPadding, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS_PSS, PSS: parameters}, digest, size, finish},
		{rungMessage, cryptoki.Mechanism{Kind: hashes[h].pss, PSS: parameters}, message, size, finish},
		{rungRaw, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_X_509}, block, size, finish},
	}, nil
}

// saltLength reads both automatic lengths as that of the hash, which every
// verifier and every profile of PSS for signatures accepts.
func saltLength(opts *rsa.PSSOptions) (int, error) {
	switch {
	case opts.SaltLength == rsa.PSSSaltLengthAuto || opts.SaltLength == rsa.PSSSaltLengthEqualsHash:
		return opts.HashFunc().Size(), nil
	case opts.SaltLength < 0:
		return 0, fmt.Errorf("salt length %d is not possible", opts.SaltLength)
	}
	return opts.SaltLength, nil
}

// hostPSS is EMSA-PSS-ENCODE of RFC 8017, section 9.1.1, with zero bytes in front
// up to the length of the modulus.
func hostPSS(public *rsa.PublicKey, random io.Reader, digest []byte, h crypto.Hash, saltLength int) ([]byte, error) {
	bits := public.N.BitLen() - 1
	size := (bits + 7) / 8
	if saltLength > size-h.Size()-2 {
		return nil, fmt.Errorf("the key of %d bits is too short for %v and a salt of %d bytes", public.N.BitLen(), h, saltLength)
	}
	if random == nil {
		random = rand.Reader
	}
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	hasher := h.New()
	hasher.Write(make([]byte, 8))
	hasher.Write(digest)
	hasher.Write(salt)
	sum := hasher.Sum(nil)

	block := make([]byte, size)
	masked := block[:size-len(sum)-1]
	masked[len(masked)-saltLength-1] = 1
	copy(masked[len(masked)-saltLength:], salt)
	applyMGF1(masked, sum, h)
	masked[0] &= 0xff >> (8*size - bits)
	copy(block[len(masked):], sum)
	block[size-1] = 0xbc
	return append(make([]byte, public.Size()-size), block...), nil
}

// applyMGF1 XORs data with the mask of RFC 8017, appendix B.2.1.
func applyMGF1(data, seed []byte, h crypto.Hash) {
	hasher := h.New()
	for counter := uint32(0); len(data) > 0; counter++ {
		hasher.Reset()
		hasher.Write(seed)
		hasher.Write(binary.BigEndian.AppendUint32(nil, counter))
		mask := hasher.Sum(nil)
		n := min(len(mask), len(data))
		for i := range n {
			data[i] ^= mask[i]
		}
		data = data[n:]
	}
}

// rsaSignature gives a signature the length of the modulus: some tokens drop
// leading zero bytes.
func rsaSignature(public *rsa.PublicKey) func([]byte) ([]byte, error) {
	return func(raw []byte) ([]byte, error) {
		if len(raw) > public.Size() {
			return nil, fmt.Errorf("%w: it has %d bytes instead of %d", ErrBadSignature, len(raw), public.Size())
		}
		return append(make([]byte, public.Size()-len(raw)), raw...), nil
	}
}
