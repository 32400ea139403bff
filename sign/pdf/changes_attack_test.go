// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
)

// appendRows appends a body and a table with the rows given, each "num offset".
func appendRows(t testing.TB, file []byte, body string, rows ...string) []byte {
	t.Helper()
	last := mustOpen(t, file).newest()
	out := append(bytes.Clone(file), body...)
	start := len(out)
	out = append(out, "xref\n"...)
	for _, row := range rows {
		var num, offset int
		if _, err := fmt.Sscanf(row, "%d %d", &num, &offset); err != nil {
			t.Fatal(err)
		}
		out = fmt.Appendf(out, "%d 1\n%010d 00000 n \n", num, offset)
	}
	return fmt.Appendf(out, "trailer\n<< /Size 100 /Root %v /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", last.root, last.start, start)
}

// shadowed is a document whose page draws a picture, object 7, over its content, and
// that holds another object 5, a second content, which no table names.
func shadowed() []byte {
	file := makePDF("<< /Type /Catalog /Pages 2 0 R >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 5 0 R /Resources << /XObject << /Over 7 0 R >> /Font << /F 4 0 R >> >> >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		data("", "BT /F 12 Tf (pay 10) Tj ET /Over Do"),
		data("", "5 0 obj\n"+data("", "BT /F 12 Tf (pay 99) Tj ET")+"\nendobj\n"),
		data("/Type /XObject /Subtype /Form /BBox [0 0 100 100]", "1 1 1 rg 0 0 100 100 re f"))
	return file
}

// TestShadowAttacks: what is shown was prepared before signing and is uncovered
// or put in place after it.
func TestShadowAttacks(t *testing.T) {
	file := signed(t, shadowed())
	hidden := fmt.Sprint("5 ", bytes.LastIndex(file, []byte("5 0 obj\n")))
	t.Run("hide", func(t *testing.T) {
		empty := appendUpdate(t, file, obj(7, data("/Type /XObject /Subtype /Form /BBox [0 0 0 0]", "")))
		wantForbidden(t, changes(t, empty, "Signature1"), "page 1: a font, picture or other resource replaced")
		freed := appendUpdate(t, file, obj(7, "null"))
		wantForbidden(t, changes(t, freed, "Signature1"), "page 1: a font, picture or other resource removed")
	})
	t.Run("replace", func(t *testing.T) {
		font := appendUpdate(t, file, obj(4, "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"))
		wantForbidden(t, changes(t, font, "Signature1"), "page 1: a font, picture or other resource replaced")
	})
	t.Run("hide and replace", func(t *testing.T) {
		flipped := appendRows(t, file, "", hidden)
		wantForbidden(t, changes(t, flipped, "Signature1"), "page 1: content replaced")
		wantForbidden(t, changes(t, flipped, "Signature1"), "object 5 is taken from bytes of an earlier revision")
	})
	t.Run("and back again", func(t *testing.T) {
		flipped := appendRows(t, file, "", hidden)
		back := appendRows(t, flipped, "", fmt.Sprint("5 ", bytes.Index(file, []byte("5 0 obj\n"))))
		found := changes(t, back, "Signature1")
		wantForbidden(t, found, "page 1: content replaced")
		if last := found[len(found)-1].Revision; last != 3 {
			t.Errorf("the last forbidden change is of revision %d: %s", last, words(found))
		}
	})
	t.Run("form", func(t *testing.T) {
		form := signedForm(t)
		look := appendUpdate(t, form, edited(t, form, 6, "9 0 R", "20 0 R"), obj(20, data(formXObject, "BT (99) Tj ET")))
		wantForbidden(t, changes(t, look, "Signature1"), "field city: look changed, and its value did not")
	})
}

