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
// the text between them. Each has its share of the width at the most.
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
	parts := s.count(len(lines) > 0)
	share := free.width() / float64(parts)
	if s.picture != nil {
		room := free
		if parts > 1 {
			room.right = room.left + min(share, room.height()*s.picture.width/s.picture.height)
			free.left = room.right + stampPadding
		}
		s.pictureAt = room.fitted(s.picture.width, s.picture.height)
	}
	if s.code != nil {
		room := free
		if parts > 1 {
			room.left = room.right - min(share, room.height())
			free.right = room.left - stampPadding
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
		if l, ok := fillIn(line, words); ok {
			lines = append(lines, l)
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
