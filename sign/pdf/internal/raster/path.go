// SPDX-License-Identifier: Apache-2.0

// Package raster fills outlines with colour, pixel by pixel: glyphs and shapes of
// SVG pictures, by the nonzero or the even-odd rule.
//
// It is made for outlines that somebody hostile may have written: what lies
// outside the image costs nothing, and a [Canvas] says when the work it was given
// is too much.
package raster

import "math"

// Point is a point. On a [Canvas] it is in pixels, from the upper left corner.
type Point struct{ X, Y float64 }

// Path is an outline of straight lines.
type Path []Subpath

// Subpath is a row of points. To be filled it is closed by a line to its first
// one, whether Closed or not; a stroke keeps the ends of an open one apart.
type Subpath struct {
	Points []Point
	Closed bool
}

// Transformed returns the path with every point replaced.
func (p Path) Transformed(f func(Point) Point) Path {
	out := make(Path, len(p))
	for i, s := range p {
		points := make([]Point, len(s.Points))
		for j, at := range s.Points {
			points[j] = f(at)
		}
		out[i] = Subpath{points, s.Closed}
	}
	return out
}

// Pen draws a path. Curves become lines that are nowhere further from them than
// about Flatness.
type Pen struct {
	Flatness float64
	path     Path
	at       Point
	points   int
}

// Path returns what was drawn.
func (p *Pen) Path() Path { return p.path }

// Points is how many points were drawn.
func (p *Pen) Points() int { return p.points }

// At returns where the pen is.
func (p *Pen) At() Point { return p.at }

// MoveTo begins a new subpath.
func (p *Pen) MoveTo(to Point) {
	p.path = append(p.path, Subpath{Points: []Point{to}})
	p.at = to
	p.points++
}

// LineTo draws a straight line.
func (p *Pen) LineTo(to Point) {
	if len(p.path) == 0 || p.path[len(p.path)-1].Closed {
		p.MoveTo(p.at)
	}
	last := &p.path[len(p.path)-1]
	last.Points = append(last.Points, to)
	p.at = to
	p.points++
}

// QuadTo draws a quadratic Bézier curve.
func (p *Pen) QuadTo(control, to Point) {
	from := p.at
	p.CubeTo(between(from, control, 2.0/3), between(to, control, 2.0/3), to)
}

// CubeTo draws a cubic Bézier curve.
func (p *Pen) CubeTo(c1, c2, to Point) {
	from := p.at
	n := p.steps(math.Max(bend(from, c1, c2), bend(c1, c2, to)))
	for i := 1; i < n; i++ {
		t := float64(i) / float64(n)
		a, b, c := between(from, c1, t), between(c1, c2, t), between(c2, to, t)
		p.LineTo(between(between(a, b, t), between(b, c, t), t))
	}
	p.LineTo(to)
}

// Close ends a subpath with a line to its begin.
func (p *Pen) Close() {
	if len(p.path) == 0 {
		return
	}
	last := &p.path[len(p.path)-1]
	last.Closed = true
	p.at = last.Points[0]
}

// maxSteps bounds how many lines a curve becomes.
const maxSteps = 100

// steps is how many lines a cubic curve with this second difference needs.
func (p *Pen) steps(bend float64) int {
	n := math.Ceil(math.Sqrt(0.75 * bend / p.Flatness))
	return int(math.Min(math.Max(n, 1), maxSteps))
}

// bend is the length of the second difference of three points.
func bend(a, b, c Point) float64 { return math.Hypot(a.X-2*b.X+c.X, a.Y-2*b.Y+c.Y) }

// between is the point at part t of the way from a to b.
func between(a, b Point, t float64) Point {
	return Point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)}
}
