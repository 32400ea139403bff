// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the formats of pictures
	_ "image/png"
)

// Limits of a picture.
const (
	maxPicture = 32 << 20 // bytes
	maxPixels  = 16 << 20
)

// drawPicture draws the picture in the middle of a box.
func (d *drawing) drawPicture(to box) error {
	data := d.o.Appearance.Picture
	head, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return unshown("reading the picture: %v", err)
	}
	if len(data) > maxPicture || head.Width < 1 || head.Height < 1 || head.Width > maxPixels/head.Height {
		return unshown("a picture of %d by %d pixels and %d bytes is too large", head.Width, head.Height, len(data))
	}
	d.picture = d.allocate()
	if format == "jpeg" && head.ColorModel == color.YCbCrModel {
		err = d.putRawStream(d.picture, imageEntries(head.Width, head.Height, calibrated)+" /Filter /DCTDecode", data)
	} else {
		err = d.putPixels(data)
	}
	scale := min(to.width()/float64(head.Width), to.height()/float64(head.Height))
	w, h := scale*float64(head.Width), scale*float64(head.Height)
	fmt.Fprintf(&d.content, "q %s 0 0 %s %s %s cm /P Do Q\n", decimals(w), decimals(h),
		decimals(to.left+(to.width()-w)/2), decimals(to.bottom+(to.height()-h)/2))
	return err
}

func imageEntries(width, height int, space string) string {
	return fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace %s", width, height, space)
}

// putPixels writes the picture pixel by pixel, its transparency as a soft mask
// (ISO 32000-2, 11.6.5.2). PDF/A-1 has no transparency: white shows through.
func (d *drawing) putPixels(data []byte) error {
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return unshown("reading the picture: %v", err)
	}
	opaque, err := d.doc.isPDFA1()
	if err != nil {
		return err
	}
	colours, mask := pixels(picture, opaque)
	b := picture.Bounds()
	entries := imageEntries(b.Dx(), b.Dy(), calibrated)
	if mask != nil {
		at := d.allocate()
		if err := d.putStream(at, imageEntries(b.Dx(), b.Dy(), "/DeviceGray"), mask); err != nil {
			return err
		}
		entries += fmt.Sprintf(" /SMask %v", at)
	}
	return d.putStream(d.picture, entries, colours)
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

// isPDFA1 reports whether the metadata claim PDF/A-1 (ISO 19005-1, 6.7.11).
func (d *Document) isPDFA1() (bool, error) {
	root, _, err := d.catalog()
	if err != nil {
		return false, err
	}
	metadata, err := as[*dict](d, root.get("Metadata"))
	if err != nil || metadata == nil || metadata.data == 0 || d.Encrypted() {
		return false, err
	}
	length, err := as[int64](d, metadata.get("Length"))
	if err != nil || length < 0 || length > min(maxObject, d.size-metadata.data) || metadata.get("Filter") != nil {
		return false, err
	}
	xmp, err := readSpan(d.src, span{metadata.data, metadata.data + length})
	for _, claim := range []string{"<pdfaid:part>1</pdfaid:part>", `pdfaid:part="1"`, "pdfaid:part='1'"} {
		if bytes.Contains(xmp, []byte(claim)) {
			return true, err
		}
	}
	return false, err
}
