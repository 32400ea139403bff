// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
)

// Document is an open PDF. It reads objects when they are asked for and holds
// little more than the cross-reference data. It is not safe for concurrent use.
type Document struct {
	*file
	first int   // index of the newest section that this view sees
	limit int64 // first byte that this view does not see
}

// source is the caller's reader, made comparable: dictionaries remember whether
// they stand in the file or in an object stream.
type source struct {
	io.ReaderAt

	block   []byte // what piece read last
	blockAt int64
}

// piece returns n bytes at an offset, no more than windowLen, which are good until the next
// call. It is for many that stand side by side, and reads more than one at a time.
func (s *source) piece(at, n int64) ([]byte, error) {
	if at < s.blockAt || at+n > s.blockAt+int64(len(s.block)) {
		if s.block == nil {
			s.block = make([]byte, windowLen)
		}
		got, err := s.ReadAt(s.block[:windowLen], at)
		s.block, s.blockAt = s.block[:got], at
		if int64(got) < n {
			return nil, err
		}
	}
	return s.block[at-s.blockAt:][:n], nil
}

// file is what all views of one file share.
type file struct {
	src  *source
	size int64
	base int64 // offset of the header, to which offsets in the file are relative

	sections  []*section // newest first
	last      ending     // the last startxref of the file
	revisions []revision // oldest first

	security *security // nil when the newest section is not encrypted
	repaired []string  // how the sections were rebuilt
	streams  []ref     // the object streams of a rebuilt file

	sectionBytes int64 // sum of the lengths of the sections read
	inflated     int64 // sum of the bytes inflated
	effort       int64 // spent so far, see spend
	exhausted    error // set when it was too much

	names nameTable
	idle  *parser    // of parseAt, for the next time
	trace *footprint // of the walk that goes on; nil when nobody wants to know

	compared *comparison // by Changes

	places  map[int64][]place       // by object number, newest first
	parsed  map[int64]*indirect     // by absolute offset
	held    int64                   // bytes of source text in parsed
	unpack  map[int64]*objectStream // by absolute offset; nil while it is being read
	packing int64                   // bytes held by unpack

	stored      map[storedAt]stored // values of security stores
	storedBytes int64               // bytes held by stored
}

// place is what one section says of an object.
type place struct {
	section int
	location
}

// indirect is an indirect object, ISO 32000-2, 7.3.10.
type indirect struct {
	ref
	span   // of the object from its number to the end of the value or stream keyword
	value  object
	packed bool  // it stands in an object stream; span is within that
	home   int64 // absolute offset of the object or of the object stream it stands in
}

// maxEffort bounds the time spent on one file, in steps of some nanoseconds; a
// long file may take a little longer. Small files can be made to ask for more:
// many revisions of large forms, sections by the thousand, and the like.
const maxEffort = 512 << 20

// spend counts n steps and fails when there were too many.
func (f *file) spend(n int64) error {
	if f.effort += n; f.effort > maxEffort+2*f.size && f.exhausted == nil {
		f.exhausted = damaged(0, "too much work for a file of this length")
	}
	return f.exhausted
}

// How much the caches keep before they start afresh.
const (
	maxHeld   = 2 << 20 // of source text, of which a parsed object takes about fifteen times as much
	maxPlaces = 1 << 18
)

// OpenOptions say how to open a document; the zero value is what [Open] uses.
type OpenOptions struct {
	// Password opens an encrypted document, the user's as well as the owner's.
	// Files that only restrict what may be done open without one. It is tried in
	// the form that the standard asks for, SASLprep (RFC 4013) or PDFDocEncoding,
	// and as it stands.
	Password string
	// Repair opens files whose cross-reference data are damaged, by a search for
	// objects; [Document.Repaired] then says so. It is for looking at what a file
	// was meant to be: no signature of such a file is tied to its bytes, each has
	// [ProblemRebuilt]. [Sign] never repairs.
	Repair bool
}

// Open is [OpenWith] without options.
func Open(r io.ReaderAt, size int64) (*Document, error) {
	return OpenWith(r, size, OpenOptions{})
}

