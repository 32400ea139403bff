// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// SignedData is a parsed SignedData (RFC 5652, section 5.1) without its
// content, which has streamed past.
type SignedData struct {
	Version          int
	DigestAlgorithms []AlgorithmIdentifier
	ContentType      asn1.ObjectIdentifier // eContentType
	Attached         bool                  // an eContent is present, be it empty
	ContentSize      int64                 // octets of the content, once it was seen
	Certificates     []*Certificate        // in the order of the file
	CRLs             [][]byte              // raw RevocationInfoChoice elements
	Signers          []*SignerInfo

	BER      bool  // not DER: indefinite lengths or a string in segments
	Armor    Armor // how the octets were wrapped in text
	Trailing int64 // octets after the end of the SignedData, or characters after its base64; signed by nobody
	digests  map[crypto.Hash][]byte
	opening  prefix         // of the content
	encap    span           // of encapContentInfo, for those who write the file again
	located  segments       // of the content
	given    []*Certificate // from outside; see ReadOptions.Certificates

	indexOnce        sync.Once
	certificateIndex *index

	largeKeys atomic.Int32 // signature values that were checked with one

	poolOnce sync.Once
	pool     *x509.CertPool
}

// span is a stretch of the decoded octets of a file.
type span struct{ start, end int64 }

// AlgorithmIdentifier is an algorithm and its parameters (RFC 5280, section
// 4.1.1.2).
type AlgorithmIdentifier struct {
	OID        asn1.ObjectIdentifier
	Parameters []byte // raw element; nil when absent
	raw        []byte // the whole AlgorithmIdentifier, as found
}

// ReadOptions say what to do with the content on its way past.
type ReadOptions struct {
	// Content receives the encapsulated content. It is unproven until
	// [SignedData.Check] was asked. Nil discards it.
	Content io.Writer
	// Hashes are digests to compute beside those the file announces; see
	// [SignedData.MissingHashes].
	Hashes []crypto.Hash
	// Certificates are looked among for a signer's, beside those in the file.
	Certificates []*x509.Certificate
}

// Read parses a ContentInfo with SignedData in DER, BER, PEM or base64, see [Unarmor].
// The content streams to o.Content and into the digests that the file
// announces; it can have any size.
//
// Input that is something else gives [ErrNotSignedData]; SignedData that is
// cut short, malformed or beyond the limits of this package gives a
// [*FormatError]. A single signer that can't be understood doesn't: see
// [SignerInfo.Err].
//
// Read checks no digest and no signature: ask [SignedData.Check].
func Read(r io.Reader, o ReadOptions) (*SignedData, error) {
	plain, armor, err := Unarmor(r)
	if err != nil {
		return nil, err
	}
	p := &parser{stream: newStream(plain, streamBuffer), sd: &SignedData{Armor: armor}, o: o}
	if err := p.contentInfo(); err != nil {
		return nil, p.explain(err)
	}
	p.sd.BER, p.sd.located = p.ber, p.located
	for _, c := range o.Certificates {
		p.sd.given = append(p.sd.given, newCertificate(c.Raw))
	}
	if p.sd.Trailing, err = p.trailing(plain); err != nil {
		return nil, p.explain(err)
	}
	return p.sd, nil
}

// trailing reads what is left behind the SignedData and returns how much it is.
func (p *parser) trailing(plain io.Reader) (int64, error) {
	n, err := io.Copy(io.Discard, p.src)
	if text, ok := plain.(*armored); ok {
		behind, err := text.behind(err)
		return n + behind, err
	}
	return n, err
}

// parser walks the structure of a SignedData and fills sd.
type parser struct {
	*stream
	sd   *SignedData
	o    ReadOptions
	what string // the field being read, for errors
}

// explain turns an error into what Read returns.
func (p *parser) explain(err error) error {
	var write *WriteError
	if errors.Is(err, ErrNotSignedData) || errors.As(err, &write) {
		return err
	}
	return p.fail(p.what, err)
}

// contentInfo reads ContentInfo ::= SEQUENCE { contentType, [0] content }
// (RFC 5652, section 3).
func (p *parser) contentInfo() error {
	p.what = "ContentInfo"
	seq, err := p.open(outside, tagSequence)
	if err != nil {
		return ErrNotSignedData
	}
	oid, err := p.oid(seq)
	if err != nil || !oid.Equal(oidSignedData) {
		return ErrNotSignedData
	}
	content, err := p.open(seq, tagContext0)
	if err != nil {
		return err
	}
	if err := p.signedData(content); err != nil {
		return err
	}
	p.what = "end of ContentInfo"
	if err := p.close(content); err != nil {
		return err
	}
	return p.close(seq)
}

// signedData reads the fields of RFC 5652, section 5.1, in their order.
func (p *parser) signedData(in scope) error {
	p.what = "SignedData"
	seq, err := p.open(in, tagSequence)
	if err != nil {
		return err
	}
	for _, field := range []struct {
		name string
		read func(scope) error
	}{
		{"version", p.version},
		{"digestAlgorithms", p.digestAlgorithms},
		{"encapContentInfo", p.encapContentInfo},
		{"certificates", p.certificates},
		{"crls", p.crls},
		{"signerInfos", p.signerInfos},
	} {
		p.what = field.name
		if err := field.read(seq); err != nil {
			return err
		}
	}
	p.what = "end of SignedData"
	return p.close(seq)
}

func (p *parser) version(in scope) error {
	raw, err := p.element(in)
	if err != nil {
		return err
	}
	p.sd.Version, err = smallInt(raw)
	return err
}

