// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"cmp"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/pectoken/pectoken/sign/cms"
)

// oidTimestampedData is id-ct-timestampedData (RFC 5544, section 2).
var oidTimestampedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 31}

const (
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTF8String      = 0x0c
	tagIA5String       = 0x16
	tagOctetStringCons = 0x24
	tagSequence        = 0x30
	tagContext0        = 0xa0 // [0], constructed
)

// Limits on what is kept in memory, beside those of package cms.
const (
	maxEvidence = 100      // tokens: a chain gets one in some years
	maxMetaData = 64 << 10 // octets of dataUri and of metaData: an address, a name and a media type
)

// layout is where the parts of a TimeStampedData stand among its decoded octets,
// for those who write it again.
type layout struct {
	body     int64 // its first field
	evidence int64 // the header of temporalEvidence
	list     int64 // the first element of the list in it
	end      int64 // the end of that list
}

// tsdReader walks the structure of a TimeStampedData and fills c.
type tsdReader struct {
	*cms.Decoder
	c *Container
	o ReadOptions
}

func readTSD(r io.Reader, o ReadOptions) (*Container, error) {
	plain, armor, err := cms.Unarmor(r)
	if err != nil {
		return nil, err
	}
	t := &tsdReader{cms.NewDecoder(plain), &Container{Format: TSD, Armor: armor}, o}
	if err := t.contentInfo(); err != nil {
		return nil, fmt.Errorf("reading TimeStampedData: %w", err)
	}
	t.c.BER, t.c.view = t.BER(), t.ContentAt
	if t.c.Trailing, err = t.Rest(); err != nil {
		return nil, fmt.Errorf("reading TimeStampedData: %w", err)
	}
	return t.c, nil
}

// contentInfo reads ContentInfo ::= SEQUENCE { contentType, [0] content }.
func (t *tsdReader) contentInfo() error {
	if err := t.Enter(tagSequence); err != nil {
		return err
	}
	if _, err := t.Element(); err != nil { // contentType, which recognize has read
		return err
	}
	if err := t.Enter(tagContext0); err != nil {
		return err
	}
	if err := t.timeStampedData(); err != nil {
		return err
	}
	if err := t.Leave(); err != nil {
		return err
	}
	return t.Leave()
}

// timeStampedData reads the fields of RFC 5544, section 2, in their order.
func (t *tsdReader) timeStampedData() error {
	if err := t.Enter(tagSequence); err != nil {
		return err
	}
	t.c.layout.body = t.Offset()
	for _, field := range []struct {
		name string
		read func() error
	}{
		{"version", t.version}, {"dataUri", t.dataURI}, {"metaData", t.metaData},
		{"content", t.content}, {"temporalEvidence", t.temporalEvidence},
	} {
		if err := field.read(); err != nil {
			return fmt.Errorf("%s: %w", field.name, err)
		}
	}
	return t.Leave()
}

func (t *tsdReader) version() error {
	raw, err := t.Element()
	if err != nil {
		return err
	}
	return malformed("version", readVersion(&fields{raw}))
}

// ahead tells whether one of these identifiers stands next.
func (t *tsdReader) ahead(ids ...byte) (bool, error) {
	id, more, err := t.Next()
	if err != nil || !more {
		return false, err
	}
	for _, wanted := range ids {
		if id == wanted {
			return true, nil
		}
	}
	return false, nil
}

func (t *tsdReader) dataURI() error {
	if there, err := t.ahead(tagIA5String); err != nil || !there {
		return err
	}
	raw, err := t.brief("dataUri")
	if err != nil {
		return err
	}
	f := &fields{raw}
	return malformed("dataUri", f.text(asn1.TagIA5String, &t.c.DataURI))
}

func (t *tsdReader) metaData() error {
	if there, err := t.ahead(tagSequence); err != nil || !there {
		return err
	}
	raw, err := t.brief("MetaData")
	if err != nil {
		return err
	}
	t.c.MetaData, err = parseMetaData(raw)
	return malformed("MetaData", err)
}

// brief reads an element that has to be short: it is copied into what is shown.
func (t *tsdReader) brief(what string) ([]byte, error) {
	raw, err := t.Element()
	if err == nil && len(raw) > maxMetaData {
		err = malformed(what, fmt.Errorf("%d octets, more than %d", len(raw), maxMetaData))
	}
	return raw, err
}

