// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// TimestampKind is what a timestamp in a signature is of.
type TimestampKind int

// The kinds (ETSI EN 319 122-1).
const (
	TimestampUnknown    TimestampKind = iota
	ContentTimestamp                  // of the content, before it was signed (clause 5.2.8)
	SignatureTimestamp                // of the signature value (clause 5.3)
	ArchiveTimestamp                  // archive-time-stamp-v3: of all that is there (clause 5.5.3)
	OldArchiveTimestamp               // an older form, which is named and not computed
)

// Timestamp is a timestamp token in an attribute of a signer, as found.
type Timestamp struct {
	Kind  TimestampKind
	Token []byte // a TimeStampToken (RFC 3161); unproven
}

var timestampKinds = []struct {
	oid  asn1.ObjectIdentifier
	kind TimestampKind
}{
	{oidContentTimestamp, ContentTimestamp}, {oidSignatureTimestamp, SignatureTimestamp},
	{oidArchiveTimestampV3, ArchiveTimestamp}, {oidArchiveTimestampV2, OldArchiveTimestamp},
}

// Timestamps returns the timestamps of a signer in the order of the file: those of the
// content in the signed attributes, and the other kinds in the unsigned ones. One that
// stands among the others counts for nothing: anybody can add a timestamp of the content
// to the unsigned attributes, and the signature would seem to have been made after it.
func (s *SignerInfo) Timestamps() []Timestamp {
	return append(timestamps(s.SignedAttributes, ContentTimestamp),
		timestamps(s.UnsignedAttributes, SignatureTimestamp, ArchiveTimestamp, OldArchiveTimestamp)...)
}

func timestamps(attributes []Attribute, wanted ...TimestampKind) (list []Timestamp) {
	for _, a := range attributes {
		for _, k := range timestampKinds {
			if !a.Type.Equal(k.oid) || !slices.Contains(wanted, k.kind) {
				continue
			}
			for _, v := range a.Values {
				list = append(list, Timestamp{k.kind, v})
			}
		}
	}
	return list
}

// TimestampAttribute returns the unsigned attribute that holds a TimeStampToken: of the
// signature value, or an archive timestamp.
func TimestampAttribute(kind TimestampKind, token []byte) (Attribute, error) {
	if _, err := single(token, tagSequence); err != nil {
		return Attribute{}, fmt.Errorf("building timestamp attribute: %w", err)
	}
	switch kind {
	case SignatureTimestamp:
		return newAttribute(oidSignatureTimestamp, token), nil
	case ArchiveTimestamp:
		return newAttribute(oidArchiveTimestampV3, token), nil
	}
	return Attribute{}, fmt.Errorf("building timestamp attribute: no unsigned attribute for kind %d", kind)
}

// HashIndex returns the unsigned attribute ats-hash-index-v3 (ETSI EN 319 122-1, clause
// 5.5.2) of all that is there now beside what s signed: certificates, revocation
// values, unsigned attributes. It belongs into the token of the archive timestamp, see
// [SignedData.ArchiveDigest].
func (sd *SignedData) HashIndex(s *SignerInfo, h crypto.Hash) (Attribute, error) {
	if oidOf(h) == nil {
		return Attribute{}, fmt.Errorf("building hash index: digest %v is not known", h)
	}
	index := sequence(algorithm(oidOf(h), nil), hashList(h, sd.bag(nil)), hashList(h, sd.CRLs), hashList(h, s.unsignedOctets()))
	return newAttribute(oidHashIndexV3, index), nil
}

func hashList(h crypto.Hash, elements [][]byte) []byte {
	var list [][]byte
	for _, e := range elements {
		list = append(list, appendElement(nil, tagOctetString, digestOf(h, e)))
	}
	return sequence(list...)
}

// unsignedOctets returns type and value of each value of the unsigned attributes.
func (s *SignerInfo) unsignedOctets() (list [][]byte) {
	for _, a := range s.UnsignedAttributes {
		for _, v := range a.Values {
			list = append(list, slices.Concat(oid(a.Type), v))
		}
	}
	return list
}

// ArchiveDigest returns the digest that an archive timestamp is of (ETSI EN 319 122-1,
// clause 5.5.3), with an index that [SignedData.HashIndex] returned, or that stands in
// a token. Digests of the content must have been computed with h: see
// ReadOptions.Hashes.
func (sd *SignedData) ArchiveDigest(s *SignerInfo, index Attribute, h crypto.Hash) ([]byte, error) {
	content := sd.ContentDigest(h)
	if content == nil {
		return nil, fmt.Errorf("computing archive timestamp: %w with %v", errNoContent, h)
	}
	if len(index.Values) != 1 {
		return nil, errors.New("computing archive timestamp: the hash index has not one value")
	}
	signed, err := s.signedFields()
	if err != nil {
		return nil, fmt.Errorf("computing archive timestamp: %w", err)
	}
	w := h.New()
	for _, part := range [][]byte{oid(sd.ContentType), content, signed, index.Values[0]} {
		w.Write(part)
	}
	return w.Sum(nil), nil
}

