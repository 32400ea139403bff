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
	large := f.start(Signing{}) // nothing forbids a further signature, and it is valid
	return []Attack{
		f.attack("ssa-stamp-over-the-page", large.sign(f.signers.AttackerCMS, field(large, "/V 34 0 R"))),
		f.attack("ssa-field-first-and-look-later", inTwo.sign(f.signers.AttackerCMS, []string{
			object(firstFree+20, room+"/V 34 0 R /AP << /N 33 0 R >> >>"), object(firstFree+21, stream(pageLook, says99)),
		})),
		f.attack("ssa-empty-field", empty.update(field(empty, "")...)),
		f.attack("ssa-field-without-signature", other.update(append(field(other, "/V 34 0 R"), value)...)),
		f.attack("ssa-signed-by-the-attacker", signed.sign(f.signers.AttackerCMS, field(signed, "/V 34 0 R"))),
	}
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
		f.attack("parser-unknown-row", unknownRow(f.start(Signing{}))),
		f.attack("parser-other-catalog", catalog.updateWith("/Root 32 0 R",
			object(firstFree+20, "<< /Type /Catalog /Pages 10 0 R >>"), object(storeObject, stream("", says99)))),
	}
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
