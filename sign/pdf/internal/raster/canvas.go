// SPDX-License-Identifier: Apache-2.0

package raster

import (
	"errors"
	"image"
	"image/color"
	"math"
	"slices"
)

// ErrEffort says that drawing takes more work than a picture is worth.
var ErrEffort = errors.New("it takes too much work to draw")

// Rule says what is inside an outline that crosses itself.
type Rule int

// The rules of SVG and PDF.
const (
	NonZero Rule = iota
	EvenOdd
)

// Paint is the colour of each pixel.
type Paint func(x, y int) color.NRGBA

// Solid is one colour everywhere.
func Solid(c color.NRGBA) Paint { return func(int, int) color.NRGBA { return c } }

// Canvas is an image to draw on. Several can share what Effort points to.
type Canvas struct {
	Image  *image.RGBA
	Effort *int // steps left: about one for each pixel and each crossing of a line and a row
}

// NewCanvas returns an empty canvas, transparent all over.
func NewCanvas(width, height int, effort *int) *Canvas {
	return &Canvas{image.NewRGBA(image.Rect(0, 0, width, height)), effort}
}

// Spend takes steps off the effort that is left, and fails with [ErrEffort] when
// there are not so many.
func (c *Canvas) Spend(steps int) error {
	if *c.Effort -= steps; *c.Effort < 0 {
		return ErrEffort
	}
	return nil
}

// Fill paints the inside of a path over what is there.
func (c *Canvas) Fill(p Path, rule Rule, paint Paint) error {
	return c.Coverage(p, rule, func(y, left int, row []float32) {
		for i, part := range row {
			if part > 0 {
				c.blend(left+i, y, paint(left+i, y), part)
			}
		}
	})
}

// blend lays a colour over a pixel, part of which it covers.
func (c *Canvas) blend(x, y int, over color.NRGBA, part float32) {
	alpha := part * float32(over.A) / 0xff
	px := c.Image.Pix[c.Image.PixOffset(x, y):][:4:4]
	if alpha == 1 {
		px[0], px[1], px[2], px[3] = over.R, over.G, over.B, 0xff
		return
	}
	for i, v := range [4]uint8{over.R, over.G, over.B, 0xff} {
		px[i] = uint8(float32(v)*alpha + float32(px[i])*(1-alpha) + 0.5)
	}
}

// subRows is how many lines of a pixel's height are looked at. Across, what is
// covered is exact.
const subRows = 8

// edge is a line of an outline, going down the sub-rows.
type edge struct {
	first, last int     // sub-rows, last is the one after
	x, slope    float64 // at the middle of the next sub-row, and how much further at each
	winding     int
}

// Coverage calls row for each row of pixels that a path touches, with the part of
// each pixel from left on that is inside.
func (c *Canvas) Coverage(p Path, rule Rule, row func(y, left int, parts []float32)) error {
	size := c.Image.Rect.Size()
	edges, err := c.edges(p, size.Y*subRows)
	if err != nil || len(edges) == 0 {
		return err
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.first - b.first })
	last := slices.MaxFunc(edges, func(a, b edge) int { return a.last - b.last }).last
	if err := c.Spend(last - edges[0].first + size.X/subRows); err != nil {
		return err
	}
	s := sweep{rule: rule, width: float64(size.X), steps: make([]float32, size.X+2), parts: make([]float32, size.X)}
	s.reset()
	for sub := edges[0].first; sub < size.Y*subRows; sub++ {
		for len(edges) > 0 && edges[0].first == sub {
			s.active, edges = append(s.active, edges[0]), edges[1:]
		}
		s.row(sub)
		if sub%subRows == subRows-1 {
			if s.left < s.right {
				if err := c.Spend(s.right - s.left); err != nil {
					return err
				}
				left := s.left
				row(sub/subRows, left, s.flush())
			}
			if len(s.active) == 0 && len(edges) == 0 {
				return nil
			}
		}
	}
	return nil
}