// TestSharedObjects: an object with a permitted use and another one.
func TestSharedObjects(t *testing.T) {
	base := func(page, form string) []byte {
		return signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> "+form+" >>", pagesObject,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R] "+page+" >>",
			"<< /FT /Tx /T (f) /V (a) /Subtype /Widget /Rect [0 0 9 9] /AP << /N 5 0 R >> >>", data(formXObject, "")))
	}
	fill := func(file []byte) []byte {
		return appendUpdate(t, file, edited(t, file, 4, "(a)", "(b)"), obj(5, data(formXObject, "BT ET")))
	}
	wantChanges(t, changes(t, fill(base("", "")), "Signature1"), "formFill: field f: value a → b")
	for name, file := range map[string][]byte{
		"look drawn by the page": base("/Resources << /XObject << /X 5 0 R >> >>", ""),
		"look named elsewhere":   base("", "/Names << /AP 5 0 R >>"),
		"field as resources":     base("/Resources << /XObject 4 0 R >>", ""),
		"field as a look":        base("/Resources << /XObject << /X 4 0 R >> >>", ""),
	} {
		t.Run(name, func(t *testing.T) { wantForbidden(t, changes(t, fill(file), "Signature1"), "") })
	}
}

// TestParserDifferences: bytes that two readers may take for different objects.
func TestParserDifferences(t *testing.T) {
	form := signedForm(t)
	filled := edited(t, form, 6, "(Roma)", "(Milano)") + "\n"
	evil := obj(5, data("", "BT (evil) Tj ET")) + "\n"
	at := len(form)
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"object without a row", appendRows(t, form, filled+evil, fmt.Sprint("6 ", at)), "belong to no object"},
		{"two objects of one number", appendRows(t, form, filled+strings.Replace(filled, "Milano", "Napoli", 1), fmt.Sprint("6 ", at)), "belong to no object"},
		{"object in a comment", appendRows(t, form, filled+"% 5 0 obj << >> endobj\n", fmt.Sprint("6 ", at)), ""},
		{"object in a stream of the update", appendRows(t, form, obj(20, data("", evil))+"\n"+filled, fmt.Sprint("20 ", at),
			fmt.Sprint("5 ", at+strings.Index(obj(20, data("", evil)), "5 0 obj")), fmt.Sprint("6 ", at+len(obj(20, data("", evil)))+1)), "content replaced"},
		{"bytes after the end", append(bytes.Clone(form), evil...), "belong to no object"},
		{"a comment after the end", append(bytes.Clone(form), "% hello\n"...), "belong to no object"},
		{"stream with a wrong length", appendRows(t, form, obj(20, strings.Replace(data("", "abc"), "3", "2", 1))+"\n", fmt.Sprint("20 ", at)), "without an end"},
		{"row into the signature", appendRows(t, form, "", fmt.Sprint("5 ", bytes.Index(form, []byte("/Contents <"))+20)), "object 5 cannot be read any more"},
		{"repeated key in the trailer", bytes.Replace(appendRows(t, form, filled, fmt.Sprint("6 ", at)), []byte("/Size 100 "), []byte("/Size 100 /Size 9 "), 1), "key /Size twice"},
		{"another catalog", bytes.Replace(appendRows(t, form, obj(20, "<< /Type /Catalog /Pages 21 0 R >>")+"\n", fmt.Sprint("20 ", at)),
			[]byte("/Size 100 /Root 1 0 R"), []byte("/Size 100 /Root 20 0 R"), 1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustOpen(t, tt.file)
			list, err := d.Signatures()
			if err != nil || len(list) != 1 {
				t.Fatalf("%d signatures, error %v", len(list), err)
			}
			found, err := d.Changes(list[0])
			if err != nil {
				t.Fatal(err)
			}
			wantForbidden(t, found, tt.want)
		})
	}
	space := append(bytes.Clone(form), "\n\n \x00"...)
	wantChanges(t, changes(t, space, "Signature1"), "other: 4 bytes of white space after the end")
}

// TestSectionInSignedBytes: a prepared cross-reference section in the signed
// revision is brought to life by a startxref alone.
func TestSectionInSignedBytes(t *testing.T) {
	plain := documents.Plain()
	second := fmt.Sprintf("xref\n5 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %s >>\n", len(plain)+len("90 0 obj\n"), "PREV000000")
	inner := obj(5, data("", "BT (evil) Tj ET")) + "\n"
	held := appendUpdate(t, plain, obj(90, data("", inner+second)))
	file := signed(t, held)
	section := bytes.Index(file, []byte("xref\n5 1\n"))
	last := mustOpen(t, file).newest().start
	woken := bytes.Replace(file, []byte("PREV000000"), fmt.Appendf(nil, "%010d", last), 1)
	woken = fmt.Appendf(woken, "startxref\n%d\n%%%%EOF\n", section)
	wantForbidden(t, changes(t, woken, "Signature1"), "a cross-reference section stands in bytes of an earlier revision")
}

