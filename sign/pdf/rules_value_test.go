// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"testing"
)

// TestSameValueOtherLook: a value that is written another way, and says the same,
// lets nobody draw the field anew.
func TestSameValueOtherLook(t *testing.T) {
	form := signedForm(t)
	look := obj(9, data(formXObject, "BT (99) Tj ET"))
	for name, value := range map[string]string{
		"UTF-16": "<FEFF0052006F006D0061>", "UTF-8": "<EFBBBF526F6D61>", "name": "/Roma", "space": "(Roma )", "list": "[(Roma)]",
		"zero width": "<FEFF0052006F006D0061200B>", "rich text": "(Roma) /RV (<body>99</body>)", "index": "(Roma) /I [0]", "object": "20 0 R",
	} {
		t.Run(name, func(t *testing.T) {
			file := appendUpdate(t, form, edited(t, form, 6, "(Roma)", value), look, obj(20, data("", "Roma")))
			wantForbidden(t, changes(t, file, "Signature1"), "field city: look changed, and its value did not")
		})
	}
}

// TestRichTextAlone: what some readers draw in the place of the value, and which of the
// choices they mark.
func TestRichTextAlone(t *testing.T) {
	form := signedForm(t)
	for _, entry := range []string{"/RV (<body>99</body>)", "/I [0]", "/BS << /W 9 >>"} {
		file := appendUpdate(t, form, edited(t, form, 6, "(Roma)", "(Roma) "+entry))
		wantForbidden(t, changes(t, file, "Signature1"), "field city: look changed, and its value did not")
		file = appendUpdate(t, form, edited(t, form, 6, "(Roma)", "(Pisa) "+entry))
		wantChanges(t, changes(t, file, "Signature1"), "formFill: field city: value Roma → Pisa")
	}
}

// TestInheritedValue: a field below takes its value from the one above, whose name no
// lock has.
func TestInheritedValue(t *testing.T) {
	file := signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [5 0 R] >>",
		"<< /FT /Tx /T (a) /V (10) /Kids [5 0 R] >>", "<< /T (b) /Parent 4 0 R /Subtype /Widget /Rect [0 0 9 9] >>"))
	wantForbidden(t, changes(t, appendUpdate(t, file, edited(t, file, 4, "(10)", "(99)")), "Signature1"), "field a: what the fields below it inherit changed")
	wantChanges(t, changes(t, appendUpdate(t, file, edited(t, file, 5, "/T (b)", "/T (b) /V (99)")), "Signature1"), "formFill: field a.b: value 10 → 99")
}

// TestDrawnAnew: a form may ask for new appearances where that shows nothing new.
func TestDrawnAnew(t *testing.T) {
	const why = "asks readers to draw it anew"
	ask := func(field, value string) []Change {
		file := undrawn(t, field, "/NeedAppearances false")
		objects := []string{edited(t, file, 1, "/NeedAppearances false", "/NeedAppearances true")}
		if value != "" {
			objects = append(objects, edited(t, file, 4, "/T (f)", "/T (f) /V "+value))
		}
		return changes(t, appendUpdate(t, file, objects...), "Signature1")
	}
	wantChanges(t, ask("/FT /Tx", ""))
	wantChanges(t, ask("/FT /Tx /AP << /N 5 0 R >>", ""))
	wantChanges(t, ask("/FT /Btn /AS /Off /AP << /N << /Off 5 0 R /Yes 6 0 R >> >>", ""))
	wantChanges(t, ask("/FT /Tx /AP << /N 5 0 R >>", "(x)"), "formFill: field f: value (none) → x")
	wantForbidden(t, ask("/FT /Tx /V (10) /AP << /N 5 0 R >>", ""), why)
	wantForbidden(t, ask("/FT /Tx /AP << /N 6 0 R >>", ""), why)
	wantForbidden(t, ask("/FT /Btn /AS /Yes /AP << /N << /Off 5 0 R /Yes 6 0 R >> >>", ""), why)
	file := undrawn(t, "/FT /Tx /V (10)", "/NeedAppearances true")
	wantForbidden(t, changes(t, appendUpdate(t, file, edited(t, file, 1, "/NeedAppearances true", "")), "Signature1"), "so that readers stop to draw fields anew")
	file = undrawn(t, "/FT /Tx /V (10)", "/NeedAppearances false")
	wantChanges(t, changes(t, appendUpdate(t, file, edited(t, file, 1, "/NeedAppearances false", "")), "Signature1"))
}

