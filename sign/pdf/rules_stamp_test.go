// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// sheet is a signed document of a page of 200 by 100, and of one with more entries. It
// has an empty signature field, which takes the left 120 of the first page.
func sheet(t testing.TB, more string) []byte {
	return signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 1 >> >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 200 100] >>",
		"<< /Type /Page /Parent 2 0 R /Annots [5 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /Annots [] "+more+" >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (empty) /Rect [0 0 120 100] /P 3 0 R /F 4 >>"))
}

// countersigned has a new field with a signature, on the second page: entries are
// those of the field, and kids more widgets.
func countersigned(t testing.TB, file []byte, entries string, kids ...string) []byte {
	const value = "/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 0 0 0] /Contents <3000>"
	listed, objects := "20 0 R", []string{obj(21, "<< "+value+" >>"), obj(22, data(formXObject, "f"))}
	for i, kid := range kids {
		listed += fmt.Sprintf(" %d 0 R", 30+i)
		objects = append(objects, obj(30+i, "<< /Type /Annot /Subtype /Widget /Parent 20 0 R /AP << /N 22 0 R >> "+kid+" >>"))
	}
	return appendUpdate(t, file, append(objects,
		edited(t, file, 1, "[5 0 R", "[20 0 R 5 0 R"), edited(t, file, 4, "/Annots [", "/Annots ["+listed),
		obj(20, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (further) /V 21 0 R /AP << /N 22 0 R >> "+entries+" >>"))...)
}

func TestStampsOverThePage(t *testing.T) {
	const half, more = "/Rect [0 0 100 100]", "/Rect [0 0 102 100]"
	for _, tt := range []struct {
		name, page, field string
		kids              []string
		share             string // "" for allowed
	}{
		{"half", "", half, nil, ""},
		{"more than half", "", more, nil, "51 %"},
		{"corners the other way round", "", "/Rect [200 100 80 0]", nil, "60 %"},
		{"beyond the page", "", "/Rect [-500 0 20 900]", nil, ""},
		{"no rectangle", "", "/Rect [0 0 100]", nil, "100 %"},
		{"of references", "", "/Rect [0 0 4 0 R 9]", nil, "100 %"},
		{"half of what the crop box shows", "/CropBox [0 0 100 100]", "/Rect [0 0 60 100]", nil, "60 %"},
		{"outside the crop box", "/CropBox [150 0 200 100]", more, nil, ""},
		{"turned page", "/Rotate 90", half, nil, ""},
		{"turned page, covered", "/Rotate 90", "/Rect [0 0 200 60]", nil, "60 %"},
		{"not turned with the page", "/Rotate 90", "/F 20 /Rect [-100 0 20 100]", nil, "60 %"},
		{"flags elsewhere", "", "/F 5 0 R /Rect [-100 0 20 100]", nil, "60 %"},
		{"page of a size that nobody believes", "/MediaBox [0 0 9000000 9000000]", "/Rect [0 0 9 9]", nil, "100 %"},
		{"widgets", "", "/Kids [30 0 R 31 0 R] /Rect [0 0 0 0]", []string{"/Rect [0 0 60 100]", "/Rect [60 0 120 100]"}, "60 %"},
		{"small widgets", "", "/Kids [30 0 R 31 0 R] /Rect [0 0 0 0]", []string{"/Rect [0 0 50 100]", "/Rect [50 0 100 100]"}, ""},
		{"widget listed twice", "", "/Kids [30 0 R 30 0 R] /Rect [0 0 0 0]", []string{"/Rect [0 0 90 100]"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := changes(t, countersigned(t, sheet(t, tt.page), tt.field, tt.kids...), "Signature1")
			if tt.share != "" {
				wantForbidden(t, found, "page 2: the stamp of a further signature covers "+tt.share)
				return
			}
			for _, c := range found {
				if !c.Allowed {
					t.Errorf("forbidden: %s", c.What)
				}
			}
		})
	}
}

// TestStampsOfManyRevisions: each leaves half of the page, all of them leave nothing. What
// a signer saw of them does not count for his signature.
func TestStampsOfManyRevisions(t *testing.T) {
	const why = "page 2: the stamps of further signatures cover too much of it together"
	stamp := func(file []byte, num int, rect string) []byte {
		return appendUpdate(t, file, edited(t, file, 1, "20 0 R 5 0 R", fmt.Sprintf("%d 0 R 20 0 R 5 0 R", num)), edited(t, file, 4, "/Annots [", fmt.Sprintf("/Annots [%d 0 R ", num)),
			obj(num, fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (f%d) /V %d 0 R /AP << /N 22 0 R >> /Rect %s >>", num, num+1, rect)),
			obj(num+1, "<< /Type /Sig /ByteRange [0 0 0 0] /Contents <3000> >>"))
	}
	one := stamp(countersigned(t, sheet(t, ""), ""), 40, "[0 0 80 100]")
	wantRoom := func(file []byte, field string) {
		t.Helper()
		if found := words(changes(t, file, field)); strings.Contains(found, "cover") {
			t.Errorf("%s: %s", field, found)
		}
	}
	wantRoom(one, "Signature1")
	two := stamp(signed(t, one), 50, "[80 0 120 100]")
	wantForbidden(t, changes(t, two, "Signature1"), why)
	wantRoom(two, "Signature2")
	found := changes(t, stamp(two, 60, "[120 0 122 100]"), "Signature1")
	if last := found[len(found)-1]; last.Revision != 6 || strings.Count(words(found), why) != 1 {
		t.Errorf("the changes are not in their order, or not said once: %s", words(found))
	}
}

// TestTooManySignatures: more than anybody makes are neither read nor added to.
func TestTooManySignatures(t *testing.T) {
	many := func(n int) []byte {
		fields := strings.Repeat("<< /FT /Sig /T (x) /V << /Type /Sig /ByteRange [0 1 2 3] /Contents <00> >> >> ", n)
		return makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields ["+fields+"] >> >>", pagesObject, pageObject)
	}
	if list, err := mustOpen(t, many(maxSignatures)).Signatures(); err != nil || len(list) != maxSignatures {
		t.Errorf("%d signatures, error %v", len(list), err)
	}
	file := many(maxSignatures + 1)
	_, reading := mustOpen(t, file).Signatures()
	_, signing := signBytes(file, options(t, pki.SignerP256))
	for _, err := range []error{reading, signing} {
		var damaged *DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "more than 10000 signatures") {
			t.Errorf("error %v", err)
		}
	}
}

// TestStampInEmptyField: a place that was there before is nothing that anybody saw.
func TestStampInEmptyField(t *testing.T) {
	file := sheet(t, "")
	o := options(t, pki.SignerP256)
	o.FieldName = "empty"
	wantChanges(t, changes(t, mustSign(t, file, o), "Signature1"), "signature: signature empty added")

	look := appendUpdate(t, file, edited(t, file, 5, "/F 4", "/F 4 /V 21 0 R /AP << /N 22 0 R >>"), obj(22, data(formXObject, "f")),
		obj(21, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 0 0 0] /Contents <3000> >>"))
	wantForbidden(t, changes(t, look, "Signature1"), "page 1: the stamp of a further signature covers 60 %")
}

// TestSignOverThePage: what would break the signatures that are there is not made.
func TestSignOverThePage(t *testing.T) {
	file := sheet(t, "")
	for _, tt := range []struct {
		name  string
		field string
		rect  Rect
		file  []byte
		want  string
	}{
		{"half", "", Rect{0, 0, 100, 100}, file, ""},
		{"more", "", Rect{0, 0, 120, 100}, file, "covers 60 % of the page"},
		{"the first signature", "", Rect{0, 0, 200, 100}, makePDF("<< /Type /Catalog /Pages 2 0 R >>",
			"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 200 100] >>", "<< /Type /Page /Parent 2 0 R >>"), ""},
		{"empty field", "empty", Rect{}, file, "covers 60 % of the page"},
		{"empty field that names no page", "empty", Rect{}, signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>",
			"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 200 100] >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 900 900] >>",
			"<< /Type /Page /Parent 2 0 R /Annots [5 0 R] >>", "<< /Subtype /Widget /FT /Sig /T (empty) /Rect [0 0 120 100] >>")), "covers 60 % of the page"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.SignerP256)
			o.FieldName, o.Appearance = tt.field, &Appearance{Rect: &tt.rect, Border: true}
			out, err := signBytes(tt.file, o)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if d := mustOpen(t, out); len(d.revisions) > 2 {
					wantChanges(t, changes(t, out, "Signature1"), "signature: signature Signature2 added, visible, over [0 0 100 100]")
				}
				return
			}
			var refused *AppearanceError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			if _, err := Preview(bytes.NewReader(tt.file), int64(len(tt.file)), o, 72); !errors.As(err, &refused) {
				t.Errorf("preview: error %v", err)
			}
		})
	}
}

