// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
)

func TestRisks(t *testing.T) {
	file := func(catalog, page string, more ...string) []byte {
		return makePDF(append([]string{"<< /Type /Catalog /Pages 2 0 R " + catalog + " >>", pagesObject,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] " + page + " >>"}, more...)...)
	}
	field := "<< /FT /Tx /T (f) /Subtype /Widget /Rect [10 10 50 20] >>"
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", file("", "/Contents 4 0 R", data("", "BT ET")), "[]"},
		{"a link", file("", "/Annots [4 0 R]", "<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://x.test) >> >>"), "[]"},
		{"a script", file("/OpenAction << /S /JavaScript /JS (x) >>", ""), "[{javaScript a JavaScript program}]"},
		{"scripts by name", file("/Names << /JavaScript << /Names [(a) 4 0 R (b) 5 0 R] >> >>", "", "<< /S /JavaScript /JS 6 0 R >>", "<< /S /JavaScript >>", data("", "x")),
			"[{javaScript a JavaScript program (the first of 2)}]"},
		{"a program", file("", "/Annots [4 0 R]", "<< /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (x) >> >>"), "[{action page 1: an action of the kind Launch}]"},
		{"an address by itself", file("/OpenAction << /S /URI /URI (http://x.test) >>", ""), "[{action an address that is opened by itself}]"},
		{"layers", file("/OCProperties << /OCGs [] >>", ""), "[{hiddenLayers layers that can be shown and hidden}]"},
		{"another document", file("", "/Annots [<< /Subtype /Link /A << /S /GoToR >> >>]"), "[{external page 1: a link into another document}]"},
		{"XFA", file("/AcroForm << /Fields [] /XFA 4 0 R >>", "", data("", "<x/>")), "[{xfa an XFA form, which some readers draw in the place of the pages}]"},
		{"XFA in an object", file("/AcroForm 4 0 R", "", "<< /Fields [] /XFA [] >>"), "[{xfa an XFA form, which some readers draw in the place of the pages}]"},
		{"on top of a field", file("/AcroForm << /Fields [4 0 R] >>", "/Annots [4 0 R 5 0 R]", field, "<< /Subtype /Stamp /Rect [0 0 20 20] >>"),
			"[{overlay page 1: a form field has something else on top of it, at [0 0 20 20]}]"},
		{"beside a field", file("/AcroForm << /Fields [4 0 R] >>", "/Annots [4 0 R 5 0 R]", field, "<< /Subtype /Stamp /Rect [0 0 10 20] >>"), "[]"},
		{"a field on a field", file("/AcroForm << /Fields [4 0 R 5 0 R] >>", "/Annots [4 0 R 5 0 R]", field, "<< /FT /Tx /T (g) /Subtype /Widget /Rect [50 20 49 0] >>"),
			"[{overlay page 1: a form field has something else on top of it, at [10 10 50 20]}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, file := range [][]byte{tt.file, signed(t, tt.file)} {
				risks, err := mustOpen(t, file).Risks()
				if got := fmt.Sprint(risks); err != nil || got != tt.want {
					t.Errorf("got %s, %v, want %s", got, err, tt.want)
				}
			}
		})
	}
	for _, doc := range documents.All() {
		if risks, err := mustOpen(t, doc.PDF).Risks(); err != nil || len(risks) > 0 {
			t.Errorf("%s: %v, %v", doc.Name, risks, err)
		}
	}
}

func TestEncryptedIsNotCompared(t *testing.T) {
	d := mustOpen(t, signedForm(t))
	d.sections[0].encrypt = true
	var encrypted *EncryptedError
	if _, err := d.Risks(); !errors.As(err, &encrypted) {
		t.Errorf("risks: %v", err)
	}
	if _, err := d.Changes(&Signature{Covers: CoversRevision}); !errors.As(err, &encrypted) {
		t.Errorf("changes: %v", err)
	}
}
