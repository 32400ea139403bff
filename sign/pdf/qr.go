// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"image"

	"github.com/boombuler/barcode/qr"
)

// qrCode is a QR code (ISO/IEC 18004), error correction level M.
type qrCode struct {
	modules image.Image // one pixel for each
	size    int         // modules on each side
}

const (
	quietZone  = 4   // modules of white around a code
	minModule  = 0.6 // points; what a camera still reads of a good print
	maxQRBytes = 2331
)

func newQRCode(content string) (*qrCode, error) {
	if len(content) > maxQRBytes {
		return nil, unshown("a QR code holds %d bytes, and not the %d of its text", maxQRBytes, len(content))
	}
	m, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return nil, unshown("making its QR code: %v", err)
	}
	return &qrCode{m, m.Bounds().Dx()}, nil
}

// readable refuses a place that is too small.
func (c *qrCode) readable(at box) error {
	all := float64(c.size + 2*quietZone)
	if at.width() >= all*minModule {
		return nil
	}
	return unshown("its QR code needs %s by %s points, and has %s by %s", decimals(all*minModule), decimals(all*minModule),
		decimals(at.width()), decimals(at.height()))
}

// bars calls draw for each row of dark modules side by side: from the upper left
// corner of the quiet zone, in modules.
func (c *qrCode) bars(draw func(x, y, length int)) {
	for y := range c.size {
		from := 0
		for x := range c.size + 1 {
			switch dark := x < c.size && c.dark(x, y); {
			case !dark && from < x:
				draw(from+quietZone, y+quietZone, x-from)
				from = x + 1
			case !dark:
				from = x + 1
			}
		}
	}
}

func (c *qrCode) dark(x, y int) bool {
	r, _, _, _ := c.modules.At(x, y).RGBA()
	return r == 0
}

// write draws the code on white ground. All of it is one path, so that no seams
// show between the modules.
func (c *qrCode) write(b *bytes.Buffer, at box) {
	all := c.size + 2*quietZone
	fmt.Fprintf(b, "q /C cs 1 1 1 sc %s %s %s %s re f\n", decimals(at.left), decimals(at.bottom), decimals(at.width()), decimals(at.height()))
	scale := at.width() / float64(all)
	fmt.Fprintf(b, "%.6f 0 0 %.6f %s %s cm 0 0 0 sc\n", scale, scale, decimals(at.left), decimals(at.bottom))
	c.bars(func(x, y, length int) {
		fmt.Fprintf(b, "%d %d %d 1 re\n", x, all-1-y, length)
	})
	b.WriteString("f Q\n")
}
