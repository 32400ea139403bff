// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// sealSVG is a vector picture: a seal with a transparent middle.
const sealSVG = `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">
<defs><radialGradient id="g"><stop offset=".5" stop-color="#06c"/><stop offset="1" stop-color="#036"/></radialGradient>
<path id="ray" d="M50 2 L54 14 H46 Z" fill="#c80"/></defs>
<path fill-rule="evenodd" fill="url(#g)" d="M50 14 a36 36 0 1 0 .01 0 z M50 30 a20 20 0 1 0 .01 0 z"/>
<g><use xlink:href="#ray"/><use xlink:href="#ray" transform="rotate(90 50 50)"/><use xlink:href="#ray" transform="rotate(180 50 50)"/>
<use xlink:href="#ray" transform="rotate(270 50 50)"/></g>
<path d="M38 52 l8 8 l16 -18" fill="none" stroke="#080" stroke-width="6" stroke-linecap="round" stroke-linejoin="round" opacity=".8"/>
</svg>`

// The size of the stamps as they are read, in points.
const stampWidth, stampHeight = 240, 90

// sideBySide signs a page, and returns what a reader shows of the signature and
// the preview, both at 144 dots an inch.
func sideBySide(t *testing.T, rotate int, a Appearance) (shown, preview image.Image) {
	t.Helper()
	file := turned(rotate, "")
	o := options(t, pki.Signer)
	o.Name, o.Reason = "MARIO ROSSI", "accettazione"
	a.Rect = nil
	a.Corner, a.Width, a.Height, a.Margin = BottomLeft, stampWidth, stampHeight, 30
	o.Appearance = &a
	preview, err := Preview(bytes.NewReader(file), int64(len(file)), o, 144)
	if err != nil {
		t.Fatal(err)
	}
	signed := mustSign(t, file, o)
	out := filepath.Join(t.TempDir(), "page")
	height := 300
	if rotate%180 != 0 {
		height = 400
	}
	said, err := exec.Command(judges.Need(t, "pdftoppm"), "-r", "144", "-png", "-singlefile", "-x", "60", "-y", fmt.Sprint(2*(height-30-stampHeight)),
		"-W", fmt.Sprint(2*stampWidth), "-H", fmt.Sprint(2*stampHeight), save(t, "in.pdf", signed), out).CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Fatalf("pdftoppm: %v: %s", err, said)
	}
	data, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	if shown, err = png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	keep(t, "shown", shown)
	keep(t, "preview", preview)
	return shown, preview
}

// keep writes a picture where PECTOKEN_KEEP says, for a person to look at.
func keep(t *testing.T, what string, m image.Image) {
	t.Helper()
	folder := os.Getenv("PECTOKEN_KEEP")
	if folder == "" {
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name() + "-" + what + ".png")
	if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alike compares two pictures in squares of a few pixels, since no two programs
// draw an edge the same.
func alike(t *testing.T, a, b image.Image) {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("pictures of %v and %v", a.Bounds().Size(), b.Bounds().Size())
	}
	const square = 6
	worst, sum, n := 0.0, 0.0, 0
	size := a.Bounds().Size()
	for y := 0; y+square <= size.Y; y += square {
		for x := 0; x+square <= size.X; x += square {
			d := math.Abs(lightness(a, x, y, square) - lightness(b, x, y, square))
			worst, sum, n = max(worst, d), sum+d, n+1
		}
	}
	if mean := sum / float64(n); worst > 0.25 || mean > 0.02 {
		t.Errorf("the pictures differ by %.3f on the average and %.3f at the most, of 1", mean, worst)
	}
}

func lightness(m image.Image, x, y, square int) float64 {
	sum := 0.0
	for i := range square {
		for j := range square {
			c := color.GrayModel.Convert(m.At(m.Bounds().Min.X+x+i, m.Bounds().Min.Y+y+j)).(color.Gray)
			sum += float64(c.Y) / 255
		}
	}
	return sum / float64(square*square)
}

