// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// The classes of attack are those of the literature on PDF signatures:
// universal signature forgery (USF), incremental saving (ISA), signature
// wrapping (SWA), and the shadow attacks. Every file is made here from a
// document that this package signed.

// signedPlain returns a signed document and what stands in its /ByteRange.
func signedPlain(t *testing.T) (file []byte, s *Signature, byteRange string) {
	t.Helper()
	file = mustSign(t, documents.Plain(), options(t, pki.Signer))
	s = onlySignature(t, file)
	wantCoverage(t, s, CoversWholeFile)
	i := bytes.Index(file, []byte("/ByteRange"))
	byteRange = string(file[i+len("/ByteRange ") : i+len("/ByteRange ")+byteRangeLen])
	return file, s, byteRange
}

// TestUniversalForgery takes the meaning out of /ByteRange or /Contents, so
// that a careless verifier finds nothing to object to.
func TestUniversalForgery(t *testing.T) {
	file, signed, byteRange := signedPlain(t)
	r, _ := readRanges(signed.ByteRange)
	fill := func(format string, args ...any) string {
		s := fmt.Sprintf(format, args...)
		return s + strings.Repeat(" ", byteRangeLen-len(s))
	}
	contents := string(file[r.gap:r.resume])
	zeros := "<" + strings.Repeat("0", len(contents)-2) + ">"
	for _, tt := range []struct {
		name      string
		old, with string
		covers    Coverage
		problems  []Problem
	}{
		{"no byte range", "/ByteRange", "/ByteRangX", CoversUnknown, []Problem{ProblemByteRange}},
		{"null", byteRange, fill("null"), CoversUnknown, []Problem{ProblemByteRange}},
		{"empty", byteRange, fill("[]"), CoversUnknown, []Problem{ProblemByteRange}},
		{"two numbers", byteRange, fill("[0 %d]", r.gap), CoversUnknown, []Problem{ProblemByteRange}},
		{"five numbers", byteRange, fill("[0 1 2 3 4]"), CoversUnknown, []Problem{ProblemByteRange}},
		{"a real number", byteRange, fill("[0 1.0 2 3]"), CoversUnknown, []Problem{ProblemByteRange}},
		{"a reference", byteRange, fill("1 0 R"), CoversUnknown, []Problem{ProblemByteRange}},
		{"negative", byteRange, fill("[0 -1 %d %d]", r.resume, r.end-r.resume), CoversUnknown, []Problem{ProblemNegative}},
		{"overflow", byteRange, fill("[0 %d %d 9223372036854775807]", r.gap, r.resume), CoversUnknown, []Problem{ProblemNegative}},
		{"too long for an integer", byteRange, fill("[0 %d %d 99999999999999999999]", r.gap, r.resume), CoversUnknown, []Problem{ProblemByteRange}},
		{"zeros", byteRange, fill("[0 0 0 0]"), CoversPart, []Problem{ProblemGap, ProblemEnd}},
		{"past the end", byteRange, fill("[0 %d %d %d]", r.gap, r.resume, r.end), CoversPart, []Problem{ProblemPastEnd, ProblemEnd}},
		{"late start", byteRange, fill("[1 %d %d %d]", r.gap-1, r.resume, r.end-r.resume), CoversPart, []Problem{ProblemStart}},
		{"overlap", byteRange, fill("[0 %d %d %d]", r.resume, r.gap, r.end-r.gap), CoversPart, []Problem{ProblemOverlap, ProblemGap}},
		{"nothing left out", byteRange, fill("[0 %d %d 0]", r.end, r.end), CoversPart, []Problem{ProblemGap}},
		{"gap begins early", byteRange, fill("[0 %d %d %d]", r.gap-1, r.resume, r.end-r.resume), CoversPart, []Problem{ProblemGap}},
		{"gap ends late", byteRange, fill("[0 %d %d %d]", r.gap, r.resume+1, r.end-r.resume-1), CoversPart, []Problem{ProblemGap}},
		{"brackets signed", byteRange, fill("[0 %d %d %d]", r.gap+1, r.resume-1, r.end-r.resume+1), CoversPart, []Problem{ProblemGap}},
		{"tail not covered", byteRange, fill("[0 %d %d %d]", r.gap, r.resume, r.end-r.resume-10), CoversPart, []Problem{ProblemEnd}},
		{"no contents", "/Contents <", "/ContentX <", CoversPart, []Problem{ProblemContentsForm, ProblemGap}},
		{"contents of zeros", contents, zeros, CoversPart, []Problem{ProblemContentsEmpty}},
		{"contents of nothing", contents, "<>" + strings.Repeat(" ", len(contents)-2), CoversPart, []Problem{ProblemContentsEmpty, ProblemGap}},
		{"contents no ASN.1", contents, "<30FF" + contents[5:], CoversPart, []Problem{ProblemContentsEncoding}},
		{"contents a literal string", contents, "(" + contents[1:len(contents)-1] + ")", CoversPart, []Problem{ProblemContentsForm, ProblemPadding}},
		{"contents a reference", contents, "1 0 R" + strings.Repeat(" ", len(contents)-5), CoversPart, []Problem{ProblemContentsForm, ProblemGap}},
		{"contents null", contents, "null" + strings.Repeat(" ", len(contents)-4), CoversPart, []Problem{ProblemContentsForm, ProblemGap}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := onlySignature(t, replace(t, file, tt.old, tt.with))
			covers, problems := s.Covers, s.Problems
			if covers != tt.covers || !sameProblems(problems, tt.problems) {
				t.Errorf("covers %v with %q, want %v with %q", covers, problems, tt.covers, tt.problems)
			}
		})
	}
}

