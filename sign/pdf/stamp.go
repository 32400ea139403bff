// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strconv"
	"strings"
)

// stamp is what a signature looks like, drawn.
type stamp struct {
	rect    box
	quarter int
	form    ref // the form XObject
}

// entries writes what a widget has of its appearance, ISO 32000-2, 12.5.5. A
// signature that nobody sees has no area; PDF/A asks for no appearance then.
func (s *stamp) entries() string {
	if s == nil {
		return " /Rect [0 0 0 0]"
	}
	more := ""
	if s.quarter != 0 {
		more = fmt.Sprintf(" /MK << /R %d >>", 90*s.quarter)
	}
	return fmt.Sprintf(" /Rect %v /AP << /N %v >>%s", s.rect, s.form, more)
}

// stampOn draws the signature on a page; nil for an invisible one.
func (p *plan) stampOn(page *page) (*stamp, error) {
	if p.o.Appearance == nil {
		return nil, nil
	}
	seen, err := p.doc.sight(page)
	if err != nil {
		return nil, err
	}
	place, err := p.o.Appearance.place(seen)
	if err != nil {
		return nil, err
	}
	form, err := p.draw(place, seen.quarter)
	return &stamp{place, seen.quarter, form}, err
}

// stampField draws the signature where an existing field has its place.
func (p *plan) stampField(f *field) error {
	if p.o.Appearance == nil {
		return nil
	}
	widget, at, err := p.widget(f)
	if err != nil {
		return err
	}
	place, ok, err := p.doc.box(widget.get("Rect"))
	if err != nil {
		return err
	}
	if !ok || !(place.width() > 0 && place.height() > 0) {
		return unshown("the field %q has no place on a page", f.name)
	}
	quarter, err := p.turn(widget)
	if err != nil {
		return err
	}
	form, err := p.draw(place, quarter)
	p.edit(at, widget, change{"AP", fmt.Appendf(nil, "<< /N %v >>", form)}, change{key: "AS"})
	return err
}

// widget returns the one widget of a field.
func (p *plan) widget(f *field) (*dict, ref, error) {
	kids, err := as[*array](p.doc, f.dict.get("Kids"))
	if err != nil || kids == nil {
		return f.dict, f.at, err
	}
	if len(kids.items) == 1 {
		at, _ := kids.items[0].(ref)
		kid, err := as[*dict](p.doc, at)
		if kid != nil || err != nil {
			return kid, at, err
		}
	}
	return nil, ref{}, unshown("the field %q does not have one place on a page", f.name)
}

// turn is how a widget's page is turned, as far as the widget tells its page.
func (p *plan) turn(widget *dict) (int, error) {
	node, err := as[*dict](p.doc, widget.get("P"))
	for range maxFieldDepth {
		if err != nil || node == nil {
			return 0, err
		}
		if turn, err := as[int64](p.doc, node.get("Rotate")); err != nil || turn != 0 {
			return int((turn/90%4 + 4) % 4), err
		}
		node, err = as[*dict](p.doc, node.get("Parent"))
	}
	return 0, err
}

// turns are the matrices that keep a drawing upright on a page turned clockwise.
var turns = [...]string{"", " /Matrix [0 1 -1 0 0 0]", " /Matrix [-1 0 0 -1 0 0]", " /Matrix [0 -1 1 0 0 0]"}

// drawing is the content of a form XObject with what it uses.
type drawing struct {
	*plan
	width, height float64 // as it is read
	content       bytes.Buffer
	font, picture ref
}

// Sizes in points.
const (
	stampPadding = 3.0
	borderWidth  = 0.5
	maxFontSize  = 12.0
	minFontSize  = 2.0
	lineHeight   = 1.2 // of the font size
)

// calibrated is the colour space of everything that is drawn: that of sRGB, but
// for the gamma, in a way that needs nothing else of the document. PDF/A does not
// permit device colours without an output intent.
const calibrated = "[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] " +
	"/Matrix [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505] >>]"

// draw writes the form XObject of the signature, ISO 32000-2, 8.10.
func (p *plan) draw(place box, quarter int) (ref, error) {
	d := &drawing{plan: p, width: place.width(), height: place.height()}
	if quarter%2 == 1 {
		d.width, d.height = d.height, d.width
	}
	if err := d.fill(); err != nil {
		return ref{}, err
	}
	resources := "/ColorSpace << /C " + calibrated + " >>"
	if d.font != (ref{}) {
		resources += fmt.Sprintf(" /Font << /F %v >>", d.font)
	}
	if d.picture != (ref{}) {
		resources += fmt.Sprintf(" /XObject << /P %v >>", d.picture)
	}
	at := p.allocate()
	return at, p.putStream(at, fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %s %s]%s /Resources << %s >>",
		decimals(d.width), decimals(d.height), turns[quarter], resources), d.content.Bytes())
}

// fill draws the parts: picture on the left, text on the right, border around.
func (d *drawing) fill() error {
	a := d.o.Appearance
	inside := box{stampPadding, stampPadding, d.width - stampPadding, d.height - stampPadding}
	if !(inside.width() > 0 && inside.height() > 0) {
		return unshown("its place of %s by %s points is too small", decimals(d.width), decimals(d.height))
	}
	lines := d.lines()
	if len(a.Picture) > 0 {
		to := inside
		if len(lines) > 0 {
			to.right = to.left + min(to.height(), to.width()/2)
			inside.left = to.right + stampPadding
		}
		if err := d.drawPicture(to); err != nil {
			return err
		}
	}
	if len(lines) > 0 {
		if err := d.drawText(inside, lines); err != nil {
			return err
		}
	}
	if a.Border {
		fmt.Fprintf(&d.content, "q /C CS 0 0 0 SC %s w %s %s %s %s re S Q\n", decimals(borderWidth),
			decimals(borderWidth/2), decimals(borderWidth/2), decimals(d.width-borderWidth), decimals(d.height-borderWidth))
	}
	return nil
}

// defaultLines are the words of a signature that nobody worded.
var defaultLines = []string{"Firmato digitalmente da {name}", "Data: {date}", "Motivo: {reason}", "Luogo: {location}"}

// lines puts what the signature says into the lines of the template.
func (p *plan) lines() []string {
	a := p.o.Appearance
	template := a.Lines
	if template == nil && len(a.Picture) == 0 {
		template = defaultLines
	}
	words := p.words()
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

// putStream writes a stream, compressed, and encrypted where the document is.
func (u *update) putStream(r ref, entries string, data []byte) error {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return u.putRawStream(r, entries+" /Filter /FlateDecode", packed.Bytes())
}

// putRawStream writes a stream whose data are coded already.
func (u *update) putRawStream(r ref, entries string, data []byte) error {
	data, err := u.cipher.stream(r, data)
	if err != nil {
		return err
	}
	value := fmt.Appendf(nil, "<< %s /Length %d >>\nstream\n", entries, len(data))
	_, err = u.put(r, append(append(value, data...), "\nendstream"...))
	return err
}

// decimals writes a number the way PDF does.
func decimals(n float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(n, 'f', 3, 64), "0"), ".")
}
