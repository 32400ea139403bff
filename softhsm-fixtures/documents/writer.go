// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// object is an indirect object; body is what stands between obj and endobj.
// The catalog is number 1 in every document.
type object struct {
	number, generation int
	body               string
}

// numbered makes objects 1, 2, 3… of their bodies.
func numbered(bodies ...string) []object {
	objects := make([]object, len(bodies))
	for i, body := range bodies {
		objects[i] = object{number: i + 1, body: body}
	}
	return objects
}

// stream is the body of a stream object with the entries of dict.
func stream(dict, data string) string {
	return fmt.Sprintf("<< %s/Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func isStream(o object) bool { return strings.HasSuffix(o.body, "endstream") }

// entry is a row of a cross-reference stream, ISO 32000-1, table 18: 0 for a
// free object, 1 with offset and generation, 2 with object stream and index.
type entry struct{ kind, second, third int }

// file is a PDF being written.
type file struct {
	out     bytes.Buffer
	flushed int     // bytes that were in out before
	entries []entry // by object number
}

// offset is where the next byte goes.
func (f *file) offset() int { return f.flushed + f.out.Len() }

// flush hands on what is there, so that a long file is never held whole.
func (f *file) flush(w io.Writer) error {
	n, err := f.out.WriteTo(w)
	f.flushed += int(n)
	return err
}

// header opens a file that will hold objects numbered below size.
func header(size int) *file {
	f := &file{entries: make([]entry, size)}
	f.entries[0].third = 65535
	f.out.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	return f
}

func (f *file) add(o object) {
	f.entries[o.number] = entry{1, f.offset(), o.generation}
	fmt.Fprintf(&f.out, "%d %d obj\n%s\nendobj\n", o.number, o.generation, o.body)
}

// addCompressed puts objects into an object stream that is number.
func (f *file) addCompressed(number int, objects []object) {
	var index, bodies strings.Builder
	for i, o := range objects {
		f.entries[o.number] = entry{2, number, i}
		fmt.Fprintf(&index, "%d %d ", o.number, bodies.Len())
		bodies.WriteString(o.body + "\n")
	}
	dict := fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode ", len(objects), index.Len())
	f.add(object{number: number, body: stream(dict, deflate(index.String()+bodies.String()))})
}

// trailer is the content of the trailer dictionary, without size.
func trailer(root object) string {
	return fmt.Sprintf("/Root %d %d R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]",
		root.number, root.generation)
}

// finish ends the file; offset is that of the last cross-reference section.
func (f *file) finish(offset int) []byte {
	fmt.Fprintf(&f.out, "startxref\n%d\n%%%%EOF\n", offset)
	return f.out.Bytes()
}

// table writes the cross-reference table and the trailer, and returns the
// table's offset. What is in an object stream has no row, so that each gap
// begins a new subsection.
func (f *file) table(trailer string) int {
	offset := f.offset()
	f.out.WriteString("xref\n")
	for first := 0; first < len(f.entries); {
		rows := f.rows(first)
		if len(rows) > 0 {
			fmt.Fprintf(&f.out, "%d %d\n%s", first, len(rows), strings.Join(rows, ""))
		}
		first += len(rows) + 1
	}
	fmt.Fprintf(&f.out, "trailer\n<< /Size %d %s >>\n", len(f.entries), trailer)
	return offset
}

// rows are those of the objects from first on, up to one in an object stream.
func (f *file) rows(first int) []string {
	var rows []string
	for _, e := range f.entries[first:] {
		switch e.kind {
		case 0:
			rows = append(rows, fmt.Sprintf("%010d %05d f \n", 0, e.third))
		case 1:
			rows = append(rows, fmt.Sprintf("%010d %05d n \n", e.second, e.third))
		default:
			return rows
		}
	}
	return rows
}

// stream writes the cross-reference stream as object number, with the rows of
// want, and returns its offset.
func (f *file) stream(number int, trailer string, want func(entry) bool) int {
	offset := f.offset()
	f.entries[number] = entry{1, offset, 0}
	var index []string
	var rows []byte
	for i, e := range f.entries {
		if want(e) {
			index = append(index, fmt.Sprintf("%d 1", i))
			rows = append(rows, byte(e.kind))
			rows = binary.BigEndian.AppendUint32(rows, uint32(e.second))
			rows = binary.BigEndian.AppendUint16(rows, uint16(e.third))
		}
	}
	dict := fmt.Sprintf("/Type /XRef /Size %d /W [1 4 2] /Index [%s] %s /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns %d >> ",
		len(f.entries), strings.Join(index, " "), trailer, rowSize)
	f.add(object{number: number, body: stream(dict, deflate(predict(rows)))})
	return offset
}

// rowSize is the sum of the widths in /W.
const rowSize = 7

// predict applies the PNG filter "up" to each row, as most producers do.
func predict(rows []byte) string {
	var out bytes.Buffer
	above := make([]byte, rowSize)
	for ; len(rows) > 0; rows = rows[rowSize:] {
		out.WriteByte(2)
		for i, b := range rows[:rowSize] {
			out.WriteByte(b - above[i])
		}
		above = rows[:rowSize]
	}
	return out.String()
}

func deflate(data string) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write([]byte(data)) // a bytes.Buffer takes everything
	w.Close()
	return out.String()
}

// withTable writes a file with a cross-reference table.
func withTable(objects []object) []byte {
	f := header(len(objects) + 1)
	for _, o := range objects {
		f.add(o)
	}
	return f.finish(f.table(trailer(objects[0])))
}

// withStreams writes a file with a cross-reference stream, and with all that
// may be in an object stream in one.
func withStreams(objects []object) []byte {
	f := header(len(objects) + 3)
	var compressed []object
	for _, o := range objects {
		if isStream(o) {
			f.add(o)
		} else {
			compressed = append(compressed, o)
		}
	}
	f.addCompressed(len(objects)+1, compressed)
	all := func(entry) bool { return true }
	return f.finish(f.stream(len(objects)+2, trailer(objects[0]), all))
}

// withBoth writes a hybrid file, ISO 32000-1, section 7.5.8.4: a table for old
// readers, whose trailer names a stream with the objects hidden from them. A
// hidden object has no row in the table: a free one would hide it from new
// readers too, who look there first.
func withBoth(objects []object, hidden func(object) bool) []byte {
	f := header(len(objects) + 3)
	var compressed []object
	for _, o := range objects {
		if hidden(o) {
			compressed = append(compressed, o)
		} else {
			f.add(o)
		}
	}
	f.addCompressed(len(objects)+1, compressed)
	inStream := func(e entry) bool { return e.kind == 2 }
	extra := f.stream(len(objects)+2, "", inStream)
	return f.finish(f.table(fmt.Sprintf("%s /XRefStm %d", trailer(objects[0]), extra)))
}
