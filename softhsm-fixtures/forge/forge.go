// SPDX-License-Identifier: Apache-2.0

// Package forge takes a CMS signature apart and puts it together wrongly, for
// tests of those who must notice. It knows DER only and shares no code with
// what it tests.
//
// [Parse] gives a [File] whose parts a test changes, [File.DER] writes it
// again. The functions named after an attack do both.
package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// File is a ContentInfo with SignedData (RFC 5652, section 5.1).
type File struct {
	Type asn1.ObjectIdentifier
	Data Data `asn1:"explicit,tag:0"`
}

// Data is a SignedData.
type Data struct {
	Version      int
	Digests      asn1.RawValue
	Content      Content
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []Signer      `asn1:"set"`
}

// Content is an EncapsulatedContentInfo.
type Content struct {
	Type   asn1.ObjectIdentifier
	Octets []byte `asn1:"optional,explicit,tag:0"`
}

// Signer is a SignerInfo.
type Signer struct {
	Version            int
	ID                 asn1.RawValue
	Digest             asn1.RawValue
	Signed             asn1.RawValue `asn1:"optional,tag:0"`
	SignatureAlgorithm asn1.RawValue
	Value              []byte
	Unsigned           asn1.RawValue `asn1:"optional,tag:1"`
}

// Identifiers a test may want to change or to look for.
var (
	OIDData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	OIDContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
)

// Parse reads a signature in DER.
func Parse(der []byte) (*File, error) {
	var f File
	rest, err := asn1.Unmarshal(der, &f)
	if err != nil {
		return nil, fmt.Errorf("taking signature apart: %w", err)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("taking signature apart: %d octets are left", len(rest))
	}
	return &f, nil
}

// DER writes the signature.
func (f *File) DER() ([]byte, error) {
	der, err := asn1.Marshal(*f)
	if err != nil {
		return nil, fmt.Errorf("putting signature together: %w", err)
	}
	return der, nil
}

// SetCertificates replaces the certificates.
func (f *File) SetCertificates(certificates ...[]byte) {
	f.Data.Certificates = raw(asn1.ClassContextSpecific, 0, slices.Concat(certificates...))
}

// SignedSet returns the signed attributes of the first signer as the SET OF
// that its signature value is over.
func (f *File) SignedSet() ([]byte, error) {
	return asn1.Marshal(raw(asn1.ClassUniversal, asn1.TagSet, f.Data.Signers[0].Signed.Bytes))
}

// SetSigned replaces the signed attributes of the first signer by the elements
// given, in that order.
func (f *File) SetSigned(attributes ...[]byte) {
	f.Data.Signers[0].Signed = raw(asn1.ClassContextSpecific, 0, slices.Concat(attributes...))
}

// Attributes returns the signed attributes of the first signer.
func (f *File) Attributes() ([][]byte, error) {
	var list [][]byte
	for rest := f.Data.Signers[0].Signed.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		after, err := asn1.Unmarshal(rest, &v)
		if err != nil {
			return nil, err
		}
		list, rest = append(list, v.FullBytes), after
	}
	return list, nil
}

// Without returns the attributes that are not of a type.
func Without(attributes [][]byte, oid asn1.ObjectIdentifier) [][]byte {
	return slices.DeleteFunc(slices.Clone(attributes), func(a []byte) bool {
		var parsed struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue
		}
		_, err := asn1.Unmarshal(a, &parsed)
		return err == nil && parsed.Type.Equal(oid)
	})
}

// Attribute builds an attribute with these values.
func Attribute(oid asn1.ObjectIdentifier, values ...any) ([]byte, error) {
	var encoded []byte
	for _, v := range values {
		der, err := asn1.Marshal(v)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, der...)
	}
	return asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}{oid, raw(asn1.ClassUniversal, asn1.TagSet, encoded)})
}

// Resign makes a new signature value with SHA-256 over the signed attributes
// of the first signer: what somebody who holds the key can do.
func (f *File) Resign(key crypto.Signer) error {
	set, err := f.SignedSet()
	if err != nil {
		return err
	}
	digest := sha256.Sum256(set)
	f.Data.Signers[0].Value, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return err
}

// AttributesAsContent turns a signature into one of another document, the
// attributes that it signed, without knowing the key: since no attributes are
// left, the value is over the content itself.
func AttributesAsContent(der []byte) ([]byte, error) {
	f, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if f.Data.Content.Octets, err = f.SignedSet(); err != nil {
		return nil, err
	}
	f.Data.Signers[0].Signed = asn1.RawValue{}
	return f.DER()
}

// LyingContentType changes the type that the file says its content has.
func LyingContentType(der []byte) ([]byte, error) {
	f, err := Parse(der)
	if err != nil {
		return nil, err
	}
	f.Data.Content.Type = OIDTSTInfo
	return f.DER()
}

// SwappedCertificates puts other certificates in the place of those that are
// there and leaves everything else alone.
func SwappedCertificates(der []byte, certificates ...[]byte) ([]byte, error) {
	f, err := Parse(der)
	if err != nil {
		return nil, err
	}
	f.SetCertificates(certificates...)
	return f.DER()
}

// Segmented writes a signature in BER as programs do that sign what they have
// not seen the end of: the content in segments of size octets, at most 127, inside
// indefinite lengths. Nothing in it becomes wrong.
func Segmented(der []byte, size int) ([]byte, error) {
	f, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if size < 1 || size > 127 {
		return nil, fmt.Errorf("splitting content: segments of %d octets", size)
	}
	fileType, err1 := asn1.Marshal(f.Type)
	version, err2 := asn1.Marshal(f.Data.Version)
	contentType, err3 := asn1.Marshal(f.Data.Content.Type)
	signers, err4 := asn1.MarshalWithParams(f.Data.Signers, "set")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("putting signature together: %w", err)
	}
	const indefinite, end = "\x80", "\x00\x00"
	return slices.Concat(
		[]byte("\x30"+indefinite), fileType, []byte("\xa0"+indefinite+"\x30"+indefinite), version, f.Data.Digests.FullBytes,
		[]byte("\x30"+indefinite), contentType, []byte("\xa0"+indefinite+"\x24"+indefinite),
		segments(f.Data.Content.Octets, size), []byte(end+end+end),
		f.Data.Certificates.FullBytes, f.Data.CRLs.FullBytes, signers, []byte(end+end+end),
	), nil
}

// segments splits a content into OCTET STRINGs.
func segments(content []byte, size int) []byte {
	all := make([]byte, 0, len(content)+2*(len(content)/size+1))
	for piece := range slices.Chunk(content, size) {
		all = append(append(all, asn1.TagOctetString, byte(len(piece))), piece...)
	}
	return all
}

func raw(class, tag int, body []byte) asn1.RawValue {
	return asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: body}
}
