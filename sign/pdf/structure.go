// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"slices"
)

func containsWord(text []byte, word string) bool { return bytes.Contains(text, []byte(word)) }

// expandCatalog goes through the entries that may change, ISO 32000-2, 7.7.2. The
// form is pushed last and so walked first: what it lists are fields, wherever else
// they are met.
func (l *ledger) expandCatalog(root *dict) error {
	if root == nil {
		return nil
	}
	for _, e := range root.entries {
		if p, ok := catalogPurposes[e.key]; ok {
			if d, direct := e.value.(*dict); direct && p == structRoot {
				l.expandStructRoot(d, use{purpose: p, via: e.key})
				continue
			}
			l.mark(e.value, use{purpose: p, via: e.key}, e.key)
		} else if e.key != "Pages" && e.key != "AcroForm" {
			l.mark(e.value, use{purpose: frozen, via: e.key}, e.key)
		}
	}
	l.refer(root.get("Pages"), use{purpose: pageLeaf, via: "Pages"}, "Pages")
	switch form := root.get("AcroForm").(type) {
	case *dict:
		l.expandForm(form)
	default:
		l.refer(form, use{purpose: formDict, via: "AcroForm"}, "AcroForm")
	}
	return l.learnFromCatalog()
}

// catalogPurposes are the entries of the catalog that an update may replace or add
// to.
var catalogPurposes = map[name]purpose{"DSS": dss, "Extensions": extensions, "Metadata": metadata, "StructTreeRoot": structRoot}

// expandPageNode goes through a page or a node above pages, ISO 32000-2, 7.7.3.
func (l *ledger) expandPageNode(node *dict, v visit) {
	if node == nil {
		return
	}
	if kids := node.get("Kids"); kids != nil {
		v.purpose = pageNode
		l.uses[v.num] = v.use
		l.expandKids(kids)
	} else {
		if v.page == 0 {
			l.pages++
			l.sheets = append(l.sheets, v.num)
			v.page = l.pages
		}
		l.uses[v.num] = v.use
		l.expandAnnots(node.get("Annots"), v)
	}
	for _, e := range node.entries {
		if e.key != "Kids" && (e.key != "Annots" || v.purpose == pageNode) {
			l.mark(e.value, use{purpose: frozen, page: v.page, via: e.key}, e.key)
		}
	}
}

// expandKids pushes the kids of a node so that they are walked in their order,
// which numbers the pages.
func (l *ledger) expandKids(kids object) {
	list, ok := kids.(*array)
	if !ok {
		l.mark(kids, use{purpose: frozen, via: "Kids"}, "Pages")
		list, _ = as[*array](l.Document, kids)
		if list == nil {
			return
		}
	}
	for _, kid := range slices.Backward(list.items) {
		l.refer(kid, use{purpose: pageLeaf, via: "Kids"}, "Pages")
	}
}

func (l *ledger) expandAnnots(annots object, v visit) {
	u := use{purpose: annotList, page: v.page, via: "Annots"}
	if list, ok := annots.(*array); ok {
		l.expandList(list, visit{use: u})
		return
	}
	l.refer(annots, u, "Annots")
}

// expandForm goes through the interactive form, ISO 32000-2, 12.7.3.
func (l *ledger) expandForm(form *dict) {
	if form == nil {
		return
	}
	for _, e := range form.entries {
		switch u := (use{via: e.key}); e.key {
		case "Fields":
			u.purpose = fieldList
			if list, ok := e.value.(*array); ok {
				l.expandList(list, visit{use: u})
			} else {
				l.refer(e.value, u, e.key)
			}
		case "DR":
			l.expandResources(e.value, u)
		default:
			l.mark(e.value, u.as(frozen), e.key)
		}
	}
}

// expandResources freezes what stands in the resources of the form, but not the
// dictionaries themselves: names may be added.
func (l *ledger) expandResources(o object, u use) {
	d, ok := o.(*dict)
	if !ok {
		l.mark(o, u.as(resources), "DR")
		return
	}
	for _, e := range d.entries {
		if set, ok := e.value.(*dict); ok {
			l.markEntries(set, u.as(frozen))
		} else {
			l.mark(e.value, u.as(resourceSet), e.key)
		}
	}
}

// expandList goes through the list of fields of the form or of annotations of a
// page.
func (l *ledger) expandList(o object, v visit) {
	list, ok := o.(*array)
	if !ok {
		return
	}
	u, key := use{purpose: formField, via: "Fields"}, name("Fields")
	if v.purpose == annotList {
		u, key = use{purpose: annotation, page: v.page, via: "Annots"}, "Annots"
	}
	l.structure = slices.Grow(l.structure, len(list.items)) // a form can have very many fields
	for _, item := range slices.Backward(list.items) {
		l.refer(item, u, key)
	}
}

// expandAnnotation goes through an annotation of a page that is no field the form
// lists. It may be one that the form does not list.
func (l *ledger) expandAnnotation(d *dict, v visit) error {
	if d == nil {
		return nil
	}
	if v.key == "Annots" && (d.get("Subtype") == name("Widget") || d.get("FT") != nil) {
		v.use = use{purpose: formField, page: v.page, via: v.via}
		l.uses[v.num] = v.use
		if err := l.expandStray(d, v); err != nil {
			return err
		}
		l.showField(v)
		return nil
	}
	l.markEntries(d, v.use)
	return nil
}

