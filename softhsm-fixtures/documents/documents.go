// SPDX-License-Identifier: Apache-2.0

package documents

import "fmt"

// Document is a PDF file and a name for the shape it has.
type Document struct {
	Name string
	PDF  []byte
}

// All returns one document of each shape.
func All() []Document {
	return []Document{
		{"plain", Plain()},
		{"streams", Streams()},
		{"form", Form()},
		{"form-streams", FormStreams()},
		{"indirect-annots", IndirectAnnots()},
		{"indirect-acroform", IndirectAcroForm()},
		{"nested-pages", NestedPages()},
		{"generations", Generations()},
		{"hybrid", Hybrid()},
		{"empty-field", EmptyField()},
	}
}

// The parts the documents are made of. Fonts are object 4, the content of the
// first page is object 5.
const (
	catalog   = "<< /Type /Catalog /Pages 2 0 R >>"
	pages     = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
	page      = "<< /Type /Page /Parent 2 0 R " + pageBody + " >>"
	pageBody  = mediaBox + resources + "/Contents 5 0 R"
	mediaBox  = "/MediaBox [0 0 595 842] "
	resources = "/Resources << /Font << /F1 4 0 R >> >> "
	font      = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
	note      = "<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /Contents (a note) /F 4 >>"
	link      = "<< /Type /Annot /Subtype /Link /Rect [72 640 200 660] /Border [0 0 0] /Dest [3 0 R /Fit] >>"
)

// text is the content of a page that shows line.
func text(line string) string {
	return stream("", fmt.Sprintf("BT /F1 14 Tf 72 770 Td (%s) Tj ET", line))
}

// Plain is one page with a cross-reference table.
func Plain() []byte {
	return withTable(numbered(catalog, pages, page, font, text("Contract between Mario Rossi and Lucia Verdi")))
}

// Streams is [Plain] with a cross-reference stream; catalog and page are in an
// object stream.
func Streams() []byte {
	return withStreams(numbered(catalog, pages, page, font, text("A document with cross-reference streams")))
}

// form describes one page with a text field "city", filled in with Roma, a
// note, and a link. Field and annotations are objects 6, 7 and 8.
func form() []object {
	return numbered(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DR << /Font << /Helv 4 0 R >> >> /DA (/Helv 12 Tf 0 g) >> >>",
		pages,
		"<< /Type /Page /Parent 2 0 R "+pageBody+" /Annots [6 0 R 7 0 R 8 0 R] >>",
		font,
		text("City:"),
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /V (Roma) /DA (/Helv 12 Tf 0 g) /Rect [72 700 300 720] /P 3 0 R /F 4 /AP << /N 9 0 R >> >>",
		note,
		link,
		filledIn("Roma"),
	)
}

// Form has a text field "city" with the value Roma, /DR and /DA, a note and a
// link, with /AcroForm and /Annots written in the catalog and the page.
func Form() []byte { return withTable(form()) }

// FormStreams is [Form] with a cross-reference stream; catalog, page, field
// and annotations are in an object stream.
func FormStreams() []byte { return withStreams(form()) }

// IndirectAnnots has the page's annotations in an array of its own.
func IndirectAnnots() []byte {
	return withTable(numbered(catalog, pages,
		"<< /Type /Page /Parent 2 0 R "+pageBody+" /Annots 6 0 R >>",
		font, text("Annotations stand elsewhere"), "[7 0 R 8 0 R]", note, link))
}

// IndirectAcroForm is [Form] with the form dictionary, and in it the array of
// fields, in objects of their own.
func IndirectAcroForm() []byte {
	objects := form()
	objects[0].body = "<< /Type /Catalog /Pages 2 0 R /AcroForm 10 0 R >>"
	return withTable(append(objects,
		object{number: 10, body: "<< /Fields 11 0 R /DR << /Font << /Helv 4 0 R >> >> /DA (/Helv 12 Tf 0 g) >>"},
		object{number: 11, body: "[6 0 R]"}))
}

// NestedPages has three pages on two levels of the page tree; the resources
// and the size of the first two come from the node above, those of the third
// from the root of the tree.
func NestedPages() []byte {
	return withTable(numbered(catalog,
		"<< /Type /Pages /Kids [6 0 R 9 0 R] /Count 3 "+mediaBox+resources+">>",
		"<< /Type /Page /Parent 6 0 R /Contents 5 0 R >>",
		font,
		text("The first of three pages"),
		"<< /Type /Pages /Parent 2 0 R /Kids [3 0 R 7 0 R] /Count 2 /MediaBox [0 0 420 842] "+resources+">>",
		"<< /Type /Page /Parent 6 0 R /Contents 8 0 R >>",
		text("The second of three pages"),
		"<< /Type /Page /Parent 2 0 R /Contents 10 0 R >>",
		text("The third of three pages"),
	))
}

// Generations is [Plain] with generation numbers other than zero, as in a file
// whose object numbers were freed and used again: catalog 3, page 2, content
// 65534.
func Generations() []byte {
	return withTable([]object{
		{1, 3, "<< /Type /Catalog /Pages 2 0 R >>"},
		{2, 0, "<< /Type /Pages /Kids [3 2 R] /Count 1 >>"},
		{3, 2, "<< /Type /Page /Parent 2 0 R " + mediaBox + resources + "/Contents 5 65534 R >>"},
		{4, 0, font},
		{5, 65534, text("Generation numbers are not all zero")},
	})
}

// Hybrid is a hybrid-reference file: the font is in an object stream that only
// readers of cross-reference streams find.
func Hybrid() []byte {
	objects := numbered(catalog, pages, page, font, text("A hybrid-reference file"))
	return withBoth(objects, func(o object) bool { return o.body == font })
}

// EmptyField has a form with the text fields "total" and "city" and an empty
// signature field "approval.manager" with a place on the page, and with a lock:
// who signs in it locks "total".
func EmptyField() []byte {
	return withTable(numbered(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R 8 0 R] /DR << /Font << /Helv 4 0 R >> >> /DA (/Helv 12 Tf 0 g) >> >>",
		pages,
		"<< /Type /Page /Parent 2 0 R "+pageBody+" /Annots [6 0 R 7 0 R 9 0 R] >>",
		font,
		text("Total and city, and who approves:"),
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (total) /V (10) /DA (/Helv 12 Tf 0 g) /Rect [72 700 300 720] /P 3 0 R /F 4 /AP << /N 11 0 R >> >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /V (Roma) /DA (/Helv 12 Tf 0 g) /Rect [72 660 300 680] /P 3 0 R /F 4 /AP << /N 12 0 R >> >>",
		"<< /T (approval) /Kids [9 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (manager) /Parent 8 0 R /Rect [72 580 300 640] /P 3 0 R /F 4 /Lock 10 0 R >>",
		"<< /Type /SigFieldLock /Action /Include /Fields [(total)] >>",
		filledIn("10"),
		filledIn("Roma"),
	))
}

// filledIn is how a text field shows its value.
func filledIn(value string) string {
	return stream("/Type /XObject /Subtype /Form /BBox [0 0 228 20] /Resources << /Font << /Helv 4 0 R >> >> ",
		"/Tx BMC q BT /Helv 12 Tf 0 g 2 5 Td ("+value+") Tj ET Q EMC")
}
