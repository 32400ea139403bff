// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"math"
	"slices"
	"strings"
)

// The sizes in points up to which a comment is taken for an icon, and a line for
// one of a pen.
const (
	maxIcon = 32
	maxPen  = 12
)

// drawsOnly reports whether the appearances of a comment do no more than draw
// lines, fill in an icon, and darken what is below them: no text, no picture,
// nothing that covers what was signed. Lines can still cross it out. Where there is
// no appearance, that is asked of what readers draw.
func drawsOnly(d *Document, annot *dict) bool {
	appearances, err := soft[*dict](d, annot.get("AP"))
	if err != nil || appearances == nil && annot.get("AP") != nil || !thinBorder(d, annot) || annot.get("Cap") == true || !darkens(annot.get("BM"), true) {
		return false
	}
	if appearances == nil && !(smallMarks(d, annot) && darkMarks(d, annot) && smallEndings(d, annot)) {
		return false
	}
	for _, e := range appearances.all() {
		r, _ := e.value.(ref)
		o, err := d.object(r)
		if form := dictOf(o); err != nil || form == nil || form.data == 0 || !d.pens(o.ref, form, annot.get("Rect")) {
			return false
		}
	}
	return true
}

// numberOf returns the value of a number that stands in the object itself.
func numberOf(o object) (float64, bool) {
	switch v := o.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// maxPale is how light a colour may be that is not taken for that of paper, from 0
// to 1 in each of its components.
const maxPale = 0.7

// pale reports whether a colour of one, three, or four components (DeviceGray, RGB,
// CMYK) is about white, in which what was signed can be painted over unnoticed. No
// component is no colour; one that cannot be told is pale.
func pale(colour []object) bool {
	var parts []float64
	for _, o := range colour {
		n, ok := numberOf(o)
		if !ok {
			return true
		}
		parts = append(parts, n)
	}
	switch len(parts) {
	case 0:
		return false
	case 1, 3:
		return slices.Min(parts) > maxPale
	case 4:
		return min(slices.Max(parts[:3])+parts[3], 1) < 1-maxPale
	}
	return true
}

// darkens reports whether a blend mode only darkens what is below (ISO 32000-2,
// 11.3.5); with plain also whether it is the usual one, or none is named.
func darkens(mode object, plain bool) bool {
	switch only(mode) {
	case name("Multiply"), name("Darken"):
		return true
	case nil, name("Normal"), name("Compatible"):
		return plain
	}
	return false
}

// pens reports whether the appearance r is harmless in the rectangle of a comment. It
// must not be magnified (ISO 32000-2, 12.5.5, algorithm 8).
func (d *Document) pens(r ref, form *dict, rect object) bool {
	area, ok, err := d.box(rect)
	if err != nil || !ok {
		return false
	}
	box, ok, err := d.box(form.get("BBox"))
	const rounding = 1
	if err != nil || !ok || box.width()+rounding < area.width() || box.height()+rounding < area.height() {
		return false
	}
	left := maxForms
	p := penning{Document: d, icon: area.width() <= maxIcon && area.height() <= maxIcon, left: &left}
	return p.form(r, form)
}

func (r rect) width() float64  { return math.Abs(r[2] - r[0]) }
func (r rect) height() float64 { return math.Abs(r[3] - r[1]) }

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
	*Document
	left  *int // how many more forms it may have
	icon  bool
	under bool // the form is drawn as one, in a state that darkens
	alone bool // what is below the form is not below what it draws

	states map[name]bool // graphics states, and whether each darkens
	forms  map[name]ref
	inks
	saved    []inks
	operands []object // since the last operator
}

// inks are what the state in force draws with.
type inks struct {
	dark           bool // what is below it is only darkened
	pen, paint     bool // lines, and what is filled in, are pale
	penIn, paintIn bool // colour spaces that are not those of the device
}

// maxForms bounds the forms of which an appearance is made.
const maxForms = 16

// form follows a form (ISO 32000-2, 8.10). It must not stand in another file, nor
// magnify.
func (p *penning) form(r ref, form *dict) bool {
	if *p.left--; *p.left < 0 || form.get("F") != nil || form.get("Ref") != nil || !unmagnified(form.get("Matrix")) || !p.group(form) || !p.resources(form) {
		return false
	}
	content, err := p.content(r, form)
	return err == nil && p.follow(newLexer(bytes.NewReader(content), 0, int64(len(content))))
}

// unmagnified reports whether a matrix does no more than move.
func unmagnified(o object) bool {
	matrix, ok := o.(*array)
	return o == nil || ok && len(matrix.items) == 6 && equalLists(matrix.items[:4:4], []object{int64(1), int64(0), int64(0), int64(1)})
}

// group takes in whether the form is drawn as one (ISO 32000-2, 11.6.6): then the
// state around it is that of the whole, and inside it begins anew.
func (p *penning) group(form *dict) bool {
	held, err := soft[*dict](p.Document, form.get("Group"))
	if err != nil || held == nil {
		return form.get("Group") == nil
	}
	isolated, err := p.resolve(held.get("I"))
	if err != nil {
		return false
	}
	knockout, err := p.resolve(held.get("K"))
	if err != nil {
		return false
	}
	p.under = p.under || p.dark && !p.alone
	p.alone = p.alone || isolated != nil && isolated != false || knockout != nil && knockout != false
	p.dark = false
	return true
}

