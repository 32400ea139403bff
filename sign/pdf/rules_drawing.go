// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"maps"
	"slices"
)

// Where a field has no appearance, or the form asks for new ones, readers draw the
// value as the default appearance /DA of the field says, with the resources of the
// form (ISO 32000-2, 12.7.4.3). A font that appears there changes what they draw.

// compareDrawing forbids resources by which fields that nobody filled in look
// different, and to have all fields drawn anew where that shows.
func (s *step) compareDrawing() error {
	if !s.newResources && !s.redraws {
		return nil
	}
	was, err := s.was.form()
	if err != nil {
		return err
	}
	is, err := s.is.form()
	if err != nil {
		return err
	}
	for _, num := range slices.Sorted(maps.Keys(s.fields)) {
		f := s.fields[num]
		if err := s.spend(fieldEffort); err != nil {
			return err
		}
		if s.filled[f.named] != nil || f.kind == "Sig" {
			continue
		}
		if shows, err := s.showsAnew(num, f); err != nil {
			return err
		} else if shows {
			s.forbid(ChangeForm, "field %s: the form asks readers to draw it anew (/NeedAppearances), so that it may look different", f.name)
			continue
		}
		differs, err := s.drawnAnew(num, f, was, is)
		if err != nil {
			return err
		}
		if differs {
			s.forbid(ChangeForm, "field %s: the form got what readers draw it with, so that it looks different", f.name)
		}
	}
	return nil
}

// showsAnew reports whether a field that nobody filled in may look different when it is
// drawn anew: it has a value, or a look that says something.
func (s *step) showsAnew(num int64, f *fieldFacts) (bool, error) {
	if !s.redraws {
		return false, nil
	}
	said, err := s.was.readable(f.value)
	if err != nil || said != "" {
		return true, err
	}
	widget, err := s.was.dictAt(num)
	if err != nil || widget.get("AP") == nil {
		return false, err
	}
	looks, err := soft[*dict](s.was, widget.get("AP"))
	if err != nil {
		return false, err
	}
	shown := looks.get("N")
	if states, err := soft[*dict](s.was, shown); err != nil || states != nil && states.data == 0 {
		if state, ok := widget.get("AS").(name); ok && err == nil {
			shown = states.get(state)
		}
	}
	return shown != nil && s.was.speaks(shown), nil
}

// drawnAnew reports whether readers draw the value of a field themselves, and now
// with something else.
func (s *step) drawnAnew(num int64, f *fieldFacts, was, is *dict) (bool, error) {
	widget, err := s.is.dictAt(num)
	if err != nil || widget.get("AP") != nil && is.get("NeedAppearances") != true {
		return false, err
	}
	said, err := s.was.readable(f.value)
	if err != nil || said == "" {
		return false, err
	}
	before, err := s.fontOf(s.was, num, f, was)
	if err != nil {
		return false, err
	}
	after, err := s.fontOf(s.is, num, f, is)
	return before != after, err
}

// fontOf returns the reference that the default appearance of a field has its font
// from, nil for none.
func (s *step) fontOf(view *Document, num int64, f *fieldFacts, form *dict) (object, error) {
	look := form.get("DA")
	for at := f; at != nil; at = at.parent {
		if at.num != 0 {
			num = at.num
		}
		held, err := view.dictAt(num)
		if err != nil {
			return nil, err
		}
		if own := held.get("DA"); own != nil {
			look = own
			break
		}
	}
	fonts, err := view.fonts(form)
	if err != nil {
		return nil, err
	}
	said, err := view.plainString(look)
	if err != nil {
		return nil, hard(err)
	}
	var font object
	l := newLexer(bytes.NewReader([]byte(said)), 0, int64(len(said)))
	for {
		t, err := l.token()
		if err != nil || t.kind == tokenEOF {
			return font, nil
		}
		if t.kind == tokenName {
			if r, ok := fonts.get(name(t.bytes)).(ref); ok {
				font = r
			} else if fonts.get(name(t.bytes)) != nil {
				font = t.kind // it stands in the form, and is compared with it
			}
		}
	}
}

// fonts returns those of the form's resources.
func (d *Document) fonts(form *dict) (*dict, error) {
	resources, err := soft[*dict](d, form.get("DR"))
	if err != nil {
		return nil, err
	}
	return soft[*dict](d, resources.get("Font"))
}

// dictAt returns the dictionary that is object num; nil for anything else.
func (d *Document) dictAt(num int64) (*dict, error) {
	at, err := d.whereIs(num)
	if err != nil {
		return nil, err
	}
	o, err := d.object(at.refer(num))
	return dictOf(o), hard(err)
}
