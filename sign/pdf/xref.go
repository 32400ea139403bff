// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"sort"
)

// Limits of the cross-reference chain.
const (
	maxSections = 20_000
	maxRows     = 4_000_000 // rows kept in memory, of tables that need it
	maxNumber   = 8_388_607 // object number, ISO 32000-1, annex C
)

// location says where the cross-reference data put an object: at an offset of
// the file, or at an index of an object stream.
type location struct {
	kind   locationKind
	offset int64 // relative to the header; of a packed object: number of its stream
	gen    int64 // of a packed object: its index in the stream
}

type locationKind int

const (
	nowhere locationKind = iota
	free
	plain
	packed
)

// lost is a place that some writers give to objects that are not there: it reads
// as free, though the row says otherwise.
var lost = location{kind: free, offset: -1}

// section is one cross-reference section with its trailer (ISO 32000-2, 7.5.4
// and 7.5.8).
type section struct {
	span        // from "xref" or the stream's object number to the end of the trailer or "endobj"
	stream bool // a cross-reference stream
	// plainCoding: the data of the stream are coded in a way that all readers know.
	plainCoding bool
	trailer     span     // the trailer dictionary
	hidden      *section // the stream that /XRefStm of a hybrid section names
	prev        int64    // /Prev, -1 when absent
	size        int64
	root        object
	id          object

	encryption object // /Encrypt
	encrypt    bool

	runs []run
	rows rowReader
}

// run is a subsection: count objects from number first, whose rows begin at
// row of the section's rows.
type run struct{ first, count, row int64 }

// rowReader returns the i-th row of a section.
type rowReader interface {
	row(i int64) (location, error)
}

// lookup finds object number num in the section itself. In a hybrid section
// the objects in use of the table come first, then the stream, then what the
// table calls free: so it hides objects from old readers (ISO 32000-2, 7.5.8.4).
func (s *section) lookup(num int64) (location, error) {
	at, err := s.own(num)
	if err != nil || s.hidden == nil || at.kind == plain {
		return at, err
	}
	hidden, err := s.hidden.own(num)
	if err != nil || hidden.kind != nowhere {
		return hidden, err
	}
	return at, nil
}

func (s *section) own(num int64) (location, error) {
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].first > num }) - 1
	if i < 0 || num-s.runs[i].first >= s.runs[i].count {
		return location{}, nil
	}
	return s.rows.row(s.runs[i].row + num - s.runs[i].first)
}

// complete reports whether the section speaks of all objects, so that no
// earlier one is needed.
func (s *section) complete() bool {
	rows := int64(0)
	for _, r := range s.runs {
		rows += r.count
	}
	return rows >= s.size
}

// highest returns the highest object number the section speaks of.
func (s *section) highest() int64 {
	high := int64(-1)
	if n := len(s.runs); n > 0 {
		high = s.runs[n-1].first + s.runs[n-1].count - 1
	}
	if s.hidden != nil {
		high = max(high, s.hidden.highest())
	}
	return high
}

// addRun notes a subsection.
func (s *section) addRun(at, first, count, row int64) error {
	if first < 0 || count < 0 || first > maxNumber || count > maxNumber+1-first {
		return damaged(at, "a cross-reference subsection of %d objects from number %d", count, first)
	}
	if count > 0 {
		s.runs = append(s.runs, run{first, count, row})
	}
	return nil
}

// sortRuns makes lookup possible. Subsections that overlap would let two
// readers see two different files.
func (s *section) sortRuns() error {
	sort.SliceStable(s.runs, func(i, j int) bool { return s.runs[i].first < s.runs[j].first })
	for i := 1; i < len(s.runs); i++ {
		if before := s.runs[i-1]; s.runs[i].first < before.first+before.count {
			return damaged(s.start, "object %d has two rows in one cross-reference section", s.runs[i].first)
		}
	}
	return nil
}

// readTrailer takes from the trailer dictionary what the chain needs.
func (s *section) readTrailer(d *dict) error {
	s.trailer = d.span
	s.prev = -1
	s.root = d.get("Root")
	s.id = d.get("ID")
	s.encryption = d.get("Encrypt")
	s.encrypt = s.encryption != nil
	s.size, _ = d.integer("Size")
	if v := d.get("Prev"); v != nil {
		prev, ok := v.(int64)
		if !ok || prev < 0 {
			return damaged(d.start, "/Prev is not an offset")
		}
		s.prev = prev
	}
	return nil
}