// edges makes edges of the lines of a path, as far as they cross one of so many
// sub-rows.
func (c *Canvas) edges(p Path, rows int) ([]edge, error) {
	var list []edge
	for _, s := range p {
		for i, to := range s.Points {
			from := s.Points[(i+len(s.Points)-1)%len(s.Points)]
			e, ok := newEdge(from, to, rows)
			if !ok {
				continue
			}
			if err := c.Spend(e.last - e.first + 1); err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}

func newEdge(from, to Point, rows int) (edge, bool) {
	e := edge{winding: 1}
	if from.Y > to.Y {
		from, to, e.winding = to, from, -1
	}
	// The sub-row n is looked at in its middle, at the height (n+½)/subRows.
	number := func(y float64) int { return int(math.Ceil(math.Min(math.Max(y*subRows-0.5, 0), float64(rows)))) }
	if !(math.Abs(from.X)+math.Abs(from.Y)+math.Abs(to.X)+math.Abs(to.Y) < math.MaxInt32) {
		return e, false
	}
	e.first, e.last = number(from.Y), number(to.Y)
	if e.first >= e.last {
		return e, false
	}
	e.slope = (to.X - from.X) / (to.Y - from.Y) / subRows
	e.x = from.X + ((float64(e.first)+0.5)-from.Y*subRows)*e.slope
	return e, true
}

// sweep goes down the sub-rows of an outline and gathers what they cover of a row
// of pixels.
type sweep struct {
	rule        Rule
	width       float64
	active      []edge
	steps       []float32 // how much more each pixel is covered than the one before
	parts       []float32
	left, right int // of the pixels that are touched
}

func (s *sweep) reset() { s.left, s.right = len(s.parts), 0 }

// row adds what one sub-row covers.
func (s *sweep) row(sub int) {
	s.active = slices.DeleteFunc(s.active, func(e edge) bool { return e.last <= sub })
	slices.SortFunc(s.active, func(a, b edge) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
	winding, from := 0, 0.0
	for i := range s.active {
		e := &s.active[i]
		was := s.inside(winding)
		winding += e.winding
		switch is := s.inside(winding); {
		case !was && is:
			from = e.x
		case was && !is:
			s.span(from, e.x)
		}
		e.x += e.slope
	}
}

func (s *sweep) inside(winding int) bool {
	if s.rule == EvenOdd {
		return winding&1 != 0
	}
	return winding != 0
}

// span adds what lies between two places of a sub-row.
func (s *sweep) span(from, to float64) {
	from, to = math.Min(math.Max(from, 0), s.width), math.Min(math.Max(to, 0), s.width)
	if from >= to {
		return
	}
	s.step(from, 1.0/subRows)
	s.step(to, -1.0/subRows)
	s.left, s.right = min(s.left, int(from)), max(s.right, int(math.Ceil(to)))
}

// step adds to all pixels from x on, and a part of it to the one that x is in.
func (s *sweep) step(x float64, height float32) {
	i := int(x)
	rest := float32(x - float64(i))
	s.steps[i] += height * (1 - rest)
	s.steps[i+1] += height * rest
}

// flush returns what was gathered and begins a new row.
func (s *sweep) flush() []float32 {
	var sum float32
	for i := s.left; i < s.right; i++ {
		sum += s.steps[i]
		s.parts[i] = min(max(sum, 0), 1)
	}
	parts := s.parts[s.left:s.right]
	clear(s.steps[s.left:min(s.right+2, len(s.steps))])
	s.reset()
	return parts
}

// Lay lays an image of the same size over what is there, with an opacity from 0
// to 1, and as far as mask is opaque. No mask is opaque everywhere.
func (c *Canvas) Lay(over, mask *image.RGBA, opacity float64) {
	for i := 0; i < len(over.Pix); i += 4 {
		part := float32(opacity)
		if mask != nil {
			part *= float32(mask.Pix[i+3]) / 0xff
		}
		below, above := c.Image.Pix[i:i+4:i+4], over.Pix[i:i+4:i+4]
		rest := 1 - part*float32(above[3])/0xff
		for j := range below {
			below[j] = uint8(float32(above[j])*part + float32(below[j])*rest + 0.5)
		}
	}
}
