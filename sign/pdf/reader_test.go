// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// show writes an object the way the tests below spell it.
func show(o object) string {
	switch o := o.(type) {
	case nil:
		return "null"
	case name:
		return "/" + string(o)
	case *text:
		return fmt.Sprintf("%q", o.bytes)
	case *array:
		var items []string
		for _, item := range o.items {
			items = append(items, show(item))
		}
		return "[" + strings.Join(items, " ") + "]"
	case *dict:
		var entries []string
		for _, e := range o.entries {
			entries = append(entries, "/"+string(e.key)+" "+show(e.value))
		}
		return "<<" + strings.Join(entries, " ") + ">>"
	}
	return fmt.Sprint(o)
}

func parse(s string) (object, span, error) {
	return newParser(strings.NewReader(s), 0, int64(len(s))).object()
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"0", "0"},
		{"-12", "-12"},
		{"+7", "7"},
		{"-.5", "-0.5"},
		{"4.", "4"},
		{"99999999999999999999", "1e+20"},
		{"true", "true"},
		{"null", "null"},
		{"%c\n 1", "1"},
		{"/", "/"},
		{"/A#42#zz", "/AB#zz"},
		{"/A/B", "/A"},
		{"12 0 R", "12 0 R"},
		{"[1 2 3 R 4]", "[1 2 3 R 4]"},
		{"[1 2 3]", "[1 2 3]"},
		{"[1 -2 R]", ""},
		{"(a(b)c)", `"a(b)c"`},
		{`(\(\)\\\n\r\t\b\f\101\7\1234\q)`, `"()\\\n\r\t\b\fA\aS4q"`},
		{"(a\\\r\nb\r\nc\rd)", `"ab\nc\nd"`},
		{"<48 65\n6C6c6F7>", `"Hellop"`},
		{"<>", `""`},
		{"<< /A 1/B[/C]/D<</E(x)>>>>", `<</A 1 /B [/C] /D <</E "x">>>>`},
		{"<< /A 1 0 R /B 2 >>", "<</A 1 0 R /B 2>>"},
		{"", ""},
		{"(", ""},
		{"<4", ""},
		{"<4x>", ""},
		{"[1", ""},
		{"<< /A", ""},
		{"<< 1 2 >>", ""},
		{">", ""},
		{")", ""},
		{"{1}", ""},
		{"]", ""},
		{">>", ""},
		{"obj", ""},
		{"1e5", ""},
		{"0x1", ""},
		{"inf", ""},
		{strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2), ""},
		{strings.Repeat("9", maxWord+1), ""},
	} {
		o, at, err := parse(tt.in)
		var damage *DamagedError
		switch {
		case tt.want == "" && !errors.As(err, &damage):
			t.Errorf("%.40q is %s with error %v, want a DamagedError", tt.in, show(o), err)
		case tt.want != "" && (err != nil || show(o) != tt.want):
			t.Errorf("%.40q is %s, %v, want %s", tt.in, show(o), err, tt.want)
		case tt.want != "" && at.end > int64(len(tt.in)):
			t.Errorf("%.40q ends at %d", tt.in, at.end)
		}
	}
}

// Words are read as they are wherever the lexer's window ends in them.
func TestParseAcrossWindows(t *testing.T) {
	const in, want = "<< /N#61me /O#74her /Number -12.5 /Ref 12 34 R >>", "<</Name /Other /Number -12.5 /Ref 12 34 R>>"
	for _, end := range []int{firstWindow, firstWindow + windowLen} {
		for before := end - len(in) - 1; before <= end; before++ {
			o, at, err := parse(strings.Repeat(" ", before) + in)
			if err != nil || show(o) != want || at.end != int64(before+len(in)) {
				t.Errorf("after %d bytes it is %s up to %d, %v", before, show(o), at.end, err)
			}
		}
	}
}

func TestParseLongString(t *testing.T) {
	for _, n := range []int{longString - 1, longString, longString + 1, 3 * longString} {
		word := strings.Repeat("x", n)
		in := "(" + word + `\(()\101` + "\\\r\n\r\n)"
		o, at, err := parse(in)
		if got, _ := o.(*text); err != nil || got == nil || string(got.bytes) != word+"(()A\n" || at.end != int64(len(in)) {
			t.Errorf("a string of %d bytes is read wrongly, up to %d: %v", n, at.end, err)
		}
		if _, _, err := parse(in[:len(in)-1]); err == nil {
			t.Errorf("a string of %d bytes is read without its end", n)
		}
	}
}

