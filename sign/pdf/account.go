// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"cmp"
	"slices"
)

// account checks that every byte of the update belongs to an object that its
// cross-reference sections name, to one of these sections, or to white space and
// comments. What stands in between is not there for a reader that goes by the
// sections, and is for one that looks for objects.
func (s *step) account() error {
	for _, d := range s.order {
		if err := s.uninvited(d); err != nil {
			return err
		}
	}
	owned, err := s.owned()
	if err != nil {
		return err
	}
	slices.SortFunc(owned, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	at := s.was.limit
	for _, o := range owned {
		if o.start < at {
			s.forbid(ChangeFile, "the bytes from %d have two meanings", o.start)
			return nil
		}
		if err := s.nothingIn(span{at, o.start}); err != nil {
			return err
		}
		at = max(at, o.end)
	}
	return s.nothingIn(span{at, s.is.limit})
}

// uninvited forbids objects in an object stream that no row leads to.
func (s *step) uninvited(d *delta) error {
	if d.is == nil || d.is.packed || dictOf(d.is).get("Type") != name("ObjStm") {
		return nil
	}
	stream, err := s.is.objectStream(d.num, d.is.home)
	if err != nil {
		s.forbid(ChangeFile, "object stream %d cannot be read", d.num)
		return hard(err)
	}
	for i, in := range stream.index {
		at, err := s.is.whereIs(in.num)
		if err != nil {
			return err
		}
		if at != (location{kind: packed, offset: d.num, gen: int64(i)}) {
			s.forbid(ChangeFile, "object %d stands in object stream %d, and no cross-reference section says so", in.num, d.num)
		}
	}
	return nil
}

// owned lists the parts of the update that have a meaning.
func (s *step) owned() ([]span, error) {
	var list []span
	seen := map[int64]bool{}
	for _, newer := range s.sections[s.is.first:s.was.first] {
		for _, part := range []*section{newer, newer.hidden} {
			if part == nil || seen[part.start] {
				continue
			}
			if part.start < s.was.limit {
				s.forbid(ChangeFile, "a cross-reference section stands in bytes of an earlier revision")
				continue
			}
			seen[part.start] = true
			list = append(list, s.sectionSpan(part))
			if err := s.numbered(part); err != nil {
				return nil, err
			}
		}
	}
	for i := range s.sections[s.is.first:s.was.first] {
		err := s.eachRow(s.is.first+i, func(num int64, at location) error {
			start := s.base + at.offset
			if at == lost {
				s.forbid(ChangeFile, "the row of object %d leads nowhere, so that some readers look for objects in its place", num)
			}
			if at.kind != plain || start < s.was.limit || seen[start] {
				return nil
			}
			seen[start] = true
			s.noteHead(start)
			if err := s.plainHead(num, start); err != nil {
				return err
			}
			o, err := s.objectSpan(num, at)
			list = append(list, o)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// noteHead remembers where an object begins, for findLookalikes.
func (s *step) noteHead(start int64) {
	l := newLexer(s.src, start, s.is.limit)
	l.skipSpace()
	s.heads[l.pos] = true
}

// numbered remembers where a section has its trailer. A cross-reference stream is
// an object too: no other may have its number.
func (s *step) numbered(part *section) error {
	if !part.stream {
		s.heads[part.trailer.start] = true
		return nil
	}
	s.noteHead(part.start)
	o, err := s.parseAt(part.start)
	if err != nil {
		return err
	}
	at, err := s.is.whereIs(o.num)
	if err == nil && at.kind > free && (at.kind == packed || s.base+at.offset != part.start) {
		s.forbid(ChangeFile, "object %d is a cross-reference stream, too", o.num)
	}
	return err
}

// eachRow visits the rows of one section.
func (s *step) eachRow(section int, visit func(num int64, at location) error) error {
	for num := range s.sections[section].numbers {
		at, err := s.sections[section].lookup(num)
		if err != nil {
			return err
		}
		if err := visit(num, at); err != nil {
			return err
		}
	}
	return nil
}

// sectionSpan is a section with the startxref and %%EOF after it.
func (s *step) sectionSpan(part *section) span {
	o := part.span
	if e, ok, err := s.readEnding(part.end); err == nil && ok && e.eof > 0 {
		o.end = e.eof
	}
	return o
}

// objectSpan is an object from its number to endobj. When that is not there the
// object is said to be without end, and owns nothing.
func (s *step) objectSpan(num int64, at location) (span, error) {
	start := s.base + at.offset
	nothing := span{start, start}
	o, err := s.is.plain(ref{num, at.gen}, start)
	if err != nil {
		return nothing, hard(err)
	}
	end := o.end
	word := "endobj"
	if d := dictOf(o); d != nil && d.data > 0 {
		n, err := s.is.streamLen(d)
		if err != nil || n < 0 {
			s.forbid(ChangeFile, "object %d is a stream without an end", num)
			return nothing, hard(err)
		}
		end = d.data + n
		word = "endstream"
	}
	l := newLexer(s.src, end, min(s.is.limit, end+windowLen))
	t, err := l.token()
	if word == "endstream" && err == nil && t.is(word) {
		t, err = l.token()
	}
	if l.err != nil {
		return nothing, l.err
	}
	if err != nil || !t.is("endobj") {
		s.forbid(ChangeFile, "object %d is without an end", num)
		return nothing, nil
	}
	return span{start, l.pos}, nil
}

// nothingIn checks that there is nothing but white space and, between objects,
// comments.
func (s *step) nothingIn(gap span) error {
	if err := s.spend(gap.len()); err != nil {
		return err
	}
	l := newLexer(s.src, gap.start, gap.end)
	tail := s.is.first == s.was.first
	l.skipSpace()
	at := l.pos
	for !tail && l.peek() == '%' && harmless(l.comment()) {
		l.skipSpace()
		at = l.pos
	}
	switch {
	case l.err != nil:
		return l.err
	case at < gap.end:
		s.forbid(ChangeFile, "%d bytes from %d belong to no object", gap.end-at, at)
	case tail && gap.len() > 0:
		s.allow(ChangeOther, "%d bytes of white space after the end", gap.len())
	}
	return nil
}

// comment steps over a comment and returns its beginning.
func (l *lexer) comment() []byte {
	var b []byte
	for c := l.next(); c != '\n' && c != '\r' && c != eof; c = l.next() {
		if len(b) < maxWord {
			b = append(b, byte(c))
		}
	}
	return b
}

// harmless reports whether a comment has no word by which readers of damaged files
// find objects.
func harmless(comment []byte) bool {
	for _, word := range []string{"obj", "xref", "trailer", "stream"} {
		if bytes.Contains(comment, []byte(word)) {
			return false
		}
	}
	return len(comment) < maxWord
}
