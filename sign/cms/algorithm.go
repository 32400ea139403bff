// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// scheme is the arithmetic of a signature algorithm.
type scheme int

const (
	schemeUnknown scheme = iota
	schemePKCS1          // RSASSA-PKCS1-v1_5, RFC 8017, section 8.2
	schemePSS            // RSASSA-PSS, RFC 8017, section 8.1
	schemeECDSA          // FIPS 186, RFC 5753
	schemeEd25519        // RFC 8419
)

// signatureAlgorithms maps identifiers to arithmetic and digest. A zero digest
// means that the SignerInfo's digestAlgorithm decides (RFC 3370, section 3.2).
var signatureAlgorithms = []struct {
	oid    asn1.ObjectIdentifier
	scheme scheme
	hash   crypto.Hash
}{
	{oidRSAEncryption, schemePKCS1, 0},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, schemePKCS1, crypto.MD5},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, schemePKCS1, crypto.SHA1},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 14}, schemePKCS1, crypto.SHA224},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, schemePKCS1, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, schemePKCS1, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, schemePKCS1, crypto.SHA512},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 13}, schemePKCS1, crypto.SHA3_224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 14}, schemePKCS1, crypto.SHA3_256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 15}, schemePKCS1, crypto.SHA3_384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 16}, schemePKCS1, crypto.SHA3_512},
	{oidRSASSAPSS, schemePSS, 0},
	{oidECPublicKey, schemeECDSA, 0}, // seen in the field in place of ecdsa-with-…
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, schemeECDSA, crypto.SHA1},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, schemeECDSA, crypto.SHA224},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, schemeECDSA, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, schemeECDSA, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, schemeECDSA, crypto.SHA512},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 9}, schemeECDSA, crypto.SHA3_224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 10}, schemeECDSA, crypto.SHA3_256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 11}, schemeECDSA, crypto.SHA3_384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 12}, schemeECDSA, crypto.SHA3_512},
	{oidEd25519, schemeEd25519, 0},
}

// method is a fully determined way to check a signature value.
type method struct {
	scheme scheme
	hash   crypto.Hash // over the signed attributes, or the content without any
	salt   int         // PSS: salt octets
}

// errUnsupported marks what this package can't compute, as opposed to what it
// computed and found wrong.
var errUnsupported = errors.New("unsupported")

// method resolves the signature algorithm of a signer.
func (s *SignerInfo) method() (method, error) {
	for _, a := range signatureAlgorithms {
		if !a.oid.Equal(s.SignatureAlgorithm.OID) {
			continue
		}
		m := method{scheme: a.scheme, hash: a.hash}
		if m.scheme == schemePSS {
			return parsePSS(s.SignatureAlgorithm.Parameters)
		}
		if m.hash == 0 {
			m.hash = s.Hash()
		}
		if m.hash == 0 {
			return m, fmt.Errorf("digest algorithm %v: %w", s.DigestAlgorithm.OID, errUnsupported)
		}
		return m, nil
	}
	return method{}, fmt.Errorf("signature algorithm %v: %w", s.SignatureAlgorithm.OID, errUnsupported)
}

// pssParameters is RSASSA-PSS-params (RFC 4055, section 3.1).
type pssParameters struct {
	Hash    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:0"`
	MGF     pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:1"`
	Salt    int                      `asn1:"optional,explicit,tag:2,default:20"`
	Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
}

func parsePSS(raw []byte) (method, error) {
	var p pssParameters
	if err := unmarshal(raw, &p); err != nil {
		return method{}, fmt.Errorf("reading RSASSA-PSS parameters: %w", err)
	}
	hash, err := pssHash(p.Hash)
	if err != nil {
		return method{}, err
	}
	mgf, err := pssMask(p.MGF)
	if err != nil {
		return method{}, err
	}
	if mgf != hash || p.Trailer != 1 || p.Salt < 0 {
		return method{}, fmt.Errorf("RSASSA-PSS with %v, MGF1 %v, salt %d, trailer %d: %w", hash, mgf, p.Salt, p.Trailer, errUnsupported)
	}
	return method{scheme: schemePSS, hash: hash, salt: p.Salt}, nil
}

