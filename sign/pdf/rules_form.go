// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"slices"
)

// judgeForm remembers that the form was touched; it is compared as a whole.
func (s *step) judgeForm(*delta, use) { s.form = true }

// compareForms compares the interactive forms, wherever they stand.
func (s *step) compareForms() error {
	if !s.form {
		return nil
	}
	was, err := s.was.form()
	if err != nil {
		return err
	}
	is, err := s.is.form()
	if err != nil {
		return err
	}
	if is == nil || is.data > 0 {
		if was != nil {
			s.forbid(ChangeForm, "the form was removed")
		}
		return nil
	}
	for _, key := range differing(was, is) {
		if err := s.compareFormKey(was, is, key); err != nil {
			return err
		}
	}
	if is.find("Fields") != nil && was.find("Fields") != nil && equal(was.get("Fields"), is.get("Fields")) {
		return s.compareFields(was, is)
	}
	return nil
}

func (s *step) compareFormKey(was, is *dict, key name) error {
	switch key {
	case "Fields":
		return s.compareFields(was, is)
	case "SigFlags":
		before, _ := was.integer(key)
		after, ok := is.integer(key)
		if !ok || before&^after != 0 || after&^sigFlags != 0 && after != before|sigFlags {
			s.forbid(ChangeForm, "the form's /SigFlags changed")
		}
	case "DR":
		return s.compareResources(was, is)
	case "DA":
		if s.newResources = true; was.get(key) != nil {
			s.forbid(ChangeForm, "the form's default appearance (/DA) %s", verb(was, is, key))
		}
	case "NeedAppearances":
		unsaid := is.get(key) == false || was.get(key) == false && is.get(key) == nil // false is what none means
		if s.redraws = is.get(key) == true; !s.redraws && !unsaid {
			s.forbid(ChangeForm, "the form's /NeedAppearances %s, so that readers stop to draw fields anew", verb(was, is, key))
		}
	default:
		s.forbid(ChangeForm, "the form's /%s %s", clip([]byte(key)), verb(was, is, key))
	}
	return nil
}

// compareResources lets the form's resources grow by names they did not have.
func (s *step) compareResources(was, is *dict) error {
	before, err := soft[*dict](s.was, was.get("DR"))
	if err != nil {
		return err
	}
	after, err := soft[*dict](s.is, is.get("DR"))
	if err != nil {
		return err
	}
	s.growResources(before, after, 0)
	return nil
}

// judgeResources is the same for a dictionary that is an object of its own.
func (s *step) judgeResources(d *delta, u use) {
	level := 0
	if u.purpose == resourceSet {
		level = 1
	}
	s.growResources(dictOf(d.was), dictOf(d.is), level)
}

func (s *step) growResources(was, is *dict, level int) {
	for _, key := range differing(was, is) {
		a, b := was.get(key), is.get(key)
		inner, ok := b.(*dict)
		outer, ok2 := a.(*dict)
		switch {
		case a == nil:
			s.newResources = true
		case level == 0 && ok && ok2:
			s.growResources(outer, inner, 1)
		default:
			s.forbid(ChangeForm, "the form's resource /%s was replaced", clip([]byte(key)))
		}
	}
}

// compareFields compares the lists of fields: signature fields may be added.
func (s *step) compareFields(was, is *dict) error {
	before, err := soft[*array](s.was, was.get("Fields"))
	if err != nil {
		return err
	}
	after, err := soft[*array](s.is, is.get("Fields"))
	if err != nil {
		return err
	}
	old := map[ref]bool{}
	if before != nil {
		for _, o := range before.items {
			if r, ok := o.(ref); ok {
				old[r] = true
			}
		}
	}
	if after != nil {
		s.judgeNewFields(after.items, old)
	}
	for range old {
		s.forbid(ChangeForm, "fields of the form were removed")
	}
	return nil
}

