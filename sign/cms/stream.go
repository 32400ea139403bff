// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Limits on what is kept in memory. They are far above any real file.
const (
	maxKept       = 32 << 20 // octets of everything but the content
	maxElements   = 10_000   // certificates or CRLs; elements of one constructed value
	maxSigners    = 2_000    // signers and counter-signers
	maxCertified  = 4 << 20  // octets of certificates: taken apart they are many times larger
	maxLargeKeys  = 100      // signature values checked with large RSA keys; see isLarge
	maxAnnounced  = 3        // digests of the content that a file can have computed by announcing them
	maxAttributes = 1_000    // attributes of one signer, signed or unsigned; values of one attribute
	maxSerial     = 1_000    // octets of a serial number that names a signer

	maxAllAttributes = 200_000 // attributes and values of attributes of all signers and counter-signers
)

// FormatError says that the input is not well-formed SignedData: cut short,
// contradicting itself, or past a limit of this package.
type FormatError struct {
	Offset int64 // octets read when it was noticed; in base64 input, octets decoded
	What   string
	Err    error
}

// Error implements error.
func (e *FormatError) Error() string {
	return fmt.Sprintf("reading %s at offset %d: %v", e.What, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// ErrNotSignedData is returned for input that is no CMS SignedData at all, as
// opposed to a damaged one.
var ErrNotSignedData = errors.New("not CMS SignedData")

// stream reads elements one after another from an unseekable source.
type stream struct {
	src    *bufio.Reader
	offset int64
	kept   int64 // octets handed out by element, against maxKept
	ber    bool  // an encoding that DER forbids was met

	located segments // where the content was
}

const streamBuffer = 256 << 10

func newStream(r io.Reader, buffer int) *stream {
	return &stream{src: bufio.NewReaderSize(r, buffer)}
}

// scope is a constructed element being read.
type scope struct {
	end   int64 // offset after the last contents octet, or indefinite
	bound int64 // no element inside may pass this offset: the nearest definite end
}

// outside is the scope of the whole input.
var outside = scope{end: math.MaxInt64, bound: math.MaxInt64}

// ReadByte implements octetReader.
func (s *stream) ReadByte() (byte, error) {
	b, err := s.src.ReadByte()
	if err == nil {
		s.offset++
	}
	return b, err
}

func (s *stream) fail(what string, err error) error {
	var format *FormatError
	if errors.As(err, &format) {
		return err
	}
	return &FormatError{Offset: s.offset, What: what, Err: errOrCut(err)}
}

// header reads a header and checks that the element fits into its scope.
func (s *stream) header(in scope) (header, error) {
	h, err := readHeader(s)
	if err != nil {
		return header{}, err
	}
	if h.length == indefinite {
		s.ber = true
	} else if h.length > in.bound-s.offset {
		return header{}, errors.New("element is longer than what holds it")
	}
	return h, nil
}

// open reads the header of a constructed element with this identifier.
func (s *stream) open(in scope, id byte) (scope, error) {
	h, err := s.header(in)
	if err != nil {
		return scope{}, err
	}
	if h.id != id {
		return scope{}, fmt.Errorf("found tag 0x%02x, expected 0x%02x", h.id, id)
	}
	if h.length == indefinite {
		return scope{end: indefinite, bound: in.bound}, nil
	}
	end := s.offset + h.length
	return scope{end: end, bound: end}, nil
}

// next returns the identifier octet of the next element in the scope, or
// false at its end.
func (s *stream) next(in scope) (byte, bool, error) {
	if in.end != indefinite && s.offset >= in.end {
		return 0, false, nil
	}
	b, err := s.src.Peek(2)
	if len(b) == 0 || (len(b) < 2 && in.end == indefinite) {
		return 0, false, eofIfNil(err)
	}
	if in.end == indefinite && b[0] == 0 && b[1] == 0 {
		if in.bound-s.offset < 2 {
			return 0, false, errors.New("end-of-contents octets stand outside of what holds the element")
		}
		return 0, false, nil
	}
	return b[0], true, nil
}

func eofIfNil(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// close checks that nothing is left in the scope, and reads its
// end-of-contents octets.
func (s *stream) close(in scope) error {
	_, more, err := s.next(in)
	if err != nil {
		return err
	}
	if more {
		return errors.New("unexpected element at the end")
	}
	if in.end == indefinite {
		return s.discard(2)
	}
	return nil
}

func (s *stream) discard(n int) error {
	n, err := s.src.Discard(n)
	s.offset += int64(n)
	return err
}

// element reads one whole element into memory, as found. What is inside an
// element of definite length isn't looked at.
func (s *stream) element(in scope) ([]byte, error) {
	var raw []byte
	depth := 0
	for {
		h, err := s.keepHeader(&raw, in)
		if err != nil {
			return nil, err
		}
		switch {
		case h.length == indefinite:
			if depth++; depth > maxDepth {
				return nil, errDepth
			}
		case depth > 0 && h.id == 0 && h.length == 0:
			depth--
		default:
			if err := s.keep(&raw, h.length); err != nil {
				return nil, err
			}
		}
		if depth == 0 {
			return raw, nil
		}
	}
}

// keepHeader reads a header and appends its octets to raw.
func (s *stream) keepHeader(raw *[]byte, in scope) (header, error) {
	ahead, _ := s.src.Peek(16) // the longest header is shorter
	ahead = bytes.Clone(ahead)
	before := s.offset
	h, err := s.header(in)
	if err != nil {
		return header{}, err
	}
	n := int(s.offset - before)
	if n > len(ahead) {
		return header{}, errors.New("length octets too long")
	}
	*raw = append(*raw, ahead[:n]...)
	return h, s.account(int64(n))
}

// keep appends n octets to raw. The buffer grows with what really arrives, not
// with what a length claims, and in the end not beyond it. It grows in a few steps,
// since what it was before stays in memory for a while.
func (s *stream) keep(raw *[]byte, n int64) error {
	if err := s.account(n); err != nil {
		return err
	}
	for left := int(n); left > 0; {
		have := len(*raw)
		piece := min(left, max(15*have, streamBuffer))
		*raw = slices.Grow(*raw, piece)[:have+piece]
		got, err := io.ReadFull(s.src, (*raw)[have:])
		s.offset += int64(got)
		if err != nil {
			return err
		}
		left -= got
	}
	return nil
}

func (s *stream) account(n int64) error {
	if s.kept += n; s.kept > maxKept {
		return fmt.Errorf("more than %d MiB beside the content", maxKept>>20)
	}
	return nil
}

// WriteError is a failure of the caller's writer in [ReadOptions.Content], as
// opposed to a malformed input.
type WriteError struct{ Err error }

// Error implements error.
func (e *WriteError) Error() string { return "writing content: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