// TestShadowOfTheFutureIsSeen: the signed revision refers to what is not there yet.
func TestShadowOfTheFutureIsSeen(t *testing.T) {
	prepared := makePDF("<< /Type /Catalog /Pages 2 0 R >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents [4 0 R 30 0 R] >>", data("", "BT ET"))
	t.Run("a number", func(t *testing.T) {
		file := signed(t, prepared)
		wantForbidden(t, changes(t, appendUpdate(t, file, obj(30, data("", "BT (evil) Tj ET"))), "Signature1"), "page 1: content replaced")
	})
	t.Run("an offset", func(t *testing.T) {
		const future = 30_000
		file := signed(t, appendRows(t, prepared, "", fmt.Sprint("30 ", future)))
		file = append(file, bytes.Repeat([]byte{' '}, future-len(file))...)
		file = append(file, obj(30, data("", "BT (evil) Tj ET"))...)
		wantForbidden(t, changes(t, file, "Signature1"), "object 30 begins in the earlier revision")
	})
	t.Run("a cut off stream", func(t *testing.T) {
		open := "30 0 obj\n<< /Length 400000 >>\nstream\n"
		file := signed(t, appendRows(t, prepared, open+strings.Repeat(" ", 10), fmt.Sprint("30 ", len(prepared))))
		wantForbidden(t, changes(t, append(file, "endstream"...), "Signature1"), "object 30 begins in the earlier revision")
	})
}

// TestRedefinedContainer: the rows of packed objects stay, the object stream around
// them is replaced.
func TestRedefinedContainer(t *testing.T) {
	file := signed(t, documents.Streams())
	d := mustOpen(t, file)
	at, err := d.whereIs(2)
	if err != nil || at.kind != packed {
		t.Fatalf("object 2 is not packed: %v, %v", at, err)
	}
	inner := "2 0 << /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 90 >>"
	container := obj(int(at.offset), data("/Type /ObjStm /N 1 /First 4", inner))
	wantForbidden(t, changes(t, appendUpdate(t, file, container), "Signature1"), "an object stream replaced")
}

// certifiedForm is a signed form with a text field f, an empty signature field s and
// a certification that permits level, and lock in its signature field.
func certifiedForm(t testing.TB, level int, lock string) []byte {
	t.Helper()
	file := signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R 6 0 R] >> /Perms << /DocMDP 7 0 R >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R 5 0 R] >>",
		"<< /FT /Tx /T (f) /V (a) /Subtype /Widget /Rect [0 0 9 9] >>",
		"<< /FT /Sig /T (s) /Subtype /Widget /Rect [0 9 9 18] >>",
		"<< /FT /Sig /T (c) /V 7 0 R /Rect [0 0 0 0] "+lock+" >>",
		"<< /Type /Sig /Contents <3000> /ByteRange [0 1 2 3] /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>] >>"))
	return bytes.Replace(file, []byte("/P 2 >>"), fmt.Appendf(nil, "/P %d >>", level), 1)
}

const someSignature = "<< /Type /Sig /ByteRange [0 1 2 3] /Contents <00> >>"