// readSection reads the section at an absolute offset of the file.
func (f *file) readSection(at int64) (*section, error) {
	if at < 0 || at >= f.size {
		return nil, damaged(at, "a cross-reference section was expected here, outside the file")
	}
	l := newLexer(f.src, at, f.size)
	t, err := l.token()
	if err != nil {
		return nil, err
	}
	s := &section{span: span{start: at}}
	switch {
	case t.is("xref"):
		err = f.readTable(s, l)
	case t.kind == tokenInteger:
		err = f.readStream(s, t.start)
	default:
		err = damaged(at, "a cross-reference section was expected")
	}
	if err != nil {
		return nil, err
	}
	return s, f.admit(s)
}

// admit prepares lookup in s. Sections of a sound file never overlap, so
// together they are not longer than it; a hybrid's stream may be named twice.
func (f *file) admit(s *section) error {
	if f.sectionBytes += s.len(); f.sectionBytes > 2*f.size {
		return damaged(s.start, "cross-reference sections that lie inside each other")
	}
	return s.sortRuns()
}

// readTable reads what follows the word xref.
func (f *file) readTable(s *section, l *lexer) error {
	table := &table{src: f.src}
	for {
		t, err := l.token()
		if err != nil {
			return err
		}
		if t.is("trailer") {
			break
		}
		count, err := l.token()
		if err != nil {
			return err
		}
		if t.kind != tokenInteger || count.kind != tokenInteger {
			return damaged(t.start, "a cross-reference subsection was expected")
		}
		if err := s.addRun(t.start, t.integer, count.integer, table.count()); err != nil {
			return err
		}
		if err := table.read(l, count.integer); err != nil {
			return err
		}
	}
	s.rows = table
	return f.readTableTrailer(s, l.pos)
}

func (f *file) readTableTrailer(s *section, at int64) error {
	o, where, err := newParser(f.src, at, f.size).object()
	if err != nil {
		return err
	}
	d, ok := o.(*dict)
	if !ok {
		return damaged(at, "a trailer dictionary was expected")
	}
	s.end = where.end
	if err := s.readTrailer(d); err != nil {
		return err
	}
	if hidden, ok := d.integer("XRefStm"); ok {
		s.hidden = &section{span: span{start: f.base + hidden}}
		if err := f.readStream(s.hidden, s.hidden.start); err != nil {
			return err
		}
		return f.admit(s.hidden)
	}
	return nil
}

// table gives access to the rows of a cross-reference table. Rows written as
// the standard asks, 20 bytes each, or with a line end of one byte, stay in the
// file; others are kept.
type table struct {
	src  *source
	runs []rows
}

// rows are those of one subsection.
type rows struct {
	first, count int64
	at, width    int64      // file offset of the first, and how long each is
	kept         []location // all of them, else
}

// The lengths of rows, the second where one byte ends the line.
const (
	rowLen      = 20
	shortRowLen = 19
)

func (t *table) count() int64 {
	if len(t.runs) == 0 {
		return 0
	}
	last := t.runs[len(t.runs)-1]
	return last.first + last.count
}

func (t *table) row(i int64) (location, error) {
	n := sort.Search(len(t.runs), func(n int) bool { return t.runs[n].first > i }) - 1
	run := t.runs[n]
	i -= run.first
	if run.kept != nil {
		return run.kept[i], nil
	}
	raw, err := t.src.piece(run.at+i*run.width, run.width)
	if err != nil {
		return location{}, fmt.Errorf("reading cross-reference table: %w", err)
	}
	at, ok := parseRow(raw)
	if !ok {
		return location{}, damaged(run.at+i*run.width, "a cross-reference row was expected")
	}
	return at, nil
}

// read reads count rows at the lexer's position.
func (t *table) read(l *lexer, count int64) error {
	if count == 0 {
		return nil
	}
	first := t.count()
	l.skipSpace()
	begin := l.pos
	for _, width := range []int64{rowLen, shortRowLen} {
		l.pos = begin
		if wellFormed(l, count, width) {
			t.runs = append(t.runs, rows{first: first, count: count, at: begin, width: width})
			return nil
		}
	}
	if first+count > maxRows || count > (l.limit-begin)/5 {
		return damaged(begin, "a malformed cross-reference table of %d rows", count)
	}
	l.pos = begin
	kept := make([]location, count)
	for i := range kept {
		if err := looseRow(l, &kept[i]); err != nil {
			return err
		}
	}
	t.runs = append(t.runs, rows{first: first, count: count, kept: kept})
	return nil
}

// wellFormed steps over count rows of so many bytes and tells whether all of them
// are as the standard writes them, the line end apart.
func wellFormed(l *lexer, count, width int64) bool {
	var row [rowLen]byte
	raw := row[:width]
	for ; count > 0; count-- {
		for i := range raw {
			c := l.next()
			if c == eof {
				return false
			}
			raw[i] = byte(c)
		}
		if _, ok := parseRow(raw); !ok {
			return false
		}
	}
	return true
}