// fieldFacts is what a change to a field is judged by.
type fieldFacts struct {
	field
	num       int64
	parent    *fieldFacts  // above it in the tree
	named     *fieldFacts  // it, or what is above it and has the name and the value
	page      int          // that shows it, 0 for none
	elsewhere map[int]bool // other pages that do
	flags     int64        // /Ff
	round     int          // in which it was looked at
	born      int          // in which it was looked at first
	own       bool         // its signature, if any, was learnt from
	above     bool         // fields with names of their own inherit from it
	signed    bool         // it is a signature field that has a value
	stray     bool         // a page leads to it and the form does not
}

// depth is the number of fields above f, as far as they are counted.
func (f *fieldFacts) depth() int {
	n := 0
	for ; f != nil && f.parent != nil && n < maxFieldDepth; f = f.parent {
		n++
	}
	return n
}

// isSigned reports whether the field or the one it is a widget of is signed.
func (f *fieldFacts) isSigned() bool { return f.signed || f.named.signed }

// again reports whether the field may be looked at once more: in another round from
// the same parent, or when only a page led to it before.
func (f *fieldFacts) again(round int, parent *fieldFacts) bool {
	return f != nil && (f.round < round && f.parent == parent || f.stray)
}

// showField notes on which page a field is.
func (l *ledger) showField(v visit) {
	if f := l.fields[v.num]; f != nil && f.page == 0 {
		f.page = v.page
	} else if f != nil && f.page != v.page {
		if f.elsewhere == nil {
			f.elsewhere = map[int]bool{}
		}
		f.elsewhere[v.page] = true
	}
}

// maxAncestors bounds the fields above a widget.
const maxAncestors = maxFieldDepth

// expandStray finds the field above a widget by /Parent, since the form does not
// lead to it.
func (l *ledger) expandStray(d *dict, v visit) error {
	above := []*dict{}
	for at := d; len(above) < maxAncestors; {
		next, err := as[*dict](l.Document, at.get("Parent"))
		if hard(err) != nil {
			return err
		}
		if next == nil {
			break
		}
		above = append(above, next)
		at = next
	}
	for _, at := range slices.Backward(above) {
		parent, err := l.describeField(at, v.parent, nil)
		if err != nil {
			return err
		}
		v.parent = parent
	}
	if err := l.expandField(d, v); err != nil || l.fields[v.num] == nil {
		return err
	}
	l.fields[v.num].stray = true
	return nil
}

// describeField reads the facts of a field; into may hold those of an earlier
// round.
func (l *ledger) describeField(d *dict, parent, into *fieldFacts) (*fieldFacts, error) {
	f := into
	if f == nil {
		f = &fieldFacts{born: l.round}
	}
	f.parent, f.round, f.dict, f.stray = parent, l.round, d, false
	above := field{}
	if parent != nil {
		above = parent.field
		f.flags = parent.flags
	}
	if err := f.inherit(l.Document, above); err != nil {
		return nil, err
	}
	if flags, ok := d.integer("Ff"); ok {
		f.flags = flags
	}
	f.named = f
	if parent != nil && d.get("T") == nil {
		f.named = parent.named
	} else if parent != nil {
		parent.above = true
	}
	if !f.signed && f.kind == "Sig" { // once, as a signature is long, and each revision leads to all of them
		value, err := l.resolve(f.value)
		if hard(err) != nil {
			return nil, err
		}
		f.signed = value != nil || err != nil
	}
	f.dict = nil
	return f, nil
}

// expandField goes through a field or a widget, ISO 32000-2, 12.7.4 and 12.5.6.19.
// Of a signed one nothing may change; of others the value and the appearance.
func (l *ledger) expandField(d *dict, v visit) error {
	if d == nil || d.data > 0 {
		l.uses[v.num] = v.use.as(frozen)
		l.markEntries(d, v.use.as(frozen))
		return nil
	}
	f, err := l.describeField(d, v.parent, l.fields[v.num])
	if err != nil {
		return err
	}
	f.num = v.num
	l.fields[v.num], l.names[f.name] = f, true
	if err := l.learnFromField(f, d); err != nil {
		return err
	}
	for _, e := range d.entries {
		u := use{purpose: frozen, page: f.page, via: e.key, owner: v.num}
		switch e.key {
		case "Kids":
			l.expandFieldKids(e.value, f)
			continue
		case "V":
			u.purpose = fieldValue
		case "AP":
			u.purpose = appearance
		}
		if f.isSigned() {
			u.purpose = frozen
		}
		l.mark(e.value, u, e.key)
	}
	return nil
}

func (l *ledger) expandFieldKids(kids object, f *fieldFacts) {
	list, ok := kids.(*array)
	if !ok {
		l.mark(kids, use{purpose: frozen, via: "Kids"}, "AcroForm")
		if list, _ = as[*array](l.Document, kids); list == nil {
			return
		}
	}
	for _, kid := range slices.Backward(list.items) {
		if r, ok := kid.(ref); ok {
			l.structure = append(l.structure, visit{ref: r, use: use{purpose: formField, via: "Kids"}, key: "Kids", parent: f})
		} else {
			l.mark(kid, use{purpose: frozen, via: "Kids"}, "Kids")
		}
	}
}