// TestCertification: what each level permits, ISO 32000-2, table 257.
func TestCertification(t *testing.T) {
	comment := func(subtype, more string) func([]byte) []string {
		return func(file []byte) []string {
			return []string{edited(t, file, 3, "5 0 R", "5 0 R 20 0 R"),
				obj(20, "<< /Type /Annot /Subtype /"+subtype+" /Rect [0 0 90 18] "+more+" >>"),
				obj(21, data(formXObject+" /Resources << /Font << /F 4 0 R >> >>", "BT ET")), obj(22, data(formXObject, "0 0 9 9 re S"))}
		}
	}
	for _, tt := range []struct {
		name   string
		from   int // the lowest level that permits it; 4 for none
		update func(file []byte) []string
	}{
		{"validation data", 1, func(f []byte) []string {
			return []string{edited(t, f, 1, "/Type /Catalog", "/Type /Catalog /DSS << >>")}
		}},
		{"timestamp", 1, func(f []byte) []string {
			return []string{edited(t, f, 1, "6 0 R", "6 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (x) /V 21 0 R >>"), obj(21, strings.Replace(someSignature, "Sig", "DocTimeStamp", 1))}
		}},
		{"a signature called a timestamp", 2, func(f []byte) []string {
			return []string{edited(t, f, 1, "6 0 R", "6 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (x) /V 21 0 R >>"), obj(21, strings.Replace(someSignature, "/Sig", "/DocTimeStamp /SubFilter /ETSI.CAdES.detached", 1))}
		}},
		{"filling in", 2, func(f []byte) []string { return []string{edited(t, f, 4, "(a)", "(b)")} }},
		{"signing a field", 2, func(f []byte) []string {
			return []string{edited(t, f, 5, "/T (s)", "/T (s) /V 20 0 R"), obj(20, someSignature)}
		}},
		{"signing a new field", 2, func(f []byte) []string {
			return []string{edited(t, f, 1, "6 0 R", "6 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (x) /V 21 0 R >>"), obj(21, someSignature)}
		}},
		{"a new visible field", 4, func(f []byte) []string { // the sneaky signature attack
			return []string{edited(t, f, 1, "6 0 R", "6 0 R 20 0 R"), edited(t, f, 3, "5 0 R", "5 0 R 20 0 R"),
				obj(20, "<< /FT /Sig /T (x) /V 21 0 R /Subtype /Widget /Rect [0 0 90 90] /AP << /N 22 0 R >> >>"), obj(21, someSignature), obj(22, data(formXObject, "BT ET"))}
		}},
		{"a note", 3, comment("Text", "/AP << /N 22 0 R >>")},
		{"a highlight", 3, comment("Highlight", "")},
		{"a note that shows text", 4, comment("Text", "/AP << /N 21 0 R >>")}, // evil annotations
		{"free text", 4, comment("FreeText", "")},
		{"a stamp", 4, comment("Stamp", "/AP << /N 22 0 R >>")},
		{"a redaction", 4, comment("Redact", "")},
		{"a note with an action", 4, comment("Text", "/A << /S /JavaScript >>")},
		{"permissions removed", 4, func(f []byte) []string { return []string{edited(t, f, 1, "/Perms << /DocMDP 7 0 R >>", "")} }},
	} {
		for level := 1; level <= 3; level++ {
			t.Run(fmt.Sprintf("%s at %d", tt.name, level), func(t *testing.T) {
				file := certifiedForm(t, level, "")
				found := changes(t, appendUpdate(t, file, tt.update(file)...), "Signature1")
				if forbidden := strings.Contains(words(found), "!"); len(found) == 0 || forbidden == (level >= tt.from) {
					t.Errorf("permitted from level %d: %s", tt.from, words(found))
				}
			})
		}
	}
}

// A certification that is rewritten does not permit more.
func TestWidenedPermissions(t *testing.T) {
	file := certifiedForm(t, 1, "")
	wide := obj(7, "<< /Type /Sig /Contents <3000> /ByteRange [0 1 2 3] /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 3 >> >>] >>")
	found := changes(t, appendUpdate(t, appendUpdate(t, file, wide), edited(t, file, 4, "(a)", "(b)")), "Signature1")
	wantForbidden(t, found, "signature dictionary of c replaced")
	wantForbidden(t, found, "field f: value a → b, which the certification forbids (level 1)")
}

// TestLocks: fields that an earlier signature locked, ISO 32000-2, 12.8.2.4.
func TestLocksAgainstChanges(t *testing.T) {
	for _, tt := range []struct {
		lock   string
		locked bool
	}{
		{"", false},
		{"/Lock << /Action /All >>", true},
		{"/Lock << /Action /Include /Fields [(f)] >>", true},
		{"/Lock << /Action /Include /Fields [(g)] >>", false},
		{"/Lock << /Action /Exclude /Fields [(f)] >>", false},
		{"/Lock << /Action /Exclude /Fields [(g)] >>", true},
		{"/Lock << /Action /Nonsense >>", true},
		{"/Lock << /Action /Include /Fields [(g)] /P 1 >>", true},
	} {
		t.Run(tt.lock, func(t *testing.T) {
			file := relocked(t, tt.lock)
			found := changes(t, appendUpdate(t, file, edited(t, file, 4, "(a)", "(b)")), "Signature1")
			if forbidden := strings.Contains(words(found), "!"); forbidden != tt.locked || len(found) != 1 {
				t.Errorf("got %s", words(found))
			}
		})
	}
}