// judgeNewFields judges the fields that are not among the old ones, and takes from
// these what is still there. Their order means nothing.
func (s *step) judgeNewFields(fields []object, old map[ref]bool) {
	for _, o := range fields {
		r, ok := o.(ref)
		switch {
		case !ok:
			s.forbid(ChangeForm, "a field was added in the form itself")
		case old[r]:
			delete(old, r)
		default:
			s.judgeNewField(r, 0)
		}
	}
}

// pushButton is the bit of /Ff for a button that has no value, ISO 32000-2, table 229.
const pushButton = 1 << 16

// lockFlags are those that a program may set when a field is filled in or signed:
// of the annotation ReadOnly, Locked and LockedContents (ISO 32000-2, table 167),
// of the field ReadOnly.
var lockFlags = map[name]int64{"F": 1<<6 | 1<<7 | 1<<9, "Ff": 1}

// judgeField compares a field of the signed form key by key.
func (s *step) judgeField(d *delta, u use) {
	f := s.fields[d.num]
	was, is, ok := d.dicts()
	switch {
	case f == nil:
		s.judgeFrozen(d, u)
		return
	case !ok:
		s.forbid(ChangeForm, "field %s: removed", f.name)
		return
	case f.isSigned():
		s.judgeSignedField(was, is, f)
		return
	}
	if f.kind == "Sig" {
		s.noteSigning(d.num, f, is)
	}
	for _, key := range differing(was, is) {
		s.judgeFieldKey(d, f, was, is, key)
	}
}

// judgeSignedField: a field that holds a signature stays as it is, the place and
// the look of its stamp included.
func (s *step) judgeSignedField(was, is *dict, f *fieldFacts) {
	for _, key := range differing(was, is) {
		switch key {
		case "Rect", "P":
			s.forbid(ChangeSignature, "stamp of %s moved", f.name)
		case "AP", "AS", "MK":
			s.forbid(ChangeSignature, "stamp of %s replaced", f.name)
		case "F":
			s.forbid(ChangeSignature, "stamp of %s shown or hidden", f.name)
		case "V":
			s.forbid(ChangeSignature, "signature in field %s removed or replaced", f.name)
		default:
			s.forbid(ChangeSignature, "field of %s: /%s %s", f.name, clip([]byte(key)), verb(was, is, key))
		}
	}
}

func (s *step) judgeFieldKey(d *delta, f *fieldFacts, was, is *dict, key name) {
	switch key {
	case "V", "I", "RV", "AS", "AP", "DA", "Q", "BS":
		s.noteFilled(d.num, f, key)
		if r, ok := was.get(key).(ref); ok && s.uses[r.num].purpose == frozen {
			s.forbid(ChangeForm, "field %s: /%s replaced, which is used elsewhere too", f.name, key)
		}
		return
	case "M":
		s.allow(ChangeFormFill, "field %s: its date changed", f.name)
		return
	case "F", "Ff":
		if onlySets(was, is, key, lockFlags[key]) {
			s.allow(ChangeFormFill, "field %s: closed to changes", f.name)
			return
		}
	}
	if key == "Rect" {
		s.forbid(ChangeForm, "field %s: moved", f.name)
		return
	}
	s.forbid(ChangeForm, "field %s: /%s %s", f.name, clip([]byte(key)), verb(was, is, key))
}

// onlySets reports whether the flags under key differ by bits that were set and
// are of the mask.
func onlySets(was, is *dict, key name, mask int64) bool {
	before, _ := was.integer(key)
	after, ok := is.integer(key)
	return ok && before&^after == 0 && (after&^before)&^mask == 0
}

// filling is what was done to one field, its widgets included.
type filling struct {
	replaced bool // an appearance that was there before
	drawn    bool // one that was not
	talks    bool // that one shows text, a picture, or a state of a button
	area     rect // of a widget that was drawn
}