// blankA4 is a document of one empty page.
func blankA4() []byte {
	return makePDF("<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>", "<< /Type /Page /Parent 2 0 R >>")
}

// stampedAt signs with a stamp in a new field.
func stampedAt(t *testing.T, file []byte, place Rect) ([]byte, error) {
	t.Helper()
	o := options(t, pki.SignerP256)
	o.Appearance = &Appearance{Rect: &place, Border: true}
	return signBytes(file, o)
}

// wantAllValid fails when a signature does not allow what came after it.
func wantAllValid(t *testing.T, file []byte, number int) {
	t.Helper()
	d := mustOpen(t, file)
	list, err := d.Signatures()
	if err != nil || len(list) != number {
		t.Fatalf("%d signatures, error %v", len(list), err)
	}
	for _, s := range list {
		found, err := d.Changes(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			if !c.Allowed {
				t.Errorf("%s: forbidden: %s", s.Field, c.What)
			}
		}
	}
}

// wantNoRoom fails when a stamp is not refused for the sake of earlier signatures, or when
// they were found valid with it.
func wantNoRoom(t *testing.T, file []byte, place Rect) {
	t.Helper()
	_, err := stampedAt(t, file, place)
	var refused *AppearanceError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "the stamps of others") {
		t.Errorf("error %v", err)
	}
}

