// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"io"
	"iter"
	"slices"
)

// object is one PDF object (ISO 32000-2, 7.3): nil (null), bool, int64,
// float64, name, *text, *array, *dict or ref.
type object any

// name is a name object without its slash, the #xx escapes resolved.
type name string

// ref is an indirect reference.
type ref struct{ num, gen int64 }

func (r ref) String() string { return fmt.Sprintf("%d %d R", r.num, r.gen) }

// span says where the source text of an object stands.
type span struct{ start, end int64 }

func (s span) len() int64 { return s.end - s.start }

// text is a string object, decoded.
type text struct {
	span
	bytes []byte // encrypted when in is set and the document is, see plaintext
	hex   bool
	in    *ref // the object it stands in, whose number goes into its key; nil in object streams and trailers
	// seal is what opens it where the same words can be stored as other bytes;
	// nil elsewhere, and where the stored bytes are what counts.
	seal *security
}

// texts yields the strings in o, in their order. The parser has bounded the
// depth.
func texts(o object) iter.Seq[*text] {
	return func(yield func(*text) bool) { eachText(o, yield) }
}

func eachText(o object, yield func(*text) bool) bool {
	switch o := o.(type) {
	case *text:
		return yield(o)
	case *array:
		for _, item := range o.items {
			if !eachText(item, yield) {
				return false
			}
		}
	case *dict:
		for _, e := range o.entries {
			if !eachText(e.value, yield) {
				return false
			}
		}
	}
	return true
}

// array is an array object.
type array struct {
	span
	src   io.ReaderAt
	items []object
}

// dict is a dictionary object. Of a key that stands twice the last value
// counts, as it does for most readers.
type dict struct {
	span
	src     io.ReaderAt
	entries []entry
	data    int64 // offset of the stream data that follows, 0 for no stream
}

// entry is one key and value of a dictionary. The span runs from the slash of
// the key to the end of the value.
type entry struct {
	span
	key   name
	value object
	at    span // of the value alone
}

// find returns the entry that counts for key, or nil.
func (d *dict) find(key name) *entry {
	if d == nil {
		return nil
	}
	for i := len(d.entries) - 1; i >= 0; i-- {
		if d.entries[i].key == key {
			return &d.entries[i]
		}
	}
	return nil
}

// get returns the value of key as it stands, references unresolved; nil when
// the key is absent.
func (d *dict) get(key name) object {
	if e := d.find(key); e != nil {
		return e.value
	}
	return nil
}

// all returns the entries; none for no dictionary.
func (d *dict) all() []entry {
	if d == nil {
		return nil
	}
	return d.entries
}

// repeats reports whether one of the keys stands twice.
func (d *dict) repeats(keys ...name) bool {
	seen := map[name]bool{}
	for _, e := range d.entries {
		if slices.Contains(keys, e.key) && seen[e.key] {
			return true
		}
		seen[e.key] = true
	}
	return false
}

// integer returns the direct integer under key.
func (d *dict) integer(key name) (int64, bool) {
	n, ok := d.get(key).(int64)
	return n, ok
}

// change replaces the value of one key by new source text; a nil value
// removes the key.
type change struct {
	key   name
	value []byte
}

// edited returns the source text of d with the changes made and every other
// byte as it was. Keys that d does not have are added at its end.
func (d *dict) edited(changes ...change) ([]byte, error) {
	raw, err := readSpan(d.src, d.span)
	if err != nil {
		return nil, err
	}
	var out []byte
	from := d.start
	done := map[name]bool{}
	for _, e := range d.entries {
		c := findChange(changes, e.key)
		if c == nil {
			continue
		}
		done[e.key] = true
		cut, with := e.at, c.value
		if c.value == nil {
			cut = e.span
		}
		out = append(out, raw[from-d.start:cut.start-d.start]...)
		out = append(out, padded(with)...)
		from = cut.end
	}
	closing := d.end - int64(len(">>"))
	out = append(out, raw[from-d.start:closing-d.start]...)
	for _, c := range changes {
		if !done[c.key] && c.value != nil {
			out = append(out, '/')
			out = append(out, c.key...)
			out = append(out, padded(c.value)...)
		}
	}
	return append(out, ">>"...), nil
}

// padded sets value apart from what stands around it.
func padded(value []byte) []byte {
	if value == nil {
		return nil
	}
	return append(append([]byte{' '}, value...), ' ')
}

func findChange(changes []change, key name) *change {
	for i := range changes {
		if changes[i].key == key {
			return &changes[i]
		}
	}
	return nil
}

// appended returns the source text of a with one more item at its end.
func (a *array) appended(item string) ([]byte, error) {
	raw, err := readSpan(a.src, a.span)
	if err != nil {
		return nil, err
	}
	raw = append(raw[:len(raw)-len("]")], ' ')
	raw = append(raw, item...)
	return append(raw, ']'), nil
}

// readSpan reads the source text of an object. The parser has bounded its
// length by maxObject.
func readSpan(src io.ReaderAt, s span) ([]byte, error) {
	raw := make([]byte, s.len())
	if n, err := src.ReadAt(raw, s.start); n < len(raw) {
		return nil, fmt.Errorf("reading PDF object at byte %d: %w", s.start, err)
	}
	return raw, nil
}