// OpenWith reads the cross-reference data of a PDF of the given size: tables,
// streams and hybrids, the whole /Prev chain. Junk before the header and after
// the last %%EOF is stepped over. The error is ErrNotPDF, a *DamagedError, a
// *PasswordError when a password was given and is wrong, or an error of r.
//
// An encrypted document that needs a password and got none opens too: the places
// and the values of its signatures can often be read, its strings can not.
//
// To see an earlier revision alone, open the prefix that [Revision].End bounds
// with an [io.SectionReader].
func OpenWith(r io.ReaderAt, size int64, o OpenOptions) (*Document, error) {
	f := &file{
		src: &source{ReaderAt: r}, size: size,
		names:  nameTable{},
		places: map[int64][]place{},
		parsed: map[int64]*indirect{},
		unpack: map[int64]*objectStream{},
		stored: map[storedAt]stored{},
	}
	if err := f.findHeader(); err != nil {
		return nil, err
	}
	err := f.readSections()
	if err != nil && o.Repair && hard(err) == nil {
		err = f.rebuild(err)
	}
	if err != nil {
		return nil, err
	}
	d := &Document{file: f, limit: size}
	if err := d.readSecurity(o.Password); err != nil {
		return nil, err
	}
	if err := d.unpackFound(); err != nil {
		return nil, err
	}
	return d, nil
}

// readSections reads all that is not an object.
func (f *file) readSections() error {
	if err := f.findLast(); err != nil {
		return err
	}
	if err := f.readChain(); err != nil {
		return err
	}
	return f.findRevisions()
}

// Encrypted reports whether the document is encrypted (ISO 32000-2, 7.6).
func (d *Document) Encrypted() bool { return d.newest().encrypt }

func (d *Document) newest() *section { return d.sections[d.first] }

func (f *file) findHeader() error {
	head := make([]byte, min(1024, max(f.size, 0)))
	n, err := f.src.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading PDF header: %w", err)
	}
	i := bytes.Index(head[:n], []byte("%PDF-"))
	if i < 0 {
		return ErrNotPDF
	}
	f.base = int64(i)
	return nil
}

// maxTail is how far from the end of the file the last startxref is looked for.
const maxTail = 64 << 10

func (f *file) findLast() error {
	from := max(0, f.size-maxTail)
	tail := make([]byte, f.size-from)
	if n, err := f.src.ReadAt(tail, from); n < len(tail) {
		return fmt.Errorf("reading end of PDF: %w", err)
	}
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return damaged(f.size, "no startxref at the end of the file")
	}
	last, ok, err := f.readEnding(from + int64(i))
	if err == nil && !ok {
		err = damaged(from+int64(i), "no offset after startxref")
	}
	f.last = last
	return err
}

// readChain reads the newest section and those that /Prev leads to.
func (f *file) readChain() error {
	s, err := f.readSection(f.base + f.last.startxref)
	if err != nil && f.base > 0 { // offsets may ignore the junk before the header
		base := f.base
		f.base = 0
		if s, _ = f.readSection(f.last.startxref); s == nil {
			f.base = base
			return err
		}
	} else if err != nil {
		return err
	}
	seen := map[int64]bool{}
	for {
		if seen[s.start] {
			return damaged(s.start, "a loop of cross-reference sections")
		}
		seen[s.start] = true
		f.sections = append(f.sections, s)
		if s.prev < 0 || s.prev == 0 && s.complete() { // some writers end the chain with /Prev 0
			return nil
		}
		if len(f.sections) == maxSections {
			return damaged(s.start, "more than %d cross-reference sections", maxSections)
		}
		if s, err = f.readSection(f.base + s.prev); err != nil {
			return err
		}
	}
}

// parseAt parses the indirect object at an absolute offset.
func (f *file) parseAt(at int64) (*indirect, error) {
	if at < 0 || at >= f.size {
		return nil, damaged(at, "an object was expected here, outside the file")
	}
	p := f.parser(at)
	o := &indirect{home: at, span: span{start: at}}
	num, gen, word, err := p.header()
	if err != nil {
		return nil, err
	}
	if num.kind != tokenInteger || gen.kind != tokenInteger || !word.is("obj") {
		return nil, damaged(at, "an object was expected")
	}
	o.ref = ref{num.integer, gen.integer}
	p.in = new(o.ref) // a string that is kept does not keep all of the object
	if o.value, _, err = p.object(); err != nil {
		return nil, err
	}
	o.end = p.pos
	f.seal(o)
	if err := f.spend(o.len()); err != nil {
		return nil, err
	}
	if err := p.stream(o); err != nil {
		return o, err
	}
	f.idle = p
	return o, nil
}

