// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// signed returns file signed by our own code.
func signed(t testing.TB, file []byte) []byte { return mustSign(t, file, options(t, pki.SignerP256)) }

// changes returns what was changed after the signature in a field.
func changes(t testing.TB, file []byte, field string) []Change {
	t.Helper()
	d := mustOpen(t, file)
	list, err := d.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s *Signature) bool { return s.Field == field && s.Covers == CoversRevision })
	if i < 0 {
		t.Fatalf("no signature %s of a revision among %d", field, len(list))
	}
	found, err := d.Changes(list[i])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// words writes changes one a line, the forbidden ones with an exclamation mark.
func words(list []Change) string {
	var b strings.Builder
	for _, c := range list {
		mark := ""
		if !c.Allowed {
			mark = "! "
		}
		fmt.Fprintf(&b, "%s%s: %s\n", mark, c.Kind, c.What)
	}
	return strings.TrimSpace(b.String())
}

func wantChanges(t testing.TB, got []Change, want ...string) {
	t.Helper()
	if w := strings.Join(want, "\n"); words(got) != w {
		t.Errorf("got\n%s\nwant\n%s", words(got), w)
	}
}

// wantForbidden checks that something is forbidden, for the reason given.
func wantForbidden(t testing.TB, got []Change, why string) {
	t.Helper()
	if !slices.ContainsFunc(got, func(c Change) bool { return !c.Allowed && strings.Contains(c.What, why) }) {
		t.Errorf("got %q, want %q forbidden", words(got), why)
	}
}

// textOf returns the text of an object as the newest revision has it, from its number
// to endobj.
func textOf(t testing.TB, file []byte, num int64) string {
	t.Helper()
	d := mustOpen(t, file)
	at, err := d.whereIs(num)
	if err != nil || at.kind != plain {
		t.Fatalf("object %d: %v, %v", num, at, err)
	}
	rest := file[d.base+at.offset:]
	return string(rest[:bytes.Index(rest, []byte("endobj"))+len("endobj")])
}

// edited returns an object with a part replaced.
func edited(t testing.TB, file []byte, num int64, old, with string) string {
	t.Helper()
	text := textOf(t, file, num)
	if strings.Count(text, old) != 1 {
		t.Fatalf("object %d: %q stands %d times in %s", num, old, strings.Count(text, old), text)
	}
	return strings.Replace(text, old, with, 1)
}

// obj writes an object, and data a stream.
func obj(num int, value string) string { return fmt.Sprintf("%d 0 obj\n%s\nendobj", num, value) }

func data(entries, content string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(content), content)
}

const formXObject = "/Type /XObject /Subtype /Form /BBox [0 0 228 20]"

// In the signed form the field city is object 6 and its look 9; the signature is 10
// and its field 11.
func signedForm(t testing.TB) []byte { return signed(t, documents.Form()) }