// pssHash resolves a hashAlgorithm; absent means SHA-1.
func pssHash(a pkix.AlgorithmIdentifier) (crypto.Hash, error) {
	if a.Algorithm == nil {
		return crypto.SHA1, nil
	}
	if h := hashOf(a.Algorithm); h != 0 {
		return h, nil
	}
	return 0, fmt.Errorf("RSASSA-PSS digest %v: %w", a.Algorithm, errUnsupported)
}

// pssMask resolves a maskGenAlgorithm to the digest of its MGF1; absent means
// SHA-1.
func pssMask(a pkix.AlgorithmIdentifier) (crypto.Hash, error) {
	if a.Algorithm == nil {
		return crypto.SHA1, nil
	}
	if !a.Algorithm.Equal(oidMGF1) {
		return 0, fmt.Errorf("mask generation function %v: %w", a.Algorithm, errUnsupported)
	}
	var hash pkix.AlgorithmIdentifier
	if err := unmarshal(a.Parameters.FullBytes, &hash); err != nil {
		return 0, fmt.Errorf("reading MGF1 parameters: %w", err)
	}
	return pssHash(hash)
}

// verify checks a signature value over a digest; Ed25519 signs the message
// itself. The error wraps errUnsupported when nothing could be computed.
func (m method) verify(key crypto.PublicKey, digest, message, signature []byte) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return m.verifyRSA(key, digest, signature)
	case *ecdsa.PublicKey:
		if m.scheme != schemeECDSA {
			return errKeyMismatch
		}
		if !ecdsa.VerifyASN1(key, digest, signature) {
			return errMismatch
		}
		return nil
	case ed25519.PublicKey:
		if m.scheme != schemeEd25519 {
			return errKeyMismatch
		}
		if message == nil {
			return fmt.Errorf("Ed25519 without signed attributes: %w", errUnsupported)
		}
		if isSmallOrder(key) {
			return fmt.Errorf("Ed25519 key that any signature matches: %w", errUnsupported)
		}
		if !ed25519.Verify(key, message, signature) {
			return errMismatch
		}
		return nil
	}
	return fmt.Errorf("public key of type %T: %w", key, errUnsupported)
}

// smallOrder are the encodings of the points whose order divides eight, without the bit
// for the sign (RFC 8032, section 5.1.2): 0, 1, two of order eight, p-1, p and p+1.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// isSmallOrder tells whether a key has no secret: its signatures can be made by anybody.
func isSmallOrder(key ed25519.PublicKey) bool {
	point := bytes.Clone(key)
	point[len(point)-1] &= 0x7f
	return slices.Contains(smallOrder, hex.EncodeToString(point))
}

var (
	errMismatch    = errors.New("the signature value does not match the key of the certificate")
	errKeyMismatch = errors.New("the signature algorithm does not fit the key of the certificate")
)

func (m method) verifyRSA(key *rsa.PublicKey, digest, signature []byte) error {
	if key.N.BitLen() < 1024 || oversized(key) {
		return fmt.Errorf("RSA key of %d bits: %w", key.N.BitLen(), errUnsupported)
	}
	var err error
	switch m.scheme {
	case schemePKCS1:
		if err = rsa.VerifyPKCS1v15(key, m.hash, digest, signature); err != nil && matchesOtherwise(key, m.hash, digest, signature) {
			err = nil
		}
	case schemePSS:
		if key.E > maxExponent {
			return fmt.Errorf("RSASSA-PSS with an exponent of more than 31 bits: %w", errUnsupported)
		}
		err = m.verifyPSS(key, digest, signature)
	default:
		return errKeyMismatch
	}
	if err != nil {
		return errMismatch
	}
	return nil
}

// oversized tells whether a key is so large that to compute with it is to waste
// time: no card has one of half the size.
func oversized(key crypto.PublicKey) bool { return longerThan(key, 8192) }

// isLarge tells whether checking many signatures with a key takes seconds.
func isLarge(key crypto.PublicKey) bool {
	rsaKey, ok := key.(*rsa.PublicKey)
	return ok && (rsaKey.N.BitLen() > 4096 || rsaKey.E > 1<<17)
}

func longerThan(key crypto.PublicKey, bits int) bool {
	rsaKey, ok := key.(*rsa.PublicKey)
	return ok && rsaKey.N.BitLen() > bits
}

// maxExponent is the largest public exponent that crypto/rsa computes with.
const maxExponent = 1<<31 - 1

