// SPDX-License-Identifier: Apache-2.0

package raster

import (
	"errors"
	"image/color"
	"math"
	"testing"
)

func square(x0, y0, x1, y1 float64) Subpath {
	return Subpath{[]Point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, true}
}

// alphas fills a path with black and returns the opacity of each pixel.
func alphas(t *testing.T, p Path, rule Rule, width, height int) []uint8 {
	t.Helper()
	work := 1 << 20
	c := NewCanvas(width, height, &work)
	if err := c.Fill(p, rule, Solid(color.NRGBA{A: 0xff})); err != nil {
		t.Fatal(err)
	}
	var list []uint8
	for i := 3; i < len(c.Image.Pix); i += 4 {
		list = append(list, c.Image.Pix[i])
	}
	return list
}

func TestFillCoversParts(t *testing.T) {
	for _, tt := range []struct {
		name string
		path Path
		rule Rule
		want [4]uint8 // of 4 pixels in a row
	}{
		{"whole", Path{square(1, 0, 3, 1)}, NonZero, [4]uint8{0, 255, 255, 0}},
		{"halves", Path{square(0.5, 0, 2.5, 1)}, NonZero, [4]uint8{128, 255, 128, 0}},
		{"half as high", Path{square(0, 0.5, 1, 1)}, NonZero, [4]uint8{128, 0, 0, 0}},
		{"a quarter", Path{square(0.5, 0, 1, 0.5)}, NonZero, [4]uint8{64, 0, 0, 0}},
		{"side by side without a seam", Path{square(0, 0, 1.5, 1), square(1.5, 0, 3, 1)}, NonZero, [4]uint8{255, 255, 255, 0}},
		{"twice", Path{square(0, 0, 3, 1), square(1, 0, 2, 1)}, NonZero, [4]uint8{255, 255, 255, 0}},
		{"a hole", Path{square(0, 0, 3, 1), square(1, 0, 2, 1)}, EvenOdd, [4]uint8{255, 0, 255, 0}},
		{"the other way round", Path{{[]Point{{0, 1}, {1, 1}, {1, 0}, {0, 0}}, false}}, NonZero, [4]uint8{255, 0, 0, 0}},
		{"beyond all edges", Path{square(-1e6, -1e6, 1e6, 1e6)}, NonZero, [4]uint8{255, 255, 255, 255}},
		{"outside", Path{square(4, 0, 9, 1), square(-9, 0, 0, 1), square(0, 1, 4, 2)}, NonZero, [4]uint8{}},
		{"not a number", Path{square(math.NaN(), 0, 1, 1)}, NonZero, [4]uint8{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := [4]uint8(alphas(t, tt.path, tt.rule, 4, 1)); got != tt.want {
				t.Errorf("covers %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFillMixesColours(t *testing.T) {
	work := 1 << 20
	c := NewCanvas(1, 1, &work)
	for _, over := range []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0xff, 0, 0, 0x80}} {
		if err := c.Fill(Path{square(0, 0, 1, 1)}, NonZero, Solid(over)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Image.RGBAAt(0, 0); got != (color.RGBA{0xff, 0x7f, 0x7f, 0xff}) {
		t.Errorf("half of red over white is %v", got)
	}
}

// The area of a disc tells whether curves go where they should.
func TestCurves(t *testing.T) {
	const r, k = 40.0, 0.5522847498
	p := Pen{Flatness: 0.05}
	p.MoveTo(Point{50 + r, 50})
	p.CubeTo(Point{50 + r, 50 + k*r}, Point{50 + k*r, 50 + r}, Point{50, 50 + r})
	p.CubeTo(Point{50 - k*r, 50 + r}, Point{50 - r, 50 + k*r}, Point{50 - r, 50})
	p.CubeTo(Point{50 - r, 50 - k*r}, Point{50 - k*r, 50 - r}, Point{50, 50 - r})
	p.CubeTo(Point{50 + k*r, 50 - r}, Point{50 + r, 50 - k*r}, Point{50 + r, 50})
	p.Close()
	disc := area(alphas(t, p.Path(), NonZero, 100, 100))
	if want := math.Pi * r * r; math.Abs(disc-want) > want/200 {
		t.Errorf("a disc of %.0f pixels, want %.0f", disc, want)
	}
	ring := area(alphas(t, Stroke{Width: 10, Flatness: 0.05}.Outline(p.Path()), NonZero, 100, 100))
	if want := 2 * math.Pi * r * 10; math.Abs(ring-want) > want/100 {
		t.Errorf("a ring of %.0f pixels, want %.0f", ring, want)
	}
	if n := p.Points(); n < 40 || n > 400 {
		t.Errorf("a disc of %d points", n)
	}
}

func area(alphas []uint8) float64 {
	sum := 0.0
	for _, a := range alphas {
		sum += float64(a) / 255
	}
	return sum
}

func TestEffortEnds(t *testing.T) {
	work := 1000
	c := NewCanvas(100, 100, &work)
	if err := c.Fill(Path{square(0, 0, 100, 100)}, NonZero, Solid(color.NRGBA{A: 1})); !errors.Is(err, ErrEffort) {
		t.Errorf("10,000 pixels for the work of 1,000: %v", err)
	}
	line := Path{{Points: []Point{{0, 0}, {100, 0}}}}
	if _, err := line.Dashed([]float64{0.001}, 0, 100); !errors.Is(err, ErrEffort) {
		t.Errorf("100,000 dashes where 100 may be: %v", err)
	}
}
