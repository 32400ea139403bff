// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What stands here changes nothing for a reader that follows the cross-reference
// data as this package does, and a lot for one that does it another way, or that
// gives them up and looks for objects.

// TestSize: readers drop the objects from /Size on (ISO 32000-2, table 15).
func TestSize(t *testing.T) {
	form := signedForm(t)
	resized := func(file []byte, size string) []byte {
		i := bytes.LastIndex(file, []byte("/Size 100 "))
		return append(append(bytes.Clone(file[:i]), "/Size "+size+" "...), file[i+len("/Size 100 "):]...)
	}
	update := appendUpdate(t, form, obj(20, "(x)"))
	wantForbidden(t, changes(t, resized(update, "5"), "Signature1"), "the trailer's /Size was lowered")
	wantForbidden(t, changes(t, resized(update, "(x)"), "Signature1"), "the trailer's /Size was lowered")
	wantForbidden(t, changes(t, bytes.Replace(update, []byte("/Size 100 "), nil, 1), "Signature1"), "the trailer's /Size was lowered")

	// The picture over the content, 7, comes to life.
	shadow := replace(t, signed(t, shadowed()), "/Size  10 ", "/Size  07 ")
	wantForbidden(t, changes(t, appendUpdate(t, shadow, obj(50, "(x)")), "Signature1"), "object 7 was beyond /Size")
}

// TestReadFromFront: a file of the length that its first object names is read from the
// front by poppler, pdf.js and PDFium, which may find another document there.
func TestReadFromFront(t *testing.T) {
	room := "/L 0000000000"
	file := signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /Linearized 1 "+room+" >>", pagesObject, pageObject))
	update := appendUpdate(t, file, obj(20, "(x)"))
	for name, length := range map[string]string{"integer": fmt.Sprintf("%010d", len(update)), "real": fmt.Sprintf("%08d.0", len(update))} {
		t.Run(name, func(t *testing.T) {
			wantForbidden(t, changes(t, bytes.Replace(update, []byte(room), []byte("/L "+length), 1), "Signature1"), "the length of")
		})
	}
	was := fmt.Sprintf("/L %010d", len(file))
	wantChanges(t, changes(t, bytes.Replace(update, []byte(room), []byte(was), 1), "Signature1"), "other: objects [20] were added that nothing uses")
}

// TestFarStartxref: readers look for startxref in the last kilobyte, and for
// objects when it is not there.
func TestFarStartxref(t *testing.T) {
	form := signedForm(t)
	space := strings.Repeat(" ", 2000)
	update := appendUpdate(t, form, obj(20, "(x)"))
	i := bytes.LastIndex(update, []byte("%%EOF"))
	for name, file := range map[string][]byte{
		"after the end":  append(bytes.Clone(form), space...),
		"before the end": append(append(bytes.Clone(update[:i]), space...), update[i:]...),
		"on both sides":  append(append(append(bytes.Clone(update[:i]), space[:600]...), update[i:]...), space[:600]...),
	} {
		t.Run(name, func(t *testing.T) {
			wantForbidden(t, changes(t, file, "Signature1"), "startxref is too far from the end")
		})
	}
	wantChanges(t, changes(t, append(bytes.Clone(form), space[:500]...), "Signature1"), "other: 500 bytes of white space after the end")
}

// TestHiddenFromOldReaders: the table of a hybrid update frees what its stream
// leaves in place.
func TestHiddenFromOldReaders(t *testing.T) {
	file := signedForm(t)
	d := mustOpen(t, file)
	at, err := d.whereIs(5)
	if err != nil {
		t.Fatal(err)
	}
	row := string([]byte{1, byte(at.offset >> 8), byte(at.offset), 0})
	stream := obj(20, data("/Type /XRef /Size 21 /W [1 2 1] /Index [5 1] /Root 1 0 R", row)) + "\n"
	out := fmt.Appendf(bytes.Clone(file), "%sxref\n5 1\n%010d 00001 f \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n",
		stream, 0, d.newest().start, len(file), len(file)+len(stream))
	wantForbidden(t, changes(t, out, "Signature1"), "object 5 is there for some readers only")
}

