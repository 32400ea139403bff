// SPDX-License-Identifier: Apache-2.0

package pdf

// A program that adds a signature field to a tagged document enters it in the
// structure tree, ISO 32000-2, 14.7. The tree may grow by elements for new fields;
// what it says of anything else stays.

// expandStructRoot goes through the root of the structure tree. The elements are
// pushed last and so walked first.
func (l *ledger) expandStructRoot(root *dict, u use) {
	if root == nil {
		return
	}
	for _, e := range root.entries {
		switch e.key {
		case "K":
		case "ParentTree":
			l.mark(e.value, u.as(tagNumbers), e.key)
		default:
			l.mark(e.value, u.as(frozen), e.key)
		}
	}
	l.mark(root.get("K"), u.as(tag), "K")
}

// expandTag goes through an element, or a list of elements that is an object.
func (l *ledger) expandTag(o object, u use) {
	d, ok := o.(*dict)
	if !ok {
		l.mark(o, u, "K")
		return
	}
	for _, e := range d.entries {
		if e.key == "K" {
			l.markKids(e.value, u)
		} else {
			l.mark(e.value, u.as(frozen), e.key)
		}
	}
}

// markKids marks the kids of an element. Those that are written in it, references
// to marked content and to objects, stay with it.
func (l *ledger) markKids(o object, u use) {
	switch o := o.(type) {
	case *array:
		for _, item := range o.items {
			l.markKids(item, u)
		}
	case ref:
		l.mark(o, u, "K")
	default:
		l.mark(o, u.as(frozen), "K")
	}
}

func (s *step) judgeStructRoot(d *delta, _ use) {
	was, is, ok := d.dicts()
	if !ok {
		s.forbid(ChangeDocument, "the structure of the document was removed")
		return
	}
	for _, key := range differing(was, is) {
		switch key {
		case "K":
			s.growTags(was.get(key), is.get(key))
		case "ParentTree":
			s.tags = true
		case "ParentTreeNextKey":
			before, _ := was.integer(key)
			if after, ok := is.integer(key); !ok || after < before {
				s.forbid(ChangeDocument, "the document's structure lost its count")
			}
		default:
			s.forbid(ChangeDocument, "the document's structure: /%s %s", clip([]byte(key)), verb(was, is, key))
		}
	}
}

func (s *step) judgeTag(d *delta, _ use) {
	if before, after := listOf(d.was), listOf(d.is); before != nil && after != nil {
		s.growTags(before, after)
		return
	}
	was, is, ok := d.dicts()
	if !ok {
		s.forbid(ChangeDocument, "an element of the document's structure was removed")
		return
	}
	for _, key := range differing(was, is) {
		if key != "K" {
			s.forbid(ChangeDocument, "an element of the document's structure: /%s %s", clip([]byte(key)), verb(was, is, key))
			continue
		}
		s.growTags(was.get(key), is.get(key))
	}
}

// judgeTagNumbers remembers that the parent tree was touched: a node of it, or a list
// of elements.
func (s *step) judgeTagNumbers(d *delta, _ use) {
	s.tags = true
	if node := dictOf(d.was); node != nil && node.get("Nums") == nil && node.get("Kids") == nil {
		s.forbid(ChangeDocument, "an element of the document's structure was replaced")
	}
}

// growTags compares the kids of an element: the old ones stay in their order, and
// new ones are for new fields.
func (s *step) growTags(was, is object) {
	before, ok := s.kids(s.was, was)
	after, ok2 := s.kids(s.is, is)
	for _, o := range after {
		if len(before) > 0 && equal(before[0], o) {
			before = before[1:]
		} else {
			s.newTags = append(s.newTags, o)
		}
	}
	if !ok || !ok2 || len(before) > 0 {
		s.forbid(ChangeDocument, "elements of the document's structure were removed or put in another order")
	}
}

func (s *step) kids(d *Document, o object) (list []object, ok bool) {
	if r, isRef := o.(ref); isRef {
		held, err := soft[*array](d, r)
		if err != nil {
			return nil, false
		}
		if held != nil {
			return held.items, true
		}
	}
	if a, isArray := o.(*array); isArray {
		return a.items, true
	}
	if o == nil {
		return nil, true
	}
	return []object{o}, true
}

