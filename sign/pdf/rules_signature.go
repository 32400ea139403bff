// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"slices"
)

// noteSigning remembers an empty signature field that gets a value.
func (s *step) noteSigning(num int64, f *fieldFacts, is *dict) {
	if is.get("V") != nil && f.named == f {
		s.signing[f] = is
	}
}

// judgeSigning judges what was done to an empty signature field: it may be signed,
// and gets its stamp then.
func (s *step) judgeSigning(f *fieldFacts, done *filling, locked bool, by string) error {
	is := s.signing[f]
	if is == nil {
		s.forbid(ChangeForm, "empty signature field %s: changed without being signed", f.name)
		return nil
	}
	timestamp, problem, err := s.newSignature(is.get("V"))
	where := ""
	if done.area.visible() {
		where = fmt.Sprintf(", visible, over %v", done.area)
	}
	switch {
	case err != nil:
		return err
	case problem != "":
		s.forbid(ChangeSignature, "field %s signed: %s", f.name, problem)
	case timestamp && where != "":
		s.forbid(ChangeDocumentTimestamp, "document timestamp %s added%s", f.name, where)
	case timestamp:
		s.allow(ChangeDocumentTimestamp, "document timestamp %s added", f.name)
	case locked:
		s.forbid(ChangeSignature, "field %s signed, though %s locked it", f.name, by)
	default:
		s.allow(ChangeSignature, "signature %s added%s", f.name, where)
	}
	return nil
}

// newSignature judges the value of a signature field that was empty or was not
// there: a new dictionary with a signature in it, which certifies nothing, since
// only the first signature may (ISO 32000-2, 12.8.2.2.1). It tells whether that is
// a document timestamp.
func (s *step) newSignature(value object) (timestamp bool, problem string, err error) {
	d, _ := value.(*dict)
	if r, ok := value.(ref); ok {
		held := s.deltas[r.num]
		if held == nil || held.existed || s.uses[r.num].purpose != unused {
			return false, "with a signature that was there before", nil
		}
		d = dictOf(held.is)
	}
	if d == nil || d.data > 0 {
		return false, "without a signature dictionary", nil
	}
	if t, ok := d.get("Contents").(*text); !ok || !t.hex || d.get("ByteRange") == nil {
		return false, "without a signature value", nil
	}
	references, err := soft[*array](s.is, d.get("Reference"))
	if err != nil {
		return false, "", err
	}
	if references != nil {
		for _, item := range references.items {
			method, _, err := s.is.transform(item)
			if err != nil {
				return false, "", err
			}
			if method != "FieldMDP" {
				return false, "with a certification, which only the first signature may be", nil
			}
		}
	}
	return holdsToken(d), "", nil
}

// holdsToken reports whether a signature dictionary is of a document timestamp. What it
// holds says so, and its type only where that is not told: any signature can be called
// a timestamp, to enter where timestamps are all that is permitted.
func holdsToken(signature *dict) bool {
	if kind := signature.get("SubFilter"); kind != nil {
		return kind == name("ETSI.RFC3161")
	}
	return signature.get("Type") == name("DocTimeStamp")
}

// fieldKeys are the entries that a new signature field and its widgets may have.
var fieldKeys = map[name]bool{
	"Type": true, "Subtype": true, "FT": true, "T": true, "TU": true, "TM": true, "V": true, "Ff": true, "F": true, "Rect": true,
	"P": true, "AP": true, "AS": true, "MK": true, "DA": true, "Q": true, "DR": true, "M": true, "NM": true, "Lock": true, "SV": true, "Kids": true,
	"Parent": true, "BS": true, "Border": true, "StructParent": true, "H": true, "Contents": true, "C": true, "DS": true, "RV": true, "DV": true,
}

// newField is a signature field that the step brought.
type newField struct {
	name    string
	dict    *dict
	visible bool // it takes room on a page
	drawn   bool // it has an appearance that is not empty
	area    rect
	widgets []int64
	problem string // why it is not one
}

// judgeNewField judges a field that the form or a page lists in addition.
func (s *step) judgeNewField(r ref, page int) {
	if s.fresh[r.num] {
		return
	}
	s.fresh[r.num] = true
	f := s.readNewField(r)
	by, locked := s.lockedBy(f.name)
	switch {
	case f.problem != "":
		s.forbid(ChangeForm, "field %s added: %s", f.name, f.problem)
	case f.dict.get("V") == nil && f.visible && f.drawn:
		s.forbid(ChangeSignatureField, "empty signature field %s added that shows something: %v", f.name, f.area)
	case f.dict.get("V") == nil && f.visible && s.certified:
		s.forbid(ChangeSignatureField, "empty signature field %s added to a certified document, where a stamp could cover it: %v", f.name, f.area)
	case f.dict.get("V") == nil && locked:
		s.forbid(ChangeSignatureField, "signature field %s added, though %s locked the form", f.name, by)
	case f.dict.get("V") == nil:
		s.allow(ChangeSignatureField, "empty signature field %s added", f.name)
	default:
		s.judgeSignedNewField(f, page, locked, by)
	}
}

