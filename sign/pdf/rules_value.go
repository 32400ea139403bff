// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"strings"
	"unicode"
)

// redrawn reports whether a field looks different and says the same. One that was
// not drawn before may be while it is empty and stays so, with nothing to read:
// readers draw the value of such a field themselves.
func (s *step) redrawn(f *fieldFacts, done *filling) (bool, error) {
	if !done.replaced && !done.drawn {
		return false, nil
	}
	before, err := s.was.readable(f.value)
	if err != nil {
		return false, err
	}
	after, err := s.is.readable(s.valueNow(f))
	if err != nil || before != after {
		return false, err
	}
	return done.replaced || before != "" || done.talks || f.kind == "Btn", nil
}

// readable returns what a person can read of a value, ISO 32000-2, 12.7.5: its
// letters, however they are encoded, without white space and what is not printed.
func (d *Document) readable(value object) (string, error) {
	held, err := soft[*array](d, value)
	if err != nil || held == nil {
		return d.letters(value), err
	}
	if err := d.spend(int64(len(held.items)) * fieldEffort); err != nil {
		return "", err
	}
	var all []string
	for _, item := range held.items {
		all = append(all, d.letters(item))
	}
	return strings.Join(all, "\n"), nil
}

// maxReadable bounds the text of a value that is a stream.
const maxReadable = 1 << 20

// letters is readable for one string. What cannot be read is never like nothing.
func (d *Document) letters(value object) string {
	const unknown = "\x00"
	held, err := d.resolve(value)
	if err != nil {
		return unknown
	}
	said := unknown
	switch v := held.(type) {
	case nil:
		return ""
	case name:
		if said = string(v); v == "Off" { // the state of a button that is as good as none
			return ""
		}
	case *text:
		if b, err := d.plaintext(v); err == nil {
			said = decodeText(b)
		}
	case *dict:
		r, _ := value.(ref)
		if b, err := d.content(r, v); err == nil && len(b) <= maxReadable {
			said = decodeText(b)
		}
	}
	return strings.Map(printed, said)
}

func printed(r rune) rune {
	if r != 0 && (unicode.IsSpace(r) || !unicode.IsGraphic(r)) {
		return -1
	}
	return r
}

// showOperators draw text and pictures, ISO 32000-2, annex A.
var showOperators = wordSet("Tj TJ ' \" Do BI sh")

// talks reports whether the new appearance of a widget has anything to read, or may
// have.
func (s *step) talks(widget int64) bool {
	looks, err := soft[*dict](s.is, dictOf(s.deltaOf(ref{num: widget})).get("AP"))
	if err != nil {
		return true
	}
	for _, e := range looks.all() {
		if s.is.speaks(e.value) {
			return true
		}
	}
	return false
}

// speaks reports whether an appearance stream has anything to read, or may have.
func (d *Document) speaks(look object) bool {
	r, _ := look.(ref)
	stream, err := soft[*dict](d, r)
	if err != nil || stream == nil || stream.data == 0 {
		return true
	}
	content, err := d.content(r, stream)
	return err != nil || !silent(content)
}

func silent(content []byte) bool {
	l := newLexer(bytes.NewReader(content), 0, int64(len(content)))
	for {
		t, err := l.token()
		switch {
		case err != nil || t.kind == tokenKeyword && showOperators[string(t.bytes)]:
			return false
		case t.kind == tokenEOF:
			return true
		}
	}
}
