// SPDX-License-Identifier: Apache-2.0

package attacks

import (
	"bytes"
	"fmt"
	"strings"
)

// shadowHide takes away what covered the hidden words.
func shadowHide(f *forger) []Attack {
	empty := object(overObject, stream("/Type /XObject /Subtype /Form /BBox [0 0 0 0]", ""))
	return []Attack{
		f.attack("shadow-hide-emptied", f.start(Signing{}).update(empty)),
		f.attack("shadow-hide-null", f.start(Signing{}).update(object(overObject, "null"))),
		f.attack("shadow-hide-freed", f.start(Signing{}).section("", "", fmt.Sprintf("%d 1\n%010d %05d f \n", overObject, 0, 1))),
	}
}

// shadowReplace changes what the same words look like.
func shadowReplace(f *forger) []Attack {
	font := f.start(Signing{})
	field := f.start(Signing{})
	value := f.start(Signing{Certify: 1})
	same, padded := f.start(Signing{}), f.start(Signing{})
	look99 := object(totalLook, stream(formLook, "/Tx BMC BT /Helv 12 Tf 0 g 2 5 Td (99) Tj ET EMC"))
	return []Attack{
		f.attack("shadow-replace-look-value-in-utf16", same.update(same.edited(totalObject, "/V (10)", "/V <FEFF00310030>"), look99)),
		f.attack("shadow-replace-look-value-with-space", padded.update(padded.edited(totalObject, "/V (10)", "/V (10 )"), look99)),
		f.attack("shadow-replace-font", font.update(font.edited(fontObject, "/WinAnsiEncoding",
			"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [48 /nine /nine] >>"))),
		f.attack("shadow-replace-look-of-field", field.update(look99)),
		f.attack("shadow-replace-value-certified-1", value.update(value.edited(totalObject, "/V (10)", "/V (99)"), look99)),
	}
}

// shadowBoth has an update of no more than a table bring hidden objects to life.
func shadowBoth(f *forger) []Attack {
	swapped := f.start(Signing{})
	hidden := bytes.Index(swapped.bytes, []byte("stream\n\n7 0 obj\n")) + len("stream\n\n")
	pages := f.start(Signing{})
	return []Attack{
		f.attack("shadow-both-table", swapped.section("", "", fmt.Sprintf("%d 1\n%s", overObject, row(hidden)))),
		f.attack("shadow-both-pages", pages.update(strings.Replace(pages.edited(catalogObject, "/Pages 2 0 R", "/Pages 10 0 R"), "\n\n", "\n", 1),
			object(storeObject, stream("", says99)))),
	}
}

// cover is an annotation that says something else than the page below it.
func cover(subtype, more string) string {
	return object(firstFree+20, "<< /Type /Annot /Subtype /"+subtype+" /Rect [0 0 595 842] /F 4 /P 3 0 R /AP << /N 33 0 R >> "+more+" >>")
}

// listed adds the annotation to those there are.
func listed(d *draft) string { return d.edited(pageObject, "[6 0 R", "[32 0 R 6 0 R") }

// strokes cover the words of the contract line by line, in the box of a comment.
const strokes = "0 6 m 400 6 l S 0 18 m 400 18 l S 0 30 m 400 30 l S 0 42 m 400 42 l S 0 54 m 400 54 l S"

// marker is what a text marker paints with: it covers nothing, on its own.
const marker = "/Resources << /ExtGState << /D << /BM /Multiply >> >> >>"