// judgeFilling notes a changed value or appearance that is an object of its own.
func (s *step) judgeFilling(d *delta, u use) {
	f := s.fields[u.owner]
	if f == nil || u.purpose == appearance && d.is == nil {
		s.judgeFrozen(d, u)
		return
	}
	key := name("AP")
	if u.purpose == fieldValue {
		key = "V"
	}
	s.noteFilled(u.owner, f, key)
}

// noteFilled notes that a key of a field or of its widget changed.
func (s *step) noteFilled(num int64, f *fieldFacts, key name) {
	done := s.filled[f.named]
	if done == nil {
		done = &filling{}
		s.filled[f.named] = done
		s.fillOrder = append(s.fillOrder, f.named)
	}
	if f.kind == "Sig" && (key == "AP" || key == "AS") {
		s.stamps[num] = true
	}
	switch key {
	case "AP":
		s.noteDrawn(num, done)
	case "AS", "DA", "Q", "RV", "I", "BS":
		done.replaced = true
	}
}

// noteDrawn notes that a widget got an appearance.
func (s *step) noteDrawn(num int64, done *filling) {
	at, err := s.was.whereIs(num)
	if err != nil {
		done.replaced = true
		return
	}
	o, err := s.was.object(at.refer(num))
	widget := dictOf(o)
	before := err != nil || widget.get("AP") != nil
	done.replaced, done.drawn = done.replaced || before, done.drawn || !before
	done.talks = done.talks || !before && s.talks(num)
	if area := rectangle(widget); area.visible() {
		done.area = area
	}
}

// listFilled judges what was done to the fields.
func (s *step) listFilled() error {
	for _, f := range s.fillOrder {
		done := s.filled[f]
		by, locked := s.lockedBy(f.name)
		switch {
		case f.kind == "Sig":
			if err := s.judgeSigning(f, done, locked, by); err != nil {
				return err
			}
		case locked:
			s.forbid(ChangeFormFill, "field %s: filled in, though %s locked it", f.name, by)
		case f.above:
			s.forbid(ChangeForm, "field %s: what the fields below it inherit changed", f.name)
		case !slices.Contains([]name{"Tx", "Btn", "Ch"}, f.kind) || f.kind == "Btn" && f.flags&pushButton != 0:
			s.forbid(ChangeForm, "field %s: look changed, and it has no value to fill in", f.name)
		default:
			redrawn, err := s.redrawn(f, done)
			if err != nil {
				return err
			}
			if redrawn {
				s.forbid(ChangeForm, "field %s: look changed, and its value did not", f.name)
				continue
			}
			s.allow(ChangeFormFill, "field %s: %s", f.name, s.valueWords(f))
		}
	}
	return nil
}

// valueWords says how the value of a field changed.
func (s *step) valueWords(f *fieldFacts) string {
	before, after := valueText(s.was, f.value), valueText(s.is, s.valueNow(f))
	if before == after {
		return fmt.Sprintf("drawn, its value is still %s", after)
	}
	return fmt.Sprintf("value %s → %s", before, after)
}

// valueNow returns the value of a field after the step.
func (s *step) valueNow(f *fieldFacts) object {
	if d := s.deltas[f.num]; d != nil {
		return dictOf(d.is).get("V")
	}
	return f.value
}

// maxWords bounds how much of a value is told.
const maxWords = 80

func valueText(d *Document, o object) string {
	o, err := d.resolve(o)
	if err != nil {
		return "(unreadable)"
	}
	switch o := o.(type) {
	case nil:
		return "(none)"
	case *text:
		value, err := d.plainString(o)
		if err != nil {
			return "(unreadable)"
		}
		return shortened(value)
	case name:
		return shortened(string(o))
	case *array:
		return fmt.Sprintf("(%d choices)", len(o.items))
	}
	return "(a long text)"
}

func shortened(s string) string {
	r := []rune(s)
	switch {
	case len(r) == 0:
		return "(empty)"
	case len(r) > maxWords:
		return string(r[:maxWords]) + "…"
	}
	return s
}
