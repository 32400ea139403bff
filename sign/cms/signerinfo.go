// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// SignerInfo is one signer (RFC 5652, section 5.3).
type SignerInfo struct {
	Raw     []byte // as found
	Version int

	// The signer's certificate is named by issuer and serial number, or by
	// key identifier.
	Issuer       []byte // raw Name; nil with SubjectKeyID
	Serial       *big.Int
	SubjectKeyID []byte

	DigestAlgorithm    AlgorithmIdentifier
	SignatureAlgorithm AlgorithmIdentifier
	Signature          []byte

	SignedAttributes   []Attribute // nil when the field is absent
	UnsignedAttributes []Attribute

	// Err says why the element could not be understood. Then the fields may
	// be incomplete, and only this signer is spoiled.
	Err error

	serial   []byte // contents octets of the serial number
	attrsDER []byte // signed attributes as a DER SET OF
	attrsRaw []byte // signed attributes as found, with the tag of a SET
	counters []*SignerInfo
}

// Attribute is a signed or unsigned attribute.
type Attribute struct {
	Type   asn1.ObjectIdentifier
	Values [][]byte // raw elements, as found
	Raw    []byte   // the whole attribute, as found
}

// Hash returns the digest of the signer, or zero for one this package doesn't
// know.
func (s *SignerInfo) Hash() crypto.Hash { return hashOf(s.DigestAlgorithm.OID) }

// budget is how much more may be taken apart of the signers of one file. What is
// known of an attribute takes many times the octets of a tiny one, so that
// maxKept alone would let a small file fill the memory.
type budget struct{ attributes, signers int }

func newBudget() *budget { return &budget{maxAllAttributes, maxSigners} }

// exhausted says what the file has too many of; nil when it hasn't.
func (b *budget) exhausted() error {
	switch {
	case b.attributes < 0:
		return fmt.Errorf("more than %d attributes and values of attributes", maxAllAttributes)
	case b.signers < 0:
		return fmt.Errorf("more than %d signers and counter-signers", maxSigners)
	}
	return nil
}

// parseSignerInfo takes a signer apart, and those who counter-signed it, one
// inside the other to a depth. What it returns is of no use once the budget is
// exhausted.
func parseSignerInfo(raw []byte, b *budget, depth int) *SignerInfo {
	s := &SignerInfo{Raw: raw}
	b.signers--
	if err := s.parse(b); err != nil {
		s.Err = fmt.Errorf("reading SignerInfo: %w", err)
	}
	if depth > 0 {
		s.parseCounters(b, depth-1)
	} else if s.Err == nil && s.countersigned() {
		s.Err = fmt.Errorf("reading SignerInfo: counter-signed in %w", errDepth)
	}
	return s
}

func (s *SignerInfo) parse(b *budget) error {
	seq, err := single(s.Raw, tagSequence)
	if err != nil {
		return err
	}
	fields, err := seq.children(8)
	if err != nil {
		return err
	}
	f := fieldList{fields, b}
	for _, step := range []func(*fieldList) error{
		s.parseVersion, s.parseIdentifier, s.parseDigestAlgorithm, s.parseSignedAttributes,
		s.parseSignatureAlgorithm, s.parseSignature, s.parseUnsignedAttributes,
	} {
		if err := step(&f); err != nil {
			return err
		}
	}
	if len(f.left) > 0 {
		return errors.New("unexpected element at the end")
	}
	return nil
}

// fieldList hands out the fields of a SEQUENCE in their order.
type fieldList struct {
	left []value
	*budget
}

// take returns the next field, which must be there.
func (f *fieldList) take(name string) (value, error) {
	if len(f.left) == 0 {
		return value{}, fmt.Errorf("%s is missing", name)
	}
	v := f.left[0]
	f.left = f.left[1:]
	return v, nil
}

// optional returns the next field if it has this identifier.
func (f *fieldList) optional(id byte) (value, bool) {
	if len(f.left) == 0 || f.left[0].id != id {
		return value{}, false
	}
	v := f.left[0]
	f.left = f.left[1:]
	return v, true
}

func (s *SignerInfo) parseVersion(f *fieldList) error {
	v, err := f.take("version")
	if err != nil {
		return err
	}
	s.Version, err = smallInt(v.raw)
	return err
}

func (s *SignerInfo) parseIdentifier(f *fieldList) error {
	sid, err := f.take("sid")
	if err != nil {
		return err
	}
	switch sid.id {
	case tagContext0Prim:
		s.SubjectKeyID = sid.body
		return nil
	case tagSequence:
		return s.parseIssuerAndSerial(sid)
	}
	return fmt.Errorf("sid has tag 0x%02x", sid.id)
}

func (s *SignerInfo) parseIssuerAndSerial(sid value) error {
	pair, err := sid.children(2)
	if err != nil {
		return err
	}
	if len(pair) != 2 || pair[0].id != tagSequence || pair[1].id != tagInteger {
		return errors.New("sid is no issuer and serial number")
	}
	if len(pair[1].body) > maxSerial {
		return fmt.Errorf("serial number of %d octets", len(pair[1].body))
	}
	s.Issuer, s.serial = pair[0].raw, pair[1].body
	s.Serial = new(big.Int).SetBytes(s.serial)
	return nil
}