// evilAnnotations are comments that cover the page, at levels which permit
// comments, or at none.
func evilAnnotations(f *forger) (all []Attack) {
	for _, v := range []struct {
		name, subtype, more string
		level               int
	}{
		{"freetext-certified-3", "FreeText", "/DA (/Helv 12 Tf 0 g) /Contents (I pay 99 euro)", 3},
		{"stamp-certified-3", "Stamp", "", 3},
		{"redaction-certified-3", "Redact", "", 3},
		{"note-certified-3", "Text", "/Contents (I pay 99 euro)", 3},
		{"freetext-certified-2", "FreeText", "/DA (/Helv 12 Tf 0 g) /Contents (I pay 99 euro)", 2},
		{"stamp", "Stamp", "", 0},
	} {
		d := f.start(Signing{Certify: v.level})
		d.update(listed(d), cover(v.subtype, v.more), object(firstFree+21, stream(pageLook, says99)))
		all = append(all, f.attack("eaa-"+v.name, d))
	}
	for _, v := range []struct{ name, annotation, form, content string }{
		{"correction-fluid", "/Subtype /Ink /Rect [60 700 460 760]", "/BBox [0 0 400 60]", "1 G 12 w " + strokes + " 0 G 2 w 10 10 m 30 50 l S 40 10 m 60 50 l S"},
		{"magnified-pen", "/Subtype /Ink /Rect [60 700 460 760]", "/BBox 35 0 R", "1 G 1 w 0 .5 m 1 .5 l S"},
		{"isolated-marker", "/Subtype /Highlight /Rect [60 700 460 760]", "/BBox [0 0 400 60] /Group << /S /Transparency /I true >> " + marker, "/D gs 1 g 0 0 400 60 re f"},
		{"inverted-marker", "/Subtype /Highlight /Rect [60 700 460 760]", "/BBox [0 0 400 60] " + strings.Replace(marker, "/Multiply", "/Multiply /TR 36 0 R", 1), "/D gs 0 g 0 0 400 60 re f"},
	} {
		d := f.start(Signing{Certify: 3})
		d.update(listed(d), object(firstFree+20, "<< /Type /Annot "+v.annotation+" /F 4 /P 3 0 R /Contents (I pay 99 euro) /AP << /N 33 0 R >> >>"),
			object(firstFree+21, stream("/Type /XObject /Subtype /Form "+v.form, v.content)), object(firstFree+23, "[0 0 1 1]"),
			object(firstFree+24, "<< /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>"))
		all = append(all, f.attack("eaa-"+v.name+"-certified-3", d))
	}
	endings := f.start(Signing{Certify: 3})
	all = append(all, f.attack("eaa-line-endings-certified-3", endings.update(listed(endings), object(firstFree+20,
		"<< /Type /Annot /Subtype /Line /L [60 725 460 725] /Rect [24 680 496 770] /BS << /W 12 >> /LE [/Square /Square] /C [1 1 1] /IC [1 1 1] /F 4 /P 3 0 R /Contents (99) >>"))))
	caption := f.start(Signing{Certify: 3}) // readers draw it, without an appearance
	line := strings.Replace(cover("Line", "/L [72 720 500 720] /Cap true /Contents (I pay 99 euro)"), "/AP << /N 33 0 R >>", "", 1)
	return append(all, f.attack("eaa-caption-certified-3", caption.update(listed(caption), line)))
}