// TestManySignOnePage: the parties of a contract sign its last page one after the other.
// Where no room is left, no more stamps are made.
func TestManySignOnePage(t *testing.T) {
	file, many := blankA4(), 0
	next := func() Rect {
		x, y := float64(many%3)*198, float64(many/3)*60
		return Rect{x, y, 195, 60}
	}
	for ; many < 33; many++ {
		out, err := stampedAt(t, file, next())
		if err != nil {
			t.Fatalf("stamp %d: %v", many+1, err)
		}
		file = out
	}
	wantAllValid(t, file, many)
	wantNoRoom(t, file, next())
	wantAllValid(t, mustSign(t, file, options(t, pki.SignerP256)), many+1)
}

// TestManySignInOnePlace: nothing more is covered by what lies over another stamp.
func TestManySignInOnePlace(t *testing.T) {
	file := blankA4()
	for range 5 {
		next, err := stampedAt(t, file, Rect{0, 0, 595, 200})
		if err != nil {
			t.Fatal(err)
		}
		file = next
	}
	wantAllValid(t, file, 5)
}

// TestSignBesideBigStamps: as the verifier counts, so does the signer.
func TestSignBesideBigStamps(t *testing.T) {
	file := mustSign(t, blankA4(), options(t, pki.SignerP256))
	file, err := stampedAt(t, file, Rect{0, 0, 595, 300})
	if err != nil {
		t.Fatal(err)
	}
	wantNoRoom(t, file, Rect{0, 300, 595, 300})
	if file, err = stampedAt(t, file, Rect{0, 300, 595, 100}); err != nil {
		t.Fatal(err)
	}
	wantAllValid(t, file, 3)

	// An empty field that the first of them saw is no news to him.
	file = sheet(t, "")
	if file, err = stampedAt(t, file, Rect{120, 0, 80, 100}); err != nil {
		t.Fatal(err)
	}
	o := options(t, pki.SignerP256)
	o.Appearance = &Appearance{Page: 2, Rect: &Rect{0, 0, 90, 100}, Border: true}
	wantAllValid(t, mustSign(t, file, o), 3)
}

// TestNoNewStampOnCertified: what the verifier forbids is not made.
func TestNoNewStampOnCertified(t *testing.T) {
	o := options(t, pki.SignerP256)
	o.Certify = FormFilling
	file := mustSign(t, blankA4(), o)
	_, err := stampedAt(t, file, Rect{0, 0, 200, 60})
	var refused *AppearanceError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "certified") {
		t.Errorf("error %v", err)
	}
	wantAllValid(t, mustSign(t, file, options(t, pki.SignerP256)), 2)
}
