// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Additions are what [Extend] adds to a file that is signed already. Nothing in it is
// covered by the signatures that are there.
type Additions struct {
	Unsigned     map[int][]Attribute // unsigned attributes, by the signer's number from zero
	Certificates [][]byte            // in DER
	CRLs         [][]byte            // CertificateLists in DER
	OCSP         [][]byte            // whole OCSPResponses in DER (RFC 5940)
}

// ValidationData are values that help to validate signatures when those who issued them
// no longer answer: certificates, and proof that they were not revoked.
type ValidationData struct {
	Certificates [][]byte // in DER
	CRLs         [][]byte // CertificateLists in DER (RFC 5280)
	OCSP         [][]byte // whole OCSPResponses in DER (RFC 6960)
}

// Extend writes the file to dst with additions: timestamps, and the certificates and
// revocation values that make it last (ETSI EN 319 122-1, clause 6.3). Everything else
// keeps its octets, as with [AddSigner]. A value that is there already is not added
// again.
func Extend(dst io.Writer, file Amended, a Additions) error {
	sd, err := Read(file.reader(), ReadOptions{})
	if err != nil {
		return err
	}
	infos, err := a.signerInfos(sd)
	if err != nil {
		return err
	}
	return file.write(dst, sd, a.envelope(), infos)
}

// With returns sd as it will be read from the file that [Extend] writes with these
// additions. So what an archive timestamp has to be of is known before anything is
// written. Digests of the content stay known.
func (sd *SignedData) With(a Additions) (*SignedData, error) {
	infos, err := a.signerInfos(sd)
	if err != nil {
		return nil, err
	}
	var detached bytes.Buffer
	encap := sequence(oid(sd.ContentType))
	err = assemble(&detached, sd, a.envelope(), infos, int64(len(encap)), func() error { return write(&detached, encap) })
	if err != nil {
		return nil, err
	}
	next, err := Read(&detached, ReadOptions{})
	if err != nil {
		return nil, err
	}
	next.Attached, next.ContentSize, next.digests, next.opening = sd.Attached, sd.ContentSize, sd.digests, sd.opening
	next.given = sd.given
	return next, nil
}

// Attach writes the file, a detached signature, to dst as an attached one in DER, with
// content inside, which has size octets. All that it had stays as it was. The content is
// digested while it is copied: if it is not the one that every signer signed, there is an
// error, and what dst holds must be thrown away.
func Attach(dst io.Writer, file Amended, content io.Reader, size int64) error {
	sd, err := Read(file.reader(), ReadOptions{})
	if err != nil {
		return err
	}
	if sd.Attached {
		return fmt.Errorf("attaching content: %w", ErrAttached)
	}
	infos, err := Additions{}.signerInfos(sd)
	if err != nil {
		return err
	}
	d := digester{}
	for _, s := range sd.Signers {
		d.add(s.Hash())
	}
	opening := contentOpening(sd, size)
	return assemble(dst, sd, &envelope{}, infos, int64(len(opening))+size, func() error {
		if err := write(dst, opening); err != nil {
			return err
		}
		n, err := Copy(dst, d, content)
		if err != nil {
			return fmt.Errorf("attaching content: %w", err)
		}
		if n != size {
			return errChanged
		}
		return sd.expect(d)
	})
}

// contentOpening is everything of an encapContentInfo before the octets of its content.
func contentOpening(sd *SignedData, size int64) []byte {
	kind := oid(sd.ContentType)
	octetString := ElementSize(size)
	b := AppendHeader(nil, tagSequence, int64(len(kind))+ElementSize(octetString))
	b = append(b, kind...)
	b = AppendHeader(b, tagContext0, octetString)
	return AppendHeader(b, tagOctetString, size)
}

// expect compares the digests of a content with what the signers signed.
func (sd *SignedData) expect(d digester) error {
	sums := d.sums()
	for i, s := range sd.Signers {
		signed, err := s.messageDigest()
		if err != nil || signed == nil || !bytes.Equal(signed, sums[s.Hash()]) {
			return fmt.Errorf("attaching content: it is not what signer %d signed", i+1)
		}
	}
	return nil
}