// sneakySignatures cover the page with the look of a further signature.
func sneakySignatures(f *forger) []Attack {
	field := func(d *draft, value string) []string {
		return []string{
			listed(d), d.edited(catalogObject, "/Fields  [6 0 R", "/Fields  [32 0 R 6 0 R"),
			cover("Widget", "/FT /Sig /T (Approval) "+value), object(firstFree+21, stream(pageLook, says99)),
		}
	}
	empty := f.start(Signing{Certify: 2})
	other := f.start(Signing{Certify: 2})
	signed := f.start(Signing{Certify: 2})
	value := object(signatureNumber, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 0 0 0] /Contents <3000> >>")
	room := "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Approval) /Rect [0 0 595 842] /F 4 /P 3 0 R "
	inTwo := f.start(Signing{Certify: 2})
	inTwo.update(append(field(inTwo, "")[:2], object(firstFree+20, room+">>"))...)
	called := f.start(Signing{Certify: 1})
	timestamp := strings.Replace(value, "/Type /Sig ", "/Type /DocTimeStamp /Reason (I pay 99 euro, signed /Type /Sig ) ", 1)
	called.update(called.edited(catalogObject, "/Fields  [6 0 R", "/Fields  [32 0 R 6 0 R"),
		object(firstFree+20, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Approval) /V 34 0 R /Rect [0 0 0 0] /F 132 /P 3 0 R >>"), timestamp)
	large := f.start(Signing{}) // nothing forbids a further signature, and it is valid
	return []Attack{
		f.attack("ssa-stamp-over-the-page", large.sign(f.signers.AttackerCMS, field(large, "/V 34 0 R"))),
		f.attack("ssa-field-first-and-look-later", inTwo.sign(f.signers.AttackerCMS, []string{
			object(firstFree+20, room+"/V 34 0 R /AP << /N 33 0 R >> >>"), object(firstFree+21, stream(pageLook, says99)),
		})),
		f.attack("ssa-stamps-of-two-revisions", twoStamps(f)),
		f.attack("ssa-called-a-timestamp", called),
		f.attack("ssa-empty-field", empty.update(field(empty, "")...)),
		f.attack("ssa-field-without-signature", other.update(append(field(other, "/V 34 0 R"), value)...)),
		f.attack("ssa-signed-by-the-attacker", signed.sign(f.signers.AttackerCMS, field(signed, "/V 34 0 R"))),
	}
}

// twoStamps are of two signatures: each covers half of the page.
func twoStamps(f *forger) *draft {
	d := f.start(Signing{})
	stamp := func(number int, place string) string {
		return object(number, fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Approval%d) /V %d 0 R /Rect %s /F 4 /P 3 0 R /AP << /N 33 0 R >> >>", number, number+2, place))
	}
	value := "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 0 0 0] /Contents <3000> >>"
	d.update(listed(d), d.edited(catalogObject, "/Fields  [6 0 R", "/Fields  [32 0 R 6 0 R"), stamp(firstFree+20, "[0 421 595 842]"),
		object(firstFree+21, stream(pageLook, says99)), object(signatureNumber, value))
	return d.update(d.edited(pageObject, "[32 0 R", "[40 0 R 32 0 R"), d.edited(catalogObject, "[32 0 R", "[40 0 R 32 0 R"), stamp(firstFree+28, "[0 0 595 421]"),
		object(firstFree+30, value))
}

// signedFields touch the stamp of a signature.
func signedFields(f *forger) []Attack {
	moved := f.start(Signing{Visible: true})
	redrawn := f.start(Signing{Visible: true})
	look := redrawn.find(`/FT /Sig [^\n]*/AP << /N (\d+) 0 R`)
	rect := moved.find(`/FT /Sig [^\n]*(/Rect \[[^\]]*\])`)
	return []Attack{
		f.attack("signed-field-moved", moved.update(moved.edited(moved.field(), rect, "/Rect [0 500 595 842]"))),
		f.attack("signed-field-redrawn", redrawn.update(
			redrawn.edited(redrawn.field(), "/AP << /N "+look+" 0 R", "/AP << /N 33 0 R"), object(firstFree+21, stream(pageLook, says99)))),
	}
}

// dictionaries write the signature dictionary again, with other words.
func dictionaries(f *forger) []Attack {
	reason, other := f.start(Signing{}), f.start(Signing{})
	return []Attack{
		f.attack("dictionary-reason", reason.update(reason.edited(reason.signature(), "/M ", "/Reason (I pay 99 euro) /M "))),
		f.attack("dictionary-time", other.update(other.edited(other.signature(), "/M (D:20", "/M (D:19"))),
	}
}

// certifications do what a certification forbids, once it is out of the way.
func certifications(f *forger) []Attack {
	fill := func(d *draft) []string {
		return []string{d.edited(totalObject, "/V (10)", "/V (99)"),
			object(totalLook, stream(formLook, "/Tx BMC BT /Helv 12 Tf 0 g 2 5 Td (99) Tj ET EMC"))}
	}
	removed, widened := f.start(Signing{Certify: 1}), f.start(Signing{Certify: 1})
	return []Attack{
		f.attack("certification-removed", removed.update(append(fill(removed),
			removed.edited(catalogObject, "/Perms", "/Promises"))...)),
		f.attack("certification-widened", widened.update(append(fill(widened),
			widened.edited(widened.signature(), "/P 1", "/P 3"))...)),
	}
}

// parserDifferences say different things to different readers.
func parserDifferences(f *forger) []Attack {
	twice, two, hybrid, catalog := f.start(Signing{}), f.start(Signing{}), f.start(Signing{}), f.start(Signing{})
	same := two.text(overObject)
	at := len(two.bytes)
	return []Attack{
		f.attack("parser-key-twice", twice.update(twice.edited(pageObject, "/Contents 5 0 R", "/Contents 5 0 R /Contents 30 0 R"),
			object(firstFree+18, stream("", says99)))),
		f.attack("parser-number-twice", two.section("", same+"\n"+evilOver()+"\n", fmt.Sprintf("%d 1\n%s", overObject, row(at)))),
		f.attack("parser-hybrid", hybridUpdate(hybrid)),
		f.attack("parser-comment-before-offset", f.start(Signing{}).update(object(firstFree+20, "null")).respell("startxref\n", "startxref % \n")),
		f.attack("parser-comment-in-table", f.start(Signing{}).update(object(firstFree+20, "null")).respell("xref\n32 1\n", "xref % \n32 1\n")),
		f.attack("parser-huge-size", f.start(Signing{}).update(object(firstFree+20, "null")).respell("/Size 100 ", "/Size 2147483648 ")),
		f.attack("parser-read-from-front", readFromFront(f)),
		f.attack("parser-unknown-row", unknownRow(f.start(Signing{}))),
		f.attack("parser-other-catalog", catalog.updateWith("/Root 32 0 R",
			object(firstFree+20, "<< /Type /Catalog /Pages 10 0 R >>"), object(storeObject, stream("", says99)))),
	}
}

// readFromFront has, in what the victim signed, a first object that says how long the
// file is, and a section after it by which the page has other words. Readers that find
// the file to be as long begin there.
func readFromFront(f *forger) *draft {
	const length = 60_000
	signed, err := f.signers.Sign(twoFaced(length), Signing{})
	d := &draft{bytes: signed}
	if err != nil {
		d.fail("signing what can be read from the front: %w", err)
		return d
	}
	padded := func(room int) *draft {
		return (&draft{bytes: signed}).update(object(firstFree+20, "("+strings.Repeat("x", max(room, 0))+")"))
	}
	room := length - len(padded(0).bytes)
	for range 3 { // until the digits of the offset stop changing the length
		room += length - len(padded(room).bytes)
	}
	return padded(room)
}

// twoFaced is a document that says 10 when it is read from its end, and 99 from its
// front, where it says how long it is.
func twoFaced(length int) []byte {
	table := func(rows string, at int) string {
		return fmt.Sprintf("xref\n0 7\n0000000000 65535 f \n%strailer\n<< /Size 16 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", rows, at)
	}
	out := fmt.Appendf(nil, "%%PDF-1.7\n%%\xE2\xE3\xCF\xD3\n15 0 obj\n<< /Linearized 1 /L %d /H [900 20] /O 3 /E 2000 /N 1 /T 100 >>\nendobj\n", length)
	front := len(out)
	out = append(out, strings.Repeat(" ", len(table(strings.Repeat(row(0), 6), 0)))...)
	rows := ""
	for i, value := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		stream("", says10), stream("", "\n"+object(contentObject, stream("", says99))),
	} {
		rows += row(len(out))
		out = append(append(out, object(i+1, value)...), '\n')
	}
	words := bytes.LastIndex(out, fmt.Appendf(nil, "%d 0 obj", contentObject))
	hidden := strings.Replace(rows, rows[(contentObject-1)*len(row(0)):contentObject*len(row(0))], row(words), 1)
	copy(out[front:], table(hidden, 0))
	return append(out, table(rows, len(out))...)
}

