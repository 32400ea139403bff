// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// WriteAttachment writes to w a page with a file attached: size bytes that look
// random.
func WriteAttachment(w io.Writer, size int) error {
	f := header(8)
	for _, o := range numbered(
		"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(data.bin) 6 0 R] >> >> >>",
		pages, page, font, text("A file is attached"),
		"<< /Type /Filespec /F (data.bin) /UF (data.bin) /EF << /F 7 0 R >> >>",
	) {
		f.add(o)
	}
	f.entries[7] = entry{1, f.offset(), 0}
	fmt.Fprintf(&f.out, "7 0 obj\n<< /Type /EmbeddedFile /Length %d >>\nstream\n", size)
	if err := f.flush(w); err != nil {
		return err
	}
	if _, err := io.CopyN(w, noise(), int64(size)); err != nil {
		return err
	}
	f.flushed += size
	f.out.WriteString("\nendstream\nendobj\n")
	f.finish(f.table(trailer(object{number: 1})))
	return f.flush(w)
}

// noise is the same at every call.
func noise() io.Reader { return rand.NewChaCha8([32]byte{}) }

// The pages of a scanned document stand in groups of a page tree of two levels.
const (
	scanWidth, scanHeight = 256, 400 // of the picture, in pixels of 8 bits
	groupSize             = 50
	scanParts             = 3 // objects a page: page, content, picture
)

// WriteScanned writes to w a document of n pages, each a grey picture of 100 KiB,
// uncompressed, with a line of text over it.
func WriteScanned(w io.Writer, n int) error {
	groups := (n + groupSize - 1) / groupSize
	first := 5 + groups // number of the first page; the groups are objects 5 and up
	f := header(first + scanParts*n)
	f.add(object{number: 1, body: catalog})
	f.add(object{number: 2, body: fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d %s>>", references(5, 1, groups), n, mediaBox)})
	f.add(object{number: 4, body: font})
	for g := range groups {
		here := min(groupSize, n-g*groupSize)
		f.add(object{number: 5 + g, body: fmt.Sprintf("<< /Type /Pages /Parent 2 0 R /Kids [%s] /Count %d >>",
			references(first+g*groupSize*scanParts, scanParts, here), here)})
	}
	random := noise()
	picture := make([]byte, scanWidth*scanHeight)
	for i := range n {
		_, _ = io.ReadFull(random, picture) // it has no end
		f.addScan(first+scanParts*i, 5+i/groupSize, i+1, picture)
		if err := f.flush(w); err != nil {
			return err
		}
	}
	f.finish(f.table(trailer(object{number: 1})))
	return f.flush(w)
}

// references are those to count objects, step apart.
func references(from, step, count int) string {
	var list strings.Builder
	for i := range count {
		fmt.Fprintf(&list, "%d 0 R ", from+i*step)
	}
	return list.String()
}

// addScan adds a page as object at, with its content and its picture behind.
func (f *file) addScan(at, parent, pageNumber int, picture []byte) {
	f.add(object{number: at, body: fmt.Sprintf(
		"<< /Type /Page /Parent %d 0 R /Contents %d 0 R /Resources << /Font << /F1 4 0 R >> /XObject << /Scan %d 0 R >> >> >>", parent, at+1, at+2)})
	f.add(object{number: at + 1, body: stream("", fmt.Sprintf(
		"q 595 0 0 842 0 0 cm /Scan Do Q BT /F1 14 Tf 72 770 Td (Page %d) Tj ET", pageNumber))})
	f.add(object{number: at + 2, body: stream(fmt.Sprintf(
		"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 ", scanWidth, scanHeight), string(picture))})
}

// Refill fills in the field "city" of a [Form] that may have been signed since,
// over and over: n incremental updates, each with a value and a look of its own.
func Refill(form []byte, n int) ([]byte, error) {
	last, size, err := lastSection(form)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(bytes.Clone(form))
	for i := range n {
		value := fmt.Sprintf("Roma %d", i+1)
		rows := make([]int, 0, 2)
		for _, o := range []object{
			{number: 6, body: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /V (" + value +
				") /DA (/Helv 12 Tf 0 g) /Rect [72 700 300 720] /P 3 0 R /F 4 /AP << /N 9 0 R >> >>"},
			{number: 9, body: filledIn(value)},
		} {
			rows = append(rows, out.Len())
			fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", o.number, o.body)
		}
		section := out.Len()
		fmt.Fprintf(out, "xref\n6 1\n%010d 00000 n \n9 1\n%010d 00000 n \ntrailer\n<< /Size %d %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
			rows[0], rows[1], size, trailer(object{number: 1}), last, section)
		last = section
	}
	return out.Bytes(), nil
}

// lastSection reads from the end of a file with a cross-reference table where that
// is, and one more than the highest object number.
func lastSection(pdf []byte) (offset, size int, err error) {
	dictionary := pdf[max(0, bytes.LastIndex(pdf, []byte("trailer"))):]
	if _, err := fmt.Sscanf(after(dictionary, "/Size "), "%d", &size); err != nil {
		return 0, 0, fmt.Errorf("looking for /Size in the last trailer: %w", err)
	}
	if _, err := fmt.Sscanf(after(dictionary, "startxref\n"), "%d", &offset); err != nil {
		return 0, 0, fmt.Errorf("looking for the last startxref: %w", err)
	}
	return offset, size, nil
}

func after(b []byte, mark string) string {
	_, rest, _ := bytes.Cut(b, []byte(mark))
	return string(rest)
}
