// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/gobold"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// seal is a picture: a red ring on nothing.
func seal() image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, 120, 120))
	for y := range 120 {
		for x := range 120 {
			if r := (x-60)*(x-60) + (y-60)*(y-60); r < 58*58 && r > 40*40 {
				m.Set(x, y, color.NRGBA{200, 0, 0, 180})
			}
		}
	}
	return m
}

func sealPNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, seal()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sealJPEG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, seal(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rendered draws a page at 72 dots an inch, so that a dot is a point.
func rendered(t *testing.T, file []byte, page int) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	said, err := exec.Command(judges.Need(t, "pdftoppm"), "-r", "72", "-cropbox", "-png", "-singlefile",
		"-f", fmt.Sprint(page), "-l", fmt.Sprint(page), save(t, "in.pdf", file), out).CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Fatalf("pdftoppm: %v: %s", err, said)
	}
	data, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("PECTOKEN_KEEP"); keep != "" {
		name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
		if err := os.WriteFile(filepath.Join(keep, name+".png"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// difference is the smallest rectangle that holds all that was drawn.
func difference(t *testing.T, before, after image.Image) image.Rectangle {
	t.Helper()
	if before.Bounds() != after.Bounds() {
		t.Fatalf("the page is %v, was %v", after.Bounds(), before.Bounds())
	}
	var all image.Rectangle
	b := before.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if before.At(x, y) != after.At(x, y) {
				all = all.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return all
}

// turned is a page of 400 by 300 points, turned and cut.
func turned(rotate int, crop string) []byte {
	return makePDF("<< /Type /Catalog /Pages 2 0 R >>",
		fmt.Sprintf("<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate %d /MediaBox [0 0 400 300] %s >>", rotate, crop),
		"<< /Type /Page /Parent 2 0 R >>")
}

func TestStampCorners(t *testing.T) {
	for _, rotate := range []int{0, 90, 180, 270, -90} {
		for _, crop := range []string{"", "/CropBox [50 40 350 280]"} {
			for corner, name := range []string{BottomRight: "bottom right", BottomLeft: "bottom left", TopRight: "top right", TopLeft: "top left"} {
				t.Run(fmt.Sprintf("%d %s %s", rotate, crop, name), func(t *testing.T) {
					file := turned(rotate, crop)
					o := options(t, pki.SignerP256)
					o.Appearance = &Appearance{Corner: Corner(corner), Width: 120, Height: 50, Margin: 20, Border: true, Lines: []string{"ROMA 2026"}}
					before, after := rendered(t, file, 1), rendered(t, mustSign(t, file, o), 1)
					b := before.Bounds()
					want := image.Rect(0, 0, 120, 50).Add(image.Pt(20, 20))
					if Corner(corner) == BottomRight || Corner(corner) == TopRight {
						want = want.Add(image.Pt(b.Dx()-160, 0))
					}
					if Corner(corner) == BottomRight || Corner(corner) == BottomLeft {
						want = want.Add(image.Pt(0, b.Dy()-90))
					}
					if got := difference(t, before, after); !got.In(want.Inset(-1)) || !want.Inset(2).In(got) {
						t.Errorf("drawn in %v, want %v", got, want)
					}
				})
			}
		}
	}
}

func TestStampRect(t *testing.T) {
	file := documents.NestedPages()
	o := options(t, pki.Signer)
	o.Appearance = &Appearance{Page: -1, Rect: &Rect{100, 200, 150, 60}, Picture: sealPNG(t), Lines: []string{"{name}", "àèìòù ĞŁŠ Ω Ж", "{reason}"}, Border: true}
	signed := mustSign(t, file, o)
	acceptable(t, signed, 1)
	sameLook(t, file, signed) // page 1
	got := difference(t, rendered(t, file, 3), rendered(t, signed, 3))
	if want := image.Rect(100, 842-260, 250, 842-200); !got.In(want.Inset(-1)) || !want.Inset(2).In(got) {
		t.Errorf("drawn in %v, want %v", got, want)
	}
	text, err := exec.Command(judges.Need(t, "pdftotext"), "-f", "3", "-l", "3", save(t, "s.pdf", signed), "-").Output()
	if err != nil || !strings.Contains(string(text), "ROSSI") || !strings.Contains(string(text), "àèìòù ĞŁŠ Ω Ж") {
		t.Errorf("the text reads %q, %v", text, err)
	}
}

func TestStampShapes(t *testing.T) {
	for _, doc := range documents.All() {
		for name, a := range map[string]Appearance{
			"text":    {},
			"picture": {Picture: sealPNG(t), Corner: TopLeft},
			"both":    {Picture: sealJPEG(t), Lines: []string{"Firmato da {name}", "il {date}", "per {reason}"}, Font: gobold.TTF},
			"vector":  {Picture: []byte(sealSVG), QR: "{name} {date}", Border: true},
		} {
			t.Run(doc.Name+" "+name, func(t *testing.T) {
				o := options(t, pki.Signer)
				o.Appearance, o.Location = &a, "Roma"
				signed := mustSign(t, doc.PDF, o)
				acceptable(t, signed, 1)
				if difference(t, rendered(t, doc.PDF, 1), rendered(t, signed, 1)).Empty() {
					t.Error("nothing is drawn")
				}
				o.Appearance.Corner = BottomLeft
				acceptable(t, mustSign(t, signed, o), 2)
			})
		}
	}
}

func TestStampInExistingField(t *testing.T) {
	file := documents.EmptyField()
	o := options(t, pki.Signer)
	o.FieldName, o.Appearance = "approval.manager", &Appearance{Border: true, Page: 99}
	signed := mustSign(t, file, o)
	acceptable(t, signed, 1)
	got := difference(t, rendered(t, file, 1), rendered(t, signed, 1))
	if want := image.Rect(72, 842-640, 300, 842-580); !got.In(want.Inset(-1)) || !want.Inset(2).In(got) {
		t.Errorf("drawn in %v, want %v", got, want)
	}
}

func TestStampEncrypted(t *testing.T) {
	for _, kind := range encryptions {
		t.Run(kind.name, func(t *testing.T) {
			file := encrypted(t, documents.Form(), "", "owner", true, kind.args...)
			o := options(t, pki.Signer)
			o.Appearance = &Appearance{Picture: sealPNG(t), Lines: []string{"{name}"}}
			signed := mustSign(t, file, o)
			judgedWith(t, signed, "", 1)
			if difference(t, rendered(t, file, 1), rendered(t, signed, 1)).Empty() {
				t.Error("nothing is drawn")
			}
		})
	}
}

func TestStampRefusals(t *testing.T) {
	huge := bytes.Replace(sealPNG(t), []byte{0, 0, 0, 120, 0, 0, 0, 120}, []byte{0x7f, 0, 0, 0, 0x7f, 0, 0, 0}, 1)
	for _, tt := range []struct {
		name string
		a    Appearance
		text string
	}{
		{"no such page", Appearance{Page: 4}, "so many pages"},
		{"no such page from the end", Appearance{Page: -4}, "so many pages"},
		{"outside", Appearance{Rect: &Rect{500, 0, 100, 20}}, "not all on the page"},
		{"no area", Appearance{Rect: &Rect{5, 5, 0, 20}}, "no area"},
		{"too large for a corner", Appearance{Width: 600}, "not all on the page"},
		{"tiny", Appearance{Width: 5, Height: 5}, "too small"},
		{"a letter that is missing", Appearance{Lines: []string{"山"}}, "'山'"},
		{"a text that does not fit", Appearance{FontSize: 100}, "does not fit"},
		{"no font", Appearance{Font: []byte("x")}, "font"},
		{"no picture", Appearance{Picture: []byte("x")}, "picture"},
		{"a picture cut short", Appearance{Picture: sealPNG(t)[:200]}, "picture"},
		{"a picture too large", Appearance{Picture: huge}, "picture"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Appearance = &tt.a
			refused(t, documents.NestedPages(), o, new(*AppearanceError), tt.text)
		})
	}
	t.Run("a field without a place", func(t *testing.T) {
		o := options(t, pki.Signer)
		o.FieldName, o.Appearance = "s", &Appearance{}
		file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", pagesObject, pageObject, "<< /FT /Sig /T (s) >>")
		refused(t, file, o, new(*AppearanceError), "no place")
	})
}

func TestFillIn(t *testing.T) {
	words := map[string]string{"{name}": "MARIO ROSSI", "{reason}": "", "{date}": "{name}"}
	for _, tt := range []struct {
		line, want string
		ok         bool
	}{
		{"Firmato da {name}", "Firmato da MARIO ROSSI", true},
		{"Motivo: {reason}", "Motivo: ", false},
		{"{name}, {reason}", "MARIO ROSSI, ", true},
		{"{date}", "{name}", true}, // what is put in is not looked at again
		{"nothing", "nothing", true},
	} {
		if got, ok := fillIn(tt.line, words); got != tt.want || ok != tt.ok {
			t.Errorf("%q becomes %q, %v, want %q, %v", tt.line, got, ok, tt.want, tt.ok)
		}
	}
}

func TestLines(t *testing.T) {
	words := map[string]string{"{name}": "MARIO ROSSI", "{reason}": ""}
	a := &Appearance{Lines: []string{"Firmato da {name}\r\n{reason}\n\nciao", "", "fine"}}
	want := []string{"Firmato da MARIO ROSSI", "", "ciao", "", "fine"}
	if got := a.lines(words); !slices.Equal(got, want) {
		t.Errorf("the lines are %q, want %q", got, want)
	}
}

// In PDF/A-1 there is no transparency, and later only where it is said in which
// colours to mix.
func TestStampPDFA(t *testing.T) {
	for _, tt := range []struct {
		name, part, catalog, page string
		mask                      bool
	}{
		{"no PDF/A", "", "", "", true},
		{"PDF/A-1", `pdfaid:part="1"`, "/OutputIntents [<< >>]", "", false},
		{"PDF/A-2 with an output intent", `pdfaid:part="2"`, "/OutputIntents [<< >>]", "", true},
		{"PDF/A-2 without", `pdfaid:part="2"`, "", "", false},
		{"PDF/A-3 with a group of the page", `pdfaid:part='3'`, "", "/Group << /S /Transparency /CS [/CalGray << /WhitePoint [1 1 1] >>] >>", true},
		{"PDF/A-4", `><pdfaid:part>4</pdfaid:part><x`, "", "", false},
	} {
		xmp := "<x:xmpmeta><rdf:Description " + tt.part + "/></x:xmpmeta>"
		metadata := fmt.Sprintf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp)
		file := makePDF("<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R "+tt.catalog+" >>", pagesObject,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] "+tt.page+" >>", metadata)
		for kind, a := range map[string]Appearance{"PNG": {Picture: sealPNG(t)}, "SVG": {Picture: []byte(sealSVG)}} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				o := options(t, pki.Signer)
				o.Appearance = &a
				signed := mustSign(t, file, o)
				if got := bytes.Contains(signed, []byte("/SMask")); got != tt.mask {
					t.Errorf("transparency: %v, want %v", got, tt.mask)
				}
				if bytes.Contains(signed, []byte("/DeviceRGB")) {
					t.Error("a colour of a device, which PDF/A does not permit")
				}
			})
		}
	}
}

