// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"cmp"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// update is an incremental update of a document (ISO 32000-2, 7.5.6), written
// in memory: its size does not depend on the size of the file.
type update struct {
	doc    *Document
	cipher *cipherText // nil when the document is not encrypted
	at     int64       // offset in the file at which it begins
	next   int64       // lowest object number not used yet
	buf    bytes.Buffer
	rows   []updated
	edits  []*edit
}

// edit is an object of the document with what changes in it.
type edit struct {
	ref
	*dict
	changes []change
}

// updated is an object of the update.
type updated struct {
	ref
	span // in buf, of the value
	at   int64
}

// maxNew is how many objects an update adds at the most, validation data aside.
const maxNew = 100

// newUpdate begins an update. It refuses documents that cannot be updated as
// they are.
func newUpdate(d *Document, random io.Reader) (*update, error) {
	if err := d.locked(); err != nil {
		return nil, err
	}
	if n := len(d.revisions); n == 0 || d.revisions[n-1].section != 0 {
		return nil, damaged(d.newest().end, "no startxref with %%%%EOF after the last cross-reference section")
	}
	u := &update{doc: d, cipher: d.cipherText(random), at: d.size, next: d.newest().size}
	for _, s := range d.sections {
		u.next = max(u.next, s.size, s.highest()+1)
	}
	if u.next < 1 || u.next > maxNumber-maxNew {
		return nil, damaged(d.newest().trailer.start, "object numbers up to %d", u.next)
	}
	before, err := d.byteAt(d.last.start - 1)
	if err != nil {
		return nil, err
	}
	if isRegular(before) { // what is the last revision now would be none below an update
		return nil, damaged(d.last.start, "startxref is the end of another word")
	}
	last, err := d.byteAt(d.size - 1)
	if err != nil {
		return nil, err
	}
	if last != '\n' && last != '\r' {
		u.buf.WriteByte('\n')
	}
	return u, nil
}

// byteAt reads one byte near the end of the file.
func (d *Document) byteAt(at int64) (int, error) {
	var b [1]byte
	if n, err := d.src.ReadAt(b[:], at); n < 1 {
		return 0, fmt.Errorf("reading end of PDF: %w", err)
	}
	return int(b[0]), nil
}

// allocate returns the reference of a new object.
func (u *update) allocate() ref {
	u.next++
	return ref{num: u.next - 1}
}

// put writes an object and returns where its value stands in buf. The same
// object may be put twice when it has the same value: a page and a form can
// have one array in common.
func (u *update) put(r ref, value []byte) (span, error) {
	for _, row := range u.rows {
		if row.num != r.num {
			continue
		}
		if row.ref == r && bytes.Equal(u.buf.Bytes()[row.start:row.end], value) {
			return row.span, nil
		}
		return span{}, damaged(0, "object %d has two uses in the document", r.num)
	}
	row := updated{ref: r, at: int64(u.buf.Len())}
	fmt.Fprintf(&u.buf, "%d %d obj\n", r.num, r.gen)
	row.start = int64(u.buf.Len())
	u.buf.Write(value)
	row.end = int64(u.buf.Len())
	u.buf.WriteString("\nendobj\n")
	u.rows = append(u.rows, row)
	return row.span, nil
}

// edit notes changes to d, the value of r. The new values hold no strings.
func (u *update) edit(r ref, d *dict, changes ...change) {
	if len(changes) == 0 {
		return
	}
	for _, e := range u.edits {
		if e.ref == r {
			e.changes = append(e.changes, changes...)
			return
		}
	}
	u.edits = append(u.edits, &edit{r, d, changes})
}

// within changes the dictionary that parent has under key, or puts one there. When
// it is an object of its own, that object is edited; otherwise the change that parent
// needs is returned.
func (u *update) within(parent *dict, key name, changes []change) ([]change, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	held := parent.get(key)
	d, err := as[*dict](u.doc, held)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return []change{{key, dictionaryOf(changes)}}, nil
	}
	if r, ok := held.(ref); ok {
		u.edit(r, d, changes...)
		return nil, nil
	}
	value, err := d.edited(changes...)
	return []change{{key, value}}, err
}

// dictionaryOf writes a new dictionary.
func dictionaryOf(changes []change) []byte {
	b := []byte("<<")
	for _, c := range changes {
		b = fmt.Appendf(b, " /%s %s", c.key, c.value)
	}
	return append(b, " >>"...)
}

// fileID makes the part of /ID that changes with every update out of what makes
// this one different (ISO 32000-2, 14.4).
func (u *update) fileID(parts ...[]byte) []byte {
	h := crypto.SHA256.New()
	fmt.Fprintf(h, "%d\n", u.doc.size)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)[:16]
}

// putEdits writes the objects that change.
func (u *update) putEdits() error {
	for _, e := range u.edits {
		value, err := e.edited(e.changes...)
		if err == nil {
			value, err = u.moved(e.ref, e.src, value)
		}
		if err != nil {
			return err
		}
		if _, err := u.put(e.ref, value); err != nil {
			return err
		}
	}
	return nil
}

// moved returns source text of src as object r of the update has it: strings of
// an object stream, which is encrypted as a whole, are encrypted one by one.
func (u *update) moved(r ref, src io.ReaderAt, value []byte) ([]byte, error) {
	if u.cipher == nil || src == io.ReaderAt(u.doc.src) {
		return value, nil
	}
	o, _, err := newParser(bytes.NewReader(value), 0, int64(len(value))).object()
	if err != nil {
		return nil, err
	}
	var out []byte
	from := int64(0)
	for t := range texts(o) {
		sealed, err := u.cipher.stringIn(r, t.bytes)
		if err != nil {
			return nil, err
		}
		out = append(append(out, value[from:t.start]...), sealed...)
		from = t.end
	}
	return append(out, value[from:]...), nil
}

