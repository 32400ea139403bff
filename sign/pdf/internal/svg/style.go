// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

// style is what elements inherit (SVG 1.1, chapter 11).
type style struct {
	fill, stroke               string
	fillRule, clipRule         raster.Rule
	fillOpacity, strokeOpacity float64
	line                       raster.Stroke
	dashes                     []float64
	dashOffset                 float64
	colour                     color.NRGBA
	hidden                     bool
}

var initial = style{
	fill: "black", stroke: "none", fillOpacity: 1, strokeOpacity: 1, colour: color.NRGBA{A: 0xff},
	line: raster.Stroke{Width: 1, MiterLimit: 4},
}

// refused are properties of which only one value is drawn.
var refused = map[string]string{
	"mask": "none", "filter": "none", "mix-blend-mode": "normal", "marker-start": "none", "marker-mid": "none",
	"marker-end": "none", "marker": "none", "vector-effect": "none", "paint-order": "normal", "clip": "auto",
}

// below is the style of an element inside one of style s.
func (s style) below(props map[string]string) (style, error) {
	for name, value := range props {
		if only, ok := refused[name]; ok && value != only && value != "inherit" {
			return s, fmt.Errorf("the SVG uses %s, which is not drawn here; a PNG is an alternative", name)
		}
	}
	// color comes first, because the others can refer to it
	for _, name := range []string{"color", "fill", "stroke", "fill-rule", "clip-rule", "fill-opacity", "stroke-opacity", "stroke-width",
		"stroke-linejoin", "stroke-linecap", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "visibility"} {
		value, ok := props[name]
		if !ok || value == "inherit" {
			continue
		}
		if err := s.set(name, value); err != nil {
			return s, fmt.Errorf("the SVG has a %s that is not understood: %w", name, err)
		}
	}
	return s, nil
}

var rules = map[string]raster.Rule{"nonzero": raster.NonZero, "evenodd": raster.EvenOdd}

var joins = map[string]raster.Join{"miter": raster.MiterJoin, "round": raster.RoundJoin, "bevel": raster.BevelJoin}

var caps = map[string]raster.Cap{"butt": raster.ButtCap, "round": raster.RoundCap, "square": raster.SquareCap}

func (s *style) set(name, value string) (err error) {
	switch name {
	case "color":
		if value != "currentColor" {
			s.colour, err = parseColour(value)
		}
	case "fill":
		s.fill = value
	case "stroke":
		s.stroke = value
	case "fill-rule":
		s.fillRule, err = oneOf(rules, value)
	case "clip-rule":
		s.clipRule, err = oneOf(rules, value)
	case "fill-opacity":
		s.fillOpacity, err = share(value)
	case "stroke-opacity":
		s.strokeOpacity, err = share(value)
	case "stroke-width":
		s.line.Width, err = length(value)
	case "stroke-linejoin":
		s.line.Join, err = oneOf(joins, value)
	case "stroke-linecap":
		s.line.Cap, err = oneOf(caps, value)
	case "stroke-miterlimit":
		s.line.MiterLimit, err = length(value)
	case "stroke-dasharray":
		s.dashes, err = dashes(value)
	case "stroke-dashoffset":
		s.dashOffset, err = length(value)
	case "visibility":
		s.hidden = value != "visible"
	}
	return err
}

func oneOf[T any](known map[string]T, value string) (T, error) {
	v, ok := known[value]
	if !ok {
		return v, fmt.Errorf("%.40q", value)
	}
	return v, nil
}

func dashes(text string) ([]float64, error) {
	if text == "none" {
		return nil, nil
	}
	var list []float64
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,\t\r\n", r) }) {
		n, err := length(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%.40q", text)
		}
		list = append(list, n)
	}
	return list, nil
}
