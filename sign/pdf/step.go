// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"cmp"
	"fmt"
	"slices"
)

// step judges what changed from one revision to the next.
type step struct {
	*ledger
	was, is  *Document
	revision int // index of the new one

	deltas  map[int64]*delta
	order   []*delta // by number
	changes []Change
	said    map[string]bool

	heads map[int64]bool // where the objects of the update begin

	form bool // the form was touched
	// newResources: the form has a font, or another thing to draw fields with, that
	// it did not have.
	newResources bool
	redraws      bool                     // readers are asked to draw all fields anew
	shown        map[int64]bool           // pages whose annotations were touched
	filled       map[*fieldFacts]*filling // what was done to fields
	fillOrder    []*fieldFacts            // the keys of filled
	tags         bool                     // the parent tree of the structure was touched
	newTags      []object                 // elements that it got
	fresh        map[int64]bool           // new signature fields that were judged
	freshNames   map[string]bool          // and their names
	signing      map[*fieldFacts]*dict    // fields that were empty and got a signature
	covered      []stampShare             // by the stamps
	stamps       map[int64]bool           // widgets of new signatures, or that got their look now
	showing      map[int64][]int          // pages that began to list a new widget
}

// delta is an object that differs.
type delta struct {
	num     int64
	was, is *indirect // nil for none
	existed bool      // the number was in use, readable or not
	stale   bool      // the new state stands in bytes of an earlier revision
	broken  error     // why the new state cannot be read
}

// dicts returns the dictionaries before and after; ok is false when one of them is
// something else.
func (d *delta) dicts() (was, is *dict, ok bool) {
	was, is = dictOf(d.was), dictOf(d.is)
	return was, is, was != nil && is != nil && was.data == 0 && is.data == 0
}

func dictOf(o *indirect) *dict {
	if o == nil {
		return nil
	}
	d, _ := o.value.(*dict)
	return d
}

func (s *step) run() error {
	s.deltas, s.said, s.shown = map[int64]*delta{}, map[string]bool{}, map[int64]bool{}
	s.stamps, s.showing = map[int64]bool{}, map[int64][]int{}
	s.freshNames, s.heads = map[string]bool{}, map[int64]bool{}
	s.filled, s.fresh, s.signing = map[*fieldFacts]*filling{}, map[int64]bool{}, map[*fieldFacts]*dict{}
	for _, part := range []func() error{s.gather, s.completed, s.compareTrailers, s.account, s.otherReaders, s.judge, s.advance, s.completed} {
		if err := part(); err != nil {
			return err
		}
		if s.exhausted != nil {
			return s.exhausted
		}
	}
	s.listUnused()
	return nil
}

// say lists a change, once.
func (s *step) say(kind ChangeKind, allowed bool, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if s.said[what] {
		return
	}
	s.said[what] = true
	s.changes = append(s.changes, Change{kind, allowed, what, s.revision})
}

// allow lists a change that is permitted if the level in force says so.
func (s *step) allow(kind ChangeKind, format string, args ...any) {
	if !s.allows(kind) {
		format += fmt.Sprintf(", which the certification forbids (level %d)", s.level)
	}
	s.say(kind, s.allows(kind), format, args...)
}

func (s *step) forbid(kind ChangeKind, format string, args ...any) {
	s.say(kind, false, format, args...)
}

// completed forbids objects of the signed revision that only appended bytes
// make readable.
func (s *step) completed() error {
	for _, num := range s.late {
		s.forbid(ChangeFile, "object %d begins in the earlier revision and is completed by what was appended", num)
	}
	s.late = nil
	return nil
}

// gather finds the objects that differ among those that the sections of the new
// revision speak of.
func (s *step) gather() error {
	for _, section := range s.sections[s.is.first:s.was.first] {
		for num := range section.numbers {
			if err := s.spend(16); err != nil {
				return err
			}
			if s.deltas[num] != nil {
				continue
			}
			d, err := s.difference(num)
			if err != nil {
				return err
			}
			s.deltas[num] = d
			if d.changed() {
				s.order = append(s.order, d)
			}
		}
	}
	slices.SortFunc(s.order, func(a, b *delta) int { return cmp.Compare(a.num, b.num) })
	for num, d := range s.deltas {
		if !d.changed() {
			delete(s.deltas, num)
		}
	}
	return nil
}

func (d *delta) changed() bool { return d.was != nil || d.is != nil || d.existed || d.broken != nil }