// text writes a text string as part of object r.
func (u *update) text(r ref, s string) ([]byte, error) {
	if u.cipher == nil {
		return encodeText(s), nil
	}
	return u.cipher.stringIn(r, textBytes(s))
}

// appendTo adds item to the array that d has under key. When the array is an
// object of its own, that object is written; otherwise the change that d needs
// is returned.
func (u *update) appendTo(d *dict, key name, item string) ([]change, error) {
	held := d.get(key)
	list, err := as[*array](u.doc, held)
	if err != nil {
		return nil, err
	}
	if list == nil {
		return []change{{key, []byte("[" + item + "]")}}, nil
	}
	value, err := list.appended(item)
	if err != nil {
		return nil, err
	}
	if r, ok := held.(ref); ok {
		if value, err = u.moved(r, list.src, value); err == nil {
			_, err = u.put(r, value)
		}
		return nil, err
	}
	return []change{{key, value}}, nil
}

// finish writes the cross-reference section, of the kind of the last one, and
// returns the whole update. id becomes the second part of the file identifier.
func (u *update) finish(id []byte) ([]byte, error) {
	if err := u.putEdits(); err != nil {
		return nil, err
	}
	trailer, err := u.trailer(id)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(u.rows, func(a, b updated) int { return cmp.Compare(a.num, b.num) })
	start := u.offset(int64(u.buf.Len()))
	if u.doc.newest().stream {
		err = u.finishStream(trailer)
	} else {
		err = u.finishTable(trailer)
	}
	fmt.Fprintf(&u.buf, "startxref\n%d\n%%%%EOF\n", start)
	return u.buf.Bytes(), err
}

// offset turns a position in buf into an offset as cross-reference data have it.
func (u *update) offset(pos int64) int64 { return u.at + pos - u.doc.base }

// trailer returns the last trailer dictionary.
func (u *update) trailer(id []byte) (*trailer, error) {
	last := u.doc.newest()
	o, _, err := newParser(u.doc.src, last.trailer.start, u.doc.size).object()
	if err != nil {
		return nil, err
	}
	d, ok := o.(*dict)
	if !ok {
		return nil, damaged(last.trailer.start, "a trailer dictionary was expected")
	}
	t := &trailer{dict: d}
	t.set("Prev", "%d", last.start-u.doc.base)
	for _, key := range []name{"XRefStm", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL"} {
		t.changes = append(t.changes, change{key: key})
	}
	ids, err := as[*array](u.doc, d.get("ID"))
	if err != nil || ids == nil || len(ids.items) != 2 {
		return t, err
	}
	if first, ok := ids.items[0].(*text); ok {
		t.set("ID", "[<%X> <%X>]", first.bytes, id)
	}
	return t, nil
}

// trailer is a trailer dictionary with what changes in it.
type trailer struct {
	*dict
	changes []change
}

func (t *trailer) set(key name, format string, args ...any) {
	t.changes = append(t.changes, change{key, fmt.Appendf(nil, format, args...)})
}

// write writes the dictionary; size is one more than the highest object number.
func (u *update) writeTrailer(t *trailer) error {
	t.set("Size", "%d", u.next)
	value, err := t.edited(t.changes...)
	u.buf.Write(value)
	u.buf.WriteByte('\n')
	return err
}

// eachRun calls visit for every run of consecutive object numbers.
func (u *update) eachRun(visit func(run []updated)) {
	for from := 0; from < len(u.rows); {
		to := from + 1
		for to < len(u.rows) && u.rows[to].num == u.rows[to-1].num+1 {
			to++
		}
		visit(u.rows[from:to])
		from = to
	}
}

// maxTableOffset is what ten digits can say.
const maxTableOffset = 9_999_999_999

func (u *update) finishTable(t *trailer) error {
	if u.offset(int64(u.buf.Len())) > maxTableOffset {
		return errors.New("updating PDF: the file is too long for its cross-reference table, which ends at 10,000,000,000 bytes")
	}
	u.buf.WriteString("xref\n")
	u.eachRun(func(run []updated) {
		fmt.Fprintf(&u.buf, "%d %d\n", run[0].num, len(run))
		for _, row := range run {
			fmt.Fprintf(&u.buf, "%010d %05d n\r\n", u.offset(row.at), row.gen)
		}
	})
	u.buf.WriteString("trailer\n")
	return u.writeTrailer(t)
}

// finishStream writes a cross-reference stream, which has a row for itself. It
// is short and stays uncompressed.
func (u *update) finishStream(t *trailer) error {
	self := updated{ref: u.allocate(), at: int64(u.buf.Len())}
	u.rows = append(u.rows, self)
	width := (bits.Len64(uint64(u.offset(self.at))) + 7) / 8
	var data, index bytes.Buffer
	u.eachRun(func(run []updated) {
		fmt.Fprintf(&index, " %d %d", run[0].num, len(run))
		for _, row := range run {
			data.WriteByte(1)
			data.Write(binary.BigEndian.AppendUint64(nil, uint64(u.offset(row.at)))[8-width:])
			data.Write(binary.BigEndian.AppendUint16(nil, uint16(row.gen)))
		}
	})
	t.set("Type", "/XRef")
	t.set("W", "[1 %d 2]", width)
	t.set("Index", "[%s ]", index.String())
	t.set("Length", "%d", data.Len())
	fmt.Fprintf(&u.buf, "%d 0 obj\n", self.num)
	if err := u.writeTrailer(t); err != nil {
		return err
	}
	u.buf.WriteString("stream\n")
	u.buf.Write(data.Bytes())
	u.buf.WriteString("\nendstream\nendobj\n")
	return nil
}