func TestParseLimits(t *testing.T) {
	if _, _, err := parse("[" + strings.Repeat("0 ", maxNodes) + "]"); err == nil {
		t.Error("an array with too many items is read")
	}
	endless := hole{head: []byte("("), zeros: 1 << 40}
	if _, _, err := newParser(endless, 0, endless.size()).object(); err == nil {
		t.Error("an endless string is read")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _ = newParser(endless, 0, endless.size()).object()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("an endless string takes %d bytes", took)
	}
}

func TestEdited(t *testing.T) {
	source := "<< /A 1 %c\n/B[2]/A 3 /C(x)>>"
	o, _, err := parse(source)
	if err != nil {
		t.Fatal(err)
	}
	d := o.(*dict)
	if got := d.get("A"); got != int64(3) {
		t.Errorf("/A is %v: of a repeated key the last value counts", got)
	}
	if !d.repeats("A") || d.repeats("B", "C") {
		t.Error("repeated keys are not found")
	}
	for _, tt := range []struct {
		changes []change
		want    string
	}{
		{nil, source},
		{[]change{{"B", []byte("null")}}, "<< /A 1 %c\n/B null /A 3 /C(x)>>"},
		{[]change{{"B", nil}}, "<< /A 1 %c\n/A 3 /C(x)>>"},
		{[]change{{"A", []byte("9")}}, "<< /A  9  %c\n/B[2]/A  9  /C(x)>>"},
		{[]change{{"D", []byte("4")}, {"E", nil}}, "<< /A 1 %c\n/B[2]/A 3 /C(x)/D 4 >>"},
	} {
		if got, err := d.edited(tt.changes...); err != nil || string(got) != tt.want {
			t.Errorf("edited to %q, %v, want %q", got, err, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "plain", `a(b)\c`, "due\r\nrighe\ttab", "perché", "日本 🖋", "\x01"} {
		o, _, err := parse(string(encodeText(s)))
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeText(o.(*text).bytes); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	for in, want := range map[string]string{
		"\x80 \xa0 \xe8 \x1f":         "• € è ˜",
		"\xef\xbb\xbfper\xc3\xb2\xff": "però\ufffd",
		"\xfe\xff\x00A\x00":           "A",
	} {
		if got := decodeText([]byte(in)); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	for in, want := range map[string]string{
		"D:20260314150926+01'00'": "2026-03-14T15:09:26+01:00",
		"D:20260314150926-0330":   "2026-03-14T15:09:26-03:30",
		"D:20260314150926+01":     "2026-03-14T15:09:26+01:00",
		"D:20260314150926Z00'00'": "2026-03-14T15:09:26Z",
		"20260314150926Z":         "2026-03-14T15:09:26Z",
		"D:202603":                "2026-03-01T00:00:00Z",
		"D:2026":                  "2026-01-01T00:00:00Z",
		"D:20261314150926Z":       "0001-01-01T00:00:00Z",
		"D:":                      "0001-01-01T00:00:00Z",
		"":                        "0001-01-01T00:00:00Z",
		"yesterday":               "0001-01-01T00:00:00Z",
	} {
		if got := decodeDate(in).Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func TestBERLen(t *testing.T) {
	for in, want := range map[string]int{
		"\x30\x00":                                  2,
		"\x30\x03\x02\x01\x05\x00\x00":              5,
		"\x30\x81\x01\x00":                          4,
		"\x30\x84\x00\x00\x00\x01\xff":              7,
		"\x30\x80\x02\x01\x05\x00\x00\x00":          7,
		"\x30\x80\x24\x80\x04\x01a\x00\x00\x00\x00": 11,
		"\x3f\x81\x01\x01a":                         5,
		"\x30\x80\x02\x01\x05":                      -1,
		"\x30\x05\x02\x01":                          -1,
		"\x30\x85\x00\x00\x00\x00":                  -1,
		"\x30\x84\xff\xff\xff\xff":                  -1,
		"\x00\x00":                                  -1,
		"\x30":                                      -1,
		"\x3f\x81":                                  -1,
		"":                                          -1,
	} {
		n, ok := berLen([]byte(in))
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("% x is %d bytes long, want %d", in, n, want)
		}
	}
}

func TestPredictors(t *testing.T) {
	for _, tt := range []struct {
		name     string
		p        predictor
		in, want string
	}{
		{"none", predictor{1, 1, 8, 1}, "abc", "abc"},
		{"TIFF", predictor{2, 1, 8, 3}, "\x01\x01\x01\x05\x01\x01", "\x01\x02\x03\x05\x06\x07"},
		{"TIFF, two colours", predictor{2, 2, 8, 2}, "\x01\x0a\x01\x01", "\x01\x0a\x02\x0b"},
		{"PNG none", predictor{10, 1, 8, 3}, "\x00abc", "abc"},
		{"PNG sub", predictor{11, 1, 8, 3}, "\x01\x01\x01\x01", "\x01\x02\x03"},
		{"PNG up", predictor{12, 1, 8, 2}, "\x02\x01\x02\x02\x01\x01", "\x01\x02\x02\x03"},
		{"PNG average", predictor{13, 1, 8, 2}, "\x00\x04\x04\x03\x01\x01", "\x04\x04\x03\x04"},
		{"PNG Paeth", predictor{14, 1, 8, 2}, "\x00\x04\x09\x04\x01\x01", "\x04\x09\x05\x0a"},
		{"last row short", predictor{15, 1, 8, 4}, "\x00abcd\x02\x01", "abcdb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.p.undo([]byte(tt.in), 0)
			if err != nil || string(got) != tt.want {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
	for _, p := range []predictor{{3, 1, 8, 1}, {16, 1, 8, 1}, {2, 1, 4, 1}, {12, 0, 8, 1}, {12, 65, 8, 1}, {12, 1, 0, 1}, {12, 1, 8, 0}, {12, 1, 8, 1 << 40}, {12, 1 << 40, 1 << 40, 1}} {
		if _, err := p.undo([]byte("\x00a"), 0); err == nil {
			t.Errorf("predictor %v is accepted", p)
		}
	}
	if _, err := (predictor{12, 1, 8, 1}).undo([]byte("\x05a"), 0); err == nil {
		t.Error("row filter 5 is accepted")
	}
}

func deflate(data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.String()
}

func TestInflateBomb(t *testing.T) {
	bomb := deflate(make([]byte, maxInflated+1))
	if _, err := (&file{}).inflate([]byte(bomb), []name{"FlateDecode"}, make([]predictor, 1), 0); err == nil {
		t.Error("a stream over the limit is inflated")
	}
	twice := deflate([]byte(deflate([]byte("hello"))))
	got, err := (&file{}).inflate([]byte(twice), []name{"FlateDecode", "Fl"}, make([]predictor, 2), 0)
	if err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := (&file{}).inflate([]byte("x"), []name{"LZWDecode"}, make([]predictor, 1), 0); err == nil {
		t.Error("LZWDecode is accepted")
	}
}

// withTable is a one-page document whose cross-reference section is made by
// section out of the offsets of objects 1 to 3.
func withTable(section func(o1, o2, o3 int) string) []byte {
	file := makePDF("<< /Type /Catalog /Pages 2 0 R >>", pagesObject, pageObject)
	start := bytes.Index(file, []byte("xref\n0"))
	at := func(s string) int { return bytes.Index(file, []byte(s)) }
	return fmt.Appendf(bytes.Clone(file[:start]), "%sstartxref\n%d\n%%%%EOF\n", section(at("1 0 obj"), at("2 0 obj"), at("3 0 obj")), start)
}

func TestTables(t *testing.T) {
	const trailer = "trailer\n<< /Size 4 /Root 1 0 R >>\n"
	for _, tt := range []struct {
		name, format string
		good         bool
	}{
		{"as the standard has it", "xref\n0 4\n0000000000 65535 f\r\n%010d 00000 n\r\n%010d 00000 n\r\n%010d 00000 n\r\n" + trailer, true},
		{"19 bytes a row", "xref\n0 4\n0000000000 65535 f\n%010d 00000 n\n%010d 00000 n\n%010d 00000 n\n" + trailer, true},
		{"21 bytes a row", "xref\n0 4\n0000000000 65535 f \r\n%010d 00000 n \r\n%010d 00000 n \r\n%010d 00000 n \r\n" + trailer, true},
		{"padded with spaces", "xref\n0 4\n0000000000 65535 f \n%10d 00000 n \n%10d 00000 n \n%10d 00000 n \n" + trailer, true},
		{"subsections", "xref\n1 1\n%010d 00000 n \n2 2\n%010d 00000 n \n%010d 00000 n \n" + trailer, true},
		{"subsections not in order", "xref\n1 1\n%010d 00000 n \n3 0\n2 2\n%010d 00000 n \n%010d 00000 n \n0 1\n0000000000 65535 f \n" + trailer, true},
		{"white space before", "\n\n xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, true},
		{"/Prev 0 at the end of the chain", "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \ntrailer << /Size 4 /Root 1 0 R /Prev 0 >>\n", true},
		{"two rows for one object", "xref\n1 3\n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n2 1\n0000000000 00000 f \n" + trailer, false},
		{"too few rows", "xref\n0 5\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
		{"a count without end", "xref\n0 8000000\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
		{"a count past all numbers", "xref\n0 9223372036854775807\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
		{"a negative number", "xref\n-1 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
		{"unknown kind", "xref\n0 4\n0000000000 65535 x \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
		{"no trailer", "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n", false},
		{"trailer is no dictionary", "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \ntrailer [1]\n", false},
		{"no /Root", "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \ntrailer << /Size 4 >>\n", false},
		{"/Prev is no number", "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \ntrailer << /Size 4 /Root 1 0 R /Prev (x) >>\n", false},
		{"objects are not where it says", "xref\n0 4\n0000000000 65535 f \n1%09d 00000 n \n%010d 00000 n \n%010d 00000 n \n" + trailer, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := withTable(func(o1, o2, o3 int) string { return fmt.Sprintf(tt.format, o1, o2, o3) })
			_, err := signBytes(file, options(t, pki.SignerP256))
			if (err == nil) != tt.good || err != nil && !unreadable(err) {
				t.Errorf("signing: %v", err)
			}
			if err == nil {
				wantCoverage(t, onlySignature(t, mustSign(t, file, options(t, pki.SignerP256))), CoversWholeFile)
			}
		})
	}
}

func TestChainLoops(t *testing.T) {
	plain := documents.Plain()
	start := mustOpen(t, plain).newest().start
	self := bytes.Replace(plain, []byte("/Root"), fmt.Appendf(nil, "/Prev %d /Root", start), 1)
	hidden := bytes.Replace(plain, []byte("/Root"), fmt.Appendf(nil, "/XRefStm %d /Root", start), 1)
	two := appendUpdate(t, plain, "60 0 obj\nnull\nendobj")
	two = bytes.Replace(two, []byte("/Root"), fmt.Appendf(nil, "/Prev %d /Root", mustOpen(t, two).newest().start+13), 1)
	far := bytes.Replace(plain, []byte("/Root"), []byte("/Prev 999999999 /Root"), 1)
	for what, file := range map[string][]byte{"itself": self, "itself as hidden stream": hidden, "a later one": two, "nowhere": far} {
		if _, err := Open(bytes.NewReader(file), int64(len(file))); !unreadable(err) {
			t.Errorf("a section that names %s: error %v", what, err)
		}
	}
}

// Loops in what Signatures walks must end, and what is there must be found.
func TestFieldLoops(t *testing.T) {
	signature := "<< /Type /Sig /Contents <3000> >>"
	for what, tt := range map[string]struct {
		fields []string // objects 4, 5, 6
		want   int
	}{
		"itself":        {[]string{"<< /T (A) /Kids [4 0 R 5 0 R] >>", "<< /T (B) /FT /Sig /V 6 0 R >>", signature}, 1},
		"its parent":    {[]string{"<< /T (A) /Kids [5 0 R] >>", "<< /T (B) /FT /Sig /V 6 0 R /Kids [4 0 R] >>", signature}, 1},
		"inherits":      {[]string{"<< /T (A) /FT /Sig /V 6 0 R /Kids [5 0 R] >>", "<< /Subtype /Widget >>", signature}, 1},
		"missing value": {[]string{"<< /T (A) /FT /Sig /V 77 0 R >>", "null", "null"}, 0},
		"null value":    {[]string{"<< /T (A) /FT /Sig /V 5 0 R >>", "null", "null"}, 0},
		"direct field":  {[]string{"<< /T (A) /Kids [<< /T (B) /FT /Sig /V << /Contents <3000> >> >>] >>", "null", "null"}, 1},
		"other type":    {[]string{"<< /T (A) /FT /Tx /V 6 0 R >>", "null", signature}, 0},
	} {
		file := makePDF(append([]string{"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", pagesObject, pageObject}, tt.fields...)...)
		if list := signatures(t, file); len(list) != tt.want {
			t.Errorf("%s: %d signatures, want %d", what, len(list), tt.want)
		}
	}
}

func TestObjectStreamLoops(t *testing.T) {
	// Object 4 is a stream whose length is object 5, which it contains.
	file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>", pagesObject, pageObject,
		"<< /Type /ObjStm /N 1 /First 4 /Length 5 0 R >>\nstream\n5 0 9\nendstream", "null")
	start := len(file)
	file = fmt.Appendf(file, "6 0 obj\n<< /Type /XRef /Size 7 /W [1 1 1] /Index [5 1] /Root 1 0 R /Prev %d /Length 3 >>\nstream\n\x02\x04\x00\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		bytes.LastIndex(file, []byte("xref\n0")), start)
	if _, err := mustOpen(t, file).Signatures(); !unreadable(err) || !strings.Contains(err.Error(), "contains itself") {
		t.Errorf("error %v", err)
	}
}

// TestSectionShape: a cross-reference stream whose rows two readers may take for
// those of different objects is refused.
func TestSectionShape(t *testing.T) {
	for _, tt := range []struct {
		entries string
		opens   bool
	}{
		{"/Size 7 /W [1 2 1] /Index [6 1]", true},
		{"/Size 1 /W [1 2 1]", true},
		{"/Size 1 /W [1 2 1] /Index null", true},
		{"/Size 1 /W [1 2 1] /Index 5 0 R", false},
		{"/Size 1 /W [1 2 1] /Index [6.0 1]", false},
		{"/Size 1 /W [1 2 1] /Index [6 1 9]", false},
		{"/Size 1 /W [1 2 1] /Index (6 1)", false},
		{"/Size 7 /W [1 2 1 0] /Index [6 1]", false},
		{"/Size 7 /W [1 2] /Index [6 1]", false},
		{"/Size 7 /W [1 2 1] /Index [6 2]", false},
		{"/Size 7 /W [1 2 1] /Index [6 1 6 0]", true},
		{"/Size 7 /W [1 2 -1] /Index [6 1]", false},
	} {
		file := makePDF("<< /Type /Catalog /Pages 2 0 R >>", pagesObject, pageObject)
		start := len(file)
		file = fmt.Appendf(file, "6 0 obj\n<< /Type /XRef %s /Root 1 0 R /Prev %d /Length 4 >>\nstream\n\x00\x00\x00\x00\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
			tt.entries, bytes.LastIndex(file, []byte("xref\n0")), start)
		if _, err := Open(bytes.NewReader(file), int64(len(file))); (err == nil) != tt.opens || err != nil && !unreadable(err) {
			t.Errorf("%s: error %v", tt.entries, err)
		}
	}
}

// Every prefix of a file opens or is refused, and never has a whole signature.
func TestPrefixes(t *testing.T) {
	file := mustSign(t, documents.Streams(), options(t, pki.SignerP256))
	for n := range len(file) - 1 {
		d, err := Open(bytes.NewReader(file[:n]), int64(n))
		if err != nil {
			if !unreadable(err) && !errors.Is(err, ErrNotPDF) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		list, err := d.Signatures()
		if err != nil && !unreadable(err) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		for _, s := range list {
			if n < len(file)-len("\n") && s.Covers == CoversWholeFile {
				t.Errorf("%d of %d bytes cover the whole file", n, len(file))
			}
		}
	}
}

// A revision can be opened alone.
func TestRevisionAlone(t *testing.T) {
	once := mustSign(t, documents.Form(), options(t, pki.SignerP256))
	twice := mustSign(t, once, options(t, pki.Signer))
	revisions := mustOpen(t, twice).Revisions()
	if len(revisions) != 3 || revisions[2].End != int64(len(twice)) {
		t.Fatalf("revisions %v", revisions)
	}
	end := revisions[1].End
	d, err := Open(io.NewSectionReader(bytes.NewReader(twice), 0, end), end)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Signatures()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	wantCoverage(t, list[0], CoversWholeFile)
}

// Updates that leave the form alone do not hide which revision a signature is in.
func TestManyUpdates(t *testing.T) {
	file := mustSign(t, documents.Form(), options(t, pki.SignerP256))
	for i := range 50 {
		file = appendUpdate(t, file, fmt.Sprintf("%d 0 obj\n(%d)\nendobj", 60+i%7, i))
	}
	file = mustSign(t, file, options(t, pki.SignerP256))
	d := mustOpen(t, file)
	list, err := d.Signatures()
	if err != nil || len(list) != 2 {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	wantCoverage(t, list[0], CoversRevision)
	wantCoverage(t, list[1], CoversWholeFile)
	if list[0].Revision != 1 || list[1].Revision != 52 {
		t.Errorf("revisions %d and %d", list[0].Revision, list[1].Revision)
	}
}

// brokenDisk fails at one of the calls, the first being 0.
type brokenDisk struct {
	*bytes.Reader
	calls, fails int
}

var errDisk = errors.New("input/output error")

func (d *brokenDisk) ReadAt(b []byte, at int64) (int, error) {
	d.calls++
	if d.calls-1 == d.fails {
		return 0, errDisk
	}
	return d.Reader.ReadAt(b, at)
}

// What the disk does must not pass for damage of the file, nor hide anything.
func TestReadErrors(t *testing.T) {
	for _, doc := range documents.All() {
		file := mustSign(t, mustSign(t, doc.PDF, options(t, pki.SignerP256)), options(t, pki.SignerP256))
		read := func(fails int) (calls int, err error) {
			disk := &brokenDisk{bytes.NewReader(file), 0, fails}
			d, err := Open(disk, int64(len(file)))
			if err == nil {
				_, err = d.Signatures()
			}
			return disk.calls, err
		}
		calls, err := read(-1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range calls {
			if _, err := read(i); !errors.Is(err, errDisk) {
				t.Errorf("%s: call %d of %d fails: error %v", doc.Name, i, calls, err)
			}
		}
		_, err = LooksSigned(&brokenDisk{bytes.NewReader(file), 0, 0}, int64(len(file)))
		if !errors.Is(err, errDisk) {
			t.Errorf("LooksSigned: %v", err)
		}
	}
}

func TestLooksSigned(t *testing.T) {
	for _, tt := range []struct {
		before int
		word   string
		want   bool
	}{{0, "/ByteRange", true}, {64<<10 - 5, "/ByteRange [", true}, {200_000, "/ByteRange", true}, {70_000, "/ByteRang", false}} {
		file := append(bytes.Repeat([]byte{' '}, tt.before), tt.word...)
		got, err := LooksSigned(bytes.NewReader(file), int64(len(file)))
		if err != nil || got != tt.want {
			t.Errorf("%q after %d bytes: %v, %v", tt.word, tt.before, got, err)
		}
	}
}

// A small file that asks for a lot of work is refused, whatever it asks for.
func TestEffort(t *testing.T) {
	// Every field has all fields as its kids, by an array without a number in the tree.
	kids := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>", pagesObject, pageObject,
		"["+strings.Repeat("<< /Kids 4 0 R >> ", 50)+"]")
	if _, err := mustOpen(t, kids).Signatures(); !unreadable(err) {
		t.Errorf("fields: %v", err)
	}
	// Every revision writes the catalog again, and has a form of many fields.
	fields := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>", pagesObject, pageObject,
		"["+strings.Repeat("<< /T (A) >> ", 10_000)+"]")
	prev := mustOpen(t, fields).newest().start
	for range 500 {
		at := len(fields)
		fields = append(fields, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>\nendobj\n"...)
		start := len(fields)
		fields = fmt.Appendf(fields, "xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 5 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", at, prev, start)
		prev = int64(start)
	}
	if _, err := mustOpen(t, fields).Signatures(); !unreadable(err) {
		t.Errorf("revisions: %v", err)
	}
}
