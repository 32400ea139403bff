// SPDX-License-Identifier: Apache-2.0

package pdf

import "slices"

// maxStrays bounds the objects looked at in the search for stray fields.
const maxStrays = 20_000

// strays lists the signature fields with a value that an update put on a page
// without entering them in the form. pdfsig of poppler 22 signs documents with
// a form so, and readers that go by the pages find them. Only objects of updates
// are looked at, which is where a signature comes from.
func (d *Document) strays() ([]found, error) {
	var list []found
	looked := 0
	for i, s := range d.sections[:len(d.sections)-1] {
		for num := range s.numbers {
			if looked++; looked > maxStrays {
				return list, nil
			}
			places, err := d.history(num)
			if err != nil {
				return nil, err
			}
			if len(places) == 0 || places[0].section != i {
				continue
			}
			f, ok, err := d.stray(places[0].ref(num))
			if err != nil {
				return nil, err
			}
			if ok {
				list = append(list, f)
			}
		}
	}
	return list, nil
}

// ref refers to object num where the place has it.
func (p place) ref(num int64) ref {
	if p.kind == packed {
		return ref{num: num}
	}
	return ref{num, p.gen}
}

// numbers yields the object numbers the section speaks of.
func (s *section) numbers(yield func(int64) bool) {
	runs := s.runs
	if s.hidden != nil {
		runs = slices.Concat(runs, s.hidden.runs)
	}
	for _, r := range runs {
		for num := r.first; num < r.first+r.count; num++ {
			if !yield(num) {
				return
			}
		}
	}
}

// stray tells whether r is a signature field with a value on a page. What
// cannot be read is not.
func (d *Document) stray(r ref) (found, bool, error) {
	o, err := d.object(r)
	if err != nil || o == nil {
		return found{}, false, hard(err)
	}
	widget, _ := o.value.(*dict)
	if widget.get("FT") != name("Sig") || widget.get("V") == nil {
		return found{}, false, nil
	}
	page, err := as[*dict](d, widget.get("P"))
	if err != nil {
		return found{}, false, hard(err)
	}
	shown, err := as[*array](d, page.get("Annots"))
	if err == nil && shown != nil {
		err = d.spend(int64(len(shown.items)))
	}
	if err != nil || shown == nil || !slices.Contains(shown.items, object(r)) {
		return found{}, false, hard(err)
	}
	f := field{dict: widget, home: o.identity()}
	if err := f.inherit(d, field{}); err != nil {
		return found{}, false, hard(err)
	}
	id, ok, err := d.identify(f)
	return found{f, id, r}, ok, hard(err)
}
