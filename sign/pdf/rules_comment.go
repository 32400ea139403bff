// SPDX-License-Identifier: Apache-2.0

package pdf

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
		s.forbid(ChangeAnnotation, "page %d: annotation %s that shows text or pictures of its own, or covers what was signed (%s)", page, verb, kind)
	default:
		s.allow(ChangeAnnotation, "page %d: annotation %s (%s at %v)", page, verb, kind, rectangle(annot))
	}
}