func sameProblems(a, b []Problem) bool {
	count := map[Problem]int{}
	for _, p := range a {
		count[p]++
	}
	for _, p := range b {
		count[p]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// Bytes after the CMS that are not zeros are told, but they change nothing.
func TestUncleanPadding(t *testing.T) {
	o := options(t, pki.SignerP256) // leaves room for the longest ECDSA value
	d := mustOpen(t, documents.Plain())
	p, err := prepare(d, o)
	if err != nil {
		t.Fatal(err)
	}
	room := (p.contents.len() - 2) / 2
	s := &Signature{}
	padded := append([]byte{0x30, 0x03, 0x02, 0x01, 0x01}, bytes.Repeat([]byte{7}, int(room)-5)...)
	s.readContents(&dict{entries: []entry{{key: "Contents", value: &text{bytes: padded, hex: true}}}}, true)
	if len(s.Contents) != 5 || !sameProblems(s.Problems, []Problem{ProblemPadding}) || s.untied() {
		t.Errorf("%d bytes, problems %q", len(s.Contents), s.Problems)
	}
}

// TestIncrementalSaving appends to a signed file. The signature stays what it
// was, of its revision, and the bytes after it are counted.
func TestIncrementalSaving(t *testing.T) {
	file, _, _ := signedPlain(t)
	page := "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj"
	for _, tt := range []struct {
		name string
		file []byte
	}{
		{"update with a table", appendUpdate(t, file, page)},
		{"body without a table", []byte(string(file) + page + "\n")},
		{"body with a trailer", []byte(string(file) + page + "\ntrailer\n<< /Root 1 0 R >>\n")},
		{"body and the old startxref", []byte(string(file) + page + string(file[bytes.LastIndex(file, []byte("\nstartxref")):]))},
		{"one byte", append(bytes.Clone(file), ' ')},
		{"one more %%EOF", []byte(string(file) + "%%EOF\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := onlySignature(t, tt.file)
			wantCoverage(t, s, CoversRevision)
			if want := int64(len(tt.file) - len(file)); s.AppendedBytes != want {
				t.Errorf("%d bytes appended, want %d", s.AppendedBytes, want)
			}
			mustBeIntact(t, s)
		})
	}
}

// An update that leaves the signed revision out of its chain takes it over.
func TestTakeover(t *testing.T) {
	file, _, _ := signedPlain(t)
	d := mustOpen(t, file)
	page := "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj"
	taken := appendUpdate(t, file, page)
	// The new section has rows for all objects, and its /Prev steps over the signed one.
	cut := bytes.LastIndex(taken, []byte("xref\n3 1\n")) + len("xref\n")
	var list []string
	for num := range int64(9) {
		at, err := d.whereIs(num)
		if err != nil {
			t.Fatal(err)
		}
		if at.kind == plain {
			list = append(list, fmt.Sprintf("%d 1\n%010d %05d n \n", num, at.offset, at.gen))
		}
	}
	taken = fmt.Appendf(bytes.Clone(taken[:cut]), "%strailer\n<< /Size 100 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		strings.Join(list, ""), d.sections[1].start, cut-len("xref\n"))
	s := onlySignature(t, taken)
	wantCoverage(t, s, CoversPart, ProblemEnd)
	mustBeIntact(t, s)
}

// TestWrapping moves the end of the signed bytes away and puts a document of
// the attacker between: the digest still matches, since /ByteRange is read from
// a second key in the gap.
func TestWrapping(t *testing.T) {
	file, signed, _ := signedPlain(t)
	r, _ := readRanges(signed.ByteRange)
	d := mustOpen(t, file)
	xref := d.newest().start
	tail := file[r.resume:]

	build := func(resume int64) []byte {
		out := bytes.Clone(file[:r.resume])
		out = fmt.Appendf(out, " /ByteRange [0 %d %d %d] >>\nendobj\n", r.gap, resume, len(tail))
		for int64(len(out)) < xref {
			out = append(out, ' ')
		}
		rows, trailer := string(file[xref:bytes.LastIndex(file, []byte("trailer"))]), "trailer\n<< /Size 100 /Root 1 0 R /Prev %d >>\n"
		out = append(out, rows...)
		out = fmt.Appendf(out, trailer, d.sections[1].start)
		return append(out, "% evil objects stand here\n"...)
	}
	// The field and the page stand in the tail and moved: write them again.
	first := build(0)
	resume := int64(len(build(int64(len(first)))))
	wrapped := append(build(resume), tail...)
	moved := resume - r.resume
	for num := range int64(9) {
		at, err := d.whereIs(num)
		if err != nil {
			t.Fatal(err)
		}
		if at.kind == plain && at.offset > r.resume {
			old := fmt.Appendf(nil, "%010d %05d n", at.offset, at.gen)
			with := fmt.Appendf(nil, "%010d %05d n", at.offset+moved, at.gen)
			i := bytes.Index(wrapped[xref:resume], old)
			if i < 0 {
				continue
			}
			copy(wrapped[xref+int64(i):], with)
		}
	}
	s := onlySignature(t, wrapped)
	if err := checkCMS(s); err != nil {
		t.Fatalf("the attack is not made right, the digest must match: %v", err)
	}
	if s.Covers != CoversPart {
		t.Errorf("covers %v", s.Covers)
	}
	for _, want := range []Problem{ProblemGap, ProblemRepeatedKey} {
		if !strings.Contains(fmt.Sprint(s.Problems), want.String()) {
			t.Errorf("problems %q lack %q", s.Problems, want)
		}
	}
}

// A later revision with other words in the signature dictionary, or none.
func TestSpoofedDictionary(t *testing.T) {
	file, signed, _ := signedPlain(t)
	num := int64(-1)
	for n := range int64(9) {
		if at, _ := mustOpen(t, file).whereIs(n); at.kind == plain && at.offset == signed.id.home {
			num = n
		}
	}
	i, j := signed.id.home, int64(bytes.Index(file[signed.id.home:], []byte("endobj")))
	copied := string(file[i:i+j]) + "endobj"
	spoofed := appendUpdate(t, file, strings.Replace(copied, "/M ", "/Reason (I agree) /M ", 1))
	list := signatures(t, spoofed)
	if len(list) != 2 {
		t.Fatalf("%d signatures, want the spoofed and the real one", len(list))
	}
	for _, s := range list {
		if s.Removed {
			wantCoverage(t, s, CoversRevision)
			continue
		}
		if s.Covers != CoversPart || s.Reason != "I agree" {
			t.Errorf("the spoofed one covers %v: %q", s.Covers, s.Problems)
		}
	}

	gone := onlySignature(t, appendUpdate(t, file, fmt.Sprintf("%d 0 obj\nnull\nendobj", num)))
	if gone.Covers == CoversWholeFile {
		t.Errorf("covers %v", gone.Covers)
	}
	stripped := onlySignature(t, appendUpdate(t, file, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj"))
	wantCoverage(t, stripped, CoversRevision)
	if !stripped.Removed {
		t.Error("a signature that the newest revision lacks is not said to be removed")
	}
}

// A signed revision can point past its own end, to be filled later.
func TestShadowOfTheFuture(t *testing.T) {
	plain := documents.Plain()
	rows := "100 1\n0000020000 00000 n \n"
	start := len(plain)
	prepared := fmt.Appendf(bytes.Clone(plain), "xref\n%strailer\n<< /Size 101 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		rows, mustOpen(t, plain).newest().start, start)
	file := mustSign(t, prepared, options(t, pki.Signer))
	wantCoverage(t, onlySignature(t, file), CoversWholeFile)
	filled := append(bytes.Clone(file), bytes.Repeat([]byte{' '}, 20000-len(file))...)
	filled = append(filled, "100 0 obj\n(new)\nendobj\n"...)
	d := mustOpen(t, filled)
	if o, err := d.object(ref{num: 100}); err != nil || o == nil {
		t.Fatalf("the newest revision must see the object: %v", err)
	}
	s := onlySignature(t, filled)
	wantCoverage(t, s, CoversRevision)
	if s.AppendedBytes == 0 {
		t.Error("nothing was appended")
	}
	last := d.revisions[len(d.revisions)-1]
	if o, err := d.at(last).object(ref{num: 100}); err == nil && o != nil {
		t.Error("a revision sees an object past its end")
	}
}

// The signature must be a field of the revision it covers, not only of a later one.
func TestSignatureFromTheFuture(t *testing.T) {
	// The dictionary is in the covered revision, the field only in the next.
	early := documents.Plain()
	start := len(early)
	contents := "<3003020101>"
	head := "50 0 obj\n<< /Type /Sig /ByteRange ["
	byteRange := "%010d %010d %010d %010d"
	mid := "] /Contents "
	gap := start + len(head) + len("0000000000 0000000000 0000000000 0000000000") + len(mid)
	object := head + byteRange + mid + contents + " >>\nendobj"
	tail := " >>\nendobj\n" + fmt.Sprintf("xref\n50 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		start, mustOpen(t, early).newest().start, gap+len(contents)+len(" >>\nendobj\n"))
	covered := appendUpdate(t, early, fmt.Sprintf(object, 0, gap, gap+len(contents), len(tail)))
	file := appendUpdate(t, covered,
		"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [51 0 R] >> >>\nendobj",
		"51 0 obj\n<< /FT /Sig /T (Late) /V 50 0 R >>\nendobj")
	wantCoverage(t, onlySignature(t, file), CoversPart, ProblemNotInRevision)
}

func TestSharedSignatures(t *testing.T) {
	t.Run("two fields", func(t *testing.T) {
		file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R] >> >>", pagesObject, pageObject,
			"<< /FT /Sig /T (A) /V 6 0 R >>", "<< /FT /Sig /T (B) /V 6 0 R >>", "<< /Type /Sig /Contents <3000> >>")
		s := onlySignature(t, file)
		if !strings.Contains(fmt.Sprint(s.Problems), ProblemFieldShared.String()) {
			t.Errorf("problems %q", s.Problems)
		}
	})
	t.Run("two dictionaries", func(t *testing.T) {
		// What is a comment in object 6 is the beginning of object 7.
		file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R] >> >>", pagesObject, pageObject,
			"<< /FT /Sig /T (A) /V 6 0 R >>", "<< /FT /Sig /T (B) /V 7 0 R >>",
			"<< %7 0 obj <<\n/Type /Sig /Contents <3000> >>", "null")
		inner := bytes.Index(file, []byte("7 0 obj <<"))
		outer := bytes.LastIndex(file, []byte("7 0 obj\nnull"))
		file = replace(t, file, fmt.Sprintf("%010d 00000 n", outer), fmt.Sprintf("%010d 00000 n", inner))
		list := signatures(t, file)
		if len(list) != 2 {
			t.Fatalf("%d signatures, want 2", len(list))
		}
		for _, s := range list {
			if !strings.Contains(fmt.Sprint(s.Problems), ProblemContentsShared.String()) {
				t.Errorf("%s: problems %q", s.Field, s.Problems)
			}
		}
	})
	t.Run("in an object stream", func(t *testing.T) {
		s := onlySignature(t, packedSignature())
		if s.Covers != CoversUnknown || !strings.Contains(fmt.Sprint(s.Problems), ProblemContentsForm.String()) {
			t.Errorf("covers %v, problems %q", s.Covers, s.Problems)
		}
	})
}

// packedSignature is a document whose signature dictionary, 6, is in object
// stream 7.
func packedSignature() []byte {
	inner := "6 0 << /Type /Sig /Contents <3000> >>"
	file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", pagesObject, pageObject,
		"<< /FT /Sig /T (A) /V 6 0 R >>", "null", "null",
		fmt.Sprintf("<< /Type /ObjStm /N 1 /First 4 /Length %d >>\nstream\n%s\nendstream", len(inner), inner))
	start := len(file)
	old := bytes.LastIndex(file, []byte("xref\n0"))
	stream := "8 0 obj\n<< /Type /XRef /Size 9 /W [1 1 1] /Index [6 1] /Root 1 0 R /Prev %d /Length 3 >>\nstream\n\x02\x07\x00\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
	return fmt.Appendf(file, stream, old, start)
}

// One changed bit anywhere in the signed bytes breaks the signature or the
// file; none is overlooked.
func TestFlippedBits(t *testing.T) {
	file, signed, _ := signedPlain(t)
	r, _ := readRanges(signed.ByteRange)
	for i := int64(0); i < r.end; i++ {
		if i >= r.gap && i < r.resume {
			continue
		}
		changed := bytes.Clone(file)
		changed[i] ^= 1 << (i % 8)
		d, err := Open(bytes.NewReader(changed), int64(len(changed)))
		if err != nil {
			continue
		}
		list, err := d.Signatures()
		if err != nil {
			continue
		}
		for _, s := range list {
			if s.Covers == CoversWholeFile && checkCMS(s) == nil {
				t.Errorf("byte %d can be changed", i)
			}
		}
	}
}
