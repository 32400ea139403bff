// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"errors"
	"fmt"
	"math"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

// maxPoints bounds the points of a path, curves made into lines.
const maxPoints = 200_000

// outline returns the path of a shape, in its own units.
func outline(e *element, flatness float64) (raster.Path, error) {
	pen := &raster.Pen{Flatness: flatness}
	var err error
	switch e.name {
	case "path":
		err = (&pathReader{scanner: scanner{e.attrs["d"]}, pen: pen}).read()
	case "rect":
		err = rect(e, pen)
	case "circle", "ellipse":
		err = round(e, pen)
	case "line":
		var n []float64
		if n, err = lengths(e, "x1", "y1", "x2", "y2"); err == nil {
			pen.MoveTo(raster.Point{X: n[0], Y: n[1]})
			pen.LineTo(raster.Point{X: n[2], Y: n[3]})
		}
	case "polyline", "polygon":
		err = polygon(e, pen)
	}
	if err != nil {
		return nil, fmt.Errorf("<%s>: %w", e.name, err)
	}
	return pen.Path(), nil
}

// lengths reads attributes, 0 for those that are not there.
func lengths(e *element, names ...string) ([]float64, error) {
	list := make([]float64, len(names))
	for i, name := range names {
		text, ok := e.attrs[name]
		if !ok {
			continue
		}
		var err error
		if list[i], err = length(text); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func rect(e *element, pen *raster.Pen) error {
	n, err := lengths(e, "x", "y", "width", "height", "rx", "ry")
	if err != nil {
		return err
	}
	rx, ry := n[4], n[5]
	if _, ok := e.attrs["rx"]; !ok {
		rx = ry
	}
	if _, ok := e.attrs["ry"]; !ok {
		ry = rx
	}
	roundedBox(pen, n[0], n[1], n[2], n[3], rx, ry)
	return nil
}

func round(e *element, pen *raster.Pen) error {
	n, err := lengths(e, "cx", "cy", "rx", "ry", "r")
	if err != nil {
		return err
	}
	rx, ry := n[2], n[3]
	if e.name == "circle" {
		rx, ry = n[4], n[4]
	}
	roundedBox(pen, n[0]-rx, n[1]-ry, 2*rx, 2*ry, rx, ry)
	return nil
}

// circular is where the control points of a quarter circle stand.
const circular = 0.5522847498

// roundedBox draws a rectangle with corners that are quarters of an ellipse;
// nothing when it has no area.
func roundedBox(pen *raster.Pen, x, y, w, h, rx, ry float64) {
	if !(w > 0 && h > 0) {
		return
	}
	rx, ry = math.Min(math.Max(rx, 0), w/2), math.Min(math.Max(ry, 0), h/2)
	point := func(x, y float64) raster.Point { return raster.Point{X: x, Y: y} }
	kx, ky := rx*(1-circular), ry*(1-circular)
	pen.MoveTo(point(x+rx, y))
	pen.LineTo(point(x+w-rx, y))
	pen.CubeTo(point(x+w-kx, y), point(x+w, y+ky), point(x+w, y+ry))
	pen.LineTo(point(x+w, y+h-ry))
	pen.CubeTo(point(x+w, y+h-ky), point(x+w-kx, y+h), point(x+w-rx, y+h))
	pen.LineTo(point(x+rx, y+h))
	pen.CubeTo(point(x+kx, y+h), point(x, y+h-ky), point(x, y+h-ry))
	pen.LineTo(point(x, y+ry))
	pen.CubeTo(point(x, y+ky), point(x+kx, y), point(x+rx, y))
	pen.Close()
}

func polygon(e *element, pen *raster.Pen) error {
	n, err := numbers(e.attrs["points"])
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(n); i += 2 {
		if at := (raster.Point{X: n[i], Y: n[i+1]}); i == 0 {
			pen.MoveTo(at)
		} else {
			pen.LineTo(at)
		}
	}
	if e.name == "polygon" {
		pen.Close()
	}
	return nil
}

// pathReader reads path data (SVG 1.1, 8.3).
type pathReader struct {
	scanner
	pen     *raster.Pen
	control raster.Point // the last one of a curve
	curve   byte         // C or Q when the last command was such a curve
}

var errPath = errors.New("its path data are not understood")

func (r *pathReader) read() error {
	command := byte(0)
	for r.skip(); r.rest != ""; r.skip() {
		if c := r.rest[0]; c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			command, r.rest = c, r.rest[1:]
		} else if command == 0 || command == 'Z' || command == 'z' {
			return errPath
		}
		if len(r.pen.Path()) == 0 && command != 'M' && command != 'm' {
			return errPath
		}
		if err := r.command(command); err != nil {
			return err
		}
		switch command {
		case 'M':
			command = 'L'
		case 'm':
			command = 'l'
		}
		if r.pen.Points() > maxPoints {
			return errors.New("it has too many points")
		}
	}
	return nil
}

// arguments is how many numbers a command takes.
var arguments = map[byte]int{'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'S': 4, 'Q': 4, 'T': 2, 'A': 7, 'Z': 0}

func (r *pathReader) command(command byte) error {
	upper := command &^ 0x20
	count, known := arguments[upper]
	if !known {
		return errPath
	}
	var n [7]float64
	if err := r.arguments(upper, n[:count]); err != nil {
		return err
	}
	at := r.pen.At()
	if command != upper {
		relative(upper, n[:count], at)
	}
	r.draw(upper, &n, at)
	return nil
}

// draw moves the pen by a command whose arguments n are absolute, and remembers what a
// curve that goes on smoothly needs to know.
func (r *pathReader) draw(command byte, n *[7]float64, at raster.Point) {
	p := func(i int) raster.Point { return raster.Point{X: n[i], Y: n[i+1]} }
	curve := byte(0)
	switch command {
	case 'M':
		r.pen.MoveTo(p(0))
	case 'L':
		r.pen.LineTo(p(0))
	case 'H':
		r.pen.LineTo(raster.Point{X: n[0], Y: at.Y})
	case 'V':
		r.pen.LineTo(raster.Point{X: at.X, Y: n[0]})
	case 'C':
		curve, r.control = 'C', p(2)
		r.pen.CubeTo(p(0), p(2), p(4))
	case 'S':
		c := r.mirrored('C')
		curve, r.control = 'C', p(0)
		r.pen.CubeTo(c, p(0), p(2))
	case 'Q':
		curve, r.control = 'Q', p(0)
		r.pen.QuadTo(p(0), p(2))
	case 'T':
		r.control = r.mirrored('Q')
		curve = 'Q'
		r.pen.QuadTo(r.control, p(0))
	case 'A':
		r.arc(at, n[0], n[1], n[2], n[3] != 0, n[4] != 0, p(5))
	case 'Z':
		r.pen.Close()
	}
	r.curve = curve
}

func (r *pathReader) arguments(command byte, n []float64) error {
	for i := range n {
		ok := false
		if command == 'A' && (i == 3 || i == 4) {
			var set bool
			if set, ok = r.flag(); set {
				n[i] = 1
			}
		} else {
			n[i], ok = r.number()
		}
		if !ok {
			return errPath
		}
	}
	return nil
}

// relative adds where the pen is to the coordinates among n.
func relative(command byte, n []float64, at raster.Point) {
	switch command {
	case 'H':
		n[0] += at.X
	case 'V':
		n[0] += at.Y
	case 'A':
		n[5], n[6] = n[5]+at.X, n[6]+at.Y
	default:
		for i := range n {
			if i%2 == 0 {
				n[i] += at.X
			} else {
				n[i] += at.Y
			}
		}
	}
}

// mirrored is the control point that goes on smoothly from a curve of that kind.
func (r *pathReader) mirrored(kind byte) raster.Point {
	at := r.pen.At()
	if r.curve != kind {
		return at
	}
	return raster.Point{X: 2*at.X - r.control.X, Y: 2*at.Y - r.control.Y}
}

// arc draws a part of an ellipse (SVG 1.1, appendix F.6) in pieces of a quarter at
// the most.
func (r *pathReader) arc(from raster.Point, rx, ry, degrees float64, large, sweep bool, to raster.Point) {
	rx, ry = math.Abs(rx), math.Abs(ry)
	if from == to {
		return
	}
	if rx == 0 || ry == 0 {
		r.pen.LineTo(to)
		return
	}
	turn := rotation(degrees)
	back := rotation(-degrees)
	half := back.apply(raster.Point{X: (from.X - to.X) / 2, Y: (from.Y - to.Y) / 2})
	if tooFar := math.Hypot(half.X/rx, half.Y/ry); tooFar > 1 {
		rx, ry = rx*tooFar, ry*tooFar
	}
	u, v := half.X/rx, half.Y/ry
	root := math.Sqrt(math.Max(1/(u*u+v*v)-1, 0))
	if large == sweep {
		root = -root
	}
	cu, cv := root*v, -root*u // the middle, where the ellipse is a circle of radius 1
	first := math.Atan2(v-cv, u-cu)
	angle := math.Atan2(-v-cv, -u-cu) - first
	switch {
	case sweep && angle < 0:
		angle += 2 * math.Pi
	case !sweep && angle > 0:
		angle -= 2 * math.Pi
	}
	middle := raster.Point{X: (from.X + to.X) / 2, Y: (from.Y + to.Y) / 2}
	place := matrix{1, 0, 0, 1, middle.X, middle.Y}.times(turn).times(matrix{a: rx, d: ry, e: cu * rx, f: cv * ry})
	n := math.Max(math.Ceil(math.Abs(angle)/(math.Pi/2)-1e-9), 1)
	k := 4.0 / 3 * math.Tan(angle/n/4)
	for i := range int(n) {
		s0, c0 := math.Sincos(first + angle*float64(i)/n)
		s1, c1 := math.Sincos(first + angle*float64(i+1)/n)
		end := place.apply(raster.Point{X: c1, Y: s1})
		if i == int(n)-1 {
			end = to
		}
		r.pen.CubeTo(place.apply(raster.Point{X: c0 - k*s0, Y: s0 + k*c0}), place.apply(raster.Point{X: c1 + k*s1, Y: s1 - k*c1}), end)
	}
}