// signedFields returns the fields of a SignerInfo from version to signature, as they
// stand.
func (s *SignerInfo) signedFields() ([]byte, error) {
	seq, err := single(s.Raw, tagSequence)
	if err != nil {
		return nil, err
	}
	fields, err := seq.children(8)
	if err != nil {
		return nil, err
	}
	var parts [][]byte
	for _, f := range fields {
		parts = append(parts, f.raw)
		if f.id == tagOctetString {
			return bytes.Join(parts, nil), nil
		}
	}
	return nil, errors.New("SignerInfo without signature")
}

// Archive is what an archive timestamp covers beside the signature and its content.
type Archive struct {
	Index        Attribute // ats-hash-index-v3, as it stands in the token
	Certificates [][]byte  // of the file, in DER
	CRLs         [][]byte  // RevocationInfoChoices of the file
	Attributes   [][]byte  // values of unsigned attributes: [Timestamp.Token] of earlier timestamps, for instance
}

// maxIndex bounds the entries of a hash index.
const maxIndex = 20_000

// Archive reads the hash index of an archive timestamp's token and finds what it names.
// The error says what is wrong: no index, one that can't be read, or one that names
// something that is not there, or not as it was. Whether the token is of this
// signature is for the caller to compare, see [SignedData.ArchiveDigest].
func (sd *SignedData) Archive(s *SignerInfo, token []byte) (*Archive, error) {
	index, err := hashIndex(token)
	if err != nil {
		return nil, fmt.Errorf("reading archive timestamp: %w", err)
	}
	a := &Archive{Index: index}
	if err := a.resolve(sd, s); err != nil {
		return nil, fmt.Errorf("reading archive timestamp: %w", err)
	}
	return a, nil
}

// hashIndex finds the ats-hash-index-v3 in a token.
func hashIndex(token []byte) (Attribute, error) {
	sd, err := Read(bytes.NewReader(token), ReadOptions{})
	if err != nil {
		return Attribute{}, err
	}
	if len(sd.Signers) != 1 || sd.Signers[0].Err != nil {
		return Attribute{}, errors.New("the token has not one signer")
	}
	var found []Attribute
	for _, a := range sd.Signers[0].UnsignedAttributes {
		if a.Type.Equal(oidHashIndexV3) {
			found = append(found, a)
		}
	}
	if len(found) != 1 || len(found[0].Values) != 1 {
		return Attribute{}, errors.New("the token has not one hash index (ats-hash-index-v3)")
	}
	return found[0], nil
}

// resolve finds what an index names.
func (a *Archive) resolve(sd *SignedData, s *SignerInfo) error {
	seq, err := single(a.Index.Values[0], tagSequence)
	if err != nil {
		return fmt.Errorf("hash index: %w", err)
	}
	fields, err := seq.children(4)
	if err != nil || len(fields) != 4 {
		return errors.New("hash index: not of four parts")
	}
	var id AlgorithmIdentifier
	if id, err = parseAlgorithm(fields[0].raw); err != nil {
		return fmt.Errorf("hash index: %w", err)
	}
	h := hashOf(id.OID)
	if !secure(h) {
		return fmt.Errorf("hash index: digest %v can't be relied on", id.OID)
	}
	for i, part := range []struct {
		name  string
		there [][]byte
		found *[][]byte
	}{
		{"a certificate", sd.bag(nil), &a.Certificates},
		{"a revocation value", sd.CRLs, &a.CRLs},
		{"an unsigned attribute", s.unsignedOctets(), &a.Attributes},
	} {
		if *part.found, err = named(h, fields[i+1], part.there); err != nil {
			return fmt.Errorf("hash index: %s: %w", part.name, err)
		}
	}
	return a.valuesOnly()
}

// valuesOnly takes the types off the attributes.
func (a *Archive) valuesOnly() error {
	for i, octets := range a.Attributes {
		_, rest, err := nextValue(octets)
		if err != nil {
			return err
		}
		a.Attributes[i] = rest
	}
	return nil
}

// named returns the elements whose digests a SEQUENCE OF OCTET STRING holds. Each digest
// must be of one that is there.
func named(h crypto.Hash, list value, there [][]byte) ([][]byte, error) {
	if list.id != tagSequence {
		return nil, errors.New("no list of digests")
	}
	digests, err := list.children(maxIndex)
	if err != nil {
		return nil, err
	}
	byDigest := make(map[string][]byte, len(there))
	for _, element := range there {
		byDigest[string(digestOf(h, element))] = element
	}
	var found [][]byte
	for _, d := range digests {
		element, ok := byDigest[string(d.body)]
		if d.id != tagOctetString || !ok {
			return nil, fmt.Errorf("digest %x is of nothing in the file: it was changed or taken away", d.body)
		}
		found = append(found, element)
	}
	return found, nil
}
