// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Options say what to write.
type Options struct {
	Signers  []Signer // REQUIRED: at least one; all sign the same content, in parallel
	Detached bool     // leave the content out (.p7s)
}

// Sign reads content to its end and writes a CAdES B-B signature of it to
// dst, in constant memory.
//
// With the content attached, the encoding is DER when the content tells its
// size by being an [io.Seeker]; otherwise, as with a pipe, it is BER with
// indefinite lengths. Keys whose signatures vary in length (ECDSA) need to
// know the signature before the first octet is written, so a seekable content
// is read twice for them.
//
// Nothing is written before the Signers were checked. After an error dst may
// hold a part of a file, which must be thrown away.
func Sign(dst io.Writer, content io.Reader, o Options) error {
	e, err := newEnvelope(o.Signers)
	if err != nil {
		return err
	}
	size, seeker := sizeOf(content)
	switch {
	case o.Detached:
		return e.signDetached(dst, content)
	case seeker == nil:
		return e.signIndefinite(dst, content)
	case e.fixed():
		return e.signDefinite(dst, content, size)
	}
	return e.signTwice(dst, seeker, size)
}

// SignDigest returns the DER of a detached CAdES B-B signature over content
// with this digest, made with s.Hash.
func (s Signer) SignDigest(digest []byte) ([]byte, error) {
	e, err := newEnvelope([]Signer{s})
	if err != nil {
		return nil, err
	}
	infos, err := e.signerInfos(digest)
	if err != nil {
		return nil, err
	}
	return e.detached(infos), nil
}

// MaxDetachedSize returns how many octets SignDigest returns at the most. It
// makes no signature.
func (s Signer) MaxDetachedSize() (int, error) {
	e, err := newEnvelope([]Signer{s})
	if err != nil {
		return 0, err
	}
	return len(e.detached(e.drafts())), nil
}

// envelope is a SignedData being written.
type envelope struct {
	plans        []*plan
	contentType  asn1.ObjectIdentifier
	bag          [][]byte // the certificates, each once
	certificates []byte   // [0] IMPLICIT CertificateSet, in DER

	crls    [][]byte // RevocationInfoChoice elements to add
	version int      // that they need
}

// newEnvelope is for signers whose SignerInfos have a size that is known before they sign.
func newEnvelope(signers []Signer) (*envelope, error) {
	for _, s := range signers {
		if s.Unsigned != nil {
			return nil, errors.New("signing: Signer.Unsigned is for signatures that are added to others")
		}
	}
	return newAmendment(signers)
}

func newAmendment(signers []Signer) (*envelope, error) {
	if len(signers) == 0 {
		return nil, errors.New("signing: no signer")
	}
	e := &envelope{contentType: oidData}
	for _, s := range signers {
		p, err := s.plan()
		if err != nil {
			return nil, err
		}
		e.plans = append(e.plans, p)
		e.bag = addCertificate(e.bag, s.Certificate)
		for _, c := range s.Chain {
			e.bag = addCertificate(e.bag, c)
		}
	}
	e.certificates = set(e.bag...)
	e.certificates[0] = tagContext0
	return e, nil
}

func addCertificate(list [][]byte, c *x509.Certificate) [][]byte {
	if contains(list, c.Raw) {
		return list
	}
	return append(list, c.Raw)
}

// fixed tells whether the size of all signature values is known beforehand.
func (e *envelope) fixed() bool {
	for _, p := range e.plans {
		if !p.fixed {
			return false
		}
	}
	return true
}

func (e *envelope) digester() digester {
	d := digester{}
	for _, p := range e.plans {
		d.add(p.Hash)
	}
	return d
}

// signerInfos signs. With one digest for all signers it may be given;
// otherwise each takes its own from sums.
func (e *envelope) signerInfos(digest []byte) ([]byte, error) {
	return e.sign(func(*plan) []byte { return digest })
}

func (e *envelope) signSums(d digester) ([]byte, error) {
	sums := d.sums()
	return e.sign(func(p *plan) []byte { return sums[p.Hash] })
}

func (e *envelope) sign(digest func(*plan) []byte) ([]byte, error) {
	infos := make([][]byte, len(e.plans))
	for i, p := range e.plans {
		var err error
		if infos[i], err = p.signerInfo(e.contentType, digest(p)); err != nil {
			return nil, err
		}
	}
	return set(infos...), nil
}

// drafts returns signerInfos of the final size without signatures.
func (e *envelope) drafts() []byte {
	infos := make([][]byte, len(e.plans))
	for i, p := range e.plans {
		infos[i] = p.draft(e.contentType)
	}
	return set(infos...)
}

// head returns version and digestAlgorithms. The version is 1: the content is
// id-data and signers are named by issuer and serial (RFC 5652, section 5.1).
func (e *envelope) head() []byte {
	var algorithms [][]byte
	for _, p := range e.plans {
		if !contains(algorithms, p.digestAlg) {
			algorithms = append(algorithms, p.digestAlg)
		}
	}
	return append(integer(big.NewInt(1)), set(algorithms...)...)
}

func contains(list [][]byte, b []byte) bool {
	for _, have := range list {
		if bytes.Equal(have, b) {
			return true
		}
	}
	return false
}

