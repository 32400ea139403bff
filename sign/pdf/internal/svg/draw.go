// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

// Limits of drawing.
const (
	maxNested = 16     // uses in each other
	maxLayers = 6      // groups in each other that are drawn apart
	maxDashes = 50_000 // of a path
	baseWork  = 10_000_000
	workRatio = 12 // for each pixel
	farthest  = 1e7
)

// Draw draws the picture, fitted into so many pixels. Where nothing is drawn the
// image is transparent.
func (p *Picture) Draw(width, height int) (*image.RGBA, error) {
	work := baseWork + workRatio*width*height
	d := &drawing{p: p, canvas: raster.NewCanvas(width, height, &work)}
	scale := math.Min(float64(width)/p.width, float64(height)/p.height)
	m := matrix{scale, 0, 0, scale, (float64(width)-scale*p.width)/2 - scale*p.x, (float64(height)-scale*p.height)/2 - scale*p.y}
	root, err := initial.below(p.properties(p.root))
	if err != nil {
		return nil, err
	}
	if err := d.children(p.root, root, m); err != nil {
		return nil, err
	}
	return d.canvas.Image, nil
}

// drawing is a picture being drawn.
type drawing struct {
	p      *Picture
	canvas *raster.Canvas
	nested int // uses around
	layers int // layers around
}

func (d *drawing) children(e *element, s style, m matrix) error {
	for _, k := range e.kids {
		if err := d.draw(k, s, m); err != nil {
			return err
		}
	}
	return nil
}

// silent are elements that show nothing by themselves.
var silent = map[string]bool{
	"defs": true, "title": true, "desc": true, "metadata": true, "style": true,
	"linearGradient": true, "radialGradient": true, "clipPath": true, "mask": true, "filter": true, "pattern": true,
	"marker": true, "symbol": true,
}

// draw draws an element and what is in it.
func (d *drawing) draw(e *element, s style, m matrix) error {
	if silent[e.name] {
		return nil
	}
	if err := d.canvas.Spend(100 + len(d.p.rules)); err != nil {
		return err
	}
	props := d.p.properties(e)
	if props["display"] == "none" {
		return nil
	}
	s, err := s.below(props)
	if err != nil {
		return err
	}
	own, err := parseTransform(props["transform"])
	if err != nil {
		return err
	}
	opacity, err := share(orOne(props["opacity"]))
	if err != nil {
		return err
	}
	inner := func() error { return d.content(e, s, m.times(own)) }
	clip := props["clip-path"]
	if clip == "none" {
		clip = ""
	}
	if opacity == 1 && clip == "" {
		return inner()
	}
	return d.layer(clip, m.times(own), opacity, inner)
}

func orOne(text string) string {
	if text == "" {
		return "1"
	}
	return text
}

func (d *drawing) content(e *element, s style, m matrix) error {
	switch e.name {
	case "g", "a":
		return d.children(e, s, m)
	case "use":
		return d.use(e, s, m)
	case "path", "rect", "circle", "ellipse", "line", "polyline", "polygon":
		return d.shape(e, s, m)
	case "text":
		return errors.New("the SVG has <text>: make it a path (in Inkscape: Path, Object to Path)")
	}
	return fmt.Errorf("the SVG has <%.40s>, which is not drawn here; a PNG is an alternative", e.name)
}

func (d *drawing) use(e *element, s style, m matrix) error {
	href := e.attrs["href"]
	target := d.p.byID[strings.TrimPrefix(href, "#")]
	if !strings.HasPrefix(href, "#") || target == nil || silent[target.name] {
		return fmt.Errorf("the SVG uses %.40q, which is no shape of this file", href)
	}
	n, err := lengths(e, "x", "y")
	if err != nil {
		return err
	}
	if d.nested++; d.nested > maxNested {
		return fmt.Errorf("the SVG has <use> in <use> more than %d deep", maxNested)
	}
	defer func() { d.nested-- }()
	return d.draw(target, s, m.times(matrix{1, 0, 0, 1, n[0], n[1]}))
}

// shape fills and strokes.
func (d *drawing) shape(e *element, s style, m matrix) error {
	scale := m.scale()
	if s.hidden || !(scale > 0) || math.IsInf(scale, 0) {
		return nil
	}
	const fine = 0.1 // pixels
	path, err := d.outline(e, fine/scale)
	if err != nil {
		return err
	}
	box := extent(path)
	paint, err := d.paint(s.fill, s.fillOpacity, s, m, box)
	if err == nil && paint != nil {
		err = d.fill(path, s.fillRule, m, paint)
	}
	if err != nil {
		return err
	}
	if !(s.line.Width > 0) {
		return nil
	}
	if paint, err = d.paint(s.stroke, s.strokeOpacity, s, m, box); err != nil || paint == nil {
		return err
	}
	if path, err = path.Dashed(s.dashes, s.dashOffset, maxDashes); err != nil {
		return err
	}
	line := s.line
	line.Flatness = fine / scale
	return d.fill(line.Outline(path), raster.NonZero, m, paint)
}

// outline reads a shape. Its text costs work, since it may be used many times.
func (d *drawing) outline(e *element, flatness float64) (raster.Path, error) {
	if err := d.canvas.Spend(10 * (len(e.attrs["d"]) + len(e.attrs["points"]))); err != nil {
		return nil, err
	}
	path, err := outline(e, flatness)
	if err == nil && len(path) > 0 {
		points := 0
		for _, s := range path {
			points += len(s.Points)
		}
		err = d.canvas.Spend(20 * points)
	}
	return path, err
}

