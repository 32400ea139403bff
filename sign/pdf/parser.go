// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"io"
	"slices"
)

// parser builds objects from tokens, within the limits of one object.
type parser struct {
	*lexer
	nodes int
	in    *ref // the object that is parsed, see text
	names nameTable

	// What the arrays and dictionaries that are open have so far, the outer ones
	// first. They get lists of their own when they close and their length is known.
	items   []object
	entries []entry
}

// newParser starts at pos of src and reads at most maxObject bytes, and never
// at or past limit.
func newParser(src io.ReaderAt, pos, limit int64) *parser {
	if limit-pos > maxObject {
		limit = pos + maxObject
	}
	return &parser{lexer: newLexer(src, pos, limit)}
}

// maxKept bounds the items and entries for which a parser keeps room.
const maxKept = 1 << 10

// again makes p ready for another object of the same source, which ends at limit as
// before. The window stays: objects read one after the other often stand side by side.
func (p *parser) again(pos, limit int64) {
	if limit-pos > maxObject {
		limit = pos + maxObject
	}
	p.pos, p.limit, p.nodes, p.in = pos, limit, 0, nil
	if cap(p.items) > maxKept {
		p.items = nil
	}
	if cap(p.entries) > maxKept {
		p.entries = nil
	}
}

// nameTable holds names that were met, as objects: a document has few, and repeats
// them in every object.
type nameTable map[name]object

// What a nameTable holds at the most, and how long names in it are.
const (
	maxNames   = 1 << 10
	maxNameLen = 64
)

// object returns the name that is written so.
func (n nameTable) object(written []byte) object {
	if o, known := n[name(written)]; known {
		return o
	}
	fresh := name(written)
	var o object = fresh
	if n != nil && len(n) < maxNames && len(fresh) <= maxNameLen {
		n[fresh] = o
	}
	return o
}

// object reads one object, ISO 32000-2, 7.3.
func (p *parser) object() (object, span, error) {
	t, err := p.token()
	if err != nil {
		return nil, t.span, err
	}
	return p.build(t, 0)
}

// build completes the object that begins with t.
func (p *parser) build(t token, depth int) (object, span, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, t.span, damaged(t.start, "an object of more than %d parts", maxNodes)
	}
	if depth > maxDepth {
		return nil, t.span, damaged(t.start, "objects nested deeper than %d", maxDepth)
	}
	switch t.kind {
	case tokenInteger:
		return p.integerOrRef(t)
	case tokenReal:
		return t.real, t.span, nil
	case tokenName:
		return p.names.object(t.bytes), t.span, nil
	case tokenString:
		return &text{span: t.span, bytes: t.bytes, hex: t.hex, in: p.in}, t.span, nil
	case tokenArrayOpen:
		return p.array(t, depth)
	case tokenDictOpen:
		return p.dict(t, depth)
	case tokenKeyword:
		return keyword(t)
	}
	return nil, t.span, damaged(t.start, "an object was expected")
}

func keyword(t token) (object, span, error) {
	switch string(t.bytes) {
	case "null":
		return nil, t.span, nil
	case "true":
		return true, t.span, nil
	case "false":
		return false, t.span, nil
	}
	return nil, t.span, damaged(t.start, "unexpected word %q", clip(t.bytes))
}

// clip keeps hostile text in error messages short.
func clip(b []byte) []byte { return b[:min(len(b), 32)] }

// integerOrRef looks two tokens ahead for "num gen R".
func (p *parser) integerOrRef(t token) (object, span, error) {
	mark := p.pos
	if t.integer >= 0 {
		gen, err := p.token()
		if err == nil && gen.kind == tokenInteger && gen.integer >= 0 {
			if r, err := p.token(); err == nil && r.is("R") {
				return ref{t.integer, gen.integer}, span{t.start, r.end}, nil
			}
		}
	}
	p.pos = mark
	return t.integer, t.span, p.err
}

func (p *parser) array(open token, depth int) (object, span, error) {
	a := &array{src: p.src, span: open.span}
	first := len(p.items)
	for {
		t, err := p.token()
		if err != nil {
			return nil, a.span, err
		}
		if t.kind == tokenArrayClose {
			a.end = t.end
			a.items, p.items = closed(p.items, first)
			return a, a.span, nil
		}
		item, _, err := p.build(t, depth+1)
		if err != nil {
			return nil, a.span, err
		}
		p.items = append(p.items, item)
	}
}

// closed cuts what stands from first off list, and returns that in a list of its own.
func closed[T any](list []T, first int) (cut, rest []T) {
	if len(list) == first {
		return nil, list
	}
	cut = slices.Clone(list[first:])
	clear(list[first:]) // a parser that is kept keeps no objects
	return cut, list[:first]
}

func (p *parser) dict(open token, depth int) (object, span, error) {
	d := &dict{src: p.src, span: open.span}
	first := len(p.entries)
	for {
		t, err := p.token()
		if err != nil {
			return nil, d.span, err
		}
		if t.kind == tokenDictClose {
			d.end = t.end
			d.entries, p.entries = closed(p.entries, first)
			return d, d.span, nil
		}
		e, err := p.entry(t, depth)
		if err != nil {
			return nil, d.span, err
		}
		p.entries = append(p.entries, e)
	}
}

func (p *parser) entry(key token, depth int) (entry, error) {
	if key.kind != tokenName {
		return entry{}, damaged(key.start, "a dictionary key was expected")
	}
	e := entry{span: key.span, key: p.names.object(key.bytes).(name)}
	t, err := p.token()
	if err != nil {
		return entry{}, err
	}
	e.value, e.at, err = p.build(t, depth+1)
	e.end = e.at.end
	return e, err
}
