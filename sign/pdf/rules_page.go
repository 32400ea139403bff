// SPDX-License-Identifier: Apache-2.0

package pdf

import "slices"

// judgePage compares a page key by key. Annotations are compared later.
func (s *step) judgePage(d *delta, u use) {
	was, is, ok := d.dicts()
	if !ok {
		s.forbid(ChangePage, "page %d: removed", u.page)
		return
	}
	for _, key := range differing(was, is) {
		switch key {
		case "Annots":
			s.shown[d.num] = true
		case "Contents":
			s.forbid(ChangePage, "page %d: content replaced", u.page)
		case "MediaBox", "CropBox", "Rotate", "UserUnit":
			s.forbid(ChangePage, "page %d: size or rotation changed", u.page)
		default:
			s.forbid(ChangePage, "page %d: /%s %s", u.page, clip([]byte(key)), verb(was, is, key))
		}
	}
}

// judgeAnnotList remembers the page whose list of annotations is an object.
func (s *step) judgeAnnotList(d *delta, u use) {
	s.compareLists(u.page, listOf(d.was), listOf(d.is))
}

func listOf(o *indirect) *array {
	if o == nil {
		return nil
	}
	a, _ := o.value.(*array)
	return a
}

// compareAnnotations compares the annotations of the pages that were touched.
func (s *step) compareAnnotations() error {
	for _, d := range s.order {
		if !s.shown[d.num] {
			continue
		}
		was, err := soft[*array](s.was, dictOf(d.was).get("Annots"))
		if err != nil {
			return err
		}
		held := dictOf(d.is).get("Annots")
		is, err := soft[*array](s.is, held)
		if err != nil {
			return err
		}
		if is == nil && held != nil {
			s.forbid(ChangePage, "page %d: its annotations cannot be read", s.uses[d.num].page)
			continue
		}
		s.compareLists(s.uses[d.num].page, was, is)
	}
	return nil
}

// compareLists compares the annotations of a page before and after: the old ones
// stay in their order, which is that of painting, and new ones come after them.
func (s *step) compareLists(page int, was, is *array) {
	var before, after []object
	if was != nil {
		before = was.items
	}
	if is != nil {
		after = is.items
	}
	if len(after) >= len(before) && equalLists(before, after[:len(before)]) {
		s.judgeAdded(page, after[len(before):])
		return
	}
	kept := s.judgeRemoved(page, before, after)
	var added []object
	for _, o := range after {
		if len(kept) > 0 && equal(o, kept[0]) {
			kept = kept[1:]
		} else {
			added = append(added, o)
		}
	}
	if len(kept) > 0 {
		s.forbid(ChangePage, "page %d: annotations were put in another order", page)
	}
	s.judgeAdded(page, added)
}

// judgeRemoved judges what is not listed any more and returns the rest.
func (s *step) judgeRemoved(page int, before, after []object) []object {
	left := map[ref]bool{}
	for _, o := range after {
		if r, ok := o.(ref); ok {
			left[r] = true
		}
	}
	var kept []object
	for _, o := range before {
		r, ok := o.(ref)
		switch {
		case ok && left[r]:
			kept = append(kept, o)
		case ok && s.uses[r.num].purpose == annotation:
			s.judgeDeleted(page, r)
		case ok && s.fields[r.num] != nil:
			s.forbid(ChangeForm, "page %d: field %s removed", page, s.fields[r.num].name)
		case !ok && s.spend(int64(len(after))) == nil && slices.ContainsFunc(after, func(a object) bool { return equal(a, o) }):
			kept = append(kept, o)
		default:
			s.forbid(ChangePage, "page %d: annotation removed", page)
		}
	}
	return kept
}

func (s *step) judgeAdded(page int, added []object) {
	for _, o := range added {
		r, ok := o.(ref)
		switch {
		case !ok:
			s.forbid(ChangePage, "page %d: an annotation was added in the page itself", page)
		case s.fields[r.num] != nil:
			s.judgeShown(page, r, s.fields[r.num])
		default:
			s.judgeNewAnnotation(page, r)
		}
	}
}

// judgeShown judges a field of the signed form that a page begins to show: only
// a signature field that is signed now and takes no room.
func (s *step) judgeShown(page int, r ref, f *fieldFacts) {
	d := dictOf(s.deltaOf(r))
	if f.kind != "Sig" || f.isSigned() || f.page > 0 || d == nil || rectangle(d).visible() {
		s.forbid(ChangePage, "page %d: field %s shown there now", page, f.name)
	}
}

