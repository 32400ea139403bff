// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
)

// Signer says who signs and how.
type Signer struct {
	Key         crypto.Signer       // REQUIRED: a token's key or any other
	Certificate *x509.Certificate   // REQUIRED: of the same key
	Chain       []*x509.Certificate // further certificates to include, the issuer's first
	Hash        crypto.Hash         // digest of content and attributes; zero means SHA-256
	PSS         bool                // RSASSA-PSS (RFC 4056) in place of PKCS #1 v1.5; RSA keys only
	SigningTime time.Time           // claimed time, to the second; zero leaves the attribute out, as PAdES asks
	Attributes  []Attribute         // further signed attributes: [MimeType], [CommitmentType] and the like

	// Unsigned returns unsigned attributes for the signature value that was made, such as
	// a timestamp of it. Only [AddSigner] and [CounterSign] ask; others refuse it.
	Unsigned func(signature []byte) ([]Attribute, error)

	Rand io.Reader // for PSS salts and ECDSA nonces of keys in software; nil means crypto/rand
}

// plan is a Signer that was found able to sign: everything decided, nothing
// signed yet.
type plan struct {
	Signer
	method    method
	digestAlg []byte // AlgorithmIdentifier
	signAlg   []byte // AlgorithmIdentifier
	opts      crypto.SignerOpts
	size      int  // octets of the signature value: exactly, or at the most
	fixed     bool // size is exact
}

// plan checks a Signer and decides its algorithms.
func (s Signer) plan() (*plan, error) {
	if s.Key == nil || s.Certificate == nil {
		return nil, errors.New("planning signature: a key and a certificate are needed")
	}
	if public, ok := s.Key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(s.Certificate.PublicKey) {
		return nil, errors.New("planning signature: the certificate is not of this key")
	}
	if s.Rand == nil {
		s.Rand = rand.Reader
	}
	if s.Hash == 0 {
		s.Hash = crypto.SHA256
	}
	p := &plan{Signer: s, opts: s.Hash}
	if err := checkExtra(s.Attributes); err != nil {
		return nil, fmt.Errorf("planning signature: %w", err)
	}
	if err := p.chooseScheme(); err != nil {
		return nil, fmt.Errorf("planning signature: %w", err)
	}
	if !secure(p.Hash) {
		return nil, fmt.Errorf("planning signature: digest %v is not for signing", p.Hash)
	}
	p.digestAlg = algorithm(oidOf(p.Hash), nil)
	return p, nil
}

// checkExtra refuses attributes that this package writes itself or that stand
// twice.
func checkExtra(attributes []Attribute) error {
	seen := []asn1.ObjectIdentifier{oidContentType, oidMessageDigest, oidSigningTime, oidSigningCertificate, oidSigningCertificateV2}
	for _, a := range attributes {
		if a.Raw == nil || slices.ContainsFunc(seen, a.Type.Equal) {
			return fmt.Errorf("attribute %v can't be added", a.Type)
		}
		seen = append(seen, a.Type)
	}
	return nil
}

// secure tells whether a digest may be used for new signatures (ETSI TS 119
// 312, clause 5.2).
func secure(h crypto.Hash) bool {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512:
		return true
	}
	return false
}

func (p *plan) chooseScheme() error {
	switch key := p.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		p.size, p.fixed = key.Size(), true
		if p.PSS {
			p.method = method{schemePSS, p.Hash, p.Hash.Size()}
			p.opts = &rsa.PSSOptions{SaltLength: p.Hash.Size(), Hash: p.Hash}
			p.signAlg = algorithm(oidRSASSAPSS, pssParams(p.Hash))
			return nil
		}
		return p.named(schemePKCS1, []byte{5, 0})
	case *ecdsa.PublicKey:
		// SEQUENCE of two INTEGERs, each at most one octet longer than the order.
		n := int64((key.Curve.Params().N.BitLen()+7)/8 + 1)
		p.size = int(ElementSize(2 * ElementSize(n)))
		return p.named(schemeECDSA, nil)
	case ed25519.PublicKey:
		p.size, p.fixed = ed25519.SignatureSize, true
		p.Hash = crypto.SHA512 // RFC 8419, section 3
		p.opts = crypto.Hash(0)
		p.method = method{scheme: schemeEd25519, hash: p.Hash}
		p.signAlg = algorithm(oidEd25519, nil)
		return nil
	}
	return fmt.Errorf("keys of type %T can't sign", p.Certificate.PublicKey)
}

// named chooses the signature algorithm whose identifier names scheme and
// digest together.
func (p *plan) named(s scheme, parameters []byte) error {
	if p.PSS {
		return errors.New("RSASSA-PSS needs an RSA key")
	}
	for _, a := range signatureAlgorithms {
		if a.scheme == s && a.hash == p.Hash {
			p.method = method{scheme: s, hash: p.Hash}
			p.signAlg = algorithm(a.oid, parameters)
			return nil
		}
	}
	return fmt.Errorf("no signature algorithm with digest %v", p.Hash)
}

