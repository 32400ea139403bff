// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"image"
	"image/color"
	"io"
	"math"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"golang.org/x/image/draw"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

const pointsPerInch = 72.0

// maxPreview is how many pixels a preview has.
const maxPreview = 16 << 20

// Preview draws the visible signature that [Sign] would put into the file, upright
// and on white paper, with so many pixels an inch; fewer when it would have more
// than 16 million of them. Nothing is signed and no key is needed. Of o.Signer the
// certificate is used where it is given; o.Name stands for {name} before it does.
//
// What Sign would refuse is refused, with the same errors. Without o.Appearance
// there is nothing to see, which is an *[AppearanceError].
func Preview(src io.ReaderAt, size int64, o SignOptions, resolution float64) (image.Image, error) {
	if o.Appearance == nil {
		return nil, unshown("it is an invisible one")
	}
	if !(resolution > 0) {
		return nil, unshown("a picture of %g pixels an inch", resolution)
	}
	d, err := OpenWith(src, size, OpenOptions{Password: o.Password})
	if err != nil {
		return nil, err
	}
	p, err := d.plan(o)
	if err != nil {
		return nil, err
	}
	s, err := p.sketched()
	if err != nil {
		return nil, err
	}
	scale := resolution / pointsPerInch
	return s.paint(min(scale, math.Sqrt(maxPreview/(s.width*s.height))))
}

// sketched lays the signature out where it would stand.
func (p *plan) sketched() (*sketch, error) {
	if f := p.target.existing; f != nil {
		widget, at, err := p.widget(f)
		if err != nil {
			return nil, err
		}
		place, quarter, _, err := p.fieldPlace(f, widget, at)
		if err != nil {
			return nil, err
		}
		return p.sketch(place, quarter)
	}
	page, err := p.doc.page(p.o.Appearance.page())
	if err != nil {
		return nil, err
	}
	seen, err := p.doc.sight(page)
	if err != nil {
		return nil, err
	}
	place, err := p.o.Appearance.place(seen)
	if err != nil {
		return nil, err
	}
	if err := p.leavesRoom(place, seen, page, 0); err != nil {
		return nil, err
	}
	return p.sketch(place, seen.quarter)
}

// painting is a sketch on its way to pixels.
type painting struct {
	*sketch
	*raster.Canvas
	scale float64 // pixels a point
}

var (
	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	black = color.NRGBA{A: 0xff}
)

// paint draws with so many pixels a point.
func (s *sketch) paint(scale float64) (image.Image, error) {
	pixels := func(points float64) int { return max(int(math.Ceil(points*scale-1e-6)), 1) }
	width, height := pixels(s.width), pixels(s.height)
	work := math.MaxInt // its size bounds the work
	p := &painting{s, raster.NewCanvas(width, height, &work), scale}
	draw.Draw(p.Image, p.Image.Rect, image.NewUniform(white), image.Point{}, draw.Src)
	for _, part := range []func() error{p.paintPicture, p.paintText, p.paintCode, p.paintBorder} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return p.Image, nil
}

// at is a point of the sketch in pixels.
func (p *painting) at(x, y float64) raster.Point {
	return raster.Point{X: x * p.scale, Y: (p.height - y) * p.scale}
}

// rectangle goes round a box.
func (p *painting) rectangle(b box) raster.Subpath {
	return raster.Subpath{Points: []raster.Point{
		p.at(b.left, b.bottom), p.at(b.right, b.bottom), p.at(b.right, b.top), p.at(b.left, b.top),
	}, Closed: true}
}

func (p *painting) paintPicture() error {
	if p.picture == nil {
		return nil
	}
	m, err := p.picture.image(p.pictureAt)
	if err != nil {
		return err
	}
	from, to := p.at(p.pictureAt.left, p.pictureAt.top), p.at(p.pictureAt.right, p.pictureAt.bottom)
	round := func(n float64) int { return int(math.Round(n)) }
	place := image.Rect(round(from.X), round(from.Y), max(round(to.X), round(from.X)+1), max(round(to.Y), round(from.Y)+1))
	draw.CatmullRom.Scale(p.Image, place, m, m.Bounds(), draw.Over, nil)
	return nil
}

func (p *painting) paintText() error {
	if p.text == nil {
		return nil
	}
	pen := raster.Pen{Flatness: 0.05}
	p.text.each(func(g glyph, x, y float64) {
		scale := p.text.size / float64(p.text.face.face.Upem())
		p.outline(&pen, p.text.face.used[g.number], func(at opentype.SegmentPoint) raster.Point {
			return p.at(x+float64(at.X)*scale, y+float64(at.Y)*scale)
		})
	})
	return p.Fill(pen.Path(), raster.NonZero, raster.Solid(black))
}

// outline draws a glyph.
func (p *painting) outline(pen *raster.Pen, g font.GID, at func(opentype.SegmentPoint) raster.Point) {
	glyph, ok := p.text.face.face.GlyphData(g).(font.GlyphOutline)
	if !ok {
		return
	}
	for _, s := range glyph.Segments {
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			pen.MoveTo(at(s.Args[0]))
		case opentype.SegmentOpLineTo:
			pen.LineTo(at(s.Args[0]))
		case opentype.SegmentOpQuadTo:
			pen.QuadTo(at(s.Args[0]), at(s.Args[1]))
		case opentype.SegmentOpCubeTo:
			pen.CubeTo(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
}

func (p *painting) paintCode() error {
	if p.code == nil {
		return nil
	}
	if err := p.Fill(raster.Path{p.rectangle(p.codeAt)}, raster.NonZero, raster.Solid(white)); err != nil {
		return err
	}
	module := p.codeAt.width() / float64(p.code.size+2*quietZone)
	var path raster.Path
	p.code.bars(func(x, y, length int) {
		left, top := p.codeAt.left+float64(x)*module, p.codeAt.top-float64(y)*module
		path = append(path, p.rectangle(box{left, top - module, left + float64(length)*module, top}))
	})
	return p.Fill(path, raster.NonZero, raster.Solid(black))
}

func (p *painting) paintBorder() error {
	if !p.border {
		return nil
	}
	outer := box{0, 0, p.width, p.height}
	inner := box{borderWidth, borderWidth, p.width - borderWidth, p.height - borderWidth}
	return p.Fill(raster.Path{p.rectangle(outer), p.rectangle(inner)}, raster.EvenOdd, raster.Solid(black))
}
