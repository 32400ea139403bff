// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"regexp"
	"strings"
	"sync"
)

// Programs differ in what they forgive. One that does not forgive what stands in
// the cross-reference data gives them up, looks for objects, and finds those that
// an earlier revision keeps out of sight. So the sections of an update must be
// written as ISO 32000-2, 7.5.4, 7.5.5 and 7.5.8, ask, down to the white space.

// regular forbids sections of the update that some readers refuse.
func (s *step) regular(newer *section) error {
	for _, part := range []*section{newer, newer.hidden} {
		if part == nil {
			continue
		}
		why, err := s.irregularity(part)
		if err != nil {
			return err
		}
		if why != "" {
			s.forbid(ChangeFile, "%s, so that some readers look for objects in its place", why)
		}
	}
	return s.plainEnding(newer)
}

// irregularity says what some readers refuse a section for, "" for nothing.
func (s *step) irregularity(part *section) (string, error) {
	if part.size > maxNumber+1 {
		return "a cross-reference section has a /Size that is out of bounds", nil
	}
	switch rows := part.rows.(type) {
	case *table:
		regular, err := s.plainTable(part, rows)
		if err != nil || !regular {
			return "a cross-reference table is malformed", err
		}
	case *packedRows:
		if rows.widths[0] > maxTypeWidth || len(part.runs) == 0 || !part.plainCoding {
			return "a cross-reference stream is unusual", nil
		}
	}
	return "", nil
}

// maxTypeWidth is how many bytes a row of a cross-reference stream has for its
// type where all readers understand it.
const maxTypeWidth = 2

// What stands around the rows of a table, with the word xref before it. Head is
// before rows, tail after the last ones. A subsection may be empty. One line end
// follows its numbers, and none stands before those of a further one: MuPDF takes
// both for a row.
var (
	tableHead = pattern(`^(?:[0-9]{1,10} 0 ?(?:\r\n|\r|\n))*[0-9]{1,10} [0-9]{1,10} ?(?:\r\n|\r|\n)$`)
	tableTail = pattern(`^[ \r\n]*(?:[0-9]{1,10} 0 ?(?:\r\n|\r|\n))*trailer[ \r\n]*$`)
	emptyTail = pattern(`^[ \r\n]+(?:[0-9]{1,10} 0 ?(?:\r\n|\r|\n))+trailer[ \r\n]*$`)
)

// maxBetween bounds the text between the rows of two subsections.
const maxBetween = 1 << 10

// plainTable compares what stands around the rows of a table with the patterns.
func (s *step) plainTable(part *section, rows *table) (bool, error) {
	if rows.loose() {
		return false, nil
	}
	at, tail := part.start, tableTail
	opening, err := s.opening(part)
	if err != nil {
		return false, err
	}
	if m := tableOpening().FindString(opening); m != "" {
		at += int64(len(m))
	} else {
		return false, nil
	}
	if len(rows.runs) == 0 {
		tail = emptyTail
	}
	for i, run := range rows.runs {
		text, ok, err := s.between(span{at, run.at})
		if i == 0 {
			text = strings.TrimLeft(text, " \r\n")
		}
		if err != nil || !ok || !tableHead().MatchString(text) {
			return false, err
		}
		at = run.at + run.count*run.width
	}
	text, ok, err := s.between(span{at, part.trailer.start})
	return ok && tail().MatchString(text), err
}

// A section begins where startxref says, or after a line end there: some programs
// that sign count it in. Readers that do not forgive that are few.
var (
	tableOpening  = pattern(`^[\r\n]{0,2}xref`)
	streamOpening = pattern(`^[\r\n]{0,2}[0-9]`)
)

// opening is how a section begins.
func (s *step) opening(part *section) (string, error) {
	text, _, err := s.between(span{part.start, min(part.end, part.start+int64(len("\r\nxref")))})
	return text, err
}

// between reads a few bytes of the file; not ok when they are more.
func (f *file) between(text span) (string, bool, error) {
	if text.len() < 0 || text.len() > maxBetween {
		return "", false, nil
	}
	b, err := readSpan(f.src, text)
	return string(b), true, err
}

var endingPattern = pattern(`^startxref[ \r\n]+[0-9]{1,19}[ \r\n]+%%EOF$`)

// plainEnding forbids a startxref after the section that readers see another
// number in, and one that leads to white space or a comment before the section.
func (s *step) plainEnding(newer *section) error {
	e, ok, err := s.readEnding(newer.end)
	if err != nil || !ok || e.eof < 0 {
		return err
	}
	text, ok, err := s.between(span{e.start, e.eof})
	if err != nil {
		return err
	}
	opening, err := s.opening(newer)
	if !ok || !endingPattern().MatchString(text) || !tableOpening().MatchString(opening) && !streamOpening().MatchString(opening) {
		s.forbid(ChangeFile, "what leads to a cross-reference section (startxref) is malformed, so that some readers look for objects in its place")
	}
	return err
}

var headPattern = pattern(`^[ \t\r\n\f\x00]*[0-9]+[ \t\r\n\f\x00]+[0-9]+[ \t\r\n\f\x00]+obj`)

// plainHead forbids an object whose head has a comment in it, or more than numbers.
func (s *step) plainHead(num, start int64) error {
	text, _, err := s.between(span{start, min(s.is.limit, start+maxHead)})
	if err == nil && !headPattern().MatchString(text) {
		s.forbid(ChangeFile, "the head of object %d is malformed, so that some readers look for objects in its place", num)
	}
	return err
}

// maxHead is how long the head of an object may be.
const maxHead = 64

// plainCoding reports whether all readers can decode the stream d: it is stored as
// it is, or with FlateDecode and nothing else.
func plainCoding(d *dict) bool {
	filter, parms := only(d.get("Filter")), only(d.get("DecodeParms"))
	_, isDict := parms.(*dict)
	return (filter == nil || filter == name("FlateDecode")) && (d.find("DecodeParms") == nil || isDict)
}

// only returns the item of an array of one, and anything else as it is.
func only(o object) object {
	if a, ok := o.(*array); ok && len(a.items) == 1 {
		return a.items[0]
	}
	return o
}

// pattern compiles a regular expression when it is first used: programs that read no PDF
// needn't wait for it.
func pattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