// parser returns one for the object at an absolute offset: the one of the last time
// if that came to an end.
func (f *file) parser(at int64) *parser {
	p := f.idle
	if p == nil {
		p = newParser(f.src, at, f.size)
		p.names = f.names
		return p
	}
	f.idle = nil
	p.again(at, f.size)
	return p
}

// header reads the three tokens that open an indirect object.
func (p *parser) header() (num, gen, word token, err error) {
	for _, t := range []*token{&num, &gen, &word} {
		if *t, err = p.token(); err != nil {
			return
		}
	}
	return
}

// stream notes where the data of a stream begin, if o is one.
func (p *parser) stream(o *indirect) error {
	d, ok := o.value.(*dict)
	if !ok {
		return p.err
	}
	t, err := p.token()
	if err != nil || !t.is("stream") { // what follows an object is not its business
		return p.err
	}
	if p.peek() == '\r' {
		p.pos++
	}
	p.skipLF()
	d.data, o.end = p.pos, p.pos
	return p.err
}

// object returns the indirect object that r refers to in this view, or nil
// when there is none, which ISO 32000-2, 7.3.10 makes equal to null.
func (d *Document) object(r ref) (*indirect, error) {
	at, err := d.whereIs(r.num)
	if err != nil {
		return nil, err
	}
	switch {
	case at.kind == plain && at.gen == r.gen:
		return d.plain(r, d.base+at.offset)
	case at.kind == packed && r.gen == 0:
		return d.packed(r, at)
	}
	return nil, nil
}

// whereIs says where this view has object num.
func (d *Document) whereIs(num int64) (location, error) {
	d.trace.step(num)
	places, err := d.history(num)
	if err != nil {
		return location{}, err
	}
	i := sort.Search(len(places), func(i int) bool { return places[i].section >= d.first })
	if i == len(places) {
		return location{}, nil
	}
	return places[i].location, nil
}

// history lists what the sections say of object num, the newest first.
func (f *file) history(num int64) ([]place, error) {
	if places, ok := f.places[num]; ok {
		return places, nil
	}
	if err := f.spend(4 * int64(len(f.sections))); err != nil {
		return nil, err
	}
	var places []place
	for i, s := range f.sections {
		at, err := s.lookup(num)
		if err != nil {
			return nil, err
		}
		if at.kind != nowhere {
			places = append(places, place{i, at})
		}
	}
	if len(f.places) >= maxPlaces {
		clear(f.places)
	}
	f.places[num] = places
	return places, nil
}

func (d *Document) plain(r ref, at int64) (*indirect, error) {
	o := d.parsed[at]
	if o == nil {
		var err error
		if o, err = d.parseAt(at); err != nil {
			return nil, err
		}
		if d.held += o.len(); d.held > maxHeld {
			clear(d.parsed)
			d.held = o.len()
		}
		d.parsed[at] = o
	}
	if o.end > d.limit {
		return nil, damaged(at, "object %d reaches past the end of its revision", r.num)
	}
	d.trace.reachTo(o.end)
	if err := d.spend(o.len()); err != nil { // for the looking through it that follows
		return nil, err
	}
	if o.ref != r {
		return nil, damaged(at, "object %d %d was expected, not %d %d", r.num, r.gen, o.num, o.gen)
	}
	return o, nil
}

// maxHops bounds references to references.
const maxHops = 16

// resolve follows references until it meets an object.
func (d *Document) resolve(o object) (object, error) {
	for range maxHops {
		r, ok := o.(ref)
		if !ok {
			return o, nil
		}
		target, err := d.object(r)
		if err != nil || target == nil {
			return nil, err
		}
		o = target.value
	}
	return nil, damaged(0, "references that lead nowhere")
}

// as resolves o and returns it when it has the type wanted. Any other type
// reads as the zero value, like a missing object.
func as[T object](d *Document, o object) (T, error) {
	o, err := d.resolve(o)
	v, _ := o.(T)
	return v, err
}

// catalog returns the document catalog and the reference to it.
func (d *Document) catalog() (*dict, ref, error) {
	r, ok := d.newest().root.(ref)
	if !ok {
		return nil, r, damaged(d.newest().trailer.start, "a trailer without /Root")
	}
	root, err := as[*dict](d, r)
	if err != nil {
		return nil, r, err
	}
	if root == nil {
		return nil, r, damaged(d.newest().trailer.start, "no catalog: object %d is not a dictionary", r.num)
	}
	return root, r, nil
}