// inked says whether anything is drawn.
func inked(m image.Image) bool {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if c := color.GrayModel.Convert(m.At(x, y)).(color.Gray); c.Y < 128 {
				return true
			}
		}
	}
	return false
}

func TestPreviewIsWhatReadersShow(t *testing.T) {
	for name, a := range map[string]Appearance{
		"text":           {},
		"border":         {Border: true, Lines: []string{"Firmato da {name}", "àèìòù ĞŁŠ Ωμέγα Жизнь"}},
		"long name":      {Lines: []string{"Firmato digitalmente da MARIA ANTONIETTA GIUSEPPINA DELLA ROVERE VON HOHENSTEIN-TIEFENBRUNN", "Data: {date}"}},
		"png":            {Picture: sealPNG(t)},
		"jpeg":           {Picture: sealJPEG(t), Lines: []string{"{name}"}},
		"svg":            {Picture: []byte(sealSVG), Border: true},
		"svg and text":   {Picture: []byte(sealSVG), Lines: []string{"Firmato da {name}", "{reason}"}},
		"qr":             {QR: "https://example.test/verifica?id=0123456789"},
		"everything":     {Picture: []byte(sealSVG), Lines: []string{"Firmato da {name}", "{date}", "{reason}"}, QR: "{name} {date}", Border: true},
		"picture and qr": {Picture: sealPNG(t), QR: "{name}"},
	} {
		for _, rotate := range []int{0, 90, 180, 270} {
			t.Run(fmt.Sprint(name, " ", rotate), func(t *testing.T) {
				shown, preview := sideBySide(t, rotate, a)
				if !inked(shown) || !inked(preview) {
					t.Error("nothing is drawn")
				}
				alike(t, shown, preview)
			})
		}
	}
}

// read decodes a QR code the way a telephone does.
func read(t *testing.T, m image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("reading the QR code: %v", err)
	}
	return r.GetText()
}

func TestQRCodeIsReadable(t *testing.T) {
	for _, tt := range []struct{ name, qr, want string }{
		{"address", "https://example.test/v/AB12?x=1&y=2", "https://example.test/v/AB12?x=1&y=2"},
		{"template", "{name}|{reason}|{date}", "MARIO ROSSI|accettazione|2026-03-14 15:09:26 +01:00"},
		{"digits", "0123456789012345", "0123456789012345"},
		{"letters", "FATTURA 2026/15", "FATTURA 2026/15"},
		{"other scripts", "perché Ω Ж 山", "perché Ω Ж 山"},
		{"long", strings.Repeat("x", 250), strings.Repeat("x", 250)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shown, preview := sideBySide(t, 90, Appearance{QR: tt.qr, Picture: sealPNG(t), Lines: []string{"{name}"}})
			for what, m := range map[string]image.Image{"shown": shown, "preview": preview} {
				if got := read(t, m); got != tt.want {
					t.Errorf("%s: the code reads %q, want %q", what, got, tt.want)
				}
			}
		})
	}
}

func TestQRCodeThatSaysNothing(t *testing.T) {
	o := options(t, pki.Signer)
	o.Appearance = &Appearance{QR: "{reason}", Lines: []string{"x"}}
	if mustSketch(t, documents.Plain(), o).code != nil {
		t.Error("a code for an empty text")
	}
	o.Reason = "accettazione"
	if mustSketch(t, documents.Plain(), o).code == nil {
		t.Error("no code for a text")
	}
}

