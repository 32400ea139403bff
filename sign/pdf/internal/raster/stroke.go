// SPDX-License-Identifier: Apache-2.0

package raster

import "math"

// Join is how the corners of a line look.
type Join int

// The joins of SVG and PDF.
const (
	MiterJoin Join = iota
	RoundJoin
	BevelJoin
)

// Cap is how the ends of a line look.
type Cap int

// The caps of SVG and PDF.
const (
	ButtCap Cap = iota
	RoundCap
	SquareCap
)

// Stroke says how a line is drawn.
type Stroke struct {
	Width      float64
	Join       Join
	Cap        Cap
	MiterLimit float64
	Flatness   float64 // of what is round
}

// Outline returns the outline of the line along p, to be filled by [NonZero]. It
// is laid together from overlapping pieces, all of which go round the same way.
func (s Stroke) Outline(p Path) Path {
	var out Path
	for _, sub := range p {
		points := distinct(sub.Points)
		if sub.Closed && len(points) > 1 && points[0] == points[len(points)-1] {
			points = points[:len(points)-1]
		}
		out = append(out, s.along(points, sub.Closed)...)
	}
	return out
}

// distinct drops points that are where the one before is.
func distinct(points []Point) []Point {
	var out []Point
	for _, p := range points {
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

func (s Stroke) along(points []Point, closed bool) Path {
	var out Path
	n := len(points)
	if n == 1 {
		return s.dot(points[0])
	}
	for i, from := range points {
		if i == n-1 && !closed {
			break
		}
		out = append(out, s.bar(from, points[(i+1)%n]))
	}
	for i, at := range points {
		if closed || i > 0 && i < n-1 {
			out = append(out, s.corner(points[(i+n-1)%n], at, points[(i+1)%n])...)
		}
	}
	if !closed && n > 1 {
		out = append(out, s.end(points[1], points[0])...)
		out = append(out, s.end(points[n-2], points[n-1])...)
	}
	return out
}

// dot is a line without length, which only its caps show.
func (s Stroke) dot(at Point) Path {
	h := s.Width / 2
	switch s.Cap {
	case RoundCap:
		return Path{s.disc(at)}
	case SquareCap:
		return Path{piece(Point{at.X - h, at.Y - h}, Point{at.X + h, at.Y - h}, Point{at.X + h, at.Y + h}, Point{at.X - h, at.Y + h})}
	}
	return nil
}

// side is half the width of the line, square to the way from a to b.
func (s Stroke) side(a, b Point) Point {
	length := math.Hypot(b.X-a.X, b.Y-a.Y)
	return Point{-(b.Y - a.Y) / length * s.Width / 2, (b.X - a.X) / length * s.Width / 2}
}

func (s Stroke) bar(a, b Point) Subpath {
	d := s.side(a, b)
	return piece(Point{a.X + d.X, a.Y + d.Y}, Point{b.X + d.X, b.Y + d.Y}, Point{b.X - d.X, b.Y - d.Y}, Point{a.X - d.X, a.Y - d.Y})
}

// end is the cap at b of a line that comes from a.
func (s Stroke) end(a, b Point) Path {
	switch s.Cap {
	case RoundCap:
		return Path{s.disc(b)}
	case SquareCap:
		d := s.side(a, b)
		return Path{s.bar(b, Point{b.X + d.Y, b.Y - d.X})}
	}
	return nil
}

// corner fills the gap at b on the outer side.
func (s Stroke) corner(a, b, c Point) Path {
	d, e := s.side(a, b), s.side(b, c)
	half := s.Width / 2
	if smooth := d.X*e.X+d.Y*e.Y > 0.97*half*half; s.Join == RoundJoin && !smooth {
		return Path{s.disc(b)}
	}
	if d.X*e.Y-d.Y*e.X > 0 { // turns towards d: the outer side is the other one
		d, e = Point{-d.X, -d.Y}, Point{-e.X, -e.Y}
	}
	p, q := Point{b.X + d.X, b.Y + d.Y}, Point{b.X + e.X, b.Y + e.Y}
	middle := Point{d.X + e.X, d.Y + e.Y}
	// The miter is as much longer than half the width as half the sum of the
	// sides is shorter.
	long := math.Hypot(middle.X, middle.Y) / 2 / half
	if s.Join == MiterJoin && long > 0 && 1/long <= s.MiterLimit {
		tip := Point{b.X + middle.X/2/long/long, b.Y + middle.Y/2/long/long}
		return Path{piece(b, p, tip, q)}
	}
	return Path{piece(b, p, q)}
}

func (s Stroke) disc(at Point) Subpath {
	radius := s.Width / 2
	n := int(math.Min(math.Max(math.Ceil(math.Pi*math.Sqrt(radius/s.Flatness)), 8), maxSteps))
	points := make([]Point, n)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		points[i] = Point{at.X + radius*cos, at.Y + radius*sin}
	}
	return piece(points...)
}

// piece is a polygon that goes round in the one way, whatever way its points do.
func piece(points ...Point) Subpath {
	area := 0.0
	for i, p := range points {
		q := points[(i+1)%len(points)]
		area += p.X*q.Y - p.Y*q.X
	}
	if area < 0 {
		for i, j := 0, len(points)-1; i < j; i, j = i+1, j-1 {
			points[i], points[j] = points[j], points[i]
		}
	}
	return Subpath{points, true}
}

// Dashed cuts a path into dashes and gaps of the given lengths, in turn. No
// lengths, or lengths that are all nothing, leave it as it is. It fails with
// [ErrEffort] when there are more than most dashes.
func (p Path) Dashed(lengths []float64, offset float64, most int) (Path, error) {
	total := 0.0
	for _, l := range lengths {
		total += math.Max(l, 0)
	}
	if !(total > 0) {
		return p, nil
	}
	if len(lengths)%2 == 1 {
		lengths, total = append(append([]float64{}, lengths...), lengths...), 2*total
	}
	var out Path
	for _, sub := range p {
		d := dasher{lengths: lengths, left: most - len(out)}
		d.begin(math.Mod(math.Mod(offset, total)+total, total))
		points := sub.Points
		if sub.Closed {
			points = append(append([]Point{}, points...), points[0])
		}
		for i, to := range points {
			if i == 0 {
				d.move(to)
			} else if err := d.line(points[i-1], to); err != nil {
				return nil, err
			}
		}
		out = append(out, d.out...)
	}
	return out, nil
}

// dasher cuts one subpath.
type dasher struct {
	lengths []float64
	index   int
	rest    float64 // of the dash or gap that it is in
	left    int     // dashes and gaps that may still come
	out     Path
}

func (d *dasher) begin(offset float64) {
	for d.rest = d.lengths[0]; offset >= d.rest && offset > 0; {
		offset -= d.rest
		d.index = (d.index + 1) % len(d.lengths)
		d.rest = d.lengths[d.index]
	}
	d.rest -= offset
}

func (d *dasher) drawing() bool { return d.index%2 == 0 }

func (d *dasher) move(to Point) {
	if d.drawing() {
		d.out = append(d.out, Subpath{Points: []Point{to}})
	}
}

func (d *dasher) line(from, to Point) error {
	length, done := math.Hypot(to.X-from.X, to.Y-from.Y), 0.0
	for length-done > d.rest {
		done += d.rest
		at := between(from, to, done/length)
		d.add(at)
		if d.left--; d.left < 0 {
			return ErrEffort
		}
		d.index = (d.index + 1) % len(d.lengths)
		d.rest = d.lengths[d.index]
		d.move(at)
	}
	d.rest -= length - done
	d.add(to)
	return nil
}

func (d *dasher) add(at Point) {
	if d.drawing() {
		last := &d.out[len(d.out)-1]
		last.Points = append(last.Points, at)
	}
}
