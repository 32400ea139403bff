// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"testing"
)

// TestIrregularSections: what makes some readers give up the cross-reference data
// of an update that changes nothing. Each spelling was seen to do so in one of
// poppler, MuPDF, Ghostscript, qpdf, pdf.js and pypdf.
func TestIrregularSections(t *testing.T) {
	form := signedForm(t)
	update := appendUpdate(t, form, obj(20, "(x)"))
	respelled := func(old, with string) []byte {
		i := bytes.LastIndex(update, []byte(old))
		if i < 0 {
			t.Fatalf("the update has no %q", old)
		}
		return append(append(bytes.Clone(update[:i]), with...), update[i+len(old):]...)
	}
	for _, tt := range []struct{ name, old, with, want string }{
		{"comment before the offset", "startxref\n", "startxref % \n", "(startxref) is malformed"},
		{"sign before the offset", "startxref\n", "startxref\n+", "(startxref) is malformed"},
		{"null before the offset", "startxref\n", "startxref\x00", "(startxref) is malformed"},
		{"many zeros", "startxref\n", "startxref\n00000000000000000000", "(startxref) is malformed"},
		{"comment in the table", "xref\n20 1\n", "xref %\n20 1\n", "table is malformed"},
		{"sign in the table", "xref\n20 1\n", "xref\n+20 1\n", "table is malformed"},
		{"head on two lines", "xref\n20 1\n", "xref\n20\n1\n", "table is malformed"},
		{"two line ends after a head", "xref\n20 1\n", "xref\n20 1\r\n\r\n", "table is malformed"},
		{"two line ends after an empty head", "xref\n20 1\n", "xref\n0 0\n\n20 1\n", "table is malformed"},
		{"blank line between subsections", "xref\n20 1\n", "xref\n0 1\n0000000000 65535 f \n\n20 1\n", "table is malformed"},
		{"rows of 21 bytes", "xref\n20 1\n", "xref\n0 1\n0000000000 65535 f \r\n20 1\n", "table is malformed"},
		{"two spaces after a head", "xref\n20 1\n", "xref\n20 1  \n", "table is malformed"},
		{"head with a tab", "xref\n20 1\n", "xref\n20\t1\n", "table is malformed"},
		{"null at the end of a row", " 00000 n \n", " 00000 n\x00\n", "table is malformed"},
		{"row to the start", fmt.Sprintf("%010d 00000 n", len(form)), "0000000000 00000 n", "the row of object 20 leads nowhere"},
		{"too large a size", "/Size 100 ", "/Size 8388609 ", "/Size that is out of bounds"},
		{"comment in the head of an object", "20 0 obj", "20 %\n0 obj", "head of object 20 is malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := respelled(tt.old, tt.with)
			if moved := len(file) - len(update); bytes.HasPrefix([]byte(tt.old), []byte("20 0")) {
				file = bytes.Replace(file, fmt.Appendf(nil, "startxref\n%d\n", mustOpen(t, update).newest().start),
					fmt.Appendf(nil, "startxref\n%d\n", int(mustOpen(t, update).newest().start)+moved), 1)
			}
			wantForbidden(t, changes(t, file, "Signature1"), tt.want)
		})
	}
	t.Run("no subsection", func(t *testing.T) {
		wantForbidden(t, changes(t, appendRows(t, form, ""), "Signature1"), "table is malformed")
	})
	for _, same := range [][2]string{{"xref\n20 1\n", "xref\r\n20 1 \n"}, {"xref\n20 1\n", "xref\n0 0\n20 1\n"}, {"%%EOF\n", "%%EOF"}, {"startxref\n", "startxref\r"},
		{"startxref\n", "startxref\r\n"}, {"startxref\n", "startxref \n"}, {"\n%%EOF\n", "\r\n \r\n%%EOF"}, {"xref\n20 1\n", "xref  \r\n\n20 1\n"},
		{"xref\n20 1\n", "xref\n20 1\r"}, {"xref\n20 1\n", "xref\n20 1 \r\n"}, {"\ntrailer\n", "\n\n\r\ntrailer \r\n"},
		{" 00000 n \n", " 00000 n\n"}, {" 00000 n \n", " 00000 n\r"}, {" 00000 n \n", " 00000 n\r\n"},
		{"xref\n20 1\n", "xref\n0 1\n0000000000 65535 f\n20 1\n"}} {
		wantChanges(t, changes(t, respelled(same[0], same[1]), "Signature1"), "other: objects [20] were added that nothing uses")
	}
}

// TestIrregularStreams: the same of cross-reference streams.
func TestIrregularStreams(t *testing.T) {
	form := signedForm(t)
	section := func(entries, row string) []byte {
		stream := obj(60, data(fmt.Sprintf("/Type /XRef /Size 100 /Root 1 0 R /Prev %d %s", mustOpen(t, form).newest().start, entries), row))
		return fmt.Appendf(bytes.Clone(form), "%s\nstartxref\n%d\n%%%%EOF\n", stream, len(form))
	}
	wantChanges(t, changes(t, section("/W [1 2 1] /Index [70 1]", "\x00\x00\x00\x00"), "Signature1"))
	for _, tt := range []struct{ name, entries, row, want string }{
		{"wide types", "/W [3 2 1] /Index [70 1]", "\x00\x00\x00\x00\x00\x00", "stream is unusual"},
		{"no rows", "/W [1 2 1] /Index []", "", "stream is unusual"},
		{"a filter that does nothing", "/W [1 2 1] /Index [70 1] /Filter /Crypt", "\x00\x00\x00\x00", "stream is unusual"},
		{"parameters of null", "/W [1 2 1] /Index [70 1] /DecodeParms [null]", "\x00\x00\x00\x00", "stream is unusual"},
		{"an unknown type", "/W [1 2 1] /Index [70 1]", "\x09\x00\x05\x00", "the row of object 70 leads nowhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantForbidden(t, changes(t, section(tt.entries, tt.row), "Signature1"), tt.want)
		})
	}
}