// matchesOtherwise verifies RSASSA-PKCS1-v1_5 where crypto/rsa doesn't: against a
// DigestInfo whose AlgorithmIdentifier has no parameters, and with a public exponent
// of 32 bits, as some German authorities have. crypto/rsa knows only the one with
// NULL; RFC 8017, appendix A.2.4, has verifiers accept both. As section 8.2.2
// wants, the whole block is built and compared, and nothing in it parsed.
func matchesOtherwise(key *rsa.PublicKey, h crypto.Hash, digest, signature []byte) bool {
	if key.E < 3 || key.E&1 == 0 {
		return false
	}
	block := opened(key, signature)
	return block != nil && (bytes.Equal(block, paddedDigest(key, h, digest, nil)) ||
		key.E > maxExponent && bytes.Equal(block, paddedDigest(key, h, digest, []byte{5, 0})))
}

// paddedDigest is the block that is signed (RFC 8017, section 9.2), nil when the
// key is too short for it.
func paddedDigest(key *rsa.PublicKey, h crypto.Hash, digest, parameters []byte) []byte {
	info := sequence(algorithm(oidOf(h), parameters), appendElement(nil, tagOctetString, digest))
	if len(info)+11 > key.Size() {
		return nil
	}
	block := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, key.Size()-len(info)-3)...)
	return append(append(block, 0), info...)
}

// opened applies RSAVP1 (RFC 8017, section 5.2.2): the block that was signed, of
// the size of the key; nil for a number that is none.
func opened(key *rsa.PublicKey, signature []byte) []byte {
	s := new(big.Int).SetBytes(signature)
	if len(signature) != key.Size() || s.Cmp(key.N) >= 0 {
		return nil
	}
	return s.Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
}

// verifyPSS verifies RSASSA-PSS with a salt of just the length that the
// parameters tell. A length close to 2^63 makes crypto/rsa panic. One of zero
// means any to it; without a salt there is one block only (RFC 8017, section
// 9.1.1), which is compared.
func (m method) verifyPSS(key *rsa.PublicKey, digest, signature []byte) error {
	if m.salt > key.Size() {
		return errMismatch
	}
	err := rsa.VerifyPSS(key, m.hash, digest, signature, &rsa.PSSOptions{SaltLength: m.salt, Hash: m.hash})
	if err != nil || m.salt > 0 {
		return err
	}
	h := digestOf(m.hash, append(make([]byte, 8), digest...))
	block := opened(key, signature)
	if !bytes.HasSuffix(block, append(h, 0xbc)) {
		return errMismatch
	}
	return nil
}

// Algorithm names key, scheme and digest for a person: "RSA-2048 with
// SHA-256", "RSA-3072 PSS with SHA-512", "P-256 with SHA-256". What isn't
// known is left out.
func (s *SignerInfo) Algorithm(certificate *x509.Certificate) string {
	key := "unknown key"
	if certificate != nil {
		key = keyName(certificate.PublicKey)
	}
	m, err := s.method()
	switch {
	case err != nil:
		return key
	case m.scheme == schemePSS:
		return fmt.Sprintf("%s PSS with %v", key, m.hash)
	case m.scheme == schemeEd25519:
		return key
	}
	return fmt.Sprintf("%s with %v", key, m.hash)
}

func keyName(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown key"
}

// Verify checks a signature value over a message with a public key, as other
// signed structures need it: OCSP responses, for instance. The identifier must say
// everything, digest included. The error says whether the value is wrong or the
// algorithm one that is not computed here; that it is weak is not looked at, see
// [AlgorithmIdentifier.Digest].
func (a AlgorithmIdentifier) Verify(key crypto.PublicKey, message, signature []byte) error {
	if a.OID.Equal(oidEd25519) { // the only one without a digest
		return method{scheme: schemeEd25519}.verify(key, nil, message, signature)
	}
	s := &SignerInfo{SignatureAlgorithm: a}
	m, err := s.method()
	if err != nil {
		return err
	}
	if !m.hash.Available() {
		return fmt.Errorf("digest algorithm %v: %w", m.hash, errUnsupported)
	}
	h := m.hash.New()
	h.Write(message)
	return m.verify(key, h.Sum(nil), message, signature)
}

// Digest returns the digest that a signature algorithm uses, 0 if it says none or
// is not known.
func (a AlgorithmIdentifier) Digest() crypto.Hash {
	s := &SignerInfo{SignatureAlgorithm: a}
	m, err := s.method()
	if err != nil {
		return 0
	}
	return m.hash
}