// TestStreamThatLeadsElsewhere: the stream of a hybrid update names another catalog, or
// an older section than its table does.
func TestStreamThatLeadsElsewhere(t *testing.T) {
	file := signedForm(t)
	previous := mustOpen(t, file).newest().start
	update := func(entries string) []Change {
		stream := obj(20, data("/Type /XRef /Size 100 /W [1 2 1] /Index [20 1] "+entries, string([]byte{1, byte(len(file) >> 8), byte(len(file)), 0}))) + "\n"
		return changes(t, fmt.Appendf(bytes.Clone(file), "%sxref\n60 1\n0000000000 00001 f \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n",
			stream, previous, len(file), len(file)+len(stream)), "Signature1")
	}
	for _, entries := range []string{"/Root 7 0 R", "/Root 1 0 R /Prev 9"} {
		wantForbidden(t, update(entries), "leads some readers to another document")
	}
	wantChanges(t, update(fmt.Sprintf("/Root 1 0 R /Prev %d", previous)))
}

// TestLooseTable: a table that only some readers can read.
func TestLooseTable(t *testing.T) {
	form := signedForm(t)
	update := appendUpdate(t, form, obj(20, "(x)"))
	loose := bytes.Replace(update, fmt.Appendf(nil, "%010d 00000 n \n", len(form)), fmt.Appendf(nil, "%d  0 n\n", len(form)), 1)
	if bytes.Equal(loose, update) {
		t.Fatal("the row is not there")
	}
	wantForbidden(t, changes(t, loose, "Signature1"), "cross-reference table is malformed")
}

// TestObjectsInStreams: what stands in a stream of the update is an object for a
// reader that looks for objects.
func TestObjectsInStreams(t *testing.T) {
	form := signedForm(t)
	for name, object := range map[string]string{
		"stream":        obj(20, data("", "x\n5 0 obj\n"+data("", "BT (evil) Tj ET")+"\nendobj\n")),
		"string":        obj(20, "(5 0 obj << >> endobj)"),
		"comment":       obj(20, "<< % 5 0 obj\n >>"),
		"line ends":     obj(20, "(5\r\n0\tobj (x))"),
		"before itself": "%5 0 obj\n" + obj(20, "(x)"),
	} {
		t.Run(name, func(t *testing.T) {
			file := appendRows(t, form, object+"\n", fmt.Sprint("20 ", len(form)))
			wantForbidden(t, changes(t, file, "Signature1"), "look like object 5")
		})
	}
	trailer := appendUpdate(t, form, obj(20, data("", "trailer\n<< /Root 7 0 R >>")))
	wantForbidden(t, changes(t, trailer, "Signature1"), "look like a trailer")
	catalog := appendUpdate(t, form, obj(20, "<< /Type /Catalog /Pages 2 0 R >>"))
	wantForbidden(t, changes(t, catalog, "Signature1"), "object 20 was added, of the type Catalog")
	harmless := appendUpdate(t, form, obj(20, "(a trailer <a>, an object, 5 objects, 0 obj)"))
	wantChanges(t, changes(t, harmless, "Signature1"), "other: objects [20] were added that nothing uses")
}

// TestSectionWithANumberInUse: the cross-reference stream is an object itself.
func TestSectionWithANumberInUse(t *testing.T) {
	file := signedForm(t)
	d := mustOpen(t, file)
	stream := obj(5, data(fmt.Sprintf("/Type /XRef /Size 100 /W [1 2 1] /Index [60 1] /Root 1 0 R /Prev %d", d.newest().start), "\x00\x00\x00\x00"))
	out := fmt.Appendf(bytes.Clone(file), "%s\nstartxref\n%d\n%%%%EOF\n", stream, len(file))
	wantForbidden(t, changes(t, out, "Signature1"), "object 5 is a cross-reference stream, too")
}
