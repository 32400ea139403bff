// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"io"
)

// equal reports whether two objects say the same, however they are written.
// References are equal when they name the same object, whatever that is. Strings
// that are encrypted are equal when they are stored as the same bytes, or when both
// can be opened and say the same.
func equal(a, b object) bool {
	switch a := a.(type) {
	case *text:
		b, ok := b.(*text)
		return ok && (bytes.Equal(a.bytes, b.bytes) || sayTheSame(a, b))
	case *array:
		b, ok := b.(*array)
		return ok && equalLists(a.items, b.items)
	case *dict:
		b, ok := b.(*dict)
		return ok && (a.data == 0) == (b.data == 0) && len(differing(a, b)) == 0
	case int64:
		if b, ok := b.(float64); ok {
			return float64(a) == b
		}
	case float64:
		if b, ok := b.(int64); ok {
			return a == float64(b)
		}
	}
	return a == b
}

func sayTheSame(a, b *text) bool {
	one, ok := a.opened()
	if !ok {
		return false
	}
	other, ok := b.opened()
	return ok && bytes.Equal(one, other)
}

func equalLists(a, b []object) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// differing lists the keys whose values differ, those of a first. A value of
// null is none (ISO 32000-2, 7.3.7). Of a key that stands twice all values are
// compared, since readers disagree on which of them counts.
func differing(a, b *dict) []name {
	was, is := valuesOf(a), valuesOf(b)
	var list []name
	for _, d := range []*dict{a, b} {
		if d == nil {
			continue
		}
		for _, e := range d.entries {
			if !equalLists(was[e.key], is[e.key]) {
				list = append(list, e.key)
			}
			delete(was, e.key)
			delete(is, e.key)
		}
	}
	return list
}

func valuesOf(d *dict) map[name][]object {
	values := map[name][]object{}
	if d != nil {
		for _, e := range d.entries {
			if e.value != nil {
				values[e.key] = append(values[e.key], e.value)
			}
		}
	}
	return values
}

// repeatedKey returns a key that stands twice, with different values, in a
// dictionary of o.
func repeatedKey(o object) (name, bool) {
	var parts []object
	switch o := o.(type) {
	case *array:
		parts = o.items
	case *dict:
		seen := map[name]object{}
		for _, e := range o.entries {
			if first, found := seen[e.key]; found && !equal(first, e.value) {
				return e.key, true
			}
			seen[e.key] = e.value
			parts = append(parts, e.value)
		}
	}
	for _, part := range parts {
		if key, found := repeatedKey(part); found {
			return key, true
		}
	}
	return "", false
}

// sameStream reports whether the streams that a in view v and b in view w
// describe have the same data. Those whose length cannot be told do not.
func (f *file) sameStream(v *Document, a *dict, w *Document, b *dict) (bool, error) {
	if a.data == b.data {
		return true, nil
	}
	n, err := v.streamLen(a)
	if err != nil || n < 0 {
		return false, err
	}
	m, err := w.streamLen(b)
	if err != nil || n != m {
		return false, err
	}
	if err := f.spend(n); err != nil {
		return false, err
	}
	return sameBytes(io.NewSectionReader(f.src, a.data, n), io.NewSectionReader(f.src, b.data, n))
}

// streamLen returns the length of the data of a stream, -1 when /Length does
// not say it or more than this view sees.
func (d *Document) streamLen(stream *dict) (int64, error) {
	n, err := d.resolve(stream.get("Length"))
	if err != nil {
		return -1, err
	}
	if n, ok := n.(int64); ok && n >= 0 && n <= d.limit-stream.data {
		return n, nil
	}
	return -1, nil
}

func sameBytes(a, b io.Reader) (bool, error) {
	one, other := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		n, err := io.ReadFull(a, one)
		m, otherErr := io.ReadFull(b, other)
		if !bytes.Equal(one[:n], other[:m]) {
			return false, nil
		}
		for _, err := range []error{err, otherErr} {
			switch {
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return true, nil
			case err != nil:
				return false, err
			}
		}
	}
}