// signerInfo signs content with this digest and type, and returns the
// SignerInfo (RFC 5652, section 5.3).
func (p *plan) signerInfo(contentType asn1.ObjectIdentifier, digest []byte) ([]byte, error) {
	if len(digest) != p.Hash.Size() {
		return nil, fmt.Errorf("signing: digest of %d octets, %v has %d", len(digest), p.Hash, p.Hash.Size())
	}
	attributes := p.attributes(contentType, digest)
	value, err := p.sign(attributes)
	if err != nil {
		return nil, err
	}
	return p.withUnsigned(p.assemble(attributes, value), value)
}

// withUnsigned adds the unsigned attributes that are wanted for a signature value.
func (p *plan) withUnsigned(info, value []byte) ([]byte, error) {
	if p.Unsigned == nil {
		return info, nil
	}
	list, err := p.Unsigned(value)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if info, err = addUnsigned(info, a.Raw); err != nil {
			return nil, err
		}
	}
	return info, nil
}

// sign makes the signature value over the signed attributes and checks it
// against the certificate: a device that returns rubbish must not spoil a
// document.
func (p *plan) sign(attributes []byte) ([]byte, error) {
	// A key that can take the message itself gets it: some cards refuse to
	// sign a digest made elsewhere.
	value, err := crypto.SignMessage(p.Key, p.Rand, attributes, p.opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := p.method.verify(p.Certificate.PublicKey, digestOf(p.Hash, attributes), attributes, value); err != nil {
		return nil, fmt.Errorf("signing: checking the new signature: %w", err)
	}
	if len(value) > p.size {
		return nil, fmt.Errorf("signing: signature value of %d octets, at most %d were expected", len(value), p.size)
	}
	return value, nil
}

// draft returns a SignerInfo of the final size (at most it, if the size isn't
// fixed) with no signature in it.
func (p *plan) draft(contentType asn1.ObjectIdentifier) []byte {
	return p.assemble(p.attributes(contentType, make([]byte, p.Hash.Size())), make([]byte, p.size))
}

func (p *plan) assemble(attributes, value []byte) []byte {
	implicit := bytes.Clone(attributes)
	implicit[0] = tagContext0
	return sequence(
		integer(big.NewInt(1)),
		sequence(p.Certificate.RawIssuer, integer(p.Certificate.SerialNumber)),
		p.digestAlg, implicit, p.signAlg,
		appendElement(nil, tagOctetString, value))
}

// attributes returns the signed attributes of CAdES B-B as the DER SET OF
// that is digested (ETSI EN 319 122-1, clause 6.3). A counter-signature has no
// content type (RFC 5652, section 11.4).
func (p *plan) attributes(contentType asn1.ObjectIdentifier, digest []byte) []byte {
	list := [][]byte{
		attribute(oidMessageDigest, appendElement(nil, tagOctetString, digest)),
		attribute(oidSigningCertificateV2, signingCertificateV2(p.Certificate)),
	}
	if contentType != nil {
		list = append(list, attribute(oidContentType, oid(contentType)))
	}
	if !p.SigningTime.IsZero() {
		list = append(list, attribute(oidSigningTime, signingTime(p.SigningTime)))
	}
	for _, a := range p.Attributes {
		list = append(list, a.Raw)
	}
	return set(list...)
}

// signingTime encodes UTCTime up to 2049 and GeneralizedTime from 2050 (RFC
// 5652, section 11.3).
func signingTime(t time.Time) []byte {
	t = t.UTC()
	if year := t.Year(); year < 1950 || year > 2049 {
		return appendElement(nil, 0x18, []byte(t.Format("20060102150405Z")))
	}
	return appendElement(nil, 0x17, []byte(t.Format("060102150405Z")))
}

// pssParams is RSASSA-PSS-params for a digest, its MGF1, and a salt as long
// as the digest (RFC 4056, section 3).
func pssParams(h crypto.Hash) []byte {
	digest := algorithm(oidOf(h), []byte{5, 0})
	mask := algorithm(oidMGF1, digest)
	return sequence(
		appendElement(nil, 0xa0, digest),
		appendElement(nil, 0xa1, mask),
		appendElement(nil, 0xa2, integer(big.NewInt(int64(h.Size())))))
}

func algorithm(id asn1.ObjectIdentifier, parameters []byte) []byte {
	return sequence(oid(id), parameters)
}

func attribute(id asn1.ObjectIdentifier, value []byte) []byte {
	return sequence(oid(id), set(value))
}

func sequence(parts ...[]byte) []byte { return element(tagSequence, parts) }

// set returns a SET OF in DER order.
func set(parts ...[]byte) []byte {
	sortSet(parts)
	return element(tagSet, parts)
}

// element returns an element whose contents are the parts.
func element(id byte, parts [][]byte) []byte {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	b := AppendHeader(make([]byte, 0, length+maxHeader), id, int64(length))
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

// oid and integer encode values that always can be: identifiers of this
// package or that were parsed before, and numbers.
func oid(id asn1.ObjectIdentifier) []byte { return mustMarshal(id) }
func integer(n *big.Int) []byte           { return mustMarshal(n) }

func mustMarshal(v any) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err) // a bug: no input reaches this
	}
	return der
}