// detached returns the ContentInfo of a SignedData without content.
func (e *envelope) detached(infos []byte) []byte {
	signedData := sequence(e.head(), sequence(oid(e.contentType)), e.certificates, infos)
	return sequence(oid(oidSignedData), appendElement(nil, tagContext0, signedData))
}

func (e *envelope) signDetached(dst io.Writer, content io.Reader) error {
	d := e.digester()
	if _, err := Copy(io.Discard, d, content); err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	infos, err := e.signSums(d)
	if err != nil {
		return err
	}
	return write(dst, e.detached(infos))
}

// opening returns everything before the content octets of a DER file with
// size octets of content and signerInfos of infos octets.
func (e *envelope) opening(size, infos int64) []byte {
	octetString := ElementSize(size)
	explicit := ElementSize(octetString)
	head, contentType := e.head(), oid(e.contentType)
	encap := int64(len(contentType)) + explicit
	signedData := int64(len(head)) + ElementSize(encap) + int64(len(e.certificates)) + infos
	inner := ElementSize(signedData)
	outer := oid(oidSignedData)

	b := AppendHeader(nil, tagSequence, int64(len(outer))+ElementSize(inner))
	b = append(b, outer...)
	b = AppendHeader(b, tagContext0, inner)
	b = AppendHeader(b, tagSequence, signedData)
	b = append(b, head...)
	b = AppendHeader(b, tagSequence, encap)
	b = append(b, contentType...)
	b = AppendHeader(b, tagContext0, octetString)
	return AppendHeader(b, tagOctetString, size)
}

var errChanged = errors.New("signing: the content changed while it was read")

// signDefinite writes DER in one pass: the length of everything is known.
func (e *envelope) signDefinite(dst io.Writer, content io.Reader, size int64) error {
	drafts := int64(len(e.drafts()))
	if err := write(dst, e.opening(size, drafts)); err != nil {
		return err
	}
	d := e.digester()
	n, err := Copy(dst, d, content)
	if err != nil {
		return fmt.Errorf("copying content: %w", err)
	}
	if n != size {
		return errChanged
	}
	infos, err := e.signSums(d)
	if err != nil {
		return err
	}
	if int64(len(infos)) != drafts {
		return fmt.Errorf("signing: signers of %d octets, %d were announced", len(infos), drafts)
	}
	return write(dst, e.certificates, infos)
}

// signTwice writes DER in two passes: digest and sign, then write. The second
// pass digests again, so that a file changed in between isn't passed off as
// signed.
func (e *envelope) signTwice(dst io.Writer, content io.ReadSeeker, size int64) error {
	start, err := content.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	first := e.digester()
	if n, err := Copy(io.Discard, first, content); err != nil {
		return fmt.Errorf("reading content: %w", err)
	} else if n != size {
		return errChanged
	}
	infos, err := e.signSums(first)
	if err != nil {
		return err
	}
	if _, err := content.Seek(start, io.SeekStart); err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	if err := write(dst, e.opening(size, int64(len(infos)))); err != nil {
		return err
	}
	second := e.digester()
	if _, err := Copy(dst, second, content); err != nil {
		return fmt.Errorf("copying content: %w", err)
	}
	if !second.equal(first) {
		return errChanged
	}
	return write(dst, e.certificates, infos)
}

// signIndefinite writes BER in one pass: the size isn't known.
func (e *envelope) signIndefinite(dst io.Writer, content io.Reader) error {
	open := func(id byte) []byte { return []byte{id, 0x80} }
	err := write(dst,
		open(tagSequence), oid(oidSignedData), open(tagContext0), open(tagSequence),
		e.head(), open(tagSequence), oid(e.contentType), open(tagContext0), open(tagOctetStringCons))
	if err != nil {
		return err
	}
	d := e.digester()
	segments := bufio.NewWriterSize(segmentWriter{dst}, pieceSize)
	if _, err := Copy(segments, d, content); err != nil {
		return fmt.Errorf("copying content: %w", err)
	}
	if err := segments.Flush(); err != nil {
		return fmt.Errorf("writing signature: %w", err)
	}
	infos, err := e.signSums(d)
	if err != nil {
		return err
	}
	const endOfContents = "\x00\x00"
	return write(dst, []byte(endOfContents+endOfContents+endOfContents),
		e.certificates, infos, []byte(endOfContents+endOfContents+endOfContents))
}

// segmentWriter writes each piece as an OCTET STRING of its own.
type segmentWriter struct{ dst io.Writer }

// Write implements [io.Writer].
func (w segmentWriter) Write(piece []byte) (int, error) {
	if _, err := w.dst.Write(AppendHeader(nil, tagOctetString, int64(len(piece)))); err != nil {
		return 0, err
	}
	return w.dst.Write(piece)
}

func write(dst io.Writer, parts ...[]byte) error {
	for _, part := range parts {
		if _, err := dst.Write(part); err != nil {
			return fmt.Errorf("writing signature: %w", err)
		}
	}
	return nil
}

// sizeOf returns how much is left to read in content, if it can tell.
func sizeOf(content io.Reader) (int64, io.ReadSeeker) {
	seeker, ok := content.(io.ReadSeeker)
	if !ok {
		return 0, nil
	}
	here, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, nil // a pipe has the method but not the ability
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, nil
	}
	if _, err := seeker.Seek(here, io.SeekStart); err != nil {
		return 0, nil
	}
	return end - here, seeker
}