// TestFilledTwice: a program writes the field, its widget and the form each time that it
// fills in the field. Which way the ledger goes through them makes no difference.
func TestFilledTwice(t *testing.T) {
	file := signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R] >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [5 0 R 8 0 R] >>", data(formXObject, ""),
		"<< /Subtype /Widget /Rect [0 0 9 9] /Parent 6 0 R /AP << /N 4 0 R >> >>", "<< /FT /Tx /T (f) /V () /Kids [5 0 R] >>",
		"<< /FT /Tx /T (g) /V () /Kids [8 0 R] >>", "<< /Subtype /Widget /Rect [20 20 29 29] /Parent 7 0 R /AP << /N 4 0 R >> >>"))
	const asked = "/NeedAppearances false "
	fill := func(file []byte, before, after string) []byte {
		form, drawn, look := edited(t, file, 1, "/Fields", asked+"/Fields"), "4 0 R", 20
		if before != "" {
			form, drawn, look = edited(t, file, 1, asked, ""), "20 0 R", 21
		}
		redrawn := fmt.Sprintf("%d 0 R", look)
		return appendUpdate(t, file, form, edited(t, file, 5, drawn, redrawn), edited(t, file, 8, drawn, redrawn),
			edited(t, file, 6, "/V ("+before+")", "/V ("+after+")"), edited(t, file, 7, "/V ("+before+")", "/V ("+after+")"),
			obj(look, data(formXObject, "BT ET %"+after)))
	}
	wantChanges(t, changes(t, fill(fill(file, "", "10"), "10", "99"), "Signature1"),
		"formFill: field f: value (empty) → 10", "formFill: field g: value (empty) → 10", "formFill: field f: value 10 → 99", "formFill: field g: value 10 → 99")

	twice := appendUpdate(t, file, edited(t, file, 6, "[5 0 R]", "[5 0 R 5 0 R]"))
	wantForbidden(t, changes(t, fill(twice, "", "10"), "Signature1"), "replaced")
}

// undrawn is a signed form whose text field f has no appearance.
func undrawn(t testing.TB, field, form string) []byte {
	return signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /DR << /Font << /F 6 0 R >> >> "+form+" >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R] >>",
		"<< /T (f) /Subtype /Widget /Rect [0 0 9 9] "+field+" >>", data(formXObject, "BT ET"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"))
}

// TestFirstLook: a field that readers drew themselves gets a look of its own.
func TestFirstLook(t *testing.T) {
	draw := func(file []byte, content string) []Change {
		return changes(t, appendUpdate(t, file, edited(t, file, 4, "/T (f)", "/T (f) /AP << /N 20 0 R >>"), obj(20, data(formXObject, content))), "Signature1")
	}
	wantForbidden(t, draw(undrawn(t, "/FT /Tx /V (10)", ""), "BT (99) Tj ET"), "field f: look changed")
	wantForbidden(t, draw(undrawn(t, "/FT /Tx", ""), "BT (99) Tj ET"), "field f: look changed")
	wantForbidden(t, draw(undrawn(t, "/FT /Btn", ""), "0 0 9 9 re f"), "field f: look changed")
	wantChanges(t, draw(undrawn(t, "/FT /Tx", ""), "/Tx BMC 0 0 9 9 re S EMC"), "formFill: field f: drawn, its value is still (none)")
}

