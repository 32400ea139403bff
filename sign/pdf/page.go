// SPDX-License-Identifier: Apache-2.0

package pdf

// maxPageNodes bounds the search for a page in a page tree of empty nodes.
const maxPageNodes = 10_000

// firstPage returns the dictionary and the reference of page 1, the first leaf
// of the page tree (ISO 32000-2, 7.7.3).
func (d *Document) firstPage() (*dict, ref, error) {
	root, at, err := d.catalog()
	if err != nil {
		return nil, at, err
	}
	w := &pageWalk{Document: d, seen: map[ref]bool{}}
	if err := w.visit(root.get("Pages")); err != nil {
		return nil, at, err
	}
	if w.page == nil {
		return nil, at, damaged(root.start, "the page tree has no page that is an indirect object")
	}
	return w.page, w.at, nil
}

// pageWalk goes down a page tree, depth first, until it finds a page.
type pageWalk struct {
	*Document
	seen map[ref]bool
	page *dict
	at   ref
}

func (w *pageWalk) visit(o object) error {
	r, ok := o.(ref)
	if !ok || w.seen[r] || len(w.seen) > maxPageNodes {
		return damaged(0, "the page tree has a loop, a node that is not an indirect object, or no page")
	}
	w.seen[r] = true
	node, err := as[*dict](w.Document, r)
	if err != nil || node == nil {
		return err
	}
	kids, err := as[*array](w.Document, node.get("Kids"))
	if err != nil {
		return err
	}
	if kids == nil {
		w.page, w.at = node, r
		return nil
	}
	for _, kid := range kids.items {
		if err := w.visit(kid); err != nil || w.page != nil {
			return err
		}
	}
	return nil
}