// tagged is a document with a structure, its parent tree and its top written in
// one of several ways.
func tagged(tree, top string) []byte {
	return makePDF("<< /Type /Catalog /Pages 2 0 R /MarkInfo << /Marked true >> /StructTreeRoot 4 0 R >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /StructParents 0 >>",
		"<< /Type /StructTreeRoot /ParentTreeNextKey 3 "+tree+" "+top+" >>",
		"<< /Type /StructElem /S /Document /P 4 0 R /K 6 0 R >>",
		"<< /Type /StructElem /S /P /P 5 0 R /Pg 3 0 R /K 0 >>", "<< /Nums [0 [6 0 R]] >>", "<< /Kids [9 0 R] >>", "<< /Limits [0 2] /Nums [0 [6 0 R]] >>")
}

// Many writers do not count the keys of the parent tree.
func TestStampIsTaggedAfterTheLastKey(t *testing.T) {
	for name, tt := range map[string]struct {
		tree string
		key  int // 0: it is not tagged
	}{
		"leaf":      {"/ParentTree << /Nums [0 [6 0 R] 7 [6 0 R]] >>", 8},
		"indirect":  {"/ParentTree 7 0 R", 1},
		"kids":      {"/ParentTree << /Kids [<< /Limits [0 0] /Nums [0 [6 0 R]] >> << /Kids [<< /Nums [41 [6 0 R]] >>] >>] >>", 42},
		"huge key":  {"/ParentTree << /Nums [9007199254740993 [6 0 R]] >>", 0},
		"no number": {"/ParentTree << /Nums [/A [6 0 R]] >>", 0},
		"odd":       {"/ParentTree << /Nums [1] >>", 0},
		"no kids":   {"/ParentTree << /Kids [] >>", 0},
		"loop":      {"/ParentTree 8 0 R", 0},
		"none":      {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			file := bytes.Replace(tagged(tt.tree, "/K 5 0 R"), []byte("/ParentTreeNextKey 3"), []byte("                    "), 1)
			file = bytes.Replace(file, []byte("/Kids [9 0 R]"), []byte("/Kids [8 0 R]"), 1)
			o := options(t, pki.Signer)
			o.Appearance = &Appearance{}
			update := mustSign(t, file, o)[len(file):]
			want := fmt.Sprintf("/StructParent %d ", tt.key)
			if is := bytes.Contains(update, []byte(want)); is != (tt.key > 0) {
				t.Errorf("%q is there: %v", want, is)
			}
			if is := bytes.Contains(update, []byte("/StructElem")); is != (tt.key > 0) {
				t.Errorf("an element is there: %v", is)
			}
			count := regexp.MustCompile(fmt.Sprintf(`/ParentTreeNextKey +%d\b`, tt.key+1))
			if is := count.Match(update); is != (tt.key > 0) {
				t.Errorf("%v is there: %v", count, is)
			}
		})
	}
}

