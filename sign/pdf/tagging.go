// SPDX-License-Identifier: Apache-2.0

package pdf

import "fmt"

// tagged enters a visible field in the structure of a tagged document (ISO
// 32000-2, 14.7), and returns what its widget and its page need for it: the page
// wants its order of tabs with any field (PDF/UA, ISO 14289-1, 7.18.3). Where
// there is a signature already nothing is done, since a change of the structure
// would be held against it; nor where the structure is not as it should be.
func (p *plan) tagged(widget ref, page *page) (entries string, changes []change, err error) {
	root, _, err := p.doc.catalog()
	if err != nil || p.signed {
		return "", nil, err
	}
	at, _ := root.get("StructTreeRoot").(ref)
	tree, err := as[*dict](p.doc, at)
	if err != nil || tree == nil {
		return "", nil, err
	}
	changes = tabOrder(page)
	if p.o.Appearance == nil {
		return "", changes, nil
	}
	if err := p.readyFirstPage(page); err != nil {
		return "", nil, err
	}
	entries, err = p.enterStructure(at, tree, widget, page)
	return entries, changes, err
}

func tabOrder(page *page) []change {
	if page.get("Tabs") != nil {
		return nil
	}
	return []change{{"Tabs", []byte("/S")}}
}

// readyFirstPage gives the first page its order of tabs, when the signature goes to
// another: fields that nobody sees come there later, of document timestamps for one, and
// nothing else of a page may change then.
func (p *plan) readyFirstPage(signed *page) error {
	first, err := p.doc.page(1)
	if err != nil || first.at == signed.at {
		return err
	}
	p.edit(first.at, first.dict, tabOrder(first)...)
	return nil
}

// enterStructure enters a field in the structure, and returns what its widget needs.
func (p *plan) enterStructure(at ref, tree *dict, widget ref, page *page) (entries string, err error) {
	key, ok, err := p.nextKey(tree)
	if err != nil || !ok {
		return "", err
	}
	element := p.allocate()
	if ok, err := p.enterParent(at, tree, key, element); err != nil || !ok {
		return "", err
	}
	above, err := p.enterElement(at, tree, element)
	if err != nil {
		return "", err
	}
	if _, err := p.put(element, fmt.Appendf(nil, "<< /Type /StructElem /S /Form /P %v /Pg %v /K << /Type /OBJR /Obj %v /Pg %v >> >>",
		above, page.at, widget, page.at)); err != nil {
		return "", err
	}
	title, err := p.text(widget, p.target.name)
	return fmt.Sprintf(" /StructParent %d /TU %s", key, title), err
}

// nextKey is the first key that the parent tree has not used: what /ParentTreeNextKey
// says, which many writers leave out, or one more than the last in the tree (ISO 32000-2,
// 7.9.7: they stand in order).
func (p *plan) nextKey(tree *dict) (key int64, ok bool, err error) {
	if key, ok := tree.integer("ParentTreeNextKey"); ok {
		return key, key >= 0 && key <= maxNumber, nil
	}
	node, err := as[*dict](p.doc, tree.get("ParentTree"))
	for range maxFieldDepth {
		if err != nil || node == nil {
			return 0, false, err
		}
		if nums := node.get("Nums"); nums != nil {
			return p.keyAfter(nums)
		}
		kids, failed := as[*array](p.doc, node.get("Kids"))
		if failed != nil || kids == nil || len(kids.items) == 0 {
			return 0, false, failed
		}
		node, err = as[*dict](p.doc, kids.items[len(kids.items)-1])
	}
	return 0, false, nil
}

// keyAfter is one more than the last key of a leaf, keys and values in turn.
func (p *plan) keyAfter(nums object) (key int64, ok bool, err error) {
	list, err := as[*array](p.doc, nums)
	if err != nil || list == nil || len(list.items)%2 != 0 {
		return 0, false, err
	}
	if len(list.items) == 0 {
		return 0, true, nil
	}
	last, ok := list.items[len(list.items)-2].(int64)
	return last + 1, ok && last >= 0 && last < maxNumber, nil
}

// enterParent enters the element in the parent tree, which leads from a widget to
// its element. It is not ok when there is no such tree.
func (p *plan) enterParent(at ref, tree *dict, key int64, element ref) (ok bool, err error) {
	held := tree.get("ParentTree")
	parents, err := as[*dict](p.doc, held)
	if err != nil || parents == nil {
		return false, err
	}
	var changes []change
	switch {
	case parents.get("Nums") != nil:
		changes, err = p.appendTo(parents, "Nums", fmt.Sprintf("%d %v", key, element))
	case parents.get("Kids") != nil:
		leaf := p.allocate()
		if _, err := p.put(leaf, fmt.Appendf(nil, "<< /Limits [%d %d] /Nums [%d %v] >>", key, key, key, element)); err != nil {
			return false, err
		}
		changes, err = p.appendTo(parents, "Kids", leaf.String())
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	next := change{"ParentTreeNextKey", fmt.Append(nil, key+1)}
	if r, ok := held.(ref); ok {
		p.edit(r, parents, changes...)
		p.edit(at, tree, next)
		return true, nil
	}
	text, err := parents.edited(changes...)
	p.edit(at, tree, next, change{"ParentTree", text})
	return true, err
}

// enterElement makes the element the last one of the document's top element, or
// of the tree where that has several, and returns what it is put under.
func (p *plan) enterElement(at ref, tree *dict, element ref) (ref, error) {
	if top, ok := tree.get("K").(ref); ok {
		d, err := as[*dict](p.doc, top)
		if err != nil {
			return at, err
		}
		if d != nil && d.get("S") != nil {
			at, tree = top, d
		}
	}
	held := tree.find("K")
	list, err := as[*array](p.doc, tree.get("K"))
	if err != nil {
		return at, err
	}
	if held == nil || list != nil {
		changes, err := p.appendTo(tree, "K", element.String())
		p.edit(at, tree, changes...)
		return at, err
	}
	one, err := readSpan(tree.src, held.at)
	p.edit(at, tree, change{"K", fmt.Appendf(nil, "[%s %v]", one, element)})
	return at, err
}