// parseRow reads "nnnnnnnnnn ggggg n" and a line end.
func parseRow(raw []byte) (location, bool) {
	offset, ok1 := decimal(raw[:10])
	gen, ok2 := decimal(raw[11:16])
	if !ok1 || !ok2 || raw[10] != ' ' || raw[16] != ' ' || !rowEnds[string(raw[18:])] {
		return location{}, false
	}
	return tableLocation(offset, gen, raw[17])
}

// rowEnds are the line ends of two bytes, ISO 32000-2, 7.5.4, and those of one that
// all readers forgive.
var rowEnds = map[string]bool{" \r": true, " \n": true, "\r\n": true, "\n": true, "\r": true}

func decimal(digits []byte) (n int64, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func tableLocation(offset, gen int64, kind byte) (location, bool) {
	switch kind {
	case 'n':
		if offset == 0 { // some writers mark missing objects so
			return lost, true
		}
		return location{kind: plain, offset: offset, gen: gen}, true
	case 'f':
		return location{kind: free}, true
	}
	return location{}, false
}

// looseRow reads a row with any white space.
func looseRow(l *lexer, into *location) error {
	var t [3]token
	for i := range t {
		var err error
		if t[i], err = l.token(); err != nil {
			return err
		}
	}
	good := t[0].kind == tokenInteger && t[0].integer >= 0 && t[1].kind == tokenInteger && len(t[2].bytes) == 1
	if good {
		*into, good = tableLocation(t[0].integer, t[1].integer, t[2].bytes[0])
	}
	if !good {
		return damaged(t[0].start, "a cross-reference row was expected")
	}
	return nil
}

// readStream reads a cross-reference stream, ISO 32000-2, 7.5.8.
func (f *file) readStream(s *section, at int64) error {
	o, err := f.parseAt(at)
	if err != nil {
		return err
	}
	d, ok := o.value.(*dict)
	if !ok || d.data == 0 || d.get("Type") != name("XRef") {
		return damaged(at, "a cross-reference section was expected")
	}
	length, ok := d.integer("Length")
	if !ok {
		return damaged(at, "a cross-reference stream without a direct /Length")
	}
	data, end, err := f.streamData(d, length, direct, nil)
	if err != nil {
		return err
	}
	s.stream, s.end, s.plainCoding = true, end, plainCoding(d)
	if err := s.readTrailer(d); err != nil {
		return err
	}
	return s.readIndex(d, data)
}

// readIndex interprets /W and /Index.
func (s *section) readIndex(d *dict, data []byte) error {
	w, ok := integers(d.get("W"))
	if !ok || len(w) != 3 {
		return damaged(d.start, "a cross-reference stream without a /W of three integers")
	}
	rows := &packedRows{data: data}
	for i := range rows.widths {
		if w[i] < 0 || w[i] > 8 {
			return damaged(d.start, "a field of %d bytes in a cross-reference stream", w[i])
		}
		rows.widths[i] = int(w[i])
		rows.length += int(w[i])
	}
	if rows.length == 0 {
		return damaged(d.start, "rows of no bytes in a cross-reference stream")
	}
	index := []int64{0, s.size}
	if held := d.get("Index"); held != nil {
		if index, ok = integers(held); !ok || len(index)%2 != 0 {
			return damaged(d.start, "a cross-reference stream whose /Index is not pairs of integers")
		}
	}
	row := int64(0)
	for ; len(index) >= 2; index = index[2:] {
		if err := s.addRun(d.start, index[0], index[1], row); err != nil {
			return err
		}
		row += index[1]
	}
	if row > int64(len(data)/rows.length) {
		return damaged(d.start, "a cross-reference stream shorter than its /Index")
	}
	s.rows = rows
	return nil
}

// integers returns the items of an array of direct integers.
func integers(o object) ([]int64, bool) {
	a, ok := o.(*array)
	if !ok {
		return nil, false
	}
	var list []int64
	for _, item := range a.items {
		n, ok := item.(int64)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// packedRows are the rows of a cross-reference stream.
type packedRows struct {
	data   []byte
	widths [3]int
	length int
}

func (p *packedRows) row(i int64) (location, error) {
	raw := p.data[i*int64(p.length):]
	var field [3]int64
	for i, w := range p.widths {
		for _, c := range raw[:w] {
			field[i] = field[i]<<8 | int64(c)
		}
		raw = raw[w:]
	}
	if p.widths[0] == 0 {
		field[0] = 1 // ISO 32000-2, table 17
	}
	switch field[0] {
	case 0:
		return location{kind: free}, nil
	case 1:
		return location{kind: plain, offset: field[1], gen: field[2]}, nil
	case 2:
		return location{kind: packed, offset: field[1], gen: field[2]}, nil
	}
	return lost, nil // unknown types read as null, ISO 32000-2, 7.5.8.3
}