func (d *drawing) fill(path raster.Path, rule raster.Rule, m matrix, paint raster.Paint) error {
	path, err := placed(path, m)
	if err != nil {
		return err
	}
	return d.canvas.Fill(path, rule, paint)
}

// placed puts a path where it is in pixels.
func placed(path raster.Path, m matrix) (raster.Path, error) {
	tooFar := false
	path = path.Transformed(func(p raster.Point) raster.Point {
		p = m.apply(p)
		tooFar = tooFar || !(math.Abs(p.X) < farthest && math.Abs(p.Y) < farthest)
		return p
	})
	if tooFar {
		return nil, errors.New("the SVG draws too far outside of its picture")
	}
	return path, nil
}

// extent is the smallest rectangle that holds a path: left, top, right, bottom.
func extent(path raster.Path) [4]float64 {
	box := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, s := range path {
		for _, p := range s.Points {
			box[0], box[1] = math.Min(box[0], p.X), math.Min(box[1], p.Y)
			box[2], box[3] = math.Max(box[2], p.X), math.Max(box[3], p.Y)
		}
	}
	return box
}

// paint makes a paint of the value of fill or stroke; nil paints nothing.
func (d *drawing) paint(value string, opacity float64, s style, m matrix, box [4]float64) (raster.Paint, error) {
	if id, otherwise, ok := reference(value); ok {
		if e := d.p.byID[id]; e != nil && isGradient(e) {
			return d.p.gradient(e, m, box, opacity)
		}
		if otherwise == "" {
			return nil, fmt.Errorf("the SVG paints with %.40q, which is no gradient of this file", value)
		}
		value = otherwise
	}
	switch value {
	case "none", "":
		return nil, nil
	case "currentColor", "currentcolor":
		return raster.Solid(faded(s.colour, opacity)), nil
	}
	c, err := parseColour(value)
	if err != nil {
		return nil, fmt.Errorf("the SVG has a colour that is not understood: %w", err)
	}
	return raster.Solid(faded(c, opacity)), nil
}

// layer draws apart, and lays what is inside the clip path over the rest.
func (d *drawing) layer(clip string, m matrix, opacity float64, draw func() error) error {
	if d.layers++; d.layers > maxLayers {
		return fmt.Errorf("the SVG has groups with opacity or clip paths more than %d deep", maxLayers)
	}
	below := d.canvas
	defer func() { d.canvas = below; d.layers-- }()
	size := below.Image.Rect.Size()
	if err := below.Spend(2 * size.X * size.Y); err != nil {
		return err
	}
	d.canvas = raster.NewCanvas(size.X, size.Y, below.Effort)
	if err := draw(); err != nil {
		return err
	}
	var mask *image.RGBA
	if clip != "" {
		var err error
		if mask, err = d.clipMask(clip, m); err != nil {
			return err
		}
	}
	below.Lay(d.canvas.Image, mask, opacity)
	return nil
}

// clipMask draws the shapes of a clip path: what is opaque is inside of it.
func (d *drawing) clipMask(value string, m matrix) (*image.RGBA, error) {
	id, _, _ := reference(value)
	clip := d.p.byID[id]
	if clip == nil || clip.name != "clipPath" {
		return nil, fmt.Errorf("the SVG clips with %.40q, which is no clip path of this file", value)
	}
	if clip.attrs["clipPathUnits"] == "objectBoundingBox" || clip.attrs["clip-path"] != "" {
		return nil, errors.New("the SVG has a clip path of a kind that is not drawn here; a PNG is an alternative")
	}
	own, err := parseTransform(clip.attrs["transform"])
	if err != nil {
		return nil, err
	}
	size := d.canvas.Image.Rect.Size()
	if err := d.canvas.Spend(size.X * size.Y); err != nil {
		return nil, err
	}
	mask := &drawing{p: d.p, canvas: raster.NewCanvas(size.X, size.Y, d.canvas.Effort)}
	for _, e := range clip.kids {
		if err := mask.clipShape(e, m.times(own), 0); err != nil {
			return nil, err
		}
	}
	return mask.canvas.Image, nil
}

// clipShape draws one shape of a clip path, in any colour.
func (d *drawing) clipShape(e *element, m matrix, depth int) error {
	props := d.p.properties(e)
	own, err := parseTransform(props["transform"])
	if err != nil || silent[e.name] {
		return err
	}
	m = m.times(own)
	if target := d.p.byID[strings.TrimPrefix(e.attrs["href"], "#")]; e.name == "use" && target != nil && depth < maxNested {
		n, err := lengths(e, "x", "y")
		if err != nil {
			return err
		}
		return d.clipShape(target, m.times(matrix{1, 0, 0, 1, n[0], n[1]}), depth+1)
	}
	s, err := initial.below(props)
	if err != nil {
		return err
	}
	if clip := props["clip-path"]; clip != "" && clip != "none" {
		return errors.New("the SVG has a clip path of a kind that is not drawn here; a PNG is an alternative")
	}
	s.fill, s.fillOpacity, s.fillRule = "black", 1, s.clipRule
	s.stroke = "none"
	if e.name == "g" {
		return errors.New("the SVG has a clip path with a group in it")
	}
	return d.content(e, s, m)
}