// relocked is a form of which a signature before ours locks fields. Such a lock
// may forbid our own signature, so it is written over a comment after signing.
func relocked(t testing.TB, lock string) []byte {
	room := "%" + strings.Repeat("x", 80) + "\n"
	file := certifiedForm(t, 2, room)
	return bytes.Replace(file, []byte(room), []byte(lock+strings.Repeat(" ", len(room)-len(lock))), 1)
}

// TestEveryObjectIsGuarded redefines each object of signed documents with one key
// more, one at a time: none of that is permitted.
func TestEveryObjectIsGuarded(t *testing.T) {
	for _, doc := range documents.All() {
		file := signed(t, doc.PDF)
		d := mustOpen(t, file)
		for num := int64(1); num < d.newest().size; num++ {
			at, err := d.whereIs(num)
			if err != nil {
				t.Fatal(err)
			}
			o, err := d.object(at.refer(num))
			if err != nil || dictOf(o) == nil || at.kind == packed || wrapping(o) {
				continue
			}
			t.Run(fmt.Sprint(doc.Name, num), func(t *testing.T) {
				text := strings.Replace(textOf(t, file, num), "<<", "<< /Zz 1", 1)
				wantForbidden(t, changes(t, appendUpdate(t, file, text), "Signature1"), "")
			})
		}
	}
}

// TestRandomRedefinitions replaces objects by copies of others: no such update to
// what pages show is permitted.
func TestRandomRedefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	form := signedForm(t)
	guarded := []int64{2, 3, 4, 5, 7, 8, 10, 11}
	for range 200 {
		num, other := guarded[r.IntN(len(guarded))], guarded[r.IntN(len(guarded))]
		if num == other {
			continue
		}
		text := textOf(t, form, other)
		text = fmt.Sprintf("%d%s", num, strings.TrimPrefix(text, fmt.Sprint(other)))
		found, err := judged(appendUpdate(t, form, text))
		if err == nil && !strings.Contains(words(found), "!") {
			t.Errorf("object %d in the place of %d: %s", other, num, words(found))
		}
	}
}

// judged returns the changes after the first signature.
func judged(file []byte) ([]Change, error) {
	d, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	list, err := d.Signatures()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Covers != CoversRevision {
		return nil, damaged(0, "no signature of a revision")
	}
	return d.Changes(list[0])
}

// TestUninvitedObjects: an object stream of the update holds an object that no row
// leads to, for a reader that rebuilds the table.
func TestUninvitedObjects(t *testing.T) {
	file := signedForm(t)
	inner := "5 0 << /Length 0 >>"
	packed := appendUpdate(t, file, obj(20, data("/Type /ObjStm /N 1 /First 4", inner)))
	wantForbidden(t, changes(t, packed, "Signature1"), "object 5 stands in object stream 20")
}

// TestTwoPlaces: the table of a hybrid update keeps the content, its stream replaces it.
func TestTwoPlaces(t *testing.T) {
	file := signedForm(t)
	d := mustOpen(t, file)
	at, err := d.whereIs(5)
	if err != nil {
		t.Fatal(err)
	}
	evil := obj(5, data("", "BT (evil) Tj ET")) + "\n"
	hidden := len(file) + len(evil)
	row := fmt.Sprintf("\x01%c%c\x00", len(file)>>8, len(file)&0xff)
	stream := obj(20, data("/Type /XRef /Size 21 /W [1 2 1] /Index [5 1] /Root 1 0 R", row)) + "\n"
	start := hidden + len(stream)
	out := fmt.Appendf(bytes.Clone(file), "%s%sxref\n5 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n",
		evil, stream, at.offset, d.newest().start, hidden, start)
	wantForbidden(t, changes(t, out, "Signature1"), "object 5 has two places")
}

