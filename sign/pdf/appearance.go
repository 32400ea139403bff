// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"math"
)

// AppearanceError says why a signature cannot be shown as asked.
type AppearanceError struct {
	Why string

	hint string
}

// Error implements error.
func (e *AppearanceError) Error() string { return "drawing the signature: " + e.Why }

// Hint says what can be done; it is empty when Why says it all.
func (e *AppearanceError) Hint() string { return e.hint }

func unshown(format string, args ...any) error {
	return &AppearanceError{Why: fmt.Sprintf(format, args...)}
}

// Appearance says where a visible signature stands and what it shows: a picture on
// the left, lines of text, a QR code on the right, or some of them; from the top
// down where its place is taller than wide. It stands upright for whoever reads
// the page, whatever its /Rotate. [Preview] draws it.
//
// In an existing field that has a place on a page, Page, Rect, Corner, Width,
// Height and Margin are not looked at.
type Appearance struct {
	// Page is the page, from 1, or from -1 for the last one backwards. Default: 1.
	Page int
	// Rect is the place in the user space of the page. Default: in the Corner.
	Rect *Rect
	// Corner is a corner of the page as its reader sees it, /CropBox and /Rotate
	// applied. Default: BottomRight.
	Corner Corner
	// Width and Height are the size of a signature in a corner, and Margin its
	// distance from both edges. Default: 200 by 60, 36 away.
	Width, Height, Margin float64

	// Lines is the text. In it {name}, {reason}, {location}, {contact}, {date} and
	// {field} stand for what the signature says; a line all of whose words so put
	// in are empty is left out. A line too long for its place is broken between
	// words, and a line feed breaks one as well. Default: name, date, reason and
	// place, unless there is a Picture or a QR code.
	Lines []string
	// FontSize is the size of the text in points. Default: as large as fits, up to
	// 12.
	FontSize float64
	// Font is a TrueType font. What the text needs of it is embedded. Default: Go
	// Regular, which has the letters of Latin, Greek and Cyrillic.
	Font []byte
	// Picture is a PNG, its transparency kept, a JPEG, or an SVG of shapes and paths
	// as drawing programs write it; what of an SVG cannot be drawn (text, filters,
	// masks, anything outside the file) is refused. An SVG is put in as 600 pixels
	// an inch. The picture is fitted into its place without being distorted.
	Picture []byte
	// QR is the text of a QR code (ISO/IEC 18004, level M, UTF-8), in which the
	// same words are put in as in Lines. Default: no code.
	QR string
	// Border draws a thin line around it all.
	Border bool
}

// Rect is a rectangle in points, 1/72 inch: its lower left corner and its size.
type Rect struct{ X, Y, Width, Height float64 }

// Corner is a corner of a page.
type Corner int

// The corners.
const (
	BottomRight Corner = iota
	BottomLeft
	TopRight
	TopLeft
)

// The size of a signature in a corner, in points.
const (
	defaultWidth  = 200
	defaultHeight = 60
	defaultMargin = 36
)

func (a *Appearance) page() int {
	if a == nil || a.Page == 0 {
		return 1
	}
	return a.Page
}

// box is a rectangle in user space.
type box struct{ left, bottom, right, top float64 }

func (b box) String() string {
	return fmt.Sprintf("[%s %s %s %s]", decimals(b.left), decimals(b.bottom), decimals(b.right), decimals(b.top))
}

func (b box) width() float64  { return b.right - b.left }
func (b box) height() float64 { return b.top - b.bottom }

func (b box) within(other box) box {
	return box{max(b.left, other.left), max(b.bottom, other.bottom), min(b.right, other.right), min(b.top, other.top)}
}

// maxCoordinate bounds the coordinates that are believed.
const maxCoordinate = 1e6

// box reads a rectangle, its corners in any order (ISO 32000-2, 7.9.5).
func (d *Document) box(o object) (box, bool, error) {
	a, err := as[*array](d, o)
	if err != nil || a == nil || len(a.items) != 4 {
		return box{}, false, err
	}
	var n [4]float64
	for i, item := range a.items {
		item, err := d.resolve(item)
		if err != nil {
			return box{}, false, err
		}
		switch v := item.(type) {
		case int64:
			n[i] = float64(v)
		case float64:
			n[i] = v
		default:
			return box{}, false, nil
		}
		if math.Abs(n[i]) > maxCoordinate {
			return box{}, false, nil
		}
	}
	return box{min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3])}, true, nil
}

// sight is the page as its reader sees it.
type sight struct {
	box     box // in user space
	quarter int // quarter turns clockwise
}

// a4 is the size of a page that does not say one.
var a4 = box{0, 0, 595, 842}

// sight reads what is visible of a page, ISO 32000-2, 14.11.2.
func (d *Document) sight(p *page) (sight, error) {
	s := sight{box: a4}
	media, ok, err := d.box(p.mediaBox)
	if err != nil {
		return s, err
	}
	if ok {
		s.box = media
	}
	crop, ok, err := d.box(p.cropBox)
	if err != nil {
		return s, err
	}
	if ok && crop.within(s.box).width() > 0 && crop.within(s.box).height() > 0 {
		s.box = crop.within(s.box)
	}
	turn, err := as[int64](d, p.rotate)
	s.quarter = int((turn/90%4 + 4) % 4)
	return s, err
}

// size is that of the page as it is seen.
func (s sight) size() (width, height float64) {
	if s.quarter%2 == 1 {
		return s.box.height(), s.box.width()
	}
	return s.box.width(), s.box.height()
}

// toUser turns a rectangle of the page as it is seen, from its lower left corner,
// into user space.
func (s sight) toUser(r Rect) box {
	w, h := s.box.width(), s.box.height()
	b := box{r.X, r.Y, r.X + r.Width, r.Y + r.Height}
	switch s.quarter {
	case 1:
		b = box{w - b.top, b.left, w - b.bottom, b.right}
	case 2:
		b = box{w - b.right, h - b.top, w - b.left, h - b.bottom}
	case 3:
		b = box{b.bottom, h - b.right, b.top, h - b.left}
	}
	return box{b.left + s.box.left, b.bottom + s.box.bottom, b.right + s.box.left, b.top + s.box.bottom}
}

// place returns where on the page the signature stands.
func (a *Appearance) place(s sight) (box, error) {
	b := a.corner(s)
	if a.Rect != nil {
		b = box{a.Rect.X, a.Rect.Y, a.Rect.X + a.Rect.Width, a.Rect.Y + a.Rect.Height}
	}
	if !(b.width() > 0 && b.height() > 0) {
		return b, unshown("its place has no area")
	}
	if b.within(s.box) != b {
		return b, unshown("its place %v is not all on the page, which is %v", b, s.box)
	}
	return b, nil
}

func (a *Appearance) corner(s sight) box {
	width, height := s.size()
	r := Rect{Width: positive(a.Width, defaultWidth), Height: positive(a.Height, defaultHeight)}
	margin := positive(a.Margin, defaultMargin)
	r.X, r.Y = margin, margin
	if a.Corner == BottomRight || a.Corner == TopRight {
		r.X = width - margin - r.Width
	}
	if a.Corner == TopLeft || a.Corner == TopRight {
		r.Y = height - margin - r.Height
	}
	return s.toUser(r)
}

func positive(n, otherwise float64) float64 {
	if n > 0 {
		return n
	}
	return otherwise
}
