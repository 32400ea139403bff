// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
)

// objectStream is an object stream, inflated, ISO 32000-2, 7.5.7.
type objectStream struct {
	end   int64 // of the stream in the file
	data  []byte
	index []packedAt
}

// packedAt says at which byte of the inflated data an object begins.
type packedAt struct{ num, offset int64 }

// packed reads an object out of an object stream.
func (d *Document) packed(r ref, at location) (*indirect, error) {
	home, err := d.container(at.offset)
	if err != nil {
		return nil, err
	}
	stream, err := d.objectStream(at.offset, home)
	if err != nil {
		return nil, err
	}
	if stream.end > d.limit {
		return nil, damaged(home, "object stream %d reaches past the end of its revision", at.offset)
	}
	d.trace.reachTo(stream.end)
	if at.gen < 0 || at.gen >= int64(len(stream.index)) || stream.index[at.gen].num != r.num {
		return nil, damaged(home, "object %d is not in object stream %d where it should be", r.num, at.offset)
	}
	begin := stream.index[at.gen].offset
	p := newParser(bytes.NewReader(stream.data), begin, int64(len(stream.data)))
	p.names = d.names
	o := &indirect{ref: r, packed: true, home: home}
	if o.value, o.span, err = p.object(); err != nil {
		return nil, err
	}
	return o, d.spend(o.len())
}

// container returns the absolute offset of the stream with the given number.
func (d *Document) container(num int64) (int64, error) {
	at, err := d.whereIs(num)
	if err != nil {
		return 0, err
	}
	if at.kind == plain {
		return d.base + at.offset, nil
	}
	return 0, damaged(0, "object stream %d is missing", num)
}

func (d *Document) objectStream(num, at int64) (*objectStream, error) {
	if s, ok := d.unpack[at]; ok && s != nil {
		return s, nil
	} else if ok {
		return nil, damaged(at, "object stream %d contains itself", num)
	}
	d.unpack[at] = nil
	s, err := d.readObjectStream(num, at)
	if err != nil {
		delete(d.unpack, at)
		return nil, err
	}
	if d.packing += int64(len(s.data)); d.packing > maxInflated {
		for k, v := range d.unpack {
			if v != nil {
				delete(d.unpack, k)
			}
		}
		d.packing = int64(len(s.data))
	}
	d.unpack[at] = s
	return s, nil
}

func (d *Document) readObjectStream(num, at int64) (*objectStream, error) {
	o, err := d.plain(ref{num: num}, at)
	if err != nil {
		return nil, err
	}
	head, ok := o.value.(*dict)
	if !ok || head.data == 0 || head.get("Type") != name("ObjStm") {
		return nil, damaged(at, "object %d is not an object stream", num)
	}
	var n [3]int64
	for i, key := range []name{"Length", "N", "First"} {
		if n[i], err = as[int64](d, head.get(key)); err != nil {
			return nil, err
		}
	}
	decrypt, err := d.openStream(o.ref, head)
	if err != nil {
		return nil, err
	}
	data, end, err := d.streamData(head, n[0], d.resolve, decrypt)
	if err != nil {
		return nil, err
	}
	s := &objectStream{end: end, data: data}
	return s, s.readIndex(at, n[1], n[2])
}

// readIndex reads the n pairs of numbers that lead the stream.
func (s *objectStream) readIndex(at, n, first int64) error {
	if n < 0 || n > int64(len(s.data)) || first < 0 || first > int64(len(s.data)) {
		return damaged(at, "an object stream with wrong /N or /First")
	}
	l := newLexer(bytes.NewReader(s.data), 0, first)
	for range n {
		num, err := l.token()
		if err != nil {
			return err
		}
		offset, err := l.token()
		if err != nil {
			return err
		}
		if num.kind != tokenInteger || offset.kind != tokenInteger || offset.integer < 0 || offset.integer > int64(len(s.data)) {
			return damaged(at, "an object stream with a malformed index")
		}
		s.index = append(s.index, packedAt{num.integer, first + offset.integer})
	}
	return nil
}

// direct is the resolve of a dictionary whose values must stand in it.
func direct(o object) (object, error) { return o, nil }

// streamData returns the decoded data of the stream that d describes and the
// end of its object in the file. decrypt may be nil. With the error of a filter it
// returns what that made of the data.
func (f *file) streamData(d *dict, length int64, resolve func(object) (object, error), decrypt func([]byte) ([]byte, error)) ([]byte, int64, error) {
	if length < 0 || length > min(maxInflated, f.size-d.data) {
		return nil, 0, damaged(d.start, "a stream with a wrong /Length")
	}
	end, err := f.streamEnd(d.data + length)
	if err != nil {
		return nil, 0, err
	}
	filters, parms, err := readFilters(d, resolve)
	if err != nil {
		return nil, 0, err
	}
	data, err := readSpan(f.src, span{d.data, d.data + length})
	if err != nil {
		return nil, 0, err
	}
	if err := f.unpacked(d.data, data); err != nil {
		return nil, 0, err
	}
	if decrypt != nil {
		if data, err = decrypt(data); err != nil {
			return nil, 0, err
		}
	}
	data, err = f.inflate(data, filters, parms, d.data)
	return data, end, err
}

// streamEnd checks that the data end where /Length says.
func (f *file) streamEnd(at int64) (int64, error) {
	l := newLexer(f.src, at, min(f.size, at+windowLen))
	for _, word := range []string{"endstream", "endobj"} {
		t, err := l.token()
		if l.err != nil {
			return 0, l.err
		}
		if err != nil || !t.is(word) {
			return 0, damaged(at, "no %s at the end of a stream", word)
		}
	}
	return l.pos, nil
}

// readFilters reads /Filter and /DecodeParms, one entry a filter.
func readFilters(d *dict, resolve func(object) (object, error)) ([]name, []predictor, error) {
	names, err := oneOrMany(d.get("Filter"), resolve)
	if err != nil {
		return nil, nil, err
	}
	parms, err := oneOrMany(d.get("DecodeParms"), resolve)
	if err != nil {
		return nil, nil, err
	}
	var filters []name
	predictors := make([]predictor, len(names))
	for i, o := range names {
		n, ok := o.(name)
		if !ok || len(names) > 3 {
			return nil, nil, damaged(d.start, "a stream with a malformed /Filter")
		}
		filters = append(filters, n)
		if i < len(parms) {
			if p, ok := parms[i].(*dict); ok {
				predictors[i] = readPredictor(p)
			}
		}
	}
	return filters, predictors, nil
}

func oneOrMany(o object, resolve func(object) (object, error)) ([]object, error) {
	o, err := resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	a, ok := o.(*array)
	if !ok {
		return []object{o}, nil
	}
	var items []object
	for _, item := range a.items[:min(len(a.items), 8)] {
		if item, err = resolve(item); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func readPredictor(d *dict) predictor {
	p := predictor{kind: 1, colors: 1, bits: 8, columns: 1}
	for key, into := range map[name]*int64{"Predictor": &p.kind, "Colors": &p.colors, "BitsPerComponent": &p.bits, "Columns": &p.columns} {
		if n, ok := d.integer(key); ok {
			*into = n
		}
	}
	return p
}