// parseMetaData reads MetaData ::= SEQUENCE { hashProtected BOOLEAN, fileName
// UTF8String OPTIONAL, mediaType IA5String OPTIONAL, otherMetaData OPTIONAL }.
func parseMetaData(raw []byte) (*MetaData, error) {
	der, err := cms.DER(raw)
	if err != nil {
		return nil, err
	}
	f, err := sequence(der)
	if err != nil {
		return nil, err
	}
	m := &MetaData{raw: raw}
	if err := f.take(&m.HashProtected); err != nil {
		return nil, err
	}
	if err := f.text(asn1.TagUTF8String, &m.FileName); err != nil {
		return nil, err
	}
	if err := f.text(asn1.TagIA5String, &m.MediaType); err != nil {
		return nil, err
	}
	m.Other = f.rest
	if len(m.Other) == 0 {
		m.Other = nil
		return m, nil
	}
	if _, err := f.element(); err != nil {
		return nil, err
	}
	return m, f.end()
}

// encode returns the metadata as found, or in DER.
func (m *MetaData) encode() []byte {
	if m.raw != nil {
		return m.raw
	}
	protected := []byte{0x01, 0x01, 0x00}
	if m.HashProtected {
		protected[2] = 0xff
	}
	parts := [][]byte{protected}
	if m.FileName != "" {
		parts = append(parts, element(tagUTF8String, []byte(m.FileName)))
	}
	if m.MediaType != "" {
		parts = append(parts, element(tagIA5String, []byte(m.MediaType)))
	}
	return element(tagSequence, append(parts, m.Other)...)
}

func (m *MetaData) check() error {
	if m == nil {
		return nil
	}
	if !utf8.ValidString(m.FileName) {
		return fmt.Errorf("the file name %q is not UTF-8", m.FileName)
	}
	for _, b := range []byte(m.MediaType) {
		if b >= 0x80 {
			return fmt.Errorf("the media type %q is not ASCII", m.MediaType)
		}
	}
	return nil
}

func (t *tsdReader) content() error {
	if there, err := t.ahead(tagOctetString, tagOctetStringCons); err != nil || !there {
		return err
	}
	d := newDigester(t.o.hashes(), t.c.MetaData.prefix())
	sink := io.Writer(d)
	if t.o.Content != nil {
		sink = io.MultiWriter(t.o.Content, d)
	}
	var err error
	if t.c.ContentSize, err = t.Content(sink); err != nil {
		return err
	}
	t.c.Attached, t.c.digests = true, d.sums()
	return nil
}

// temporalEvidence reads the list of tokens; other evidence is kept as it is.
func (t *tsdReader) temporalEvidence() error {
	t.c.layout.evidence = t.Offset()
	if other, err := t.ahead(0xa1, 0xa2); err != nil { // ersEvidence, otherEvidence
		return err
	} else if other {
		t.c.Other, err = t.Element()
		return err
	}
	if err := t.Enter(tagContext0); err != nil {
		return err
	}
	t.c.layout.list = t.Offset()
	for {
		_, more, err := t.Next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if len(t.c.Evidence) == maxEvidence {
			return malformed("temporalEvidence", fmt.Errorf("more than %d tokens", maxEvidence))
		}
		raw, err := t.Element()
		if err != nil {
			return err
		}
		t.c.Evidence = append(t.c.Evidence, parseEvidence(raw))
	}
	t.c.layout.end = t.Offset()
	if len(t.c.Evidence) == 0 {
		return malformed("temporalEvidence", errors.New("it holds no token"))
	}
	return t.Leave()
}

// parseEvidence reads TimeStampAndCRL ::= SEQUENCE { timeStamp ContentInfo, crl
// CertificateList OPTIONAL }.
func parseEvidence(raw []byte) Evidence {
	e := Evidence{raw: raw}
	token, crl, err := splitEvidence(raw)
	if err == nil {
		e.CRL = crl
		e.Token, err = Parse(token)
	}
	e.Err = malformed("TimeStampAndCRL", err)
	return e
}

func splitEvidence(raw []byte) (token, crl []byte, err error) {
	d := cms.NewDecoder(bytes.NewReader(raw))
	if err := d.Enter(tagSequence); err != nil {
		return nil, nil, err
	}
	if token, err = d.Element(); err != nil {
		return nil, nil, err
	}
	if _, more, err := d.Next(); err != nil {
		return nil, nil, err
	} else if more {
		if crl, err = d.Element(); err != nil {
			return nil, nil, err
		}
	}
	return token, crl, d.Leave()
}

// check makes sure that there is a token to write.
func (e Evidence) check() error {
	if e.Token == nil {
		return errors.New("Evidence.Token is not set")
	}
	return nil
}

// encode returns the evidence as found, or in DER.
func (e Evidence) encode() []byte {
	if e.raw != nil {
		return e.raw
	}
	return element(tagSequence, e.Token.Raw, e.CRL)
}

