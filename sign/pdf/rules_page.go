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
		s.showing[r.num] = append(s.showing[r.num], page)
		s.judgeNewField(r, page)
	default:
		s.judgeComment(page, annot, "added")
	}
}
