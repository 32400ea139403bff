// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/pectoken/pectoken/sign/cms"
)

// storeWriter adds to the security store.
type storeWriter struct {
	*update
	held  *dict            // the store that is there; nil for none
	known map[[32]byte]ref // the streams in it, by the digest of their data
	bytes int64            // in all of them
}

var vriKeyPattern = pattern(`^[0-9A-F]{40}$`)

// addToStore adds validation data to the document security store.
func (u *update) addToStore(o *ExtendOptions) error {
	root, rootAt, err := u.doc.catalog()
	if err != nil {
		return err
	}
	w := &storeWriter{update: u, known: map[[32]byte]ref{}}
	if w.held, err = as[*dict](u.doc, root.get("DSS")); err != nil {
		return err
	}
	if _, err := u.doc.readStore(w.remember); err != nil {
		return err
	}
	changes, err := w.changes(o)
	if err != nil || len(changes) == 0 {
		return err
	}
	if w.held == nil {
		at := u.allocate()
		_, err = u.put(at, dictionaryOf(append([]change{{"Type", []byte("/DSS")}}, changes...)))
		changes = []change{{"DSS", []byte(at.String())}}
	} else {
		changes, err = u.within(root, "DSS", changes)
	}
	u.edit(rootAt, root, changes...)
	return err
}

func (w *storeWriter) remember(at ref, value []byte) {
	key := sha256.Sum256(value)
	if _, ok := w.known[key]; !ok {
		w.known[key] = at
		w.bytes += int64(len(value))
	}
}

// changes says what changes in the store: its lists, and the entries of signatures.
func (w *storeWriter) changes(o *ExtendOptions) ([]change, error) {
	all := o.ValidationData
	signatures := slices.Sorted(maps.Keys(o.VRI))
	for _, key := range signatures {
		one := o.VRI[key]
		for i, list := range valueLists(&all) {
			*list = slices.Concat(*list, *valueLists(&one)[i])
		}
	}
	changes, err := w.merged(w.held, storeKeys, all)
	if err != nil {
		return nil, err
	}
	held, err := as[*dict](w.doc, w.held.get("VRI"))
	if err != nil {
		return nil, err
	}
	var entries []change
	for _, key := range signatures {
		if !vriKeyPattern().MatchString(key) {
			return nil, fmt.Errorf("extending PDF: %q is no key of a signature, which has 40 upper-case hexadecimal digits", key)
		}
		entry, err := w.entry(held.get(name(key)), o, o.VRI[key])
		if err != nil {
			return nil, err
		}
		if entry != nil {
			entries = append(entries, change{name(key), entry})
		}
	}
	vri, err := w.within(w.held, "VRI", entries)
	if err == nil && len(held.all())+len(entries) > maxStoreValues {
		err = fmt.Errorf("extending PDF: more than %d signatures in the security store", maxStoreValues)
	}
	return append(changes, vri...), err
}

// entry writes what the store has of one signature, as an object of its own, and
// returns the reference to it; nil when nothing changes.
func (w *storeWriter) entry(held object, o *ExtendOptions, v cms.ValidationData) ([]byte, error) {
	was, err := as[*dict](w.doc, held)
	if err != nil {
		return nil, err
	}
	changes, err := w.merged(was, vriKeys, v)
	if err != nil || was != nil && len(changes) == 0 {
		return nil, err
	}
	for _, key := range vriKeys {
		if was.find(key) != nil && findChange(changes, key) == nil {
			kept, err := w.refs(was.get(key))
			if err != nil {
				return nil, err
			}
			changes = append(changes, change{key, refList(kept)})
		}
	}
	at := w.allocate()
	when, err := w.when(at, was, o)
	if err != nil {
		return nil, err
	}
	_, err = w.put(at, dictionaryOf(slices.Concat([]change{{"Type", []byte("/VRI")}}, changes, when)))
	return []byte(at.String()), err
}

// when says when an entry was put together: the timestamp of it that is there, or
// the time that is given (ISO 32000-2, table 262: one of the two).
func (w *storeWriter) when(at ref, was *dict, o *ExtendOptions) ([]change, error) {
	if stamp, ok := was.get("TS").(ref); ok {
		return []change{{"TS", []byte(stamp.String())}}, nil
	}
	if o.VRITime.IsZero() {
		return nil, nil
	}
	date, err := w.text(at, encodeDate(o.VRITime))
	return []change{{"TU", date}}, err
}

// merged returns the lists of a dictionary that get longer by values.
func (w *storeWriter) merged(held *dict, keys dataKeys, v cms.ValidationData) (changes []change, err error) {
	for i, values := range valueLists(&v) {
		before, err := w.refs(held.get(keys[i]))
		if err != nil {
			return nil, err
		}
		list := slices.Clone(before)
		listed := map[ref]bool{}
		for _, at := range list {
			listed[at] = true
		}
		for _, value := range *values {
			at, err := w.store(value)
			if err != nil {
				return nil, err
			}
			if !listed[at] {
				listed[at] = true
				list = append(list, at)
			}
		}
		if len(list) > maxStoreValues {
			return nil, fmt.Errorf("extending PDF: more than %d values in a list of the security store", maxStoreValues)
		}
		if len(list) > len(before) {
			changes = append(changes, change{keys[i], refList(list)})
		}
	}
	return changes, nil
}

// refs returns the references in a list; anything else in it means nothing.
func (w *storeWriter) refs(o object) ([]ref, error) {
	items, err := as[*array](w.doc, o)
	if err != nil || items == nil {
		return nil, err
	}
	var list []ref
	for _, item := range items.items {
		if at, ok := item.(ref); ok {
			list = append(list, at)
		}
	}
	return list, nil
}

func refList(list []ref) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, at := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(at.String())
	}
	b.WriteByte(']')
	return b.Bytes()
}

// store returns the stream with a value: one that is there, or a new one.
func (w *storeWriter) store(value []byte) (ref, error) {
	key := sha256.Sum256(value)
	if at, ok := w.known[key]; ok {
		return at, nil
	}
	if w.bytes += int64(len(value)); len(value) == 0 || len(value) > maxInflated || w.bytes > maxStored {
		return ref{}, fmt.Errorf("extending PDF: a value of %d bytes, where one can have 1 to %d and all of them %d", len(value), maxInflated, maxStored)
	}
	if w.next > maxNumber-maxNew {
		return ref{}, damaged(0, "object numbers up to %d", w.next)
	}
	at := w.allocate()
	w.known[key] = at
	return at, w.putStream(at, "", value)
}
