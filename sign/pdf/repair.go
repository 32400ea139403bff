// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
)

// maxFound bounds the objects that a search through a damaged file remembers.
const maxFound = 500_000

// rebuild makes one section out of the objects that stand in the file, the last
// one of each number, as readers do with a damaged file. What they make of it
// can differ from this: a file so opened is not one to sign, and its signatures
// are not tied to it.
func (f *file) rebuild(cause error) error {
	s := &search{file: f, found: map[int64]foundObject{}}
	if err := s.run(); err != nil {
		return err
	}
	root := s.trailer.get("Root")
	if root == nil && s.catalog != (ref{}) {
		root = s.catalog
	}
	if root == nil {
		return cause
	}
	f.sections = []*section{{
		prev: -1, size: s.highest + 1, root: root, id: s.trailer.get("ID"),
		encryption: s.trailer.get("Encrypt"), encrypt: s.trailer.get("Encrypt") != nil,
		runs: []run{{0, s.highest + 1, 0}}, rows: s,
	}}
	f.revisions, f.exhausted = nil, nil
	clear(f.places)
	f.streams = s.streams
	f.repaired = []string{
		cause.Error(),
		fmt.Sprintf("the cross-reference data were rebuilt from %d objects found in the file", len(s.found)),
	}
	return nil
}

// Repaired says what was wrong with the file and what was done about it; nothing
// when it was read as it stands. See [OpenOptions].
func (d *Document) Repaired() []string { return slices.Clone(d.repaired) }

// search goes through a damaged file.
type search struct {
	*file
	found   map[int64]foundObject
	highest int64
	streams []ref // object streams
	trailer *dict // the last one that names a catalog
	catalog ref   // the last one

	in    *bufio.Reader
	pos   int64
	words [2]foundWord // the last two, when they are numbers
}

// foundObject is where an object stands.
type foundObject struct {
	location
	at int64 // absolute offset that says which is the newer
}

type foundWord struct{ number, at int64 }

// row implements rowReader; the row of an object is its number.
func (s *search) row(i int64) (location, error) { return s.found[i].location, nil }

// aheadLen is how much of an object is looked at to see what it is.
const aheadLen = 1 << 10

func (s *search) run() error {
	s.in = bufio.NewReaderSize(io.NewSectionReader(s.src, 0, s.size), 64<<10)
	for s.pos < s.size {
		word, at, err := s.word()
		if err != nil {
			return err
		}
		if err := s.take(word, at); err != nil {
			return err
		}
	}
	return nil
}

// maxSearchWord is the length of the longest word that matters.
const maxSearchWord = 20

// word reads the next run of regular characters, or steps over one other.
func (s *search) word() (word []byte, at int64, err error) {
	at = s.pos
	for {
		c, err := s.in.ReadByte()
		if err == io.EOF {
			s.pos = s.size
			return word, at, nil
		}
		if err != nil {
			return nil, at, fmt.Errorf("reading PDF at byte %d: %w", s.pos, err)
		}
		if !isRegular(int(c)) {
			if len(word) > 0 {
				return word, at, s.in.UnreadByte()
			}
			s.pos++
			return []byte{c}, at, nil
		}
		s.pos++
		if len(word) < maxSearchWord {
			word = append(word, c)
		}
	}
}

func (s *search) take(word []byte, at int64) error {
	n, isNumber := decimal(word)
	switch {
	case isNumber && len(word) < maxSearchWord:
		s.words = [2]foundWord{s.words[1], {n, at + 1}}
		return nil
	case len(word) == 1 && isSpace(int(word[0])):
		return nil
	case string(word) == "obj" && s.words[0].at != 0:
		return s.object(ref{s.words[0].number, s.words[1].number}, s.words[0].at-1)
	case string(word) == "trailer":
		s.readTrailer(at + int64(len(word)))
	}
	s.words = [2]foundWord{}
	return nil
}

// object notes the object at an absolute offset.
func (s *search) object(r ref, at int64) error {
	s.words = [2]foundWord{}
	if r.num > maxNumber || r.num == 0 {
		return nil
	}
	if len(s.found) == maxFound {
		return damaged(at, "more than %d objects in a damaged file", maxFound)
	}
	s.found[r.num] = foundObject{location{kind: plain, offset: at - s.base, gen: r.gen}, at}
	s.highest = max(s.highest, r.num)
	ahead, err := s.in.Peek(aheadLen)
	if err != nil && err != io.EOF {
		return fmt.Errorf("reading PDF at byte %d: %w", s.pos, err)
	}
	if end := bytes.Index(ahead, []byte("endobj")); end >= 0 {
		ahead = ahead[:end]
	}
	switch {
	case bytes.Contains(ahead, []byte("/ObjStm")):
		s.streams = append(s.streams, r)
	case bytes.Contains(ahead, []byte("/XRef")):
		if o, err := s.parseAt(at); err == nil {
			s.keepTrailer(o.value)
		}
	case bytes.Contains(ahead, []byte("/Catalog")):
		s.catalog = r
	}
	return nil
}

func (s *search) readTrailer(at int64) {
	if o, _, err := newParser(s.src, at, s.size).object(); err == nil {
		s.keepTrailer(o)
	}
}

func (s *search) keepTrailer(o object) {
	if d, ok := o.(*dict); ok && d.get("Root") != nil {
		s.trailer = d
	}
}

// unpackFound finds the objects inside the object streams of a rebuilt file,
// which may have to be decrypted. One that cannot be read is passed over.
func (d *Document) unpackFound() error {
	if len(d.streams) == 0 {
		return nil
	}
	s := d.sections[0].rows.(*search)
	for _, r := range d.streams {
		home := s.found[r.num]
		stream, err := d.objectStream(r.num, home.at)
		if hard(err) != nil {
			return err
		} else if err != nil {
			continue
		}
		for i, o := range stream.index {
			if s.found[o.num].at < home.at && o.num > 0 && o.num <= maxNumber && len(s.found) < maxFound {
				s.found[o.num] = foundObject{location{kind: packed, offset: r.num, gen: int64(i)}, home.at}
				s.highest = max(s.highest, o.num)
			}
		}
	}
	d.sections[0].size = s.highest + 1
	d.sections[0].runs = []run{{0, s.highest + 1, 0}}
	clear(d.places)
	return nil
}
