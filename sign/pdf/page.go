// SPDX-License-Identifier: Apache-2.0

package pdf

import "slices"

// maxPageNodes bounds the search for a page in a page tree of empty nodes: so
// many nodes more than the pages that are passed.
const maxPageNodes = 10_000

// page is a leaf of the page tree with what it inherits, ISO 32000-2, 7.7.3.4.
type page struct {
	*dict
	at       ref
	mediaBox object
	cropBox  object
	rotate   object
}

// firstPage returns the dictionary and the reference of page 1.
func (d *Document) firstPage() (*dict, ref, error) {
	p, err := d.page(1)
	if err != nil {
		return nil, ref{}, err
	}
	return p.dict, p.at, nil
}

// page returns page n, counted from 1, or from -1 for the last page backwards
// (ISO 32000-2, 7.7.3).
func (d *Document) page(n int) (*page, error) {
	root, _, err := d.catalog()
	if err != nil {
		return nil, err
	}
	w := &pageWalk{Document: d, seen: map[ref]bool{}, left: n, step: 1}
	if n < 0 {
		w.left, w.step = -n, -1
	}
	w.most = maxPageNodes + 2*w.left
	if err := w.visit(root.get("Pages"), page{}); err != nil {
		return nil, err
	}
	if w.found == nil && w.left == max(n, -n) {
		return nil, damaged(root.start, "the page tree has no page that is an indirect object")
	}
	if w.found == nil {
		return nil, &AppearanceError{Why: "the document does not have so many pages"}
	}
	return w.found, nil
}

// pageWalk goes through a page tree, depth first, in one of the two directions,
// until no more pages are left to pass.
type pageWalk struct {
	*Document
	seen  map[ref]bool
	most  int
	left  int
	step  int
	lists ref // when given, only pages count that list this annotation
	found *page
}

func (w *pageWalk) visit(o object, above page) error {
	r, ok := o.(ref)
	if !ok || w.seen[r] || len(w.seen) > w.most {
		return damaged(0, "the page tree has a loop, a node that is not an indirect object, or no page")
	}
	w.seen[r] = true
	node, err := as[*dict](w.Document, r)
	if err != nil || node == nil {
		return err
	}
	here := above.below(node, r)
	kids, err := as[*array](w.Document, node.get("Kids"))
	if err != nil {
		return err
	}
	if kids == nil {
		return w.pass(&here)
	}
	for i := range kids.items {
		if w.step < 0 {
			i = len(kids.items) - 1 - i
		}
		if err := w.visit(kids.items[i], here); err != nil || w.found != nil {
			return err
		}
	}
	return nil
}

// pass counts a page.
func (w *pageWalk) pass(p *page) error {
	if w.lists != (ref{}) {
		annots, err := as[*array](w.Document, p.get("Annots"))
		if err != nil || annots == nil || !slices.Contains(annots.items, object(w.lists)) {
			return err
		}
	}
	if w.left--; w.left == 0 {
		w.found = p
	}
	return nil
}

// pageAt reads the page that is object num, with what it inherits from the nodes it
// names as those above it.
func (d *Document) pageAt(num int64) (*page, error) {
	node, err := d.dictAt(num)
	p := &page{dict: node, at: ref{num: num}}
	for range maxFieldDepth {
		if err != nil || node == nil {
			return p, err
		}
		for key, into := range p.inherited() {
			if *into == nil {
				*into = node.get(key)
			}
		}
		node, err = soft[*dict](d, node.get("Parent"))
	}
	return p, err
}

// inherited are the entries that a page can have from the nodes above it.
func (p *page) inherited() map[name]*object {
	return map[name]*object{"MediaBox": &p.mediaBox, "CropBox": &p.cropBox, "Rotate": &p.rotate}
}

// below returns the node with what it has of its own in place of what it
// inherits.
func (p page) below(node *dict, at ref) page {
	p.dict, p.at = node, at
	for key, into := range p.inherited() {
		if o := node.get(key); o != nil {
			*into = o
		}
	}
	return p
}
