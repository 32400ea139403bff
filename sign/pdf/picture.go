// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the formats of pictures
	_ "image/png"

	"github.com/pectoken/pectoken/sign/pdf/internal/svg"
)

// Limits of a picture.
const (
	maxPicture = 32 << 20 // bytes
	maxPixels  = 16 << 20
)

// picture is the picture of a signature.
type picture struct {
	data          []byte
	width, height float64      // its shape
	vector        *svg.Picture // of an SVG
	ready         bool         // a JPEG that PDF can have as it is
}

// readPicture reads what a picture is, and not yet its pixels.
func readPicture(data []byte) (*picture, error) {
	if len(data) > maxPicture {
		return nil, unshown("a picture of %d bytes is too large", len(data))
	}
	head, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil && svg.Recognize(data) {
		return readVector(data)
	}
	if err != nil {
		return nil, unshown("reading the picture: %v", err)
	}
	if head.Width < 1 || head.Height < 1 || head.Width > maxPixels/head.Height {
		return nil, unshown("a picture of %d by %d pixels is too large", head.Width, head.Height)
	}
	ready := format == "jpeg" && head.ColorModel == color.YCbCrModel
	return &picture{data: data, width: float64(head.Width), height: float64(head.Height), ready: ready}, nil
}

func readVector(data []byte) (*picture, error) {
	v, err := svg.Parse(data)
	if err != nil {
		return nil, unshown("reading the picture: %v", err)
	}
	width, height := v.Size()
	return &picture{data: data, width: width, height: height, vector: v}, nil
}

// An SVG is drawn with so many pixels.
const (
	vectorResolution = 600  // an inch
	maxVectorSide    = 1500 // on a side
)

// image returns the pixels, of an SVG as many as its place needs.
func (p *picture) image(at box) (image.Image, error) {
	if p.vector != nil {
		scale := min(vectorResolution/pointsPerInch, maxVectorSide/max(at.width(), at.height()))
		m, err := p.vector.Draw(max(int(at.width()*scale+0.5), 1), max(int(at.height()*scale+0.5), 1))
		if err != nil {
			return nil, unshown("drawing the picture: %v", err)
		}
		return m, nil
	}
	m, _, err := image.Decode(bytes.NewReader(p.data))
	if err != nil {
		return nil, unshown("reading the picture: %v", err)
	}
	return m, nil
}

// putPicture writes the picture as an image XObject.
func (p *plan) putPicture(from *picture, place box, page *dict) (ref, error) {
	at := p.allocate()
	if from.ready {
		return at, p.putRawStream(at, imageEntries(int(from.width), int(from.height), calibrated)+" /Filter /DCTDecode", from.data)
	}
	m, err := from.image(place)
	if err != nil {
		return at, err
	}
	opaque, err := p.doc.wantsOpaque(page)
	if err != nil {
		return at, err
	}
	return at, p.putPixels(at, m, opaque)
}

func imageEntries(width, height int, space string) string {
	return fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace %s", width, height, space)
}

// putPixels writes a picture pixel by pixel, its transparency as a soft mask
// (ISO 32000-2, 11.6.5.2).
func (p *plan) putPixels(at ref, m image.Image, opaque bool) error {
	colours, mask := pixels(m, opaque)
	b := m.Bounds()
	entries := imageEntries(b.Dx(), b.Dy(), calibrated)
	if mask != nil {
		maskAt := p.allocate()
		if err := p.putStream(maskAt, imageEntries(b.Dx(), b.Dy(), "/DeviceGray"), mask); err != nil {
			return err
		}
		entries += fmt.Sprintf(" /SMask %v", maskAt)
	}
	return p.putStream(at, entries, colours)
}

// pixels returns three bytes a pixel and, unless all are opaque, one of opacity.
func pixels(picture image.Image, opaque bool) (colours, mask []byte) {
	b := picture.Bounds()
	whole := true
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			if opaque {
				c = onWhite(c)
			}
			whole = whole && c.A == 0xff
			colours = append(colours, c.R, c.G, c.B)
			mask = append(mask, c.A)
		}
	}
	if whole {
		mask = nil
	}
	return colours, mask
}

// onWhite mixes a colour with the white behind it.
func onWhite(c color.NRGBA) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 0xff*(0xff-int(c.A))) / 0xff) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// wantsOpaque reports whether a picture must have no transparency, and white shows
// through: in PDF/A-1 (ISO 19005-1, 6.4), and later where no colour space is given
// to blend in, by an output intent or by the page (ISO 19005-2, 6.2.10).
func (d *Document) wantsOpaque(page *dict) (bool, error) {
	root, _, err := d.catalog()
	if err != nil {
		return false, err
	}
	part, err := d.archivePart(root)
	if err != nil || part == 0 {
		return false, err
	}
	return part == 1 || root.get("OutputIntents") == nil && (page == nil || page.get("Group") == nil), nil
}

// lastArchivePart is the number of the last part of PDF/A, ISO 19005-4.
const lastArchivePart = 4

// archivePart is the part of PDF/A that the metadata claim; 0 for none.
func (d *Document) archivePart(root *dict) (int, error) {
	metadata, err := as[*dict](d, root.get("Metadata"))
	if err != nil || metadata == nil || metadata.data == 0 || d.Encrypted() {
		return 0, err
	}
	length, err := as[int64](d, metadata.get("Length"))
	if err != nil || length < 0 || length > min(maxObject, d.size-metadata.data) || metadata.get("Filter") != nil {
		return 0, err
	}
	xmp, err := readSpan(d.src, span{metadata.data, metadata.data + length})
	for part := 1; part <= lastArchivePart; part++ {
		for _, claim := range []string{"<pdfaid:part>%d</pdfaid:part>", `pdfaid:part="%d"`, "pdfaid:part='%d'"} {
			if bytes.Contains(xmp, fmt.Appendf(nil, claim, part)) {
				return part, err
			}
		}
	}
	return 0, err
}
