// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// corpusRow is what the corpus says of one PDF.
type corpusRow struct {
	path       string
	signatures int  // -1 when nobody counted them
	timestamps int  // document timestamps; -1 when nobody counted them
	spoiled    bool // must not be valid, because of how it is built
}

// corpus reads the list of PDFs of the development corpus, which is not part of
// the repository.
func corpus(t *testing.T) []corpusRow {
	t.Helper()
	root := cmp.Or(os.Getenv("PECTOKEN_CORPUS"), "../../../shared/corpus")
	list, err := os.Open(filepath.Join(root, "corpus.tsv"))
	if err != nil {
		t.Skip("corpus not here: set PECTOKEN_CORPUS to its folder")
	}
	defer list.Close()
	r := csv.NewReader(list)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var pdfs []corpusRow
	for _, row := range rows[1:] {
		if row[1] == "PDF" {
			pdfs = append(pdfs, corpusRow{
				path:       filepath.Join(root, filepath.FromSlash(row[0])),
				signatures: number(row[3]),
				timestamps: number(observed(row[13])),
				spoiled:    strings.Contains(row[13], "ByteRange") && strings.Contains(row[13], "HOSTILE"),
			})
		}
	}
	return pdfs
}

func observed(note string) string {
	if m := regexp.MustCompile(`time-stamps observed: (\d+)`).FindStringSubmatch(note); m != nil {
		return m[1]
	}
	return ""
}

func number(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return -1
}

// Files of the corpus that Open refuses, and why.
var corpusDamaged = map[string]string{
	"minimal-startxref-hopeless.pdf":                  "startxref names a place in a stream",
	"minimal-startxref-hopeless3.pdf":                 "no number after startxref",
	"minimal-startxref-obo2.pdf":                      "startxref is one byte off",
	"minimal-startxref-obo4.pdf":                      "startxref is off",
	"minimal-startxref-obo5.pdf":                      "startxref is off",
	"minimal-startxref-obo6.pdf":                      "startxref is off",
	"pades-5-signatures-and-1-document-timestamp.pdf": "the last /Prev is 0, the signed revisions are cut off",
	"pades_infinite_loop.pdf":                         "startxref is past the end",
	"pades_opposite_infinite_loop.pdf":                "startxref is past the end",
}

func TestCorpusFacts(t *testing.T) {
	for _, row := range corpus(t) {
		base := filepath.Base(row.path)
		t.Run(base, func(t *testing.T) {
			file, err := os.ReadFile(row.path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Open(bytes.NewReader(file), int64(len(file)))
			if why := corpusDamaged[base]; (err != nil) != (why != "") || err != nil && !unreadable(err) {
				t.Fatalf("error %v; known: %q", err, why)
			}
			if err != nil {
				return
			}
			list, err := d.Signatures()
			if err != nil {
				if _, ok := err.(*EncryptedError); !ok || !d.Encrypted() {
					t.Fatal(err)
				}
				return
			}
			row.check(t, list)
		})
	}
}

func (row corpusRow) check(t *testing.T, list []*Signature) {
	signatures, timestamps, covered := 0, 0, 0
	for _, s := range list {
		switch {
		case s.Removed:
		case s.SubFilter == "ETSI.RFC3161":
			timestamps++
		default:
			signatures++
		}
		if s.Covers == CoversWholeFile || s.Covers == CoversRevision {
			covered++
		}
	}
	if row.signatures >= 0 && signatures != row.signatures {
		t.Errorf("%d signatures, want %d", signatures, row.signatures)
	}
	if row.timestamps >= 0 && timestamps != row.timestamps {
		t.Errorf("%d timestamps, want %d", timestamps, row.timestamps)
	}
	if row.spoiled == (covered == len(list)) && len(list) > 0 {
		t.Errorf("%d of %d signatures cover what they should; spoiled: %v", covered, len(list), row.spoiled)
	}
}

// TestCorpusSigns signs what may be signed. qpdf must have nothing more to
// object to than before.
func TestCorpusSigns(t *testing.T) {
	for _, row := range corpus(t) {
		t.Run(filepath.Base(row.path), func(t *testing.T) {
			file, err := os.ReadFile(row.path)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := signBytes(file, options(t, pki.SignerP256))
			if err != nil {
				t.Skipf("refused: %v", err)
			}
			before, after := signatures(t, file), signatures(t, signed)
			if len(after) != len(before)+1 {
				t.Errorf("%d signatures, want one more than %d", len(after), len(before))
			}
			i := slices.IndexFunc(after, func(s *Signature) bool { return s.rangeEnd() == int64(len(signed)) })
			if i < 0 {
				t.Fatal("no signature ends where the file does")
			}
			wantCoverage(t, after[i], CoversWholeFile)
			mustBeIntact(t, after[i])
			judges.Need(t, "qpdf")
			if judges.QPDFCheck(t.Context(), row.path) != nil {
				return
			}
			if err := judges.QPDFCheck(t.Context(), save(t, "signed.pdf", signed)); err != nil {
				t.Error(err)
			}
		})
	}
}