// TestResourcesThatRedraw: a font that the form did not have, and a field is drawn
// with.
func TestResourcesThatRedraw(t *testing.T) {
	grow := func(file []byte) []Change {
		return changes(t, appendUpdate(t, file, edited(t, file, 1, "/F 6 0 R", "/F 6 0 R /Evil 20 0 R"), obj(20, "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>")), "Signature1")
	}
	const why = "field f: the form got what readers draw it with"
	wantForbidden(t, grow(undrawn(t, "/FT /Tx /V (10) /DA (/Evil 9 Tf)", "")), why)
	wantForbidden(t, grow(undrawn(t, "/FT /Tx /V (10)", "/DA (/Evil 9 Tf)")), why)
	wantForbidden(t, grow(undrawn(t, "/FT /Tx /V (10) /DA (/Evil 9 Tf) /AP << /N 5 0 R >>", "/NeedAppearances true")), why)
	for _, field := range []string{"/FT /Tx /V (10) /DA (/F 9 Tf)", "/FT /Tx /DA (/Evil 9 Tf)", "/FT /Tx /V (10) /DA (/Evil 9 Tf) /AP << /N 5 0 R >>"} {
		wantChanges(t, grow(undrawn(t, field, "")))
	}
	file := undrawn(t, "/FT /Tx /V (10)", "")
	wantForbidden(t, changes(t, appendUpdate(t, file, edited(t, file, 1, "/DR", "/DA (/F 9 Tf) /DR")), "Signature1"), why)
}

// TestFieldFirstLookLater: a certified document gets the place for a stamp, and then
// the stamp.
func TestFieldFirstLookLater(t *testing.T) {
	file := certifiedForm(t, 2, "")
	place := "<< /FT /Sig /T (x) /Subtype /Widget /Rect [0 0 90 90] "
	room := appendUpdate(t, file, edited(t, file, 1, "6 0 R", "6 0 R 20 0 R"), edited(t, file, 3, "5 0 R", "5 0 R 20 0 R"), obj(20, place+">>"))
	stamped := appendUpdate(t, room, obj(20, place+"/V 21 0 R /AP << /N 22 0 R >> >>"), obj(21, someSignature), obj(22, data(formXObject, "BT ET")))
	wantForbidden(t, changes(t, stamped, "Signature1"), "empty signature field x added to a certified document")
}

// TestMarksWithoutLook: comments that readers draw themselves, with text or as large
// as they like.
func TestMarksWithoutLook(t *testing.T) {
	file := certifiedForm(t, 3, "")
	comment := func(entries string) []Change {
		return changes(t, appendUpdate(t, file, edited(t, file, 3, "5 0 R", "5 0 R 20 0 R"), obj(20, "<< /Type /Annot "+entries+" >>")), "Signature1")
	}
	for _, evil := range []string{
		"/Subtype /Line /L [0 9 90 9] /Rect [0 0 90 18] /Cap true /Contents (99)", "/Subtype /Caret /Rect [0 0 90 90]",
		"/Subtype /StrikeOut /Rect [0 0 500 500] /QuadPoints [0 500 500 500 0 0 500 0]", "/Subtype /Underline /Rect [0 0 9 9] /QuadPoints 5",
		"/Subtype /Underline /Rect [0 0 9 9] /QuadPoints [(a) 1 2 3 4 5 6 7]",
		"/Subtype /Ink /InkList [[0 6 90 6]] /Rect [0 0 90 12] /BS << /W 12 >> /C [1 1 1]", "/Subtype /Ink /InkList [[0 6 90 6]] /Rect [0 0 90 12] /C [(a)]",
		"/Subtype /Line /L [0 9 90 9] /Rect [0 0 90 18] /BS << /W 1 >> /LE [/Square /Square] /IC [1 1 1]",
		"/Subtype /Line /L [0 9 90 9] /Rect [0 0 90 18] /BS << /W 9 >> /LE [/Square /Square] /IC [0 0 1]",
	} {
		wantForbidden(t, comment(evil), "shows text or pictures of its own, or covers what was signed")
	}
	wantChanges(t, comment("/Subtype /StrikeOut /Rect [0 0 90 9] /QuadPoints [0 9 90 9 0 0 90 0]"), "annotation: page 1: annotation added (StrikeOut at [0 0 90 9])")
	wantChanges(t, comment("/Subtype /Line /L [0 9 90 9] /Rect [0 0 90 18] /LE [/None /OpenArrow] /Border [0 0 2] /C [1 0 0]"), "annotation: page 1: annotation added (Line at [0 0 90 18])")
	wantChanges(t, comment("/Subtype /Highlight /Rect [0 0 90 9] /QuadPoints [0 9 90 9 0 0 90 0] /C [1 1 0.8]"), "annotation: page 1: annotation added (Highlight at [0 0 90 9])")
	wantChanges(t, comment("/Subtype /Caret /Rect [0 0 9 9]"), "annotation: page 1: annotation added (Caret at [0 0 9 9])")
}
