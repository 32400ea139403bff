// SPDX-License-Identifier: Apache-2.0

package pdf

import "strings"

// otherReaders forbids what says nothing new to a reader that follows the
// cross-reference data as this package does, and does to one that follows them
// another way, or gives them up and looks for objects.
func (s *step) otherReaders() error {
	if err := s.readFromFront(); err != nil {
		return err
	}
	if s.is.limit == s.size && s.size-s.last.start > maxEndDistance {
		s.forbid(ChangeFile, "startxref is too far from the end, so that readers look for objects in its place")
	}
	if s.was.first == s.is.first {
		return nil
	}
	for _, newer := range s.sections[s.is.first:s.was.first] {
		if err := s.regular(newer); err != nil {
			return err
		}
		if err := s.twoPlaces(newer); err != nil {
			return err
		}
	}
	if err := s.compareSizes(); err != nil {
		return err
	}
	return s.findLookalikes(span{s.was.limit, s.is.limit})
}

// readFromFront forbids to bring a file to the length that its linearization dictionary
// names (ISO 32000-2, annex F.3.3): from then on readers go by the cross-reference
// section at the beginning, which need not be one of those that were signed.
func (s *step) readFromFront() error {
	first, err := s.parseAt(s.base)
	if err != nil {
		return hard(err)
	}
	d := dictOf(first)
	length, ok := numberOf(d.get("L"))
	if ok && d.get("Linearized") != nil && (int64(length) == s.is.limit || int64(length) == s.is.limit-s.base) {
		s.forbid(ChangeFile, "the file was brought to the length of %d bytes that its first object names, so that some readers begin there", s.is.limit)
	}
	return nil
}

// maxEndDistance is how far from the end of the file readers look for startxref.
const maxEndDistance = 1024

// loose reports whether rows are written otherwise than ISO 32000-2, 7.5.4 asks.
func (t *table) loose() bool {
	for _, run := range t.runs {
		if run.kept != nil {
			return true
		}
	}
	return false
}

// twoPlaces forbids a hybrid section that puts an object in one place for some
// readers and in another, or in none, for others (ISO 32000-2, 7.5.8.4).
func (s *step) twoPlaces(newer *section) error {
	if newer.hidden == nil {
		return nil
	}
	if hidden := newer.hidden; hidden.root != nil && hidden.root != newer.root || hidden.prev >= 0 && hidden.prev != newer.prev {
		s.forbid(ChangeFile, "a cross-reference section leads some readers to another document (/Root, /Prev)")
	}
	for num := range newer.hidden.numbers {
		table, err := newer.own(num)
		if err != nil {
			return err
		}
		stream, err := newer.hidden.own(num)
		if err != nil {
			return err
		}
		before, err := s.was.whereIs(num)
		switch {
		case err != nil:
			return err
		case table.kind == plain && table != stream:
			s.forbid(ChangeFile, "object %d has two places in one cross-reference section", num)
		case table.kind == free && stream.kind > free && before.kind == plain:
			s.forbid(ChangeFile, "object %d is there for some readers only", num)
		}
	}
	return nil
}

// compareSizes: an object from /Size on is missing for some readers (ISO 32000-2,
// table 15), so that it can be made to come and to go.
func (s *step) compareSizes() error {
	before, after := s.was.newest().size, s.is.newest().size
	if after < before {
		s.forbid(ChangeFile, "the trailer's /Size was lowered, so that objects are missing for some readers")
	}
	if after <= before || s.highest < before {
		return nil
	}
	if err := s.spend(int64(len(s.uses))); err != nil {
		return err
	}
	for num := range s.uses {
		if num < before {
			continue
		}
		at, err := s.was.whereIs(num)
		if err != nil {
			return err
		}
		if at.kind > free {
			s.forbid(ChangeFile, "object %d was beyond /Size, and is not any more", num)
		}
	}
	return nil
}

// findLookalikes forbids what looks like the beginning of an object, or like a
// trailer, and is none: it stands in a stream, a string or a comment.
func (s *step) findLookalikes(update span) error {
	if err := s.spend(update.len()); err != nil {
		return err
	}
	l := newLexer(s.src, update.start, update.end)
	for number, generation := (wordRun{}), (wordRun{}); ; {
		w, ok := l.anyRun()
		switch {
		case !ok:
			return l.err
		case w.digits:
			number, generation = generation, w
			continue
		case strings.HasPrefix(w.text, "obj") && number.digits && generation.digits && !s.heads[number.start]:
			s.forbid(ChangeFile, "the bytes from %d look like object %s and are none", number.start, number.text)
			return nil
		case w.text == "trailer" && l.opensTrailer() && !s.heads[l.pos]:
			s.forbid(ChangeFile, "the bytes from %d look like a trailer and are none", w.start)
			return nil
		}
		number, generation = wordRun{}, wordRun{}
	}
}

// opensTrailer steps over white space and reports whether a dictionary follows.
func (l *lexer) opensTrailer() bool {
	l.skipSpace()
	t, err := newLexer(l.src, l.pos, l.limit).token()
	return err == nil && t.kind == tokenDictOpen
}

// wordRun is a run of regular characters, or one delimiter.
type wordRun struct {
	start  int64
	text   string // the beginning
	digits bool   // and nothing else
}

// anyRun reads the next one, wherever it stands; not ok at the end.
func (l *lexer) anyRun() (w wordRun, ok bool) {
	l.skipSpace()
	w = wordRun{start: l.pos, digits: true}
	var beginning [8]byte
	n := 0
	for c := l.peek(); c != eof && !isSpace(c); c = l.peek() {
		if !isRegular(c) && l.pos > w.start {
			break
		}
		w.digits = w.digits && c >= '0' && c <= '9'
		if n < len(beginning) {
			beginning[n] = byte(c)
			n++
		}
		l.pos++
		if !isRegular(c) {
			break
		}
	}
	w.text = string(beginning[:n])
	return w, n > 0
}