// WriteTSD writes a document of this many octets and the time stamp over it as
// TimeStampedData in DER, in constant memory. While it is written the document is
// digested once more: when it is not what the token stamps, with the metadata if
// they are protected, the error wraps [ErrNotStamped]. After an error dst may hold a
// part of a file.
func WriteTSD(dst io.Writer, content io.Reader, size int64, m *MetaData, stamp Evidence) error {
	if err := cmp.Or(m.check(), stamp.check()); err != nil {
		return fmt.Errorf("writing TimeStampedData: %w", err)
	}
	h := stamp.Token.Info.Hash
	if h == 0 {
		return fmt.Errorf("writing TimeStampedData: %w: %v", ErrHash, stamp.Token.Info.HashAlgorithm)
	}
	head := []byte{0x02, 0x01, 0x01} // version 1
	if m != nil {
		head = append(head, m.encode()...)
	}
	head = cms.AppendHeader(head, tagOctetString, size)
	tail := element(tagContext0, stamp.encode())
	digest := newDigester([]crypto.Hash{h}, m.prefix())
	if _, err := dst.Write(append(opening(int64(len(head))+size+int64(len(tail))), head...)); err != nil {
		return fmt.Errorf("writing TimeStampedData: %w", err)
	}
	n, err := cms.Copy(dst, digest, io.LimitReader(content, size+1))
	switch {
	case err != nil:
		return fmt.Errorf("writing TimeStampedData: %w", err)
	case n != size || !stamp.Token.CoversDigest(digest.sums()[h]):
		return fmt.Errorf("writing TimeStampedData: %w", ErrNotStamped)
	}
	if _, err := dst.Write(tail); err != nil {
		return fmt.Errorf("writing TimeStampedData: %w", err)
	}
	return nil
}

// ErrNotStamped is wrapped by errors about a token that is not about the document it
// is put to.
var ErrNotStamped = errors.New("the time stamp is of something else than this document")

// opening returns the headers of a ContentInfo around a TimeStampedData with so many
// octets in it.
func opening(size int64) []byte {
	kind, err := asn1.Marshal(oidTimestampedData)
	if err != nil {
		panic(err) // a bug: it is a constant
	}
	data := cms.ElementSize(size)
	b := cms.AppendHeader(nil, tagSequence, int64(len(kind))+cms.ElementSize(data))
	b = append(b, kind...)
	b = cms.AppendHeader(b, tagContext0, data)
	return cms.AppendHeader(b, tagSequence, size)
}

// StampingDigests returns the digests that a token has to be over to be put into a
// container with the document and these metadata. Nil metadata, or ones that are not
// protected, leave the digests of the document alone.
func StampingDigests(hashes []crypto.Hash, content io.Reader, m *MetaData) (Digests, error) {
	d := newDigester(hashes, m.prefix())
	if _, err := cms.Copy(io.Discard, d, content); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	return d.sums(), nil
}

// AppendTSD writes the .tsd in src, which c was read from, with one more token at
// the end of its chain. Every octet of the document and of the elements that were
// there stays; only the lengths around them change, and text encodings are taken
// off. A token that isn't over [Container.ChainDigests] gives [ErrNotStamped].
func AppendTSD(dst io.Writer, src io.ReaderAt, size int64, c *Container, stamp Evidence) error {
	if c.Format != TSD || len(c.Evidence) == 0 {
		return errors.New("adding a time stamp: there is no token in TimeStampedData to add it to")
	}
	if err := stamp.check(); err != nil {
		return fmt.Errorf("adding a time stamp: %w", err)
	}
	if !stamp.Token.coversElement(c.Evidence[len(c.Evidence)-1].raw) {
		return fmt.Errorf("adding a time stamp: %w", ErrNotStamped)
	}
	plain, _, err := cms.Unarmor(io.NewSectionReader(src, 0, size))
	if err != nil {
		return fmt.Errorf("adding a time stamp: %w", err)
	}
	l, added := c.layout, stamp.encode()
	list := l.end - l.list + int64(len(added))
	head := opening(l.evidence - l.body + cms.ElementSize(list))
	for _, step := range []func() error{
		func() error { return skip(plain, l.body) },
		func() error { return put(dst, head) },
		func() error { return pass(dst, plain, l.evidence-l.body) },
		func() error { return skip(plain, l.list-l.evidence) },
		func() error { return put(dst, cms.AppendHeader(nil, tagContext0, list)) },
		func() error { return pass(dst, plain, l.end-l.list) },
		func() error { return put(dst, added) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("adding a time stamp: %w", err)
		}
	}
	return nil
}

func skip(src io.Reader, n int64) error { return pass(io.Discard, src, n) }

func pass(dst io.Writer, src io.Reader, n int64) error {
	_, err := io.CopyN(dst, src, n)
	return err
}

func put(dst io.Writer, b []byte) error {
	_, err := dst.Write(b)
	return err
}