// In PDF/A-1 a field that nobody sees has an appearance too.
func TestNothingIsDrawnPDFA(t *testing.T) {
	for part, want := range map[int]bool{1: true, 2: false} {
		xmp := fmt.Sprintf(`<x pdfaid:part="%d"/>`, part)
		file := makePDF("<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>", pagesObject, pageObject,
			fmt.Sprintf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp))
		signed := mustSign(t, file, options(t, pki.Signer))
		acceptable(t, signed, 1)
		if is := bytes.Contains(signed[len(file):], []byte("/AP << /N ")); is != want {
			t.Errorf("PDF/A-%d: an appearance is there: %v", part, is)
		}
	}
}

func TestStampIsTagged(t *testing.T) {
	for name, file := range map[string][]byte{
		"indirect tree":    tagged("/ParentTree 7 0 R", "/K 5 0 R"),
		"tree with kids":   tagged("/ParentTree 8 0 R", "/K [5 0 R]"),
		"tree written out": tagged("/ParentTree << /Nums [0 [6 0 R]] >>", "/K 5 0 R"),
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Appearance = &Appearance{}
			signed := mustSign(t, file, o)
			acceptable(t, signed, 1)
			for _, want := range []string{"/StructParent 3 ", "/Tabs /S", "/S /Form", "/ParentTreeNextKey  4"} {
				if !bytes.Contains(signed[len(file):], []byte(want)) {
					t.Errorf("the update has no %q", want)
				}
			}
			again := mustSign(t, signed, o)
			if bytes.Contains(again[len(signed):], []byte("StructParent ")) {
				t.Error("the structure was changed after a signature")
			}
			o.Appearance = nil
			invisible := mustSign(t, file, o)[len(file):]
			if bytes.Contains(invisible, []byte("/StructElem")) || !bytes.Contains(invisible, []byte("/Tabs /S")) {
				t.Error("an invisible signature was tagged, or its page has no order of tabs")
			}
		})
	}
}
