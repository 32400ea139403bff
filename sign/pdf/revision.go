// SPDX-License-Identifier: Apache-2.0

package pdf

// Revision is one state of a document: what its writer produced up to a %%EOF
// (ISO 32000-2, 7.5.6). Later revisions only add bytes.
type Revision struct {
	XRef int64 // offset in the file of the cross-reference section that begins its reading
	End  int64 // length of the file when this was its last revision, the line end after %%EOF included
}

// revision adds what the package needs to look into one.
type revision struct {
	Revision
	section int   // index of its newest section
	eof     int64 // offset just after %%EOF
}

// holds reports whether a file that ends at offset end is this revision: the
// line end after %%EOF may be missing or be half there.
func (r revision) holds(end int64) bool { return end >= r.eof && end <= r.End }

// ending is a startxref with what follows.
type ending struct {
	start     int64 // of the word startxref
	startxref int64
	eof       int64 // offset just after %%EOF, -1 when that is missing
	end       int64 // the same after its line end
}

// readEnding reads "startxref", an offset and %%EOF with its line end. When the
// first two are not there it is not ok; the error is one of reading the file.
func (f *file) readEnding(at int64) (e ending, ok bool, err error) {
	e = ending{start: at, eof: -1, end: -1}
	l := newLexer(f.src, at, f.size)
	word, err := l.token()
	if err != nil || !word.is("startxref") {
		return e, false, l.err
	}
	e.start = word.start
	n, err := l.token()
	if err != nil || n.kind != tokenInteger || n.integer < 0 {
		return e, false, l.err
	}
	e.startxref = n.integer
	l.skipSpace()
	for _, c := range "%%EOF" {
		if l.next() != int(c) {
			return e, true, l.err
		}
	}
	e.eof = l.pos
	if l.peek() == '\r' {
		l.pos++
	}
	l.skipLF()
	e.end = l.pos
	return e, true, l.err
}

// findRevisions finds where each section of the chain was the newest. A
// startxref stands after each section and normally names it; in a linearized
// file the one after the main section names the section of the first page,
// and the one after that names nothing.
func (f *file) findRevisions() error {
	own, other := map[int]ending{}, map[int]ending{}
	number := map[int64]int{}
	for i, s := range f.sections {
		number[s.start] = i
	}
	for i, s := range f.sections {
		e, ok, err := f.readEnding(s.end)
		if err != nil {
			return err
		}
		if !ok || e.eof < 0 {
			continue
		}
		if named, ok := number[f.base+e.startxref]; ok && named == i {
			own[i] = e
		} else if ok {
			other[named] = e
		}
	}
	f.revisions = f.orderRevisions(own, other)
	return nil
}

// orderRevisions lists the revisions, oldest first. The end of a revision lies
// after all sections it uses and before the end of the next.
func (f *file) orderRevisions(own, other map[int]ending) []revision {
	var list []revision
	used, before := int64(0), int64(0)
	for i := len(f.sections) - 1; i >= 0; i-- {
		used = max(used, f.sections[i].reach())
		e, ok := own[i]
		if !ok {
			e, ok = other[i]
		}
		if !ok && i == 0 && f.last.eof >= 0 {
			e, ok = f.last, true
		}
		if ok && e.eof >= used && e.eof > before {
			list = append(list, revision{Revision{XRef: f.sections[i].start, End: e.end}, i, e.eof})
			before = e.end
		}
	}
	return list
}

// reach is the end of the section and of the stream it hides.
func (s *section) reach() int64 {
	if s.hidden != nil {
		return max(s.end, s.hidden.end)
	}
	return s.end
}

// Revisions lists the revisions of the document, oldest first. A cross-reference
// section that no startxref of its own names is no revision: its bytes belong to
// the next one. Bytes after the last revision's End belong to none.
func (d *Document) Revisions() []Revision {
	var list []Revision
	for _, r := range d.revisions {
		if r.End <= d.limit {
			list = append(list, r.Revision)
		}
	}
	return list
}

// at returns the view of the document as it was in r.
func (d *Document) at(r revision) *Document {
	return &Document{file: d.file, first: r.section, limit: r.End}
}

// footprint is what a walk through a revision has used.
type footprint struct {
	numbers map[int64]bool // of objects
	reach   int64          // end of the last of them in the file
}

func (p *footprint) step(num int64) {
	if p != nil {
		p.numbers[num] = true
	}
}

func (p *footprint) reachTo(end int64) {
	if p != nil {
		p.reach = max(p.reach, end)
	}
}

// maxCompared bounds the rows looked at to see what an update changed.
const maxCompared = 20_000

// same reports whether a walk through revision i would go as the one through
// revision i+1 that left the footprint. So a thousand updates that leave the form
// alone cost one walk.
func (f *file) same(i int, p *footprint) bool {
	older, newer := f.revisions[i], f.revisions[i+1]
	if p.reach > older.End || f.sections[older.section].root != f.sections[newer.section].root ||
		f.sections[older.section].encrypt != f.sections[newer.section].encrypt {
		return false
	}
	compared := 0
	for _, s := range f.sections[newer.section:older.section] {
		for num := range s.numbers {
			if compared++; p.numbers[num] || compared > maxCompared {
				return false
			}
		}
	}
	return true
}
