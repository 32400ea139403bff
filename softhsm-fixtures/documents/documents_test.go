// SPDX-License-Identifier: Apache-2.0

package documents_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

func TestValidUnderQPDF(t *testing.T) {
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			if err := judges.QPDFCheck(t.Context(), save(t, d)); err != nil {
				t.Error(err)
			}
		})
	}
}

func save(t *testing.T, d documents.Document) string {
	t.Helper()
	judges.Need(t, "qpdf")
	name := filepath.Join(t.TempDir(), d.Name+".pdf")
	if err := os.WriteFile(name, d.PDF, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What each document is made for, as qpdf reads it.
func TestShapes(t *testing.T) {
	shapes := map[string]struct {
		show string // an object, or the trailer
		want string
	}{
		"plain":             {"trailer", "/Size 6"},
		"streams":           {"1,0", "/Type /Catalog"},
		"form":              {"6,0", "/V (Roma)"},
		"form-streams":      {"6,0", "/V (Roma)"},
		"indirect-annots":   {"3,0", "/Annots 6 0 R"},
		"indirect-acroform": {"1,0", "/AcroForm 10 0 R"},
		"nested-pages":      {"2,0", "/Count 3"},
		"generations":       {"3,2", "/Contents 5 65534 R"},
		"empty-field":       {"9,0", "/Lock 10 0 R"},
		"hybrid":            {"4,0", "/BaseFont /Helvetica"},
	}
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			shape, ok := shapes[d.Name]
			if !ok {
				t.Fatal("no shape is described for this document")
			}
			out, err := exec.Command(judges.Need(t, "qpdf"), "--show-object="+shape.show, save(t, d)).Output()
			if err != nil || !strings.Contains(string(out), shape.want) {
				t.Errorf("%s is %s, want %s (%v)", shape.show, out, shape.want, err)
			}
		})
	}
}

func TestCrossReferences(t *testing.T) {
	marks := []string{"\nxref\n", "/Type /XRef", "/Type /ObjStm", "/XRefStm"}
	want := map[string]string{
		"streams": "/Type /XRef /Type /ObjStm", "form-streams": "/Type /XRef /Type /ObjStm",
		"hybrid": "\nxref\n /Type /XRef /Type /ObjStm /XRefStm",
	}
	for _, d := range documents.All() {
		var found []string
		for _, mark := range marks {
			if bytes.Contains(d.PDF, []byte(mark)) {
				found = append(found, mark)
			}
		}
		expected, ok := want[d.Name]
		if !ok {
			expected = "\nxref\n"
		}
		if got := strings.Join(found, " "); got != expected {
			t.Errorf("%s has %q, want %q", d.Name, got, expected)
		}
	}
}

func TestSameBytesEachTime(t *testing.T) {
	again := documents.All()
	for i, d := range documents.All() {
		if !bytes.Equal(d.PDF, again[i].PDF) {
			t.Errorf("%s differs between two calls", d.Name)
		}
	}
}
