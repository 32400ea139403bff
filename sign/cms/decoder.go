// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
)

// Decoder reads the elements of a CMS structure that is not SignedData, such as
// the TimeStampedData of RFC 5544, one after the other and at any size. It takes
// BER and DER, and has the limits of this package.
//
// Its errors are [*FormatError], and [*WriteError] where a caller's writer fails.
type Decoder struct {
	s    *stream
	open []scope
}

// NewDecoder returns a decoder of the octets of r; see [Unarmor] for text.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{s: newStream(r, streamBuffer/4)} }

// scope is the constructed element being read.
func (d *Decoder) scope() scope {
	if len(d.open) == 0 {
		return outside
	}
	return d.open[len(d.open)-1]
}

// Next returns the identifier octet of the element that stands next, or false at
// the end of the constructed element being read.
func (d *Decoder) Next() (id byte, more bool, err error) {
	id, more, err = d.s.next(d.scope())
	return id, more, d.explain("element", err)
}

// Enter reads the header of a constructed element, which must have this
// identifier octet. What it holds is read next, up to [Decoder.Leave].
func (d *Decoder) Enter(id byte) error {
	if len(d.open) == maxDepth {
		return d.explain("element", errDepth)
	}
	inside, err := d.s.open(d.scope(), id)
	if err != nil {
		return d.explain(fmt.Sprintf("element 0x%02x", id), err)
	}
	d.open = append(d.open, inside)
	return nil
}

// Leave ends the constructed element being read, of which nothing may be left.
func (d *Decoder) Leave() error {
	if len(d.open) == 0 {
		return errors.New("leaving an element that wasn't entered")
	}
	err := d.s.close(d.scope())
	d.open = d.open[:len(d.open)-1]
	return d.explain("end of element", err)
}

// Element reads one whole element into memory, as found.
func (d *Decoder) Element() ([]byte, error) {
	raw, err := d.s.element(d.scope())
	return raw, d.explain("element", err)
}

// Content reads an OCTET STRING of any size, in one piece or in segments, to w,
// and returns how many octets it has.
func (d *Decoder) Content(w io.Writer) (int64, error) {
	n, err := d.s.readContent(d.scope(), w)
	return n, d.explain("content", err)
}

// ContentAt returns what [Decoder.Content] read as it stands in src, which the
// decoder reads from its first octet, without copying it. It is nil when it is in
// more than a million pieces.
func (d *Decoder) ContentAt(src io.ReaderAt) *io.SectionReader {
	if d.s.located.full {
		return nil
	}
	return io.NewSectionReader(&gathered{d.s.located, src}, 0, d.s.located.size)
}

// Offset is how many octets were read.
func (d *Decoder) Offset() int64 { return d.s.offset }

// BER tells whether an encoding that DER forbids was met among the headers that
// were read.
func (d *Decoder) BER() bool { return d.s.ber }

// Rest reads to the end of the input and returns how many octets came.
func (d *Decoder) Rest() (int64, error) {
	n, err := io.Copy(io.Discard, d.s.src)
	return n, d.explain("what follows", err)
}

func (d *Decoder) explain(what string, err error) error {
	var write *WriteError
	if err == nil || errors.As(err, &write) {
		return err
	}
	return d.s.fail(what, err)
}

// DER returns a BER element in DER (X.690, clauses 10 and 11): definite minimal
// lengths, strings in one piece, the elements of a SET in ascending order. The
// contents of primitive elements are left as they are, and so is a SET that an
// implicit tag hides.
func DER(raw []byte) ([]byte, error) {
	v, rest, err := nextValue(raw)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, errors.New("octets after the element")
	}
	return v.der()
}

// DigestAlgorithm returns the digest that an identifier names, or zero for one
// that this package doesn't compute.
func DigestAlgorithm(id asn1.ObjectIdentifier) crypto.Hash { return hashOf(id) }

// DigestIdentifier returns the identifier of a digest, or nil for one that this
// package doesn't know.
func DigestIdentifier(h crypto.Hash) asn1.ObjectIdentifier { return oidOf(h) }