// difference compares one object. An empty delta says that it is the same.
func (s *step) difference(num int64) (*delta, error) {
	before, err := s.was.whereIs(num)
	if err != nil {
		return nil, err
	}
	after, err := s.is.whereIs(num)
	if err != nil {
		return nil, err
	}
	if before == after && before.kind != packed || before.kind <= free && after.kind <= free {
		return &delta{num: num}, nil
	}
	d := &delta{num: num, existed: before.kind > free}
	d.stale = after.kind == plain && before != after && s.base+after.offset < s.was.limit
	if d.was, err = s.was.object(before.refer(num)); hard(err) != nil {
		return nil, err
	}
	if d.is, d.broken = s.is.object(after.refer(num)); hard(d.broken) != nil {
		return nil, d.broken
	}
	d.was, d.is = d.was.unlessNull(), d.is.unlessNull()
	if s.exhausted != nil {
		return nil, s.exhausted
	}
	same, err := s.sameObject(d)
	if err == nil && same && before.generation() == after.generation() {
		return &delta{num: num}, nil
	}
	return d, err
}

// unlessNull is nil for the null object, which is like none.
func (o *indirect) unlessNull() *indirect {
	if o == nil || o.value == nil {
		return nil
	}
	return o
}

func (at location) refer(num int64) ref { return ref{num, at.generation()} }

func (at location) generation() int64 {
	if at.kind == plain {
		return at.gen
	}
	return 0
}

func (s *step) sameObject(d *delta) (bool, error) {
	if d.was == nil || d.is == nil || d.broken != nil || !equal(d.was.value, d.is.value) {
		return false, nil
	}
	was, is := dictOf(d.was), dictOf(d.is)
	if was == nil || was.data == 0 {
		return true, nil
	}
	same, err := s.sameStream(s.was, was, s.is, is)
	if err != nil {
		return false, hard(err)
	}
	return same, nil
}