func (s *step) judgeSignedNewField(f newField, page int, locked bool, by string) {
	for _, num := range f.widgets {
		s.stamps[num] = true
	}
	timestamp, problem, err := s.newSignature(f.dict.get("V"))
	where := ""
	if f.visible {
		where = fmt.Sprintf(", visible, over %v", f.area)
		if page > 0 {
			where += fmt.Sprintf(" of page %d", page)
		}
	}
	switch {
	case err != nil:
		s.forbid(ChangeSignature, "signature %s added: %v", f.name, err)
	case problem != "":
		s.forbid(ChangeSignature, "field %s added: %s", f.name, problem)
	case timestamp && f.visible:
		s.forbid(ChangeDocumentTimestamp, "document timestamp %s added%s", f.name, where)
	case timestamp:
		s.allow(ChangeDocumentTimestamp, "document timestamp %s added", f.name)
	case locked:
		s.forbid(ChangeSignature, "signature %s added, though %s locked the form", f.name, by)
	case f.visible && s.certified:
		s.forbid(ChangeSignature, "signature %s added to a certified document%s", f.name, where)
	default:
		s.allow(ChangeSignature, "signature %s added%s", f.name, where)
	}
}

// readNewField reads a field that must be a new signature field.
func (s *step) readNewField(r ref) newField {
	f := newField{name: fmt.Sprintf("(object %d)", r.num)}
	d := s.deltas[r.num]
	f.dict = dictOf(s.deltaOf(r))
	if d == nil || d.existed || f.dict == nil || f.dict.data > 0 || s.uses[r.num].purpose != unused {
		f.problem = "it was there before, or is used for something else"
		return f
	}
	if called, err := s.plainString(f.dict.get("T")); err == nil && called != "" {
		f.name = called
	}
	switch {
	case f.dict.get("FT") != name("Sig"):
		f.problem = "it is no signature field"
	case f.dict.get("Parent") != nil:
		f.problem = "it is part of another field"
	case s.nameTaken(f.name):
		f.problem = "the form has a field of that name"
	default:
		s.addWidget(&f, r.num, f.dict)
		s.readNewKids(&f)
	}
	return f
}

func (s *step) nameTaken(name string) bool {
	taken := s.names[name] || s.freshNames[name]
	s.freshNames[name] = true
	return taken
}

// addWidget takes in the look of a widget.
func (s *step) addWidget(f *newField, num int64, d *dict) {
	f.widgets = append(f.widgets, num)
	for _, e := range d.entries {
		if !fieldKeys[e.key] {
			f.problem = fmt.Sprintf("it has the key /%s", clip([]byte(e.key)))
		}
	}
	if area := rectangle(d); area.visible() {
		f.visible, f.area = true, area
	}
	f.drawn = f.drawn || d.get("AP") != nil && !s.blank(d.get("AP")) || decorated(d)
}

// decorated reports whether readers draw something for a widget that has no
// appearance, ISO 32000-2, table 192: all but its rotation and how icon and caption
// are placed.
func decorated(widget *dict) bool {
	held := widget.get("MK")
	if held == nil {
		return false
	}
	look, ok := held.(*dict)
	return !ok || slices.ContainsFunc(look.entries, func(e entry) bool { return e.key != "R" && e.key != "TP" && e.key != "IF" })
}

// blank reports whether an appearance is surely empty: one stream without data.
func (s *step) blank(appearance object) bool {
	a, err := soft[*dict](s.is, appearance)
	if err != nil || a == nil || len(a.entries) != 1 {
		return false
	}
	n, err := soft[*dict](s.is, a.get("N"))
	return err == nil && n != nil && n.data > 0 && n.get("Length") == object(int64(0)) && n.find("Filter") == nil && n.find("F") == nil
}

// readNewKids reads the widgets of a new field that stand apart from it.
func (s *step) readNewKids(f *newField) {
	kids, err := soft[*array](s.is, f.dict.get("Kids"))
	if err != nil || kids == nil {
		if f.dict.get("Kids") != nil {
			f.problem = "its widgets cannot be read"
		}
		return
	}
	for _, kid := range kids.items {
		r, _ := kid.(ref)
		d := s.deltas[r.num]
		widget := dictOf(s.deltaOf(r))
		if d == nil || d.existed || widget == nil || widget.data > 0 || widget.get("T") != nil || widget.get("Kids") != nil || widget.get("V") != nil {
			f.problem = "its widgets are not new"
			return
		}
		s.fresh[r.num] = true
		s.addWidget(f, r.num, widget)
	}
}

// rect is a rectangle, ISO 32000-2, 7.9.5.
type rect [4]float64

// rectangle reads /Rect of an annotation. One that is no rectangle takes all the
// room there is.
func rectangle(d *dict) rect {
	held := d.get("Rect")
	if held == nil {
		return rect{}
	}
	list, _ := held.(*array)
	if list == nil || len(list.items) != 4 {
		return everywhere
	}
	var r rect
	for i, item := range list.items {
		switch n := item.(type) {
		case int64:
			r[i] = float64(n)
		case float64:
			r[i] = n
		default:
			return everywhere
		}
	}
	return r
}

func (r rect) visible() bool { return r[0] != r[2] && r[1] != r[3] }

func (r rect) String() string { return fmt.Sprintf("[%g %g %g %g]", r[0], r[1], r[2], r[3]) }
