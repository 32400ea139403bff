// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"math"
)

// The sizes in points up to which a comment is taken for an icon, and a line for
// one of a pen.
const (
	maxIcon = 32
	maxPen  = 12
)

// drawsOnly reports whether the appearances of a comment do no more than draw
// lines, fill in an icon, and darken what is below them: no text, no picture,
// nothing that covers what was signed. Lines can still cross it out.
func drawsOnly(d *Document, annot *dict) bool {
	appearances, err := soft[*dict](d, annot.get("AP"))
	if err != nil || appearances == nil && annot.get("AP") != nil || !thinBorder(d, annot) || annot.get("Cap") == true {
		return false
	}
	if appearances == nil && !smallMarks(d, annot) {
		return false
	}
	for _, e := range appearances.all() {
		r, _ := e.value.(ref)
		o, err := d.object(r)
		if form := dictOf(o); err != nil || form == nil || form.data == 0 || !d.pens(o.ref, form, rectangle(annot)) {
			return false
		}
	}
	return true
}

// maxLetter is the height in points up to which what is marked is taken for a line
// of text: readers draw marks that grow with it, as thick as a pen for this one.
const maxLetter = 144

// smallMarks reports whether what a reader draws for a comment without appearance
// is of the size of an icon, or of text: an insertion mark fills its rectangle, and
// lines under and through text are as thick as the text is high (/QuadPoints,
// ISO 32000-2, 12.5.6.10).
func smallMarks(d *Document, annot *dict) bool {
	area := rectangle(annot)
	if annot.get("Subtype") == name("Caret") {
		return area.width() <= maxIcon && area.height() <= maxIcon
	}
	points, err := soft[*array](d, annot.get("QuadPoints"))
	if err != nil || points == nil {
		return err == nil && annot.get("QuadPoints") == nil
	}
	for i := 0; i+8 <= len(points.items); i += 8 {
		x, y := extent(points.items[i:i+8:i+8], 0), extent(points.items[i:i+8:i+8], 1)
		if !(min(x, y) <= maxLetter) {
			return false
		}
	}
	return true
}

// extent is how far the coordinates at every second place from the first are apart.
func extent(points []object, first int) float64 {
	least, most := math.Inf(1), math.Inf(-1)
	for i := first; i < len(points); i += 2 {
		n := math.NaN()
		switch v := points[i].(type) {
		case int64:
			n = float64(v)
		case float64:
			n = v
		}
		least, most = math.Min(least, n), math.Max(most, n)
	}
	return most - least
}