// judge asks the rule for each object that differs.
func (s *step) judge() error {
	for _, d := range s.order {
		u := s.uses[d.num]
		if s.sound(d, u) {
			rules[u.purpose](s, d, u)
		}
	}
	for _, part := range []func() error{s.compareForms, s.compareAnnotations, s.listFilled, s.compareStamps, s.compareDrawing, s.compareTags} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// sound forbids what two readers may take for different objects, whatever it is
// used for.
func (s *step) sound(d *delta, u use) bool {
	switch {
	case d.broken != nil:
		s.forbid(ChangeFile, "object %d cannot be read any more", d.num)
		return false
	case d.stale && d.is != nil:
		s.forbid(ChangeFile, "object %d is taken from bytes of an earlier revision", d.num)
	case u.purpose != frozen && d.is != nil:
		if key, found := repeatedKey(d.is.value); found {
			s.forbid(ChangeFile, "object %d has the key /%s twice", d.num, clip([]byte(key)))
		}
	}
	return true
}

// rule judges an object that differs.
type rule func(*step, *delta, use)

var rules = [...]rule{
	unused:      (*step).judgeUnused,
	frozen:      (*step).judgeFrozen,
	catalogue:   (*step).judgeCatalog,
	pageNode:    (*step).judgePageNode,
	pageLeaf:    (*step).judgePage,
	annotList:   (*step).judgeAnnotList,
	annotation:  (*step).judgeAnnotation,
	formDict:    (*step).judgeForm,
	fieldList:   (*step).judgeForm,
	formField:   (*step).judgeField,
	fieldValue:  (*step).judgeFilling,
	appearance:  (*step).judgeFilling,
	resources:   (*step).judgeResources,
	resourceSet: (*step).judgeResources,
	dss:         (*step).judgeDSS,
	extensions:  (*step).judgeExtensions,
	metadata:    (*step).judgeMetadata,
	info:        (*step).judgeInfo,
	structRoot:  (*step).judgeStructRoot,
	tag:         (*step).judgeTag,
	tagNumbers:  (*step).judgeTagNumbers,
}

// judgeUnused lets new objects in: what refers to them decides.
func (s *step) judgeUnused(d *delta, _ use) {
	switch {
	case d.existed && d.is != nil:
		s.forbid(ChangeDocument, "object %d, which nothing used, was replaced", d.num)
	case d.existed:
		s.allow(ChangeOther, "objects that nothing used were removed")
	}
}

func (s *step) judgeFrozen(d *delta, u use) {
	kind, what := u.describe(s.ledger)
	if d.is == nil {
		s.forbid(kind, "%s removed", what)
		return
	}
	s.forbid(kind, "%s replaced", what)
}

// describe says for a person what an object is.
func (u use) describe(l *ledger) (ChangeKind, string) {
	f := l.fields[u.owner]
	switch {
	case f != nil && f.isSigned() && u.via == "V":
		return ChangeSignature, fmt.Sprintf("signature dictionary of %s", f.name)
	case f != nil && f.isSigned():
		return ChangeSignature, fmt.Sprintf("stamp of %s", f.name)
	case f != nil:
		return ChangeForm, fmt.Sprintf("field %s: /%s", f.name, u.via)
	case u.page > 0 && u.via == "Contents":
		return ChangePage, fmt.Sprintf("page %d: content", u.page)
	case u.page > 0 && u.via == "Resources":
		return ChangePage, fmt.Sprintf("page %d: a font, picture or other resource", u.page)
	case u.page > 0:
		return ChangePage, fmt.Sprintf("page %d: /%s", u.page, u.via)
	case u.via == "Pages" || u.via == "Kids":
		return ChangePage, "page tree"
	case u.via == "ObjStm":
		return ChangeFile, "an object stream"
	}
	return ChangeDocument, fmt.Sprintf("/%s of the document", clip([]byte(u.via)))
}

func (s *step) judgeDSS(*delta, use) {
	s.allow(ChangeDSS, "validation data added or renewed")
}

func (s *step) judgeExtensions(*delta, use) {
	s.allow(ChangeExtension, "developer extensions changed")
}

func (s *step) judgeMetadata(*delta, use) {
	s.allow(ChangeMetadata, "metadata changed")
}

func (s *step) judgeInfo(*delta, use) {
	s.allow(ChangeInfo, "document information changed")
}

// leadsToFields are the purposes of what makes up the form, above its fields.
var leadsToFields = map[purpose]bool{catalogue: true, formDict: true, fieldList: true}

// advance brings the ledger to the new revision: what the objects that differ
// lead to now. The form is walked first, from the top, so that each of its fields is
// met once: one that is met twice stands in it twice.
func (s *step) advance() error {
	s.raise(s.sections[s.is.first:s.was.first])
	s.Document = s.is
	s.round++
	var fields, others []*delta
	for _, d := range s.order {
		switch u, known := s.uses[d.num]; {
		case !known || d.is == nil:
		case leadsToFields[u.purpose]:
			if err := s.expandAgain(d); err != nil {
				return err
			}
		case u.purpose == formField:
			fields = append(fields, d)
		default:
			others = append(others, d)
		}
	}
	if err := s.advanceFields(fields); err != nil {
		return err
	}
	for _, d := range others {
		if err := s.expandAgain(d); err != nil {
			return err
		}
	}
	trailer, err := s.is.trailerDict()
	if err != nil {
		return err
	}
	for _, e := range trailer.entries {
		s.trailerEntry(e)
	}
	return s.drain()
}

// advanceFields expands the fields that differ, those above others first, but for those
// that the form has led to.
func (s *step) advanceFields(fields []*delta) error {
	slices.SortStableFunc(fields, func(a, b *delta) int { return cmp.Compare(s.fields[a.num].depth(), s.fields[b.num].depth()) })
	for _, d := range fields {
		if err := s.drainStructure(); err != nil {
			return err
		}
		if f := s.fields[d.num]; f != nil && f.round == s.round {
			continue
		}
		if err := s.expandAgain(d); err != nil {
			return err
		}
	}
	return s.drainStructure()
}

func (s *step) expandAgain(d *delta) error {
	u := s.uses[d.num]
	v := visit{ref: d.is.ref, use: u, key: u.via}
	if f := s.fields[d.num]; f != nil {
		v.parent = f.parent
	}
	return s.expand(d.is, v)
}

// maxListed bounds how many numbers are named in one line.
const maxListed = 5

// listUnused names new objects that nothing leads to. Object and cross-reference
// streams are only wrapping. A catalog or a page is there for readers that look for
// one.
func (s *step) listUnused() {
	var names []string
	more := 0
	for _, d := range s.order {
		if _, used := s.uses[d.num]; used || d.is == nil || d.existed || wrapping(d.is) {
			continue
		}
		if kind, _ := dictOf(d.is).get("Type").(name); kind == "Catalog" || kind == "Pages" || kind == "Page" {
			s.forbid(ChangeFile, "object %d was added, of the type %s, which nothing uses", d.num, kind)
		}
		if len(names) == maxListed {
			more++
			continue
		}
		names = append(names, fmt.Sprint(d.num))
	}
	switch {
	case more > 0:
		s.allow(ChangeOther, "objects %v and %d more were added that nothing uses", names, more)
	case len(names) > 0:
		s.allow(ChangeOther, "objects %v were added that nothing uses", names)
	}
}

func wrapping(o *indirect) bool {
	d := dictOf(o)
	kind := d.get("Type")
	return d != nil && d.data > 0 && (kind == name("ObjStm") || kind == name("XRef"))
}