func (p *parser) oid(in scope) (asn1.ObjectIdentifier, error) {
	raw, err := p.element(in)
	if err != nil {
		return nil, err
	}
	return parseOID(raw)
}

func (p *parser) digestAlgorithms(in scope) error {
	return p.each(in, tagSet, func(raw []byte) error {
		algorithm, err := parseAlgorithm(raw)
		p.sd.DigestAlgorithms = append(p.sd.DigestAlgorithms, algorithm)
		return err
	})
}

// each reads a constructed element and hands every element in it to f.
func (p *parser) each(in scope, id byte, f func(raw []byte) error) error {
	set, err := p.open(in, id)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		_, more, err := p.next(set)
		if err != nil {
			return err
		}
		if !more {
			return p.close(set)
		}
		if n == maxElements {
			return fmt.Errorf("more than %d elements", maxElements)
		}
		raw, err := p.element(set)
		if err != nil {
			return err
		}
		if err := f(raw); err != nil {
			return err
		}
	}
}

// encapContentInfo reads the content type and streams the content, if there
// is one, into the announced digests.
func (p *parser) encapContentInfo(in scope) error {
	p.sd.encap.start = p.offset
	defer func() { p.sd.encap.end = p.offset }()
	seq, err := p.open(in, tagSequence)
	if err != nil {
		return err
	}
	if p.sd.ContentType, err = p.oid(seq); err != nil {
		return err
	}
	_, more, err := p.next(seq)
	if err != nil {
		return err
	}
	if more {
		if err := p.eContent(seq); err != nil {
			return err
		}
	}
	return p.close(seq)
}

func (p *parser) eContent(in scope) error {
	explicit, err := p.open(in, tagContext0)
	if err != nil {
		return err
	}
	d := p.sd.digester(p.o.Hashes)
	p.sd.opening = prefix{max: openingSize}
	digest := io.MultiWriter(&p.sd.opening, d)
	if p.o.Content == nil {
		p.sd.ContentSize, err = p.readContent(explicit, digest)
	} else {
		p.sd.ContentSize, err = p.copyContent(explicit, p.o.Content, digest)
	}
	if err != nil {
		return err
	}
	p.sd.Attached, p.sd.digests = true, d.sums()
	return p.close(explicit)
}

// digester returns the digests to compute: what the file announces, up to a few of them,
// what its signers use as far as they are known by now, and what the caller asks for.
func (sd *SignedData) digester(extra []crypto.Hash) digester {
	d := digester{}
	for _, a := range sd.DigestAlgorithms {
		if len(d) < maxAnnounced {
			d.add(hashOf(a.OID))
		}
	}
	for _, s := range sd.Signers {
		d.add(s.Hash())
	}
	for _, h := range extra {
		d.add(h)
	}
	return d
}

// optional reads a [n] IMPLICIT SET if it stands next.
func (p *parser) optional(in scope, id byte, f func(raw []byte) error) error {
	next, more, err := p.next(in)
	if err != nil || !more || next != id {
		return err
	}
	return p.each(in, id, f)
}

func (p *parser) certificates(in scope) error {
	left := maxCertified
	return p.optional(in, tagContext0, func(raw []byte) error {
		if left -= len(raw); left < 0 {
			return fmt.Errorf("more than %d MiB of certificates", maxCertified>>20)
		}
		p.sd.Certificates = append(p.sd.Certificates, newCertificate(raw))
		return nil
	})
}

func (p *parser) crls(in scope) error {
	return p.optional(in, tagContext1, func(raw []byte) error {
		p.sd.CRLs = append(p.sd.CRLs, raw)
		return nil
	})
}

func (p *parser) signerInfos(in scope) error {
	b := newBudget()
	return p.each(in, tagSet, func(raw []byte) error {
		p.sd.Signers = append(p.sd.Signers, parseSignerInfo(raw, b, maxDepth))
		return b.exhausted()
	})
}

// ErrAttached is returned by [SignedData.DigestContent] for a signature that
// carries its content.
var ErrAttached = errors.New("the signature carries its content")

// DigestContent computes the digests of the content of a detached signature, and
// further ones. It reads content to its end.
func (sd *SignedData) DigestContent(content io.Reader, further ...crypto.Hash) error {
	if sd.Attached {
		return ErrAttached
	}
	d := sd.digester(further)
	sd.opening = prefix{max: openingSize}
	n, err := Copy(io.Discard, io.MultiWriter(&sd.opening, d), content)
	if err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	sd.ContentSize, sd.digests = n, d.sums()
	return nil
}

// ContentStart returns the first octets of the content, up to 64 KiB of them, as soon
// as it was seen. They are as unproven as what [ReadOptions.Content] received.
func (sd *SignedData) ContentStart() []byte { return sd.opening.kept }

// MissingHashes returns digests that a signer uses but the file didn't
// announce before its content, or only behind three others, so that they were not computed. Reading again
// with them in [ReadOptions.Hashes] completes the answer.
func (sd *SignedData) MissingHashes() []crypto.Hash {
	var missing []crypto.Hash
	for _, s := range sd.Signers {
		h := s.Hash()
		if h != 0 && sd.digests[h] == nil && !slices.Contains(missing, h) {
			missing = append(missing, h)
		}
	}
	return missing
}

// ContentDigest returns the digest of the content, or nil when it wasn't
// computed.
func (sd *SignedData) ContentDigest(h crypto.Hash) []byte { return bytes.Clone(sd.digests[h]) }
