// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// Identifier octets (X.690, clause 8.1.2) used by CMS.
const (
	tagInteger         = 0x02
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagSequence        = 0x30
	tagSet             = 0x31
	tagContext0        = 0xa0 // [0], constructed
	tagContext1        = 0xa1 // [1], constructed
	tagContext0Prim    = 0x80 // [0], primitive
	tagOctetStringCons = 0x24 // OCTET STRING in segments, BER only

	constructed = 0x20
	classMask   = 0xc0
	numberMask  = 0x1f
)

// indefinite is the length of an element that ends with end-of-contents
// octets (X.690, clause 8.1.3.6).
const indefinite = -1

// maxDepth is how many levels of indefinite lengths or constructed elements
// may stand in each other.
const maxDepth = 64

// header is the identifier and length octets of one element.
type header struct {
	id     byte  // first identifier octet
	length int64 // contents octets, or indefinite
}

// octetReader is what a header is read from: a stream or a slice.
type octetReader interface {
	ReadByte() (byte, error)
}

// readHeader reads identifier and length octets. It accepts BER's long forms;
// it refuses the reserved length octet and lengths past 2^62.
func readHeader(r octetReader) (header, error) {
	id, err := r.ReadByte()
	if err != nil {
		return header{}, err
	}
	if id == 0 {
		return readEndOfContents(r)
	}
	if id&numberMask == numberMask {
		if err := skipTagNumber(r); err != nil {
			return header{}, err
		}
	}
	length, err := readLength(r)
	if err != nil {
		return header{}, err
	}
	if length == indefinite && id&constructed == 0 {
		return header{}, errors.New("primitive element of indefinite length")
	}
	return header{id, length}, nil
}

// skipTagNumber reads the octets of a tag number over 30 (X.690, clause
// 8.1.2.4). CMS has none, but a certificate extension could.
func skipTagNumber(r octetReader) error {
	for range 5 {
		b, err := r.ReadByte()
		if err != nil {
			return err
		}
		if b&0x80 == 0 {
			return nil
		}
	}
	return errors.New("tag number too large")
}

// readEndOfContents reads what follows the identifier octet 0: it is for
// end-of-contents octets only, whose length is one octet (X.690, clause 8.1.5).
func readEndOfContents(r octetReader) (header, error) {
	length, err := r.ReadByte()
	if err == nil && length != 0 {
		err = errors.New("reserved tag 0")
	}
	return header{}, err
}

func readLength(r octetReader) (int64, error) {
	first, err := r.ReadByte()
	switch {
	case err != nil:
		return 0, err
	case first < 0x80:
		return int64(first), nil
	case first == 0x80:
		return indefinite, nil
	case first == 0xff:
		return 0, errors.New("reserved length octet 0xff")
	}
	var length uint64
	for range first & 0x7f {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if length = length<<8 | uint64(b); length > 1<<62-1 {
			return 0, errors.New("length over 2^62")
		}
	}
	return int64(length), nil
}

// value is one element in memory.
type value struct {
	id   byte
	raw  []byte // the whole element as found
	body []byte // its contents octets, without end-of-contents octets
}

var errCut = errors.New("element ends before its contents do")

// nextValue splits the first element off b.
func nextValue(b []byte) (v value, rest []byte, err error) {
	r := bytes.NewReader(b)
	h, err := readHeader(r)
	if err != nil {
		return value{}, nil, errOrCut(err)
	}
	start := len(b) - r.Len()
	if h.length != indefinite {
		if h.length > int64(r.Len()) {
			return value{}, nil, errCut
		}
		end := start + int(h.length)
		return value{h.id, b[:end], b[start:end]}, b[end:], nil
	}
	end, err := endOfContents(b, start)
	if err != nil {
		return value{}, nil, err
	}
	return value{h.id, b[:end+2], b[start:end]}, b[end+2:], nil
}