// TestComments: of a comment only the words may change, at the level that permits it.
func TestComments(t *testing.T) {
	file := signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> /Perms << /DocMDP 7 0 R >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R 5 0 R] /Resources << /Font << /P 4 0 R >> >> >>",
		"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (a) >>",
		"<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /Contents (a) >>",
		"<< /FT /Sig /T (c) /V 7 0 R >>",
		"<< /Type /Sig /Contents <3000> /ByteRange [0 1 2 3] /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 3 >> >>] >>"))
	for _, tt := range []struct{ object, want string }{
		{edited(t, file, 4, "(a)", "(b)"), "annotation: page 1: annotation changed (Text at [0 0 9 9])"},
		{edited(t, file, 3, "4 0 R 5 0 R", "5 0 R"), "annotation: page 1: annotation removed (Text)"},
		{edited(t, file, 3, "4 0 R 5 0 R", "4 0 R"), "! annotation: page 1: annotation removed"},
		{edited(t, file, 4, "/Rect", "/FontDescriptor 5 0 R /Rect"), "! annotation: page 1: annotation changed (/FontDescriptor)\nannotation: page 1: annotation changed (Text at [0 0 9 9])"},
		{obj(5, "null"), "! annotation: page 1: annotation removed, or what it shows replaced"},
	} {
		wantChanges(t, changes(t, appendUpdate(t, file, tt.object), "Signature1"), tt.want)
	}
}