// unknownRow has a cross-reference stream that says nothing new, with a row of a
// type that does not exist.
func unknownRow(d *draft) *draft {
	previous, at := d.startxref(), len(d.bytes)
	head := fmt.Sprintf("/Type /XRef /Size 100 /W [1 4 1] /Index [90 1] /Root 1 0 R /Prev %d", previous)
	return d.add(fmt.Sprintf("%s\nstartxref\n%d\n%%%%EOF\n", object(91, stream(head, "\x09\x00\x00\x00\x05\x00")), at))
}

// hybridUpdate has a table that changes nothing, and a cross-reference stream
// beside it that does.
func hybridUpdate(d *draft) *draft {
	at := d.offsetOf(overObject)
	evil := len(d.bytes)
	d.add(evilOver() + "\n")
	hidden := len(d.bytes)
	rowOf := string([]byte{1, byte(evil >> 24), byte(evil >> 16), byte(evil >> 8), byte(evil), 0})
	section := object(firstFree+20, stream(fmt.Sprintf("/Type /XRef /Size 100 /W [1 4 1] /Index [%d 1] /Root 1 0 R", overObject), rowOf))
	return d.section(fmt.Sprintf("/XRefStm %d", hidden), section+"\n", fmt.Sprintf("%d 1\n%s", overObject, row(at)))
}
