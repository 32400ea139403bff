// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
)

// FuzzChanges appends anything to a signed document. When all that changed is said to
// be permitted, the catalog and the pages still lead to the same, entry by entry.
func FuzzChanges(f *testing.F) {
	var bases [][]byte
	for _, doc := range documents.All() {
		bases = append(bases, signed(f, doc.PDF))
	}
	bases = append(bases, certifiedForm(f, 3, ""))
	for i, base := range bases {
		f.Add(byte(i), true, signed(f, base)[len(base):])
		f.Add(byte(i), true, []byte("startxref\n9\n%%EOF"))
		f.Add(byte(i), true, appendUpdate(f, base, obj(3, "null"))[len(base):])
		f.Add(byte(i), false, []byte(obj(3, "null")))
	}
	form := bases[2]
	for _, objects := range [][]string{
		{edited(f, form, 6, "(Roma)", "(Milano)"), obj(9, data(formXObject, "BT ET"))},
		{edited(f, form, 3, "5 0 R", "20 0 R"), obj(20, data("", "BT ET"))},
		{edited(f, form, 1, "[6 0 R 11 0 R", "[6 0 R 11 0 R 20 0 R"), obj(20, "<< /FT /Sig /T (ts) /V 21 0 R >>"), obj(21, someSignature)},
		{edited(f, form, 1, "/Type /Catalog", "/Type /Catalog /DSS << /Certs [20 0 R] >> /Metadata 21 0 R"), obj(20, data("", "x")), obj(21, data("", "x"))},
	} {
		f.Add(byte(2), false, []byte(strings.Join(objects, "\n")))
	}
	comment := strings.Join([]string{
		edited(f, bases[len(bases)-1], 3, "5 0 R", "5 0 R 20 0 R"),
		obj(20, "<< /Subtype /Highlight /Rect [0 0 90 12] /AP << /N 21 0 R >> >>"),
		obj(21, data("/BBox [0 0 90 12] /Resources << /ExtGState << /D << /BM /Multiply >> >> >>", "q /D gs 1 1 0 rg 0 0 90 12 re f Q")),
	}, "\n")
	f.Add(byte(len(bases)-1), false, []byte(comment))
	f.Fuzz(func(t *testing.T, which byte, raw bool, update []byte) {
		base := bases[int(which)%len(bases)]
		file := slices.Concat(base, update)
		if !raw {
			file = withRows(t, base, update)
		}
		found, err := judged(file)
		if err != nil {
			return
		}
		if slices.ContainsFunc(found, func(c Change) bool { return !c.Allowed }) {
			return
		}
		was, is := mustOpen(t, base), mustOpen(t, file)
		if at := firstDifference(was, is); at != "" {
			t.Fatalf("%s differs, and all is permitted:\n%s", at, words(found))
		}
	})
}

var objectStart = regexp.MustCompile(`(\d{1,4}) 0 obj`)

// withRows appends a body and a table for the objects that begin in it.
func withRows(t *testing.T, base, body []byte) []byte {
	var rows []string
	seen := map[string]bool{}
	for _, at := range objectStart.FindAllSubmatchIndex(body, -1) {
		num := string(body[at[2]:at[3]])
		if !seen[strings.TrimLeft(num, "0")] {
			rows = append(rows, fmt.Sprint(num, " ", len(base)+at[0]))
		}
		seen[strings.TrimLeft(num, "0")] = true
	}
	return appendRows(t, base, string(body)+"\n", rows...)
}

// firstDifference follows both documents from the catalog. What may change is left
// out by its key. It shares nothing with the ledger.
func firstDifference(was, is *Document) name {
	a, _, err := was.catalog()
	if err != nil {
		return "old catalog"
	}
	b, _, err := is.catalog()
	if err != nil {
		return "new catalog"
	}
	s := &sameness{was: was, is: is, seen: map[[2]ref]bool{}}
	for _, e := range a.entries {
		if !slices.Contains([]name{"AcroForm", "DSS", "Extensions", "Metadata", "Version"}, e.key) && !s.same(e.value, b.get(e.key)) {
			return e.key
		}
	}
	return ""
}

type sameness struct {
	was, is *Document
	seen    map[[2]ref]bool
}

func (s *sameness) same(a, b object) bool {
	if r, ok := a.(ref); ok {
		q, ok := b.(ref)
		if !ok || s.seen[[2]ref{r, q}] {
			return ok
		}
		s.seen[[2]ref{r, q}] = true
		return s.sameTargets(r, q)
	}
	switch a := a.(type) {
	case *array:
		b, ok := b.(*array)
		return ok && slices.EqualFunc(a.items, b.items, s.same)
	case *dict:
		b, ok := b.(*dict)
		return ok && s.sameDicts(a, b)
	case *text:
		b, ok := b.(*text)
		return ok && bytes.Equal(a.bytes, b.bytes)
	}
	return equal(a, b)
}

// sameTargets compares what two references lead to; what the old document cannot read
// the new one must not read either.
func (s *sameness) sameTargets(r, q ref) bool {
	x, err := s.was.resolve(r)
	y, err2 := s.is.resolve(q)
	return err != nil && err2 != nil || err == nil && err2 == nil && s.same(x, y)
}

// sameDicts compares all entries but those of annotations and form fields.
func (s *sameness) sameDicts(a, b *dict) bool {
	if (a.data == 0) != (b.data == 0) || a.get("Subtype") == name("Widget") || a.get("FT") != nil {
		return (a.data == 0) == (b.data == 0)
	}
	for _, e := range append(slices.Clip(a.entries), b.entries...) {
		if e.key != "Annots" && !s.same(a.get(e.key), b.get(e.key)) {
			return false
		}
	}
	if a.data == 0 {
		return true
	}
	same, err := s.was.sameStream(s.was, a, s.is, b)
	return err != nil || same
}
