// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"strings"
)

// textBlock is lines of text in their place.
type textBlock struct {
	face *typeface
	size float64 // of the font, in points
	rows []line
	in   box
}

// Sizes of text in points.
const (
	maxFontSize  = 12.0
	minFontSize  = 2.0
	fontSizeStep = 0.25
	lineHeight   = 1.2 // of the font size
)

// setText sets lines in a box. Lines too long for it are broken between words.
func setText(a *Appearance, in box, lines []string) (*textBlock, error) {
	face, err := openFont(a.Font)
	if err != nil {
		return nil, err
	}
	measured := make([][]word, len(lines))
	for i, text := range lines {
		if measured[i], err = face.words(text); err != nil {
			return nil, err
		}
	}
	b := &textBlock{face: face, in: in}
	var rows []string
	if a.FontSize > 0 {
		b.size = a.FontSize
		rows = broken(measured, in.width()*em/b.size)
	} else {
		b.size, rows = largest(in, measured)
	}
	if rows == nil || b.size*lineHeight*float64(len(rows)) > in.height()+1e-9 {
		return nil, unshown("its text does not fit into %s by %s points", decimals(in.width()), decimals(in.height()))
	}
	face.forget()
	for _, text := range rows {
		l, err := face.set(text)
		if err != nil {
			return nil, err
		}
		b.rows = append(b.rows, l)
		if a.FontSize <= 0 && l.width > 0 { // words set together may need a little more
			b.size = min(b.size, in.width()*em/float64(l.width))
		}
	}
	return b, nil
}

// word is a word of a line, as wide as in thousandths of the font size.
type word struct {
	text  string
	width float64
}

// words measures the words of a line, and the space between two.
func (t *typeface) words(text string) ([]word, error) {
	space, err := t.set(" ")
	if err != nil {
		return nil, err
	}
	list := []word{{" ", float64(space.width)}}
	for _, s := range strings.Fields(strings.Map(printable, text)) {
		l, err := t.set(s)
		if err != nil {
			return nil, err
		}
		list = append(list, word{s, float64(l.width)})
	}
	return list, nil
}

// whole is how much smaller text may be for no line to be broken.
const whole = 0.8

// largest finds the largest size at which the text fits, and its rows; none when
// there is no such size.
func largest(in box, lines [][]word) (float64, []string) {
	best, bestRows := 0.0, []string(nil)
	for size := maxFontSize; size >= minFontSize; size -= fontSizeStep {
		if best > 0 && size < whole*best {
			break
		}
		rows := broken(lines, in.width()*em/size)
		if rows == nil || size*lineHeight*float64(len(rows)) > in.height() {
			continue
		}
		if len(rows) == len(lines) {
			return size, rows
		}
		if best == 0 {
			best, bestRows = size, rows
		}
	}
	return best, bestRows
}

// broken breaks lines into rows that are no wider than width; nil when a word is.
func broken(lines [][]word, width float64) []string {
	rows := make([]string, 0, len(lines))
	for _, line := range lines {
		space, row, used := line[0].width, []string(nil), 0.0
		for _, w := range line[1:] {
			if w.width > width {
				return nil
			}
			if row != nil && used+space+w.width > width {
				rows, row, used = append(rows, strings.Join(row, " ")), nil, 0
			}
			if row != nil {
				used += space
			}
			row, used = append(row, w.text), used+w.width
		}
		rows = append(rows, strings.Join(row, " "))
	}
	return rows
}

// each calls draw for each glyph with the place of its origin.
func (b *textBlock) each(draw func(g glyph, x, y float64)) {
	top := b.in.top - (b.in.height()-b.size*lineHeight*float64(len(b.rows)))/2
	for i, l := range b.rows {
		x, y := b.in.left, top-b.size*(lineHeight*float64(i)+1)
		if l.toRight {
			x = b.in.right - float64(l.width)*b.size/em
		}
		pen := 0
		for _, g := range l.glyphs {
			draw(g, x+float64(pen+g.x)*b.size/em, y+float64(g.y)*b.size/em)
			pen += g.advance
		}
	}
}
