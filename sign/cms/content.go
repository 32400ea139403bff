// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"errors"
	"io"
)

// readContent streams the octets of an eContent OCTET STRING (RFC 5652,
// section 5.2), in one piece or in segments within segments (X.690, clause
// 8.7.3), to w, and returns how many they were.
func (s *stream) readContent(in scope, w io.Writer) (int64, error) {
	h, err := s.header(in)
	if err != nil {
		return 0, err
	}
	switch h.id {
	case tagOctetString:
		s.located.add(s.offset, h.length)
		return h.length, s.copy(w, h.length)
	case tagOctetStringCons:
		s.ber = true
		return s.readSegments(s.inside(in, h), w)
	}
	return 0, errors.New("content is not an OCTET STRING")
}

// inside returns the scope of an element whose header was just read.
func (s *stream) inside(in scope, h header) scope {
	if h.length == indefinite {
		return scope{end: indefinite, bound: in.bound}
	}
	return scope{end: s.offset + h.length, bound: s.offset + h.length}
}

// readSegments reads the segments of a constructed OCTET STRING. The open
// ones are kept on a stack of bounded height.
func (s *stream) readSegments(outer scope, w io.Writer) (int64, error) {
	var total int64
	open := []scope{outer}
	for len(open) > 0 {
		in := open[len(open)-1]
		_, more, err := s.next(in)
		if err != nil {
			return total, err
		}
		if !more {
			open = open[:len(open)-1]
			if err := s.close(in); err != nil {
				return total, err
			}
			continue
		}
		h, err := s.header(in)
		switch {
		case err != nil:
			return total, err
		case h.id == tagOctetString:
			total += h.length
			s.located.add(s.offset, h.length)
			if err := s.copy(w, h.length); err != nil {
				return total, err
			}
		case h.id == tagOctetStringCons && len(open) < maxDepth:
			open = append(open, s.inside(in, h))
		case h.id == tagOctetStringCons:
			return total, errDepth
		default:
			return total, errors.New("content segment is not an OCTET STRING")
		}
	}
	return total, nil
}

// prefix keeps the first octets written to it.
type prefix struct {
	kept []byte
	max  int
	size int64 // of all that was written
}

// Write implements [io.Writer]; it never fails.
func (p *prefix) Write(b []byte) (int, error) {
	n := min(len(b), p.max-len(p.kept))
	p.kept = append(p.kept, b[:n]...)
	p.size += int64(len(b))
	return len(b), nil
}