func TestPermittedChanges(t *testing.T) {
	form := signedForm(t)
	for _, tt := range []struct {
		name    string
		objects []string
		want    []string
	}{
		{"value and look", []string{edited(t, form, 6, "(Roma)", "(Milano)"), obj(9, data(formXObject, "BT ET"))}, []string{"formFill: field city: value Roma → Milano"}},
		{"value alone", []string{edited(t, form, 6, "(Roma)", "(Milano)")}, []string{"formFill: field city: value Roma → Milano"}},
		{"value in an object", []string{edited(t, form, 6, "(Roma)", "20 0 R"), obj(20, "(Milano)")}, []string{"formFill: field city: value Roma → Milano"}},
		{"look in a new object", []string{strings.Replace(edited(t, form, 6, "(Roma)", "(Pisa)"), "9 0 R", "20 0 R", 1), obj(20, data(formXObject, "BT ET"))}, []string{"formFill: field city: value Roma → Pisa"}},
		{"the same again", []string{textOf(t, form, 3), textOf(t, form, 5), textOf(t, form, 6)}, nil},
		{"validation data", []string{edited(t, form, 1, "/Type /Catalog", "/Type /Catalog /DSS 20 0 R"), obj(20, "<< /Certs [21 0 R] >>"), obj(21, data("", "x"))}, []string{"dss: validation data added or renewed"}},
		{"metadata", []string{edited(t, form, 1, "/Type /Catalog", "/Type /Catalog /Metadata 20 0 R"), obj(20, data("/Type /Metadata", "<x/>"))}, []string{"metadata: metadata changed"}},
		{"extensions", []string{edited(t, form, 1, "/Type /Catalog", "/Type /Catalog /Version /2.0 /Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 2 >> >>")},
			[]string{"extension: version raised to 2.0", "extension: developer extensions changed"}},
		{"an empty field", []string{edited(t, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (later) /Rect [0 0 0 0] /Subtype /Widget >>")},
			[]string{"signatureField: empty signature field later added"}},
		{"an empty field with a place and nothing in it", []string{edited(t, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"),
			obj(20, "<< /FT /Sig /T (later) /Rect [0 0 90 90] /Subtype /Widget /AP << /N 21 0 R >> >>"), obj(21, data(formXObject, ""))},
			[]string{"signatureField: empty signature field later added"}},
		{"a document timestamp", []string{edited(t, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (ts) /V 21 0 R >>"),
			obj(21, "<< /Type /DocTimeStamp /ByteRange [0 1 2 3] /Contents <00> >>")}, []string{"documentTimestamp: document timestamp ts added"}},
		{"a field closed", []string{edited(t, form, 6, "/F 4", "/F 68 /Ff 1 /M (D:2026)")},
			[]string{"formFill: field city: closed to changes", "formFill: field city: its date changed"}},
		{"an empty field that is turned", []string{edited(t, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (later) /Rect [0 0 90 90] /Subtype /Widget /MK << /R 90 >> >>")},
			[]string{"signatureField: empty signature field later added"}},
		{"nothing uses it", []string{obj(20, "(x)")}, []string{"other: objects [20] were added that nothing uses"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantChanges(t, changes(t, appendUpdate(t, form, tt.objects...), "Signature1"), tt.want...)
		})
	}
}

// What nobody used may go, and that is said.
func TestUnusedRemoved(t *testing.T) {
	file := appendUpdate(t, appendUpdate(t, signedForm(t), obj(20, "(x)")), obj(20, "null"))
	wantChanges(t, changes(t, file, "Signature1"), "other: objects [20] were added that nothing uses", "other: objects that nothing used were removed")
}

func TestFurtherSignatures(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			thrice := signed(t, signed(t, signed(t, doc.PDF)))
			wantChanges(t, changes(t, thrice, "Signature1"), "signature: signature Signature2 added", "signature: signature Signature3 added")
			wantChanges(t, changes(t, thrice, "Signature2"), "signature: signature Signature3 added")
		})
	}
}

// TestForbiddenChanges replaces, adds and removes what no signature permits.
func TestForbiddenChanges(t *testing.T) {
	form := signedForm(t)
	page := func(old, with string) []string { return []string{edited(t, form, 3, old, with)} }
	catalog := func(with string) []string {
		return []string{edited(t, form, 1, "/Type /Catalog", "/Type /Catalog "+with)}
	}
	field := func(old, with string) []string { return []string{edited(t, form, 6, old, with)} }
	stamp := func(old, with string) []string { return []string{edited(t, form, 11, old, with)} }
	newField := func(dict string, more ...string) []string {
		return append([]string{edited(t, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"), obj(20, dict)}, more...)
	}
	annots := func(with string, more ...string) []string {
		return append([]string{edited(t, form, 3, "8 0 R", "8 0 R "+with)}, more...)
	}
	for _, tt := range []struct {
		name    string
		objects []string
		want    string
	}{
		{"content", []string{obj(5, data("", "BT ET"))}, "page 1: content replaced"},
		{"content by another object", append(page("5 0 R", "20 0 R"), obj(20, data("", "BT ET"))), "page 1: content replaced"},
		{"content removed", page("/Contents 5 0 R", ""), "page 1: content replaced"},
		{"font", []string{obj(4, "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>")}, "replaced"},
		{"page size", page("595", "295"), "page 1: size or rotation changed"},
		{"rotation", page("/Type /Page", "/Type /Page /Rotate 90"), "page 1: size or rotation changed"},
		{"resources", page("/F1 4 0 R", "/F1 20 0 R"), "page 1: /Resources was replaced"},
		{"page action", page("/Type /Page", "/Type /Page /AA << /O << /S /JavaScript /JS (x) >> >>"), "page 1: /AA was added"},
		{"page tree", []string{edited(t, form, 2, "/Count 1", "/Count 1 /Rotate 90")}, "page tree"},
		{"page added", []string{edited(t, form, 2, "[3 0 R]", "[3 0 R 20 0 R]"), obj(20, "<< /Type /Page /Parent 2 0 R >>")}, "page tree"},
		{"page removed", []string{obj(3, "null")}, "page 1: removed"},
		{"page replaced by a stream", []string{obj(3, data("/Type /Page", ""))}, "page 1: removed"},

		{"open action", catalog("/OpenAction << /S /JavaScript /JS (x) >>"), "/OpenAction was added"},
		{"names", catalog("/Names << >>"), "/Names was added"},
		{"layers", catalog("/OCProperties << >>"), "/OCProperties was added"},
		{"pages", []string{edited(t, form, 1, "/Pages 2 0 R", "/Pages 20 0 R"), obj(20, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")}, "page tree"},
		{"certified late", append(catalog("/Perms << /DocMDP 20 0 R >>"), obj(20, "<< /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 3 >> >>] >>")), "certified after"},
		{"version nonsense", catalog("/Version /1"), "version was lowered"},
		{"a word for a version", catalog("/Version /new"), "version was lowered"},

		{"form removed", []string{obj(1, "<< /Type /Catalog /Pages 2 0 R >>")}, "the form was removed"},
		{"field removed", []string{edited(t, form, 1, "[6 0 R 11 0 R]", "[11 0 R]")}, "fields of the form were removed"},
		{"XFA", []string{edited(t, form, 1, "/SigFlags", "/XFA (x) /SigFlags")}, "the form's /XFA was added"},
		{"default appearance", []string{edited(t, form, 1, "/Helv 12 Tf", "/Helv 1 Tf")}, "default appearance"},
		{"resource of the form", []string{edited(t, form, 1, "/Helv 4 0 R", "/Helv 20 0 R")}, "resource /Helv was replaced"},
		{"draw anew", []string{edited(t, form, 1, "/SigFlags", "/NeedAppearances true /SigFlags")}, "/NeedAppearances"},
		{"signature flags", []string{edited(t, form, 1, "/SigFlags 3", "/SigFlags 1")}, "/SigFlags changed"},
		{"new text field", newField("<< /FT /Tx /T (x) >>"), "no signature field"},
		{"new button", newField("<< /FT /Btn /T (x) /Ff 65536 /A << /S /JavaScript >> >>"), "no signature field"},
		{"field with an action", newField("<< /FT /Sig /T (x) /AA << >> >>"), "/AA"},
		{"field of the same name", newField("<< /FT /Sig /T (city) >>"), "has a field of that name"},
		{"empty field with a background", newField("<< /FT /Sig /T (x) /Subtype /Widget /Rect [0 0 100 100] /MK << /BG [1 1 1] >> >>"), "shows something"},
		{"empty field whose look is elsewhere", newField("<< /FT /Sig /T (x) /Subtype /Widget /Rect [0 0 100 100] /MK 21 0 R >>", obj(21, "<< /BG [1 1 1] >>")), "shows something"},
		{"empty field that shows something", newField("<< /FT /Sig /T (x) /Rect [0 0 100 100] /AP << /N 21 0 R >> >>", obj(21, data(formXObject, "f"))), "shows something"},
		{"empty field with two looks", newField("<< /FT /Sig /T (x) /Rect [0 0 100 100] /AP << /N 21 0 R /D 9 0 R >> >>", obj(21, data(formXObject, ""))), "shows something"},
		{"empty field drawn from a file", newField("<< /FT /Sig /T (x) /Rect [0 0 100 100] /AP << /N 21 0 R >> >>", obj(21, data(formXObject+" /F (x)", ""))), "shows something"},
		{"signature without a value", newField("<< /FT /Sig /T (x) /V << /Type /Sig >> >>"), "without a signature value"},
		{"second certification", newField("<< /FT /Sig /T (x) /V 21 0 R >>",
			obj(21, "<< /Type /Sig /ByteRange [0 1 2 3] /Contents <00> /Reference [<< /TransformMethod /DocMDP >>] >>")), "with a certification"},
		{"visible timestamp", newField("<< /FT /Sig /T (x) /V 21 0 R /Rect [0 0 500 500] /AP << /N 9 0 R >> >>",
			obj(21, "<< /Type /DocTimeStamp /ByteRange [0 1 2 3] /Contents <00> >>")), "document timestamp x added, visible"},

		{"look without value", []string{obj(9, data(formXObject, "BT ET"))}, "field city: look changed, and its value did not"},
		{"field moved", field("72 700 300 720", "72 100 300 120"), "field city: moved"},
		{"field hidden", field("/F 4", "/F 2"), "field city: /F was replaced"},
		{"field with an action", field("/FT /Tx", "/FT /Tx /AA << >>"), "field city: /AA was added"},
		{"field renamed", field("(city)", "(town)"), "field city: /T was replaced"},
		{"field of another kind", field("/FT /Tx", "/FT /Btn"), "field city: /FT was replaced"},
		{"value twice", field("/V (Roma)", "/V (Milano) /V (Pisa)"), "has the key /V twice"},

		{"stamp moved", stamp("[0 0 0 0]", "[100 100 300 200]"), "stamp of Signature1 moved"},
		{"stamp drawn", append(stamp("/F 132", "/F 132 /AP << /N 20 0 R >>"), obj(20, data(formXObject, "BT ET"))), "stamp of Signature1 replaced"},
		{"stamp flags", stamp("/F 132", "/F 4"), "stamp of Signature1 shown or hidden"},
		{"signature taken out", stamp("/V 10 0 R", ""), "signature in field Signature1 removed or replaced"},
		{"field of the signature gone", []string{obj(11, "null")}, "field Signature1: removed"},

		{"note changed", []string{edited(t, form, 7, "(a note)", "(another)")}, "page 1: annotation changed (Text)"},
		{"note removed", page("7 0 R", ""), "page 1: annotation removed"},
		{"free text", annots("20 0 R", obj(20, "<< /Type /Annot /Subtype /FreeText /Rect [0 0 500 500] /Contents (x) >>")), "page 1: annotation added (FreeText)"},
		{"annotation in the page", annots("<< /Subtype /Stamp >>"), "in the page itself"},
		{"annotation in another order", page("6 0 R 7 0 R", "7 0 R 6 0 R"), "another order"},
		{"text field on the page", annots("20 0 R", obj(20, "<< /Subtype /Widget /FT /Tx /T (x) /V (y) /Rect [0 0 9 9] >>")), "no signature field"},
		{"what was unused", annots("5 0 R"), "was there before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantForbidden(t, changes(t, appendUpdate(t, form, tt.objects...), "Signature1"), tt.want)
		})
	}
}
