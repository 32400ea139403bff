// SPDX-License-Identifier: Apache-2.0

package pdf

// Limits of the field tree.
const (
	maxFieldDepth = 64
	maxSignatures = 10_000  // in one revision
	maxFieldName  = 4 << 10 // bytes of a fully qualified name
	fieldEffort   = 256     // steps that visiting a field costs
)

// field is a node of the field tree with what it inherits, ISO 32000-2, 12.7.4.
type field struct {
	name  string // fully qualified
	dict  *dict
	home  identity
	at    ref    // zero when it is written inside another object
	kind  name   // /FT
	value object // /V, unresolved
}

// identity tells apart the objects of one file, whatever the revision: home is
// the absolute offset of the object, or of the object stream around it, inner
// tells apart what stands in it.
type identity struct{ home, inner int64 }

// form returns the interactive form dictionary, nil when there is none.
func (d *Document) form() (*dict, error) {
	root, _, err := d.catalog()
	if err != nil {
		return nil, err
	}
	return as[*dict](d, root.get("AcroForm"))
}

// eachField calls visit for every node of the field tree, parents first.
func (d *Document) eachField(visit func(field) error) error {
	form, err := d.form()
	if err != nil {
		return err
	}
	w := &fieldWalk{Document: d, visit: visit, seen: map[ref]bool{}}
	return w.all(form.get("Fields"), field{}, 0)
}

type fieldWalk struct {
	*Document
	visit func(field) error
	seen  map[ref]bool
}

// all walks the fields of an array.
func (w *fieldWalk) all(list object, parent field, depth int) error {
	kids, err := as[*array](w.Document, list)
	if err != nil || kids == nil {
		return err
	}
	for _, kid := range kids.items {
		if err := w.one(kid, parent, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) one(o object, parent field, depth int) error {
	if err := w.spend(fieldEffort); err != nil {
		return err
	}
	if depth > maxFieldDepth {
		return damaged(0, "form fields nested deeper than %d", maxFieldDepth)
	}
	f, err := w.open(o, parent)
	if err != nil || f.dict == nil {
		return err
	}
	if err := f.inherit(w.Document, parent); err != nil {
		return err
	}
	if err := w.visit(f); err != nil {
		return err
	}
	return w.all(f.dict.get("Kids"), f, depth+1)
}

// open reads the dictionary of a field, once: a field that is reached again
// closes a loop or has two parents.
func (w *fieldWalk) open(o object, parent field) (field, error) {
	r, ok := o.(ref)
	if !ok {
		d, _ := o.(*dict)
		f := field{dict: d, home: parent.home}
		if d != nil {
			f.home.inner = d.start
		}
		return f, nil
	}
	if w.seen[r] {
		return field{}, nil
	}
	w.seen[r] = true
	at, err := w.object(r)
	if err != nil || at == nil {
		return field{}, err
	}
	d, _ := at.value.(*dict)
	return field{dict: d, home: at.identity(), at: r}, nil
}

// identity of the object as it stands in the file.
func (o *indirect) identity() identity {
	if o.packed {
		return identity{o.home, o.start}
	}
	return identity{o.home, 0}
}

func (f *field) inherit(d *Document, parent field) error {
	f.name, f.kind, f.value = parent.name, parent.kind, parent.value
	partial, err := as[*text](d, f.dict.get("T"))
	if err != nil {
		return err
	}
	if partial != nil {
		if len(partial.bytes)+len(f.name) > maxFieldName {
			return damaged(partial.start, "a field name longer than %d bytes", maxFieldName)
		}
		b, err := d.plaintext(partial)
		if err != nil && d.locked() == nil {
			return err
		} else if err != nil {
			b = partial.bytes // it tells fields apart, if no more
		}
		f.name = joinName(f.name, decodeText(b))
	}
	kind, err := as[name](d, f.dict.get("FT"))
	if err != nil {
		return err
	}
	if kind != "" {
		f.kind = kind
	}
	if v := f.dict.get("V"); v != nil {
		f.value = v
	}
	return nil
}

func joinName(parent, partial string) string {
	if parent == "" {
		return partial
	}
	return parent + "." + partial
}

// found is a signature field with a value.
type found struct {
	field
	id    identity // of the signature dictionary
	stray ref      // the field, when the form does not list it
}

func tooManySignatures() error { return damaged(0, "more than %d signatures", maxSignatures) }

// signed lists the signature fields that have a value in this view.
func (d *Document) signed() ([]found, error) {
	var list []found
	err := d.eachField(func(f field) error {
		if f.kind != "Sig" || f.value == nil {
			return nil
		}
		if len(list) == maxSignatures {
			return tooManySignatures()
		}
		id, ok, err := d.identify(f)
		if ok {
			list = append(list, found{field: f, id: id})
		}
		return err
	})
	return list, err
}

// identify says which dictionary is the value of f, without reading it.
func (d *Document) identify(f field) (identity, bool, error) {
	switch v := f.value.(type) {
	case *dict:
		return identity{f.home.home, v.start}, true, nil
	case ref:
		at, err := d.whereIs(v.num)
		if err != nil {
			return identity{}, false, err
		}
		switch at.kind {
		case plain:
			d.trace.reachTo(d.base + at.offset + 1)
			return identity{d.base + at.offset, 0}, at.gen == v.gen, nil
		case packed:
			o, err := d.object(v)
			if err != nil || o == nil {
				return identity{}, false, err
			}
			return o.identity(), true, nil
		}
	}
	return identity{}, false, nil
}