// resources takes in the graphics states and forms of a form; not ok when it has
// fonts or other things to draw with.
func (p *penning) resources(form *dict) bool {
	p.states, p.forms = map[name]bool{}, map[name]ref{}
	held, err := soft[*dict](p.Document, form.get("Resources"))
	if err != nil || held == nil && form.get("Resources") != nil {
		return false
	}
	for _, e := range held.all() {
		set, err := soft[*dict](p.Document, e.value)
		if err != nil {
			return false
		}
		switch e.key {
		case "ProcSet":
		case "ColorSpace":
			for _, space := range set.all() {
				if strings.HasPrefix(string(space.key), "Default") { // in the place of those of the device
					return false
				}
			}
		case "ExtGState":
			for _, state := range set.all() {
				if !p.state(state) {
					return false
				}
			}
		case "XObject":
			for _, form := range set.all() {
				p.forms[form.key], _ = form.value.(ref)
			}
		default:
			return false
		}
	}
	return true
}

// stateKeys are the entries of a graphics state that can cover nothing (ISO 32000-2,
// table 57).
var stateKeys = map[name]bool{
	"Type": true, "BM": true, "CA": true, "ca": true, "AIS": true, "SA": true, "OP": true, "op": true, "OPM": true,
	"ML": true, "LC": true, "LJ": true, "D": true, "RI": true, "FL": true, "SM": true, "TK": true,
}

func (p *penning) state(e entry) bool {
	state, err := soft[*dict](p.Document, e.value)
	if err != nil {
		return false
	}
	for _, part := range state.all() {
		if !stateKeys[part.key] && (part.key != "SMask" || part.value != name("None")) {
			return false
		}
	}
	mode := state.get("BM")
	p.states[e.key] = darkens(mode, false)
	return darkens(mode, true) && !state.repeats("BM")
}

// shrinks reports whether a matrix moves, mirrors, and turns by a right angle, and
// magnifies nothing.
func shrinks(matrix []object) bool {
	if len(matrix) != 6 {
		return false
	}
	var m [4]float64
	for i := range m {
		n, ok := numberOf(matrix[i])
		if m[i] = math.Abs(n); !ok || m[i] > 1 {
			return false
		}
	}
	return m[1] == 0 && m[2] == 0 || m[0] == 0 && m[3] == 0
}

// plainOperators build paths, set how lines look, or mean nothing. All that are not
// named here are refused, such as all of text and pictures.
var plainOperators = wordSet("J j M d ri i m l c v y h re n W W* BX EX MP DP BMC BDC EMC true false null")

// lineOperators draw a path, fillOperators fill it.
var (
	lineOperators = wordSet("S s B B* b b*")
	fillOperators = wordSet("f F f* B B* b b*")
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range bytes.Fields([]byte(words)) {
		set[string(w)] = true
	}
	return set
}

// maxOperands bounds what is kept of the operands; none has more that matter.
const maxOperands = 8

func (p *penning) follow(l *lexer) bool {
	for {
		t, err := l.token()
		switch {
		case err != nil:
			return false
		case t.kind == tokenEOF:
			return true
		case t.kind == tokenKeyword:
			if !p.operator(string(t.bytes)) {
				return false
			}
			p.operands = p.operands[:0]
		case len(p.operands) < maxOperands:
			p.operands = append(p.operands, operand(t))
		}
	}
}

// operand is a number or a name; all others are of no interest.
func operand(t token) object {
	switch t.kind {
	case tokenInteger:
		return t.integer
	case tokenReal:
		return t.real
	case tokenName:
		return name(t.bytes)
	}
	return false
}

func (p *penning) operator(op string) bool {
	switch op {
	case "q":
		p.saved = append(p.saved, p.inks)
	case "Q":
		if len(p.saved) == 0 {
			return false
		}
		p.inks, p.saved = p.saved[len(p.saved)-1], p.saved[:len(p.saved)-1]
	case "gs":
		dark, known := p.states[p.named()]
		p.dark = dark
		return known
	case "w":
		width, ok := numberOf(p.last())
		return ok && width <= maxPen
	case "cm":
		return shrinks(p.operands)
	case "G", "RG", "K":
		p.pen, p.penIn = pale(p.operands), false
	case "g", "rg", "k":
		p.paint, p.paintIn = pale(p.operands), false
	case "CS":
		p.penIn = !deviceSpaces[p.named()]
		p.pen = p.penIn
	case "cs":
		p.paintIn = !deviceSpaces[p.named()]
		p.paint = p.paintIn
	case "SC", "SCN":
		p.pen = p.penIn || pale(p.operands)
	case "sc", "scn":
		p.paint = p.paintIn || pale(p.operands)
	case "Do":
		return p.inner(p.named())
	default:
		return p.draws(op)
	}
	return true
}

// deviceSpaces are colour spaces in which it is known what is pale.
var deviceSpaces = map[name]bool{"DeviceGray": true, "DeviceRGB": true, "DeviceCMYK": true}

// draws takes an operator that draws, or one that means nothing here.
func (p *penning) draws(op string) bool {
	darkens := p.under || p.dark && !p.alone
	switch {
	case lineOperators[op] && p.pen && !darkens:
		return false
	case fillOperators[op] && (p.paint || !p.icon) && !darkens:
		return false
	}
	return plainOperators[op] || lineOperators[op] || fillOperators[op]
}

// inner follows a form inside the form.
func (p *penning) inner(called name) bool {
	r := p.forms[called]
	o, err := p.object(r)
	form := dictOf(o)
	if err != nil || form == nil || form.data == 0 || form.get("Subtype") != name("Form") {
		return false
	}
	return (&penning{Document: p.Document, left: p.left, icon: p.icon, under: p.under, alone: p.alone, inks: p.inks}).form(r, form)
}

func (p *penning) last() object {
	if len(p.operands) == 0 {
		return nil
	}
	return p.operands[len(p.operands)-1]
}

func (p *penning) named() name {
	n, _ := p.last().(name)
	return n
}