// compareTags judges what was added to the structure, when it is known which fields
// are new.
func (s *step) compareTags() error {
	for _, o := range s.newTags {
		r, ok := o.(ref)
		if !ok || !s.isFieldTag(r) {
			s.forbid(ChangeDocument, "an element was added to the document's structure that is not of a new signature field")
			continue
		}
		s.allow(ChangeStructure, "the document's structure names the new signature field")
	}
	if !s.tags {
		return nil
	}
	was, err := s.tagNumbers(s.was)
	if err != nil {
		return err
	}
	is, err := s.tagNumbers(s.is)
	if err != nil {
		return err
	}
	for number, o := range was {
		if !s.sameTags(o, is[number]) {
			s.forbid(ChangeDocument, "the document's structure says something else of what was signed")
		}
		delete(is, number)
	}
	for _, o := range is {
		if r, ok := o.(ref); !ok || !s.isFieldTag(r) {
			s.forbid(ChangeDocument, "the document's structure says something new of what was signed")
		}
	}
	return nil
}

// sameTags compares two entries of the parent tree: an element, or a list of them
// that may be an object.
func (s *step) sameTags(was, is object) bool {
	a, err := soft[*array](s.was, was)
	if err != nil {
		return false
	}
	b, err := soft[*array](s.is, is)
	if err != nil || a == nil || b == nil {
		return err == nil && a == b && equal(was, is)
	}
	return equal(a, b)
}

// fieldTagKeys are the entries that an element for a field may have; none that
// stands for text.
var fieldTagKeys = map[name]bool{
	"Type": true, "S": true, "P": true, "Pg": true, "K": true, "T": true, "Lang": true, "ID": true, "A": true, "C": true, "R": true, "Alt": true,
}

// isFieldTag reports whether r is a new element whose only content is a new
// signature field.
func (s *step) isFieldTag(r ref) bool {
	d := s.deltas[r.num]
	element := dictOf(s.deltaOf(r))
	if d == nil || d.existed || element == nil || element.data > 0 || s.uses[r.num].purpose != unused {
		return false
	}
	for _, e := range element.entries {
		if !fieldTagKeys[e.key] {
			return false
		}
	}
	kids, ok := s.kids(s.is, element.get("K"))
	if !ok || len(kids) != 1 {
		return false
	}
	objr, err := soft[*dict](s.is, kids[0])
	if err != nil || objr.get("Type") != name("OBJR") {
		return false
	}
	field, _ := objr.get("Obj").(ref)
	return s.fresh[field.num]
}

// maxTagNodes bounds the nodes of the parent tree that are looked at.
const maxTagNodes = 100_000

// tagNumbers reads the parent tree, a number tree (ISO 32000-2, 7.9.7).
func (s *step) tagNumbers(d *Document) (map[int64]object, error) {
	root, _, err := d.catalog()
	if err != nil {
		return nil, err
	}
	tree, err := soft[*dict](d, root.get("StructTreeRoot"))
	if err != nil {
		return nil, err
	}
	numbers := map[int64]object{}
	nodes := []object{tree.get("ParentTree")}
	for n := 0; len(nodes) > 0; n++ {
		if n > maxTagNodes {
			return nil, damaged(0, "a structure tree of more than %d nodes", maxTagNodes)
		}
		node, err := soft[*dict](d, nodes[0])
		if err != nil {
			return nil, err
		}
		nodes = nodes[1:]
		if err := readTagNode(d, node, numbers); err != nil {
			return nil, err
		}
		kids, _ := s.kids(d, node.get("Kids"))
		nodes = append(nodes, kids...)
	}
	return numbers, nil
}

func readTagNode(d *Document, node *dict, into map[int64]object) error {
	pairs, err := soft[*array](d, node.get("Nums"))
	if err != nil || pairs == nil {
		return err
	}
	if err := d.spend(int64(len(pairs.items))); err != nil {
		return err
	}
	for i := 0; i+1 < len(pairs.items); i += 2 {
		number, ok := pairs.items[i].(int64)
		if _, twice := into[number]; !ok || twice {
			return damaged(pairs.start, "a structure tree with a number twice, or with none")
		}
		into[number] = pairs.items[i+1]
	}
	return nil
}
