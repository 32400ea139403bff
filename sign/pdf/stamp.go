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
// signature that nobody sees has no area.
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

// stampOn draws the signature on a page; nil for an invisible one, most often.
func (p *plan) stampOn(page *page) (*stamp, error) {
	if p.o.Appearance == nil {
		return p.stampNothing()
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
	form, err := p.draw(place, seen.quarter, page.dict)
	return &stamp{place, seen.quarter, form}, err
}

// stampNothing draws nothing where that is asked for: in PDF/A-1 every field has an
// appearance (ISO 19005-1, 6.9), later not those that have no area.
func (p *plan) stampNothing() (*stamp, error) {
	root, _, err := p.doc.catalog()
	if err != nil {
		return nil, err
	}
	part, err := p.doc.archivePart(root)
	if err != nil || part != 1 {
		return nil, err
	}
	form := p.allocate()
	return &stamp{form: form}, p.putRawStream(form, "/Type /XObject /Subtype /Form /BBox [0 0 0 0] /Resources << >>", nil)
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
	place, quarter, page, err := p.fieldPlace(f, widget, at)
	if err != nil {
		return err
	}
	form, err := p.draw(place, quarter, page)
	p.edit(at, widget, change{"AP", fmt.Appendf(nil, "<< /N %v >>", form)}, change{key: "AS"})
	return err
}

// fieldPlace is where the widget of a field stands, how its page is turned, and
// the page, as far as the widget tells it.
func (p *plan) fieldPlace(f *field, widget *dict, at ref) (box, int, *dict, error) {
	place, ok, err := p.doc.box(widget.get("Rect"))
	if err != nil {
		return place, 0, nil, err
	}
	if !ok || !(place.width() > 0 && place.height() > 0) {
		return place, 0, nil, unshown("the field %q has no place on a page", f.name)
	}
	page, err := p.pageOf(at, widget)
	if err != nil || page == nil {
		return place, 0, nil, err
	}
	seen, err := p.doc.sight(page)
	if err != nil {
		return place, 0, nil, err
	}
	return place, seen.quarter, page.dict, p.leavesRoom(place, seen, page, at.num)
}

// leavesRoom refuses a stamp over what others signed that their signatures would not
// be found valid with, alone or together with the stamps that came since. It is that of
// a widget, or of a new one, 0.
func (p *plan) leavesRoom(place box, seen sight, page *page, widget int64) error {
	if !p.signed {
		return nil
	}
	if p.certified && widget == 0 {
		return unshown("the document is certified, and its certification would not be valid any more with a new field that is seen: " +
			"sign in an empty field that it has, or without being visible")
	}
	share := seen.share(place)
	if share > maxStampShare {
		return unshown("its place %v covers %.3g %% of the page; over more than half of it, the signatures that the document has would not be valid any more: "+
			"choose a smaller place, or sign without being visible", place, 100*share)
	}
	// What the comparison costs is not taken from what signing may.
	fresh, err := OpenWith(p.doc.src.ReaderAt, p.doc.size, OpenOptions{Password: p.o.Password})
	if err != nil {
		return err
	}
	over, err := fresh.overStamped(page.at, place, share, widget)
	if over {
		return unshown("with its place %v and the stamps of others, too much of the page would be covered, and signatures that the document has would not be valid any more: "+
			"choose a smaller place, another page, or sign without being visible", place)
	}
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

// pageOf returns the page of a widget: the one it names, or else the first that lists
// it; nil for none.
func (p *plan) pageOf(at ref, widget *dict) (*page, error) {
	if r, ok := widget.get("P").(ref); ok {
		page, err := p.doc.pageAt(r.num)
		if err != nil || page.dict != nil {
			return page, err
		}
	}
	root, _, err := p.doc.catalog()
	if err != nil {
		return nil, err
	}
	w := &pageWalk{Document: p.doc, seen: map[ref]bool{}, left: 1, step: 1, most: maxUpdated, lists: at}
	err = w.visit(root.get("Pages"), page{})
	return w.found, err
}

// turns are the matrices that keep a drawing upright on a page turned clockwise.
var turns = [...]string{"", " /Matrix [0 1 -1 0 0 0]", " /Matrix [-1 0 0 -1 0 0]", " /Matrix [0 -1 1 0 0 0]"}

// borderWidth is in points.
const borderWidth = 0.5

// calibrated is the colour space of everything that is drawn: that of sRGB, but
// for the gamma, in a way that needs nothing else of the document. PDF/A does not
// permit device colours without an output intent.
const calibrated = "[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] " +
	"/Matrix [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505] >>]"

// draw writes the form XObject of the signature, ISO 32000-2, 8.10. The page may
// be unknown.
func (p *plan) draw(place box, quarter int, page *dict) (ref, error) {
	s, err := p.sketch(place, quarter)
	if err != nil {
		return ref{}, err
	}
	resources := "/ColorSpace << /C " + calibrated + " >>"
	if s.picture != nil {
		at, err := p.putPicture(s.picture, s.pictureAt, page)
		if err != nil {
			return ref{}, err
		}
		resources += fmt.Sprintf(" /XObject << /P %v >>", at)
	}
	if s.text != nil {
		at, err := p.embed(s.text.face)
		if err != nil {
			return ref{}, err
		}
		resources += fmt.Sprintf(" /Font << /F %v >>", at)
	}
	at := p.allocate()
	return at, p.putStream(at, fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %s %s]%s /Resources << %s >>",
		decimals(s.width), decimals(s.height), turns[quarter], resources), s.content())
}

// content writes what is drawn as operators, ISO 32000-2, annex A.
func (s *sketch) content() []byte {
	var b bytes.Buffer
	if s.picture != nil {
		fmt.Fprintf(&b, "q %s 0 0 %s %s %s cm /P Do Q\n", decimals(s.pictureAt.width()), decimals(s.pictureAt.height()),
			decimals(s.pictureAt.left), decimals(s.pictureAt.bottom))
	}
	if s.text != nil {
		fmt.Fprintf(&b, "BT /C cs 0 0 0 sc\n/F %s Tf\n", decimals(s.text.size))
		s.text.each(func(g glyph, x, y float64) {
			fmt.Fprintf(&b, "1 0 0 1 %s %s Tm <%04X> Tj\n", decimals(x), decimals(y), g.number)
		})
		b.WriteString("ET\n")
	}
	if s.code != nil {
		s.code.write(&b, s.codeAt)
	}
	if s.border {
		fmt.Fprintf(&b, "q /C CS 0 0 0 SC %s w %s %s %s %s re S Q\n", decimals(borderWidth),
			decimals(borderWidth/2), decimals(borderWidth/2), decimals(s.width-borderWidth), decimals(s.height-borderWidth))
	}
	return b.Bytes()
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