func (s *SignerInfo) parseDigestAlgorithm(f *fieldList) error {
	v, err := f.take("digestAlgorithm")
	if err != nil {
		return err
	}
	s.DigestAlgorithm, err = parseAlgorithm(v.raw)
	return err
}

// parseSignedAttributes keeps the attributes in both forms that may have been
// digested. RFC 5652, section 5.4, asks for the DER encoding of the SET OF,
// whatever stands in the file; some signers digest what stands there.
func (s *SignerInfo) parseSignedAttributes(f *fieldList) error {
	v, ok := f.optional(tagContext0)
	if !ok {
		return nil
	}
	var err error
	if s.SignedAttributes, err = f.parseAttributes(v); err != nil {
		return fmt.Errorf("reading signedAttrs: %w", err)
	}
	s.attrsRaw = append([]byte{tagSet}, v.raw[1:]...)
	set := v
	set.id = tagSet
	s.attrsDER, err = set.der()
	return err
}

func (s *SignerInfo) parseSignatureAlgorithm(f *fieldList) error {
	v, err := f.take("signatureAlgorithm")
	if err != nil {
		return err
	}
	s.SignatureAlgorithm, err = parseAlgorithm(v.raw)
	return err
}

func (s *SignerInfo) parseSignature(f *fieldList) error {
	v, err := f.take("signature")
	if err != nil {
		return err
	}
	s.Signature, err = octets(v)
	return err
}

func (s *SignerInfo) parseUnsignedAttributes(f *fieldList) error {
	v, ok := f.optional(tagContext1)
	if !ok {
		return nil
	}
	var err error
	if s.UnsignedAttributes, err = f.parseAttributes(v); err != nil {
		return fmt.Errorf("reading unsignedAttrs: %w", err)
	}
	return nil
}

// parseAttributes reads the elements of a SET OF Attribute.
func (b *budget) parseAttributes(set value) ([]Attribute, error) {
	kids, err := set.children(maxAttributes)
	if err != nil {
		return nil, err
	}
	list := make([]Attribute, len(kids)) // not nil: present, be it empty
	b.attributes -= len(kids)
	for i, kid := range kids {
		if err := b.exhausted(); err != nil {
			return nil, err
		}
		if list[i], err = parseAttribute(kid); err != nil {
			return nil, err
		}
		b.attributes -= len(list[i].Values)
	}
	return list, b.exhausted()
}

func parseAttribute(v value) (Attribute, error) {
	parts, err := v.children(2)
	if err != nil {
		return Attribute{}, err
	}
	if v.id != tagSequence || len(parts) != 2 || parts[1].id != tagSet {
		return Attribute{}, errors.New("attribute is not a type and a set of values")
	}
	a := Attribute{Raw: v.raw}
	if a.Type, err = parseOID(parts[0].raw); err != nil {
		return Attribute{}, err
	}
	values, err := parts[1].children(maxAttributes)
	for _, value := range values {
		a.Values = append(a.Values, value.raw)
	}
	return a, err
}

// signedAttribute returns the only value of the only signed attribute of a
// type. RFC 5652, section 11, allows one instance with one value of those
// this package reads; more of either is reported as an error, none as nil.
func (s *SignerInfo) signedAttribute(oid asn1.ObjectIdentifier) ([]byte, error) {
	var found []byte
	for _, a := range s.SignedAttributes {
		if !a.Type.Equal(oid) {
			continue
		}
		if len(a.Values) != 1 {
			return nil, fmt.Errorf("attribute %v has %d values", oid, len(a.Values))
		}
		if found != nil {
			return nil, fmt.Errorf("attribute %v stands twice", oid)
		}
		found = a.Values[0]
	}
	return found, nil
}

// single parses raw as one element with this identifier and nothing after it.
func single(raw []byte, id byte) (value, error) {
	v, rest, err := nextValue(raw)
	if err != nil {
		return value{}, err
	}
	if v.id != id || len(rest) > 0 {
		return value{}, fmt.Errorf("found tag 0x%02x and %d octets after it, expected tag 0x%02x alone", v.id, len(rest), id)
	}
	return v, nil
}

// octets returns the octets of an OCTET STRING, joined if it is in segments.
func octets(v value) ([]byte, error) {
	der, err := v.der()
	if err != nil {
		return nil, err
	}
	s, err := single(der, tagOctetString)
	return s.body, err
}

func parseOID(raw []byte) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	return oid, unmarshal(raw, &oid)
}

func smallInt(raw []byte) (int, error) {
	var n int
	return n, unmarshal(raw, &n)
}

// unmarshal decodes a small DER element completely.
func unmarshal(raw []byte, into any) error {
	rest, err := asn1.Unmarshal(raw, into)
	if err == nil && len(rest) > 0 {
		err = errors.New("octets after the element")
	}
	return err
}

func parseAlgorithm(raw []byte) (AlgorithmIdentifier, error) {
	seq, err := single(raw, tagSequence)
	if err != nil {
		return AlgorithmIdentifier{}, err
	}
	parts, err := seq.children(2)
	if err != nil {
		return AlgorithmIdentifier{}, err
	}
	if len(parts) == 0 {
		return AlgorithmIdentifier{}, errors.New("empty AlgorithmIdentifier")
	}
	a := AlgorithmIdentifier{raw: raw}
	if a.OID, err = parseOID(parts[0].raw); err != nil {
		return a, err
	}
	if len(parts) == 2 {
		a.Parameters = parts[1].raw
	}
	return a, nil
}