// thinBorder reports whether the lines that a reader draws where there is no
// appearance are those of a pen, ISO 32000-2, 12.5.4.
func thinBorder(d *Document, annot *dict) bool {
	style, err := soft[*dict](d, annot.get("BS"))
	if err != nil || style == nil && annot.get("BS") != nil {
		return false
	}
	border, err := soft[*array](d, annot.get("Border"))
	if err != nil || border == nil && annot.get("Border") != nil {
		return false
	}
	widths := []object{style.get("W")}
	if border != nil {
		widths = append(widths, border.items...)
	}
	for _, w := range widths {
		switch w := w.(type) {
		case nil, *array: // an array is of dashes
		case int64:
			if w > maxPen {
				return false
			}
		case float64:
			if w > maxPen {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// pens reports whether the appearance r is harmless on an area. It must not be
// magnified (ISO 32000-2, 12.5.5, algorithm 8), nor stand in another file.
func (d *Document) pens(r ref, form *dict, area rect) bool {
	box := rectangle(&dict{entries: []entry{{key: "Rect", value: form.get("BBox")}}})
	const rounding = 1
	if form.get("Matrix") != nil || form.get("F") != nil || box.width()+rounding < area.width() || box.height()+rounding < area.height() {
		return false
	}
	states, ok := d.darkening(form)
	if !ok {
		return false
	}
	content, err := d.content(r, form)
	if err != nil {
		return false
	}
	p := penning{darkening: states, icon: area.width() <= maxIcon && area.height() <= maxIcon}
	return p.follow(newLexer(bytes.NewReader(content), 0, int64(len(content))))
}

func (r rect) width() float64  { return math.Abs(r[2] - r[0]) }
func (r rect) height() float64 { return math.Abs(r[3] - r[1]) }

// darkening lists the graphics states of a form and whether each darkens what is
// below; not ok when the form has fonts or pictures.
func (d *Document) darkening(form *dict) (map[name]bool, bool) {
	resources, err := soft[*dict](d, form.get("Resources"))
	if err != nil || resources == nil && form.get("Resources") != nil {
		return nil, false
	}
	darkening := map[name]bool{}
	for _, e := range resources.all() {
		switch e.key {
		case "ProcSet", "ColorSpace":
		case "ExtGState":
			states, err := soft[*dict](d, e.value)
			if err != nil {
				return nil, false
			}
			for _, s := range states.all() {
				state, err := soft[*dict](d, s.value)
				if err != nil || state.get("Font") != nil || state.get("SMask") != nil || state.get("LW") != nil {
					return nil, false
				}
				darkening[s.key] = state.get("BM") == name("Multiply") || state.get("BM") == name("Darken")
			}
		default:
			return nil, false
		}
	}
	return darkening, true
}

// content returns the data of a stream.
func (d *Document) content(r ref, stream *dict) ([]byte, error) {
	data, end, err := d.contentOf(r, stream)
	if err != nil {
		return nil, err
	}
	if end > d.limit {
		return nil, damaged(stream.start, "a stream reaches past the end of its revision")
	}
	return data, nil
}

// contentOf returns the data of a stream and the end of its object, whatever the
// revision; with some errors a part of the data.
func (d *Document) contentOf(r ref, stream *dict) ([]byte, int64, error) {
	n, err := as[int64](d, stream.get("Length"))
	if err != nil {
		return nil, 0, err
	}
	decrypt, err := d.openStream(r, stream)
	if err != nil {
		return nil, 0, err
	}
	data, end, err := d.streamData(stream, n, d.resolve, decrypt)
	if spent := d.spend(int64(len(data))); spent != nil {
		return nil, 0, spent
	}
	return data, end, err
}

// penning follows the operators of an appearance (ISO 32000-2, annex A).
type penning struct {
	darkening map[name]bool
	icon      bool
	dark      bool // the state in force darkens
	saved     []bool
}

// plainOperators set colours, build paths and draw lines, or mean nothing. All
// others are refused, such as cm, which magnifies, and all of text and pictures.
var plainOperators = wordSet("J j M d ri i m l c v y h re S s n W W* CS cs SC SCN sc scn G g RG rg K k BX EX MP DP BMC BDC EMC")

// fillOperators fill a path.
var fillOperators = wordSet("f F f* B B* b b*")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range bytes.Fields([]byte(words)) {
		set[string(w)] = true
	}
	return set
}

func (p *penning) follow(l *lexer) bool {
	last := token{}
	for {
		t, err := l.token()
		switch {
		case err != nil:
			return false
		case t.kind == tokenEOF:
			return true
		case t.kind == tokenKeyword && !p.operator(string(t.bytes), last):
			return false
		}
		last = t
	}
}

// operator takes one with its last operand.
func (p *penning) operator(op string, operand token) bool {
	switch op {
	case "q":
		p.saved = append(p.saved, p.dark)
	case "Q":
		if len(p.saved) == 0 {
			return false
		}
		p.dark, p.saved = p.saved[len(p.saved)-1], p.saved[:len(p.saved)-1]
	case "gs":
		dark, known := p.darkening[name(operand.bytes)]
		p.dark = dark
		return known
	case "w":
		return operand.kind == tokenInteger && operand.integer <= maxPen || operand.kind == tokenReal && operand.real <= maxPen
	default:
		return plainOperators[op] || fillOperators[op] && (p.icon || p.dark) || op == "true" || op == "false" || op == "null"
	}
	return true
}