// signerInfos returns those of sd with the additions.
func (a Additions) signerInfos(sd *SignedData) ([][]byte, error) {
	var infos [][]byte
	for i, s := range sd.Signers {
		raw := s.Raw
		for _, attribute := range a.Unsigned[i] {
			var err error
			if raw, err = addUnsigned(raw, attribute.Raw); err != nil {
				return nil, fmt.Errorf("extending signer %d: %w", i+1, err)
			}
		}
		infos = append(infos, raw)
	}
	for i := range a.Unsigned {
		if i < 0 || i >= len(sd.Signers) {
			return nil, fmt.Errorf("extending: no signer %d, the file has %d", i+1, len(sd.Signers))
		}
	}
	return infos, nil
}

// envelope holds what goes beside the signers. An OCSP response is another revocation
// format, which needs version 5 (RFC 5652, section 5.1).
func (a Additions) envelope() *envelope {
	e := &envelope{bag: a.Certificates, crls: slices.Clone(a.CRLs)}
	for _, response := range a.OCSP {
		e.crls = append(e.crls, appendElement(nil, tagContext1, append(oid(oidOCSPResponse), response...)))
		e.version = 5
	}
	return e
}

// Revocation is what a file brings to tell whether certificates are revoked. All of
// it is as found, and unproven.
type Revocation struct {
	CRLs  [][]byte // CertificateLists
	OCSP  [][]byte // whole OCSPResponses
	Basic [][]byte // BasicOCSPResponses without an envelope
}

// Revocation returns the revocation values in the crls field: CRLs, OCSP responses
// (RFC 5940), and those of other forms not at all.
func (sd *SignedData) Revocation() (r Revocation) {
	for _, raw := range sd.CRLs {
		v, _, err := nextValue(raw)
		switch {
		case err != nil:
		case v.id == tagSequence:
			r.CRLs = append(r.CRLs, raw)
		case v.id == tagContext1:
			r.other(v)
		}
	}
	return r
}

// other adds an OtherRevocationInfoFormat.
func (r *Revocation) other(v value) {
	parts, err := v.children(2)
	if err != nil || len(parts) != 2 {
		return
	}
	switch {
	case bytes.Equal(parts[0].raw, oid(oidOCSPResponse)):
		r.OCSP = append(r.OCSP, parts[1].raw)
	case bytes.Equal(parts[0].raw, oid(oidOCSPBasic)):
		r.Basic = append(r.Basic, parts[1].raw)
	}
}

// Revocation returns what the unsigned attribute revocation-values holds, where
// CAdES-X-L signatures keep it (ETSI EN 319 122-1, annex A.1.2.2).
func (s *SignerInfo) Revocation() (r Revocation) {
	for _, v := range s.unsignedValues(oidRevocationValues) {
		fields, err := single(v, tagSequence)
		if err != nil {
			continue
		}
		parts, err := fields.children(3)
		if err != nil {
			continue
		}
		for _, part := range parts {
			list, err := part.sequence()
			switch {
			case err != nil:
			case part.id == tagContext0:
				r.CRLs = append(r.CRLs, list...)
			case part.id == tagContext1:
				r.Basic = append(r.Basic, list...)
			}
		}
	}
	return r
}

// CertificateValues returns the certificates of the unsigned attribute
// certificate-values (ETSI EN 319 122-1, annex A.1.1.2). They are helpers, as those
// of the file are.
func (s *SignerInfo) CertificateValues() (list []*Certificate) {
	for _, v := range s.unsignedValues(oidCertificateValues) {
		fields, err := single(v, tagSequence)
		if err != nil {
			continue
		}
		kids, err := fields.children(maxAttributes)
		if err != nil {
			continue
		}
		for _, kid := range kids {
			list = append(list, &Certificate{Raw: kid.raw})
		}
	}
	return list
}

// sequence returns the elements of an explicitly tagged SEQUENCE OF.
func (v value) sequence() ([][]byte, error) {
	inner, err := single(v.body, tagSequence)
	if err != nil {
		return nil, err
	}
	kids, err := inner.children(maxAttributes)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for _, kid := range kids {
		list = append(list, kid.raw)
	}
	return list, nil
}

// unsignedValues returns all values of the unsigned attributes of a type.
func (s *SignerInfo) unsignedValues(kind []int) (list [][]byte) {
	for _, a := range s.UnsignedAttributes {
		if a.Type.Equal(kind) {
			list = append(list, a.Values...)
		}
	}
	return list
}

var errNoContent = errors.New("the digest of the content was not computed")
