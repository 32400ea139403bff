// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"strings"
)

// sketch is a signature laid out, in points from its lower left corner, upright
// as it is read. It is written into the document and painted for [Preview].
type sketch struct {
	width, height float64
	picture       *picture
	pictureAt     box
	text          *textBlock
	code          *qrCode
	codeAt        box
	border        bool
}

// stampPadding is the distance between the parts, in points.
const stampPadding = 3.0

// sketch lays the parts out: the picture on the left, the QR code on the right,
// the text between them; in a place that is taller than wide from the top down.
// Each has its share of the length at the most.
func (p *plan) sketch(place box, quarter int) (*sketch, error) {
	s := &sketch{width: place.width(), height: place.height(), border: p.o.Appearance.Border}
	if quarter%2 == 1 {
		s.width, s.height = s.height, s.width
	}
	free := box{stampPadding, stampPadding, s.width - stampPadding, s.height - stampPadding}
	if !(free.width() > 0 && free.height() > 0) {
		return nil, unshown("its place of %s by %s points is too small", decimals(s.width), decimals(s.height))
	}
	lines, err := p.settle(s)
	if err != nil {
		return nil, err
	}
	parts, down := s.count(len(lines) > 0), free.height() > free.width()
	if s.picture != nil {
		room := free
		if parts > 1 {
			room, free = free.cut(parts, s.picture.width/s.picture.height, down)
			parts--
		}
		s.pictureAt = room.fitted(s.picture.width, s.picture.height)
	}
	if s.code != nil {
		room := free
		if parts > 1 {
			free, room = free.cutEnd(parts, down)
		}
		s.codeAt = room.fitted(1, 1)
		if err := s.code.readable(s.codeAt); err != nil {
			return nil, err
		}
	}
	if len(lines) > 0 {
		s.text, err = setText(p.o.Appearance, free, lines)
	}
	return s, err
}

// cut cuts the begin of a box off, for a thing of a shape (its width by its
// height), one of so many parts: the top when they go down, or else the left.
func (b box) cut(parts int, shape float64, down bool) (begin, rest box) {
	begin, rest = b, b
	if down {
		begin.bottom = b.top - min(b.height()/float64(parts), b.width()/shape)
		rest.top = begin.bottom - stampPadding
	} else {
		begin.right = b.left + min(b.width()/float64(parts), b.height()*shape)
		rest.left = begin.right + stampPadding
	}
	return begin, rest
}

// cutEnd cuts a square off the end, in the same way.
func (b box) cutEnd(parts int, down bool) (rest, end box) {
	rest, end = b, b
	if down {
		end.top = b.bottom + min(b.height()/float64(parts), b.width())
		rest.bottom = end.top + stampPadding
	} else {
		end.left = b.right - min(b.width()/float64(parts), b.height())
		rest.right = end.left - stampPadding
	}
	return rest, end
}

// settle reads what is shown, and returns the lines of text.
func (p *plan) settle(s *sketch) ([]string, error) {
	a, words := p.o.Appearance, p.words()
	var err error
	if len(a.Picture) > 0 {
		if s.picture, err = readPicture(a.Picture); err != nil {
			return nil, err
		}
	}
	if content, ok := fillIn(a.QR, words); ok && content != "" {
		if s.code, err = newQRCode(content); err != nil {
			return nil, err
		}
	}
	return a.lines(words), nil
}

// count is how many parts there are, at least one.
func (s *sketch) count(text bool) int {
	n := 0
	for _, there := range []bool{text, s.picture != nil, s.code != nil} {
		if there {
			n++
		}
	}
	return max(n, 1)
}

// fitted is the largest box of a shape that b has room for, in its middle.
func (b box) fitted(width, height float64) box {
	scale := min(b.width()/width, b.height()/height)
	width, height = scale*width, scale*height
	left, bottom := b.left+(b.width()-width)/2, b.bottom+(b.height()-height)/2
	return box{left, bottom, left + width, bottom + height}
}

// defaultLines are the words of a signature that nobody worded.
var defaultLines = []string{"Firmato digitalmente da {name}", "Data: {date}", "Motivo: {reason}", "Luogo: {location}"}

// lines puts what the signature says into the lines of the template.
func (a *Appearance) lines(words map[string]string) []string {
	template := a.Lines
	if template == nil && len(a.Picture) == 0 && a.QR == "" {
		template = defaultLines
	}
	var lines []string
	for _, line := range template {
		for line := range strings.SplitSeq(line, "\n") {
			if l, ok := fillIn(strings.TrimSuffix(line, "\r"), words); ok {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// words are what the names in a template stand for.
func (p *plan) words() map[string]string {
	signer := p.o.Name
	if c := p.o.Signer.Certificate; signer == "" && c != nil {
		signer = c.Subject.CommonName
	}
	return map[string]string{
		"{name}": signer, "{reason}": p.o.Reason, "{location}": p.o.Location, "{contact}": p.o.ContactInfo,
		"{date}": p.o.SigningTime.Format("2006-01-02 15:04:05 -07:00"), "{field}": p.target.name,
	}
}

// fillIn replaces the names in a line. It is not ok when there were some and
// all stand for nothing.
func fillIn(line string, words map[string]string) (filled string, ok bool) {
	names, full := 0, 0
	var pairs []string
	for name, word := range words {
		if strings.Contains(line, name) {
			names++
			if word != "" {
				full++
			}
		}
		pairs = append(pairs, name, word)
	}
	return strings.NewReplacer(pairs...).Replace(line), names == 0 || full > 0
}