func (s *step) deltaOf(r ref) *indirect {
	if d := s.deltas[r.num]; d != nil {
		return d.is
	}
	return nil
}

// judgeNewAnnotation judges an annotation that a page shows in addition.
func (s *step) judgeNewAnnotation(page int, r ref) {
	d := s.deltas[r.num]
	annot := dictOf(s.deltaOf(r))
	switch {
	case d == nil || d.existed || annot == nil || annot.data > 0:
		s.forbid(ChangePage, "page %d: an annotation was added that was there before or is none", page)
	case annot.get("Subtype") == name("Widget") || annot.get("FT") != nil || annot.get("Parent") != nil && annot.get("Subtype") != name("Popup"):
		s.judgeNewField(r, page)
	default:
		s.judgeComment(page, annot, "added")
	}
}

// judgeAnnotation judges an annotation that was there, or what it refers to.
func (s *step) judgeAnnotation(d *delta, u use) {
	was, is, ok := d.dicts()
	if !ok || was.get("Subtype") == nil {
		s.forbid(ChangeAnnotation, "page %d: annotation removed, or what it shows replaced", u.page)
		return
	}
	for _, key := range differing(was, is) {
		if !commentText[key] {
			s.forbid(ChangeAnnotation, "page %d: annotation changed (/%s)", u.page, clip([]byte(key)))
		}
	}
	s.judgeComment(u.page, is, "changed")
}

// commentText are the entries of a comment that hold its words. The others say where
// it is and what it looks like.
var commentText = map[name]bool{
	"Contents": true, "RC": true, "M": true, "Open": true, "T": true, "Subj": true, "State": true, "StateModel": true, "NM": true, "CreationDate": true,
}

// judgeDeleted judges an annotation that a page does not list any more. Only a comment
// hides nothing.
func (s *step) judgeDeleted(page int, r ref) {
	annot, err := soft[*dict](s.was, r)
	if err != nil || annot == nil || !comments[kindOf(annot)] || !drawsOnly(s.was, annot) {
		s.forbid(ChangeAnnotation, "page %d: annotation removed", page)
		return
	}
	s.allow(ChangeAnnotation, "page %d: annotation removed (%s)", page, kindOf(annot))
}

func kindOf(annot *dict) name {
	kind, _ := annot.get("Subtype").(name)
	return name(clip([]byte(kind)))
}

// comments are the kinds of annotation that a document open for comments may get.
// Those that show text or pictures of their own, or do something when clicked,
// would let anybody rewrite what was signed.
var comments = map[name]bool{
	"Text": true, "Popup": true, "Highlight": true, "Underline": true, "Squiggly": true, "StrikeOut": true, "Caret": true, "Ink": true, "Line": true,
}

// judgeComment judges an annotation at the level that is open for them.
func (s *step) judgeComment(page int, annot *dict, verb string) {
	kind := kindOf(annot)
	switch {
	case !s.allows(ChangeAnnotation):
		s.forbid(ChangeAnnotation, "page %d: annotation %s (%s)", page, verb, kind)
	case !comments[kind] || annot.get("A") != nil || annot.get("AA") != nil || annot.get("OC") != nil:
		s.forbid(ChangeAnnotation, "page %d: annotation %s that can cover what was signed (%s)", page, verb, kind)
	case !drawsOnly(s.is, annot):
		s.forbid(ChangeAnnotation, "page %d: annotation %s that shows text or pictures of its own (%s)", page, verb, kind)
	default:
		s.allow(ChangeAnnotation, "page %d: annotation %s (%s at %v)", page, verb, kind, rectangle(annot))
	}
}

// drawsOnly reports whether the appearances of an annotation have neither fonts
// nor pictures.
func drawsOnly(d *Document, annot *dict) bool {
	appearances, err := soft[*dict](d, annot.get("AP"))
	if err != nil {
		return false
	}
	if appearances == nil {
		return true
	}
	for _, e := range appearances.entries {
		one, err := soft[*dict](d, e.value)
		if err != nil || one == nil || one.data == 0 || !noResources(d, one) {
			return false
		}
	}
	return true
}

func noResources(d *Document, form *dict) bool {
	held, err := soft[*dict](d, form.get("Resources"))
	if err != nil {
		return false
	}
	if held == nil {
		return form.get("Resources") == nil
	}
	for _, e := range held.entries {
		if e.key != "ExtGState" && e.key != "ProcSet" && e.key != "ColorSpace" {
			return false
		}
	}
	return true
}
