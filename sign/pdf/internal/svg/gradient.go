// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

// gradient is a colour that changes from place to place (SVG 1.1, 13.2).
type gradient struct {
	stops  []stop
	spread string
	toUnit matrix // from pixels to the units of the gradient
	at     func(p raster.Point) (part float64)
}

type stop struct {
	at     float64
	colour color.NRGBA
}

// maxInherited bounds how many gradients take their stops from each other.
const maxInherited = 8

// gradient makes a paint of the gradient e for a shape: to is from the user space
// of the shape to pixels, box its extent. Nothing is painted with a nil one.
func (p *Picture) gradient(e *element, to matrix, box [4]float64, opacity float64) (raster.Paint, error) {
	attrs, stops, err := p.inherited(e)
	if err != nil {
		return nil, err
	}
	g := gradient{spread: attrs["spreadMethod"]}
	if g.stops, err = p.stops(stops, opacity); err != nil || len(g.stops) == 0 {
		return nil, err
	}
	if attrs["gradientUnits"] != "userSpaceOnUse" {
		to = to.times(matrix{a: box[2] - box[0], d: box[3] - box[1], e: box[0], f: box[1]})
	}
	own, err := parseTransform(attrs["gradientTransform"])
	if err != nil {
		return nil, err
	}
	var visible bool
	if g.toUnit, visible = to.times(own).inverse(); !visible {
		return nil, nil
	}
	if e.name == "linearGradient" {
		err = g.linear(attrs)
	} else {
		err = g.radial(attrs)
	}
	return g.paint, err
}

// inherited returns the attributes of a gradient and the element that has its
// stops, some of which may be those of another that it refers to.
func (p *Picture) inherited(e *element) (map[string]string, *element, error) {
	attrs := map[string]string{}
	var stops *element
	for range maxInherited {
		for name, value := range e.attrs {
			if _, set := attrs[name]; !set && name != "href" {
				attrs[name] = value
			}
		}
		if stops == nil && slices.ContainsFunc(e.kids, func(k *element) bool { return k.name == "stop" }) {
			stops = e
		}
		href, ok := e.attrs["href"]
		if !ok {
			return attrs, stops, nil
		}
		next := p.byID[strings.TrimPrefix(href, "#")]
		if !strings.HasPrefix(href, "#") || next == nil || !isGradient(next) {
			return nil, nil, fmt.Errorf("a gradient refers to %.40q, which is no gradient of this file", href)
		}
		e = next
	}
	return nil, nil, fmt.Errorf("gradients refer to each other more than %d deep", maxInherited)
}

func isGradient(e *element) bool { return e.name == "linearGradient" || e.name == "radialGradient" }

// stops reads the stops in e.
func (p *Picture) stops(e *element, opacity float64) ([]stop, error) {
	if e == nil {
		return nil, nil
	}
	var list []stop
	last := 0.0
	for _, k := range e.kids {
		if k.name != "stop" {
			continue
		}
		props := p.properties(k)
		at, err := share(cmp.Or(props["offset"], "0"))
		if err != nil {
			return nil, err
		}
		c, err := parseColour(cmp.Or(props["stop-color"], "black"))
		if err != nil {
			return nil, err
		}
		own, err := share(cmp.Or(props["stop-opacity"], "1"))
		if err != nil {
			return nil, err
		}
		last = math.Max(last, at)
		list = append(list, stop{last, faded(c, own*opacity)})
	}
	return list, nil
}

// coordinates reads attributes that are lengths or percentages.
func coordinates(attrs map[string]string, otherwise map[string]string, names ...string) ([]float64, error) {
	list := make([]float64, len(names))
	for i, name := range names {
		text := cmp.Or(attrs[name], otherwise[name])
		n, err := proportion(text)
		if err != nil {
			n, err = length(text)
		}
		if err != nil || strings.HasSuffix(text, "%") && attrs["gradientUnits"] == "userSpaceOnUse" && attrs[name] != "" {
			return nil, fmt.Errorf("a gradient with %s=%.40q is not understood", name, text)
		}
		list[i] = n
	}
	return list, nil
}

func (g *gradient) linear(attrs map[string]string) error {
	n, err := coordinates(attrs, map[string]string{"x1": "0", "y1": "0", "x2": "100%", "y2": "0"}, "x1", "y1", "x2", "y2")
	if err != nil {
		return err
	}
	dx, dy := n[2]-n[0], n[3]-n[1]
	square := dx*dx + dy*dy
	g.at = func(p raster.Point) float64 {
		if square == 0 {
			return 1
		}
		return ((p.X-n[0])*dx + (p.Y-n[1])*dy) / square
	}
	return nil
}

// radial has circles that grow from the focus to the whole circle: at the part t
// the middle is on the way from the focus to the centre, and the radius t·r.
func (g *gradient) radial(attrs map[string]string) error {
	otherwise := map[string]string{"cx": "50%", "cy": "50%", "r": "50%"}
	otherwise["fx"], otherwise["fy"] = cmp.Or(attrs["cx"], "50%"), cmp.Or(attrs["cy"], "50%")
	n, err := coordinates(attrs, otherwise, "cx", "cy", "r", "fx", "fy")
	if err != nil {
		return err
	}
	r, dx, dy := n[2], n[0]-n[3], n[1]-n[4]
	if inside := 0.99 * r; math.Hypot(dx, dy) > inside && inside > 0 { // a focus outside is moved to the edge
		short := inside / math.Hypot(dx, dy)
		dx, dy = dx*short, dy*short
	}
	fx, fy := n[0]-dx, n[1]-dy
	a := r*r - dx*dx - dy*dy
	g.at = func(p raster.Point) float64 {
		if !(r > 0) {
			return 1
		}
		px, py := p.X-fx, p.Y-fy
		b := px*dx + py*dy
		return (-b + math.Sqrt(b*b+a*(px*px+py*py))) / a
	}
	return nil
}

// paint implements [raster.Paint].
func (g *gradient) paint(x, y int) color.NRGBA {
	part := g.at(g.toUnit.apply(raster.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5}))
	if math.IsNaN(part) {
		return color.NRGBA{}
	}
	switch g.spread {
	case "repeat":
		part -= math.Floor(part)
	case "reflect":
		part = math.Abs(part - 2*math.Floor(part/2+0.5))
	}
	return g.colour(part)
}

func (g *gradient) colour(part float64) color.NRGBA {
	i, _ := slices.BinarySearchFunc(g.stops, part, func(s stop, part float64) int {
		if s.at <= part {
			return -1
		}
		return 1
	})
	if i == 0 {
		return g.stops[0].colour
	}
	before := g.stops[i-1]
	if i == len(g.stops) {
		return before.colour
	}
	after := g.stops[i]
	t := (part - before.at) / (after.at - before.at)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*t + 0.5) }
	return color.NRGBA{mix(before.colour.R, after.colour.R), mix(before.colour.G, after.colour.G),
		mix(before.colour.B, after.colour.B), mix(before.colour.A, after.colour.A)}
}