// TestEvilComments: a comment may draw with a pen, and neither write nor cover what
// was signed, where the certification permits comments.
func TestEvilComments(t *testing.T) {
	const dark = "/Resources << /ExtGState << /D << /BM /Multiply >> /N << /ca 1 >> >> >>"
	for _, tt := range []struct {
		name    string
		annot   string // /Rect and more
		form    string // of the appearance
		content string
		allowed bool
	}{
		{"a line", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 0 0 RG 2 w 0 6 m 90 6 l S", true},
		{"an icon", "/Rect [0 0 24 24]", "/BBox [0 0 24 24]", "1 1 0 rg 0 0 24 24 re B", true},
		{"a marker", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] " + dark, "q /D gs 1 1 0 rg 0 0 90 12 re f Q", true},
		{"paint", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 g 0 0 90 12 re f", false},
		{"paint after a marker", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] " + dark, "q /D gs Q 1 g 0 0 90 12 re f", false},
		{"paint in another state", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] " + dark, "/D gs /N gs 1 g 0 0 90 12 re f", false},
		{"an unknown state", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "/D gs 1 g 0 0 90 12 re f", false},
		{"a broad pen", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 G 40 w 0 6 m 90 6 l S", false},
		{"a magnified pen", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "9 0 0 9 0 0 cm 0 6 m 90 6 l S", false},
		{"a small box", "/Rect [0 0 90 90]", "/BBox [0 0 9 9]", "0 6 m 90 6 l S", false},
		{"a matrix", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Matrix [9 0 0 9 0 0]", "0 6 m 90 6 l S", false},
		{"a matrix that moves", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Matrix [1 0 0 1 -7 -7.5]", "0 6 m 90 6 l S", true},
		{"a mirrored pen", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 0 0 -1 4 12 cm 0 .5 -1 0 0 0 cm 0 6 m 90 6 l S", true},
		{"a sheared pen", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 1 1 1 0 0 cm 0 6 m 90 6 l S", false},
		{"a box elsewhere", "/Rect [0 0 90 90]", "/BBox 4 0 R", "0 6 m 90 6 l S", false},
		{"correction fluid", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "1 G 12 w 0 6 m 90 6 l S", false},
		{"correction fluid in RGB", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "/DeviceRGB CS .9 .95 1 SC 12 w 0 6 m 90 6 l S", false},
		{"correction fluid in CMYK", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "0 0 0.1 0 K 12 w 0 6 m 90 6 l S", false},
		{"a pen in CMYK", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "0 0 0.1 1 K 12 w 0 6 m 90 6 l S", true},
		{"a colour that nobody knows", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "/Sep CS 1 SCN 12 w 0 6 m 90 6 l S", false},
		{"another gray", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /ColorSpace << /DefaultGray 4 0 R >> >>", "0 6 m 90 6 l S", false},
		{"correction fluid after a pen", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "q 1 0 0 RG Q 1 G q 0 G Q 0 6 m 90 6 l S", false},
		{"a blank icon", "/Rect [0 0 24 24]", "/BBox [0 0 24 24]", "1 g 0 0 24 24 re f", false},
		{"a marker that darkens nothing", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Group << /S /Transparency /I true >> " + dark, "/D gs 1 g 0 0 90 12 re f", false},
		{"a marker in a group", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Group << /S /Transparency >> " + dark, "/D gs 1 1 0 rg 0 0 90 12 re f", true},
		{"inverted colours", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /ExtGState << /D << /BM /Multiply /TR 4 0 R >> >> >>", "/D gs 0 g 0 0 90 12 re f", false},
		{"a mode that lightens", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /ExtGState << /D << /BM /Difference >> >> >>", "/D gs 0 6 m 90 6 l S", false},
		{"a comment that lightens", "/Rect [0 0 90 12] /BM /Screen", "/BBox [0 0 90 12] " + dark, "/D gs 1 g 0 0 90 12 re f", false},
		{"a page of another file", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Ref << /F (evil.pdf) /Page 0 >>", "", false},
		{"a marker by a form", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /ExtGState << /D << /BM /Multiply >> >> /XObject << /M 22 0 R >> >>", "/D gs /M Do", true},
		{"a form", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /XObject << /M 22 0 R >> >>", "/M Do", false},
		{"a form in itself", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /XObject << /M 21 0 R >> >>", "/M Do", false},
		{"a picture", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /XObject << /M 23 0 R >> >>", "/M Do", false},
		{"text in fonts of the page", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "BT /F 12 Tf (99) Tj ET", false},
		{"a picture in the line", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "BI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI", false},
		{"shading", "/Rect [0 0 90 12]", "/BBox [0 0 90 12]", "/S sh", false},
		{"a font in a state", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Resources << /ExtGState << /D << /Font [4 0 R 9] >> >> >>", "", false},
		{"what cannot be inflated", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Filter /FlateDecode", "x", false},
		{"another filter", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /Filter /LZWDecode", "x", false},
		{"another file", "/Rect [0 0 90 12]", "/BBox [0 0 90 12] /F (evil)", "", false},
		{"a broad border", "/Rect [0 0 90 12] /BS << /W 40 >>", "/BBox [0 0 90 12]", "", false},
		{"an old broad border", "/Rect [0 0 90 12] /Border [0 0 40.5]", "/BBox [0 0 90 12]", "", false},
		{"a thin border", "/Rect [0 0 90 12] /Border [0 0 1 [2 3]] /BS << /W 1 >>", "/BBox [0 0 90 12]", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := certifiedForm(t, 3, "")
			found := changes(t, appendUpdate(t, file, edited(t, file, 3, "5 0 R", "5 0 R 20 0 R"),
				obj(20, "<< /Type /Annot /Subtype /Highlight "+tt.annot+" /AP << /N 21 0 R >> >>"), obj(21, data(tt.form, tt.content)),
				obj(22, data("/Subtype /Form /BBox [0 0 90 12] /Group << /S /Transparency >>", "1 1 0 rg 0 0 90 12 re f")),
				obj(23, data("/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", "\xff"))), "Signature1")
			found = slices.DeleteFunc(found, func(c Change) bool { return c.Kind == ChangeOther })
			if len(found) != 1 || found[0].Kind != ChangeAnnotation || found[0].Allowed != tt.allowed {
				t.Errorf("allowed %v: %s", tt.allowed, words(found))
			}
		})
	}
}

// TestSigningAVisibleField tells what the stamp covers; a timestamp has none.
func TestSigningAVisibleField(t *testing.T) {
	file := certifiedForm(t, 2, "")
	look := obj(22, data(formXObject, "BT ET"))
	sign := edited(t, file, 5, "/T (s)", "/T (s) /V 20 0 R /AP << /N 22 0 R >>")
	wantChanges(t, changes(t, appendUpdate(t, file, sign, obj(20, someSignature), look), "Signature1"), "signature: signature s added, visible, over [0 9 9 18]")
	timestamp := obj(20, strings.Replace(someSignature, "Sig", "DocTimeStamp", 1))
	wantForbidden(t, changes(t, appendUpdate(t, file, sign, timestamp, look), "Signature1"), "document timestamp s added, visible")
	unsigned := edited(t, file, 5, "/T (s)", "/T (s) /AP << /N 22 0 R >>")
	wantForbidden(t, changes(t, appendUpdate(t, file, unsigned, look), "Signature1"), "changed without being signed")
}