// endOfContents returns the offset of the end-of-contents octets that close
// the indefinite element whose contents begin at start. It doesn't look into
// elements of definite length, so it is linear.
func endOfContents(b []byte, start int) (int, error) {
	depth := 1
	r := bytes.NewReader(b[start:])
	for {
		at := len(b) - r.Len()
		h, err := readHeader(r)
		if err != nil {
			return 0, errOrCut(err)
		}
		switch {
		case h.id == 0 && h.length == 0:
			if depth--; depth == 0 {
				return at, nil
			}
		case h.length == indefinite:
			if depth++; depth > maxDepth {
				return 0, errDepth
			}
		case h.length > int64(r.Len()):
			return 0, errCut
		default:
			_, _ = r.Seek(h.length, 1) // stays inside b: the length was compared just now
		}
	}
}

var errDepth = fmt.Errorf("more than %d levels of nesting", maxDepth)

// errOrCut gives the end of input its meaning inside an element.
func errOrCut(err error) error {
	if isEOF(err) {
		return errCut
	}
	return err
}

// children splits the contents into elements, at the most limit of them.
func (v value) children(limit int) ([]value, error) {
	var list []value
	for rest := v.body; len(rest) > 0; {
		if len(list) == limit {
			return nil, fmt.Errorf("more than %d elements", limit)
		}
		child, after, err := nextValue(rest)
		if err != nil {
			return nil, err
		}
		list, rest = append(list, child), after
	}
	return list, nil
}

// der returns the element in DER: definite minimal lengths, strings in one
// piece, the elements of a SET in ascending order (X.690, clauses 10 and
// 11.6). Contents of primitive elements are left as they are.
func (v value) der() ([]byte, error) { return v.derAt(maxDepth) }

func (v value) derAt(depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errDepth
	}
	if v.id&numberMask == numberMask {
		return nil, errors.New("tag number over 30")
	}
	if v.id&constructed == 0 {
		return appendElement(nil, v.id, v.body), nil
	}
	kids, err := v.children(maxElements)
	if err != nil {
		return nil, err
	}
	parts := make([][]byte, len(kids))
	for i, kid := range kids {
		if parts[i], err = kid.derAt(depth - 1); err != nil {
			return nil, err
		}
	}
	if isString(v.id) {
		return joinSegments(v.id&^constructed, parts)
	}
	if v.id == tagSet {
		sortSet(parts)
	}
	return appendElement(nil, v.id, bytes.Join(parts, nil)), nil
}

// isString tells whether id is a universal string type in constructed form.
func isString(id byte) bool {
	if id&classMask != 0 {
		return false
	}
	switch id & numberMask {
	case 0x04, 0x0c, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1e:
		return true
	}
	return false
}

// joinSegments makes one primitive string of its segments, which are DER
// already.
func joinSegments(id byte, segments [][]byte) ([]byte, error) {
	var body []byte
	for _, s := range segments {
		v, _, err := nextValue(s)
		if err != nil {
			return nil, err
		}
		if v.id&constructed != 0 {
			return nil, errors.New("string segment that is no string")
		}
		body = append(body, v.body...)
	}
	return appendElement(nil, id, body), nil
}

// sortSet orders encodings as DER wants a SET OF (X.690, clause 11.6).
func sortSet(parts [][]byte) {
	sort.SliceStable(parts, func(i, j int) bool { return bytes.Compare(parts[i], parts[j]) < 0 })
}

// appendElement appends an element with a definite, minimal length.
func appendElement(dst []byte, id byte, body []byte) []byte {
	return append(AppendHeader(slices.Grow(dst, len(body)+maxHeader), id, int64(len(body))), body...)
}

// maxHeader is the most octets that AppendHeader appends.
const maxHeader = 2 + 8

// AppendHeader appends the identifier octet and definite, minimal length octets of
// an element (X.690, clauses 8.1 and 10.1).
func AppendHeader(dst []byte, id byte, length int64) []byte {
	dst = append(dst, id)
	if length < 0x80 {
		return append(dst, byte(length))
	}
	n := 1
	for l := length; l > 0xff; l >>= 8 {
		n++
	}
	dst = append(dst, 0x80|byte(n))
	for n--; n >= 0; n-- {
		dst = append(dst, byte(length>>(8*n)))
	}
	return dst
}

// ElementSize returns how many octets an element with this many contents octets
// takes in DER.
func ElementSize(length int64) int64 {
	return int64(len(AppendHeader(nil, 0, length))) + length
}
