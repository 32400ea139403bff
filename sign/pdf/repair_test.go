// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// repaired opens a file that cannot be opened as it stands.
func repaired(t *testing.T, file []byte, password string) *Document {
	t.Helper()
	var damage *DamagedError
	if _, err := Open(bytes.NewReader(file), int64(len(file))); !errors.As(err, &damage) {
		t.Fatalf("error %v without repair, want a DamagedError", err)
	}
	d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Repair: true, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Repaired()) < 2 || !strings.Contains(d.Repaired()[0], damage.What) {
		t.Errorf("repaired: %q, want %q in it", d.Repaired(), damage.What)
	}
	return d
}

// breaks are ways to lose the cross-reference data.
var breaks = map[string]func([]byte) []byte{
	"wrong startxref": func(b []byte) []byte { return cutAt(b, "startxref", "startxref\n7\n%%EOF\n") },
	"no startxref":    func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("startxref"), []byte("startxxxx")) },
	"shifted": func(b []byte) []byte {
		return bytes.Replace(b, []byte("\n1 "), []byte("\n% a line that was not there\n1 "), 1)
	},
}

func cutAt(b []byte, word, with string) []byte {
	return append(bytes.Clone(b[:bytes.LastIndex(b, []byte(word))]), with...)
}

func TestRepair(t *testing.T) {
	for _, doc := range documents.All() {
		for how, broken := range breaks {
			t.Run(doc.Name+" "+how, func(t *testing.T) {
				signed := mustSign(t, doc.PDF, options(t, pki.SignerP256))
				damaged := broken(signed)
				d := repaired(t, damaged, "")
				list, err := d.Signatures()
				if err != nil || len(list) != 1 {
					t.Fatalf("%d signatures, %v", len(list), err)
				}
				if s := list[0]; s.Covers != CoversPart || s.Field != "Signature1" || s.Problems[0] != ProblemRebuilt || s.Revision != -1 {
					t.Errorf("%+v", s)
				}
				if len(d.Revisions()) != 0 {
					t.Error("a damaged file has no revisions")
				}
				refused(t, damaged, options(t, pki.Signer), new(*DamagedError), "")
			})
		}
	}
}

func TestRepairEncrypted(t *testing.T) {
	o := options(t, pki.SignerP256)
	o.Password, o.Reason = "user", "perché"
	for _, streams := range []bool{false, true} {
		signed := mustSign(t, encrypted(t, documents.Form(), "user", "owner", streams, "256", "--"), o)
		d := repaired(t, breaks["no startxref"](signed), "user")
		list, err := d.Signatures()
		if err != nil || len(list) != 1 || list[0].Reason != o.Reason {
			t.Errorf("%+v, %v", list, err)
		}
	}
}

func TestRepairHopeless(t *testing.T) {
	for _, file := range []string{"%PDF-1.7\nhello", "%PDF-1.7\n1 0 obj 2 0 obj 3 0 obj", "%PDF-1.4 trailer << /Root 1 0 R"} {
		_, err := OpenWith(strings.NewReader(file), int64(len(file)), OpenOptions{Repair: true})
		var damage *DamagedError
		if !errors.As(err, &damage) {
			t.Errorf("%q: error %v, want a DamagedError", file, err)
		}
	}
}

// Files that are sound are not searched.
func TestRepairLeavesSoundFiles(t *testing.T) {
	file := documents.Form()
	d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Repair: true})
	if err != nil || d.Repaired() != nil {
		t.Errorf("repaired: %q, %v", d.Repaired(), err)
	}
}

// What Open refuses in the corpus opens with a repair.
func TestCorpusRepair(t *testing.T) {
	for _, row := range corpus(t) {
		base := filepath.Base(row.path)
		if corpusDamaged[base] == "" {
			continue
		}
		t.Run(base, func(t *testing.T) {
			file, err := os.ReadFile(row.path)
			if err != nil {
				t.Fatal(err)
			}
			list, err := repaired(t, file, "").Signatures()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				if s.Covers != CoversPart {
					t.Errorf("%s covers %v", s.Field, s.Covers)
				}
			}
			t.Logf("%d signatures", len(list))
		})
	}
}
