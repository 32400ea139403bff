// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"cmp"
	"errors"
	"io"
)

// readContent streams the octets of an eContent OCTET STRING (RFC 5652,
// section 5.2), in one piece or in segments within segments (X.690, clause
// 8.7.3), to w, and returns how many they were.
func (s *stream) readContent(in scope, w io.Writer) (int64, error) {
	c, err := s.content(in)
	if err != nil {
		return 0, err
	}
	return c.WriteTo(w)
}

// content reads the header of an OCTET STRING and returns a reader of its octets.
func (s *stream) content(in scope) (*contentReader, error) {
	h, err := s.header(in)
	if err != nil {
		return nil, err
	}
	c := &contentReader{s: s}
	switch h.id {
	case tagOctetString:
		c.begin(h.length)
	case tagOctetStringCons:
		s.ber = true
		c.open = []scope{s.inside(in, h)}
	default:
		return nil, errors.New("content is not an OCTET STRING")
	}
	return c, nil
}

// copyContent is readContent for a writer that takes its time, beside the digest.
func (s *stream) copyContent(in scope, dst, digest io.Writer) (int64, error) {
	c, err := s.content(in)
	if err != nil {
		return 0, err
	}
	return Copy(marked{dst}, digest, c)
}

// marked tells failures of a writer from those of what is read.
type marked struct{ io.Writer }

// Write implements [io.Writer].
func (m marked) Write(b []byte) (int, error) {
	n, err := m.Writer.Write(b)
	if err != nil {
		return n, &WriteError{err}
	}
	return n, nil
}

// inside returns the scope of an element whose header was just read.
func (s *stream) inside(in scope, h header) scope {
	if h.length == indefinite {
		return scope{end: indefinite, bound: in.bound}
	}
	return scope{end: s.offset + h.length, bound: s.offset + h.length}
}

// contentReader reads the octets of an OCTET STRING whose header was read. The open
// constructed strings are kept on a stack of bounded height.
type contentReader struct {
	s    *stream
	left int64 // octets of the segment being read
	open []scope
}

// begin says that so many content octets stand next.
func (c *contentReader) begin(length int64) {
	c.s.located.add(c.s.offset, length)
	c.left = length
}

// more finds the next segment that has octets. It says false at the end of the string.
func (c *contentReader) more() (bool, error) {
	for c.left == 0 {
		if len(c.open) == 0 {
			return false, nil
		}
		if err := c.advance(); err != nil {
			return false, errOrCut(err)
		}
	}
	return true, nil
}

// Read implements [io.Reader].
func (c *contentReader) Read(p []byte) (int, error) {
	more, err := c.more()
	if !more {
		return 0, cmp.Or(err, io.EOF)
	}
	n, err := c.s.src.Read(p[:min(int64(len(p)), c.left)])
	c.left, c.s.offset = c.left-int64(n), c.s.offset+int64(n)
	if n > 0 { // the error, if there is one, comes again
		return n, nil
	}
	return 0, errOrCut(err)
}

// WriteTo implements [io.WriterTo]. It hands the octets on where they are, without
// gathering them.
func (c *contentReader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		more, err := c.more()
		if !more {
			return total, err
		}
		if _, err := c.s.src.Peek(1); err != nil {
			return total, err
		}
		piece, _ := c.s.src.Peek(int(min(c.left, int64(c.s.src.Buffered()))))
		if _, err := w.Write(piece); err != nil {
			return total, &WriteError{err}
		}
		total, c.left = total+int64(len(piece)), c.left-int64(len(piece))
		if err := c.s.discard(len(piece)); err != nil {
			return total, err
		}
	}
}

// advance reads one header, or the end of a constructed string.
func (c *contentReader) advance() error {
	in := c.open[len(c.open)-1]
	_, more, err := c.s.next(in)
	if err != nil {
		return err
	}
	if !more {
		c.open = c.open[:len(c.open)-1]
		return c.s.close(in)
	}
	h, err := c.s.header(in)
	switch {
	case err != nil:
		return err
	case h.id == tagOctetString:
		c.begin(h.length)
	case h.id == tagOctetStringCons && len(c.open) < maxDepth:
		c.open = append(c.open, c.s.inside(in, h))
	case h.id == tagOctetStringCons:
		return errDepth
	default:
		return errors.New("content segment is not an OCTET STRING")
	}
	return nil
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