func mustSketch(t *testing.T, file []byte, o SignOptions) *sketch {
	t.Helper()
	p, err := mustOpen(t, file).plan(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.sketched()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSketchOrder(t *testing.T) {
	for _, tt := range []struct {
		rect Rect
		down bool
	}{{Rect{20, 20, 240, 80}, false}, {Rect{20, 20, 90, 200}, true}} {
		o := options(t, pki.Signer)
		o.Appearance = &Appearance{Rect: &tt.rect, Picture: sealPNG(t), Lines: []string{"{name}"}, QR: "{name}"}
		s := mustSketch(t, turned(0, ""), o)
		parts := []box{s.pictureAt, s.text.in, s.codeAt}
		for i, part := range parts {
			if part.within(box{0, 0, s.width, s.height}) != part || !(part.width() > 0 && part.height() > 0) {
				t.Errorf("part %d at %v is not inside of %v by %v", i, part, s.width, s.height)
			}
			if i == 0 {
				continue
			}
			if before := parts[i-1]; tt.down && part.top > before.bottom || !tt.down && part.left < before.right {
				t.Errorf("part %d at %v does not come after %v", i, part, before)
			}
		}
	}
}

func TestTextIsBroken(t *testing.T) {
	face, err := openFont(nil)
	if err != nil {
		t.Fatal(err)
	}
	words, err := face.words("uno due  tre")
	if err != nil {
		t.Fatal(err)
	}
	line, err := face.set("uno due")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		width float64
		want  string
	}{
		{1e6, `["uno due tre"]`}, {float64(line.width) + 1, `["uno due" "tre"]`},
		{float64(line.width) - 1, `["uno" "due tre"]`}, {10, `[]`},
	} {
		if got := fmt.Sprintf("%q", broken([][]word{words}, tt.width)); got != tt.want {
			t.Errorf("broken at %v: %s, want %s", tt.width, got, tt.want)
		}
	}
}

func TestPreviewRefusals(t *testing.T) {
	preview := func(file []byte, a *Appearance, field string, resolution float64) error {
		_, err := Preview(bytes.NewReader(file), int64(len(file)), SignOptions{FieldName: field, Appearance: a}, resolution)
		return err
	}
	plain := documents.Plain()
	var unseen *AppearanceError
	for name, err := range map[string]error{
		"invisible":       preview(plain, nil, "", 72),
		"no resolution":   preview(plain, &Appearance{}, "", math.NaN()),
		"no such page":    preview(plain, &Appearance{Page: 99}, "", 72),
		"a long QR code":  preview(plain, &Appearance{QR: strings.Repeat("x", 3000)}, "", 72),
		"a small QR code": preview(plain, &Appearance{QR: strings.Repeat("x", 500)}, "", 72),
		"a hostile SVG":   preview(plain, &Appearance{Picture: []byte(`<svg viewBox="0 0 1 1"><image href="x.png"/></svg>`)}, "", 72),
	} {
		if !errors.As(err, &unseen) {
			t.Errorf("%s: %v, want an *AppearanceError", name, err)
		}
	}
	var field *FieldError
	if err := preview(documents.EmptyField(), &Appearance{}, "city", 72); !errors.As(err, &field) {
		t.Errorf("a field of another kind: %v", err)
	}
}

func TestPreviewOfExistingField(t *testing.T) {
	file := documents.EmptyField()
	o := SignOptions{FieldName: "approval.manager", Name: "MARIO ROSSI", SigningTime: now, Appearance: &Appearance{}}
	m, err := Preview(bytes.NewReader(file), int64(len(file)), o, 72)
	if err != nil {
		t.Fatal(err)
	}
	s := mustSketch(t, file, o)
	if got := m.Bounds().Size(); got.X != int(math.Ceil(s.width)) || got.Y != int(math.Ceil(s.height)) || !inked(m) {
		t.Errorf("a preview of %v for a field of %v by %v", got, s.width, s.height)
	}
	huge, err := Preview(bytes.NewReader(file), int64(len(file)), o, 1e6)
	if err != nil || huge.Bounds().Dx()*huge.Bounds().Dy() > maxPreview+20_000 {
		t.Errorf("a preview of %v, %v", huge.Bounds(), err)
	}
}
