// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Limits of one object. They bound the memory that a hostile file can ask for.
const (
	maxObject = 32 << 20 // bytes of source text
	maxNodes  = 400_000  // objects in it
	maxDepth  = 100      // arrays and dictionaries inside each other
	maxWord   = 1 << 12  // bytes of a number, keyword or name
	windowLen = 4 << 10

	// firstWindow is for what turns out to be short, as most objects are.
	firstWindow = 512
)

type tokenKind int

const (
	tokenNone tokenKind = iota
	tokenEOF
	tokenInteger
	tokenReal
	tokenName
	tokenString
	tokenArrayOpen
	tokenArrayClose
	tokenDictOpen
	tokenDictClose
	tokenKeyword
)

// token is one lexical unit (ISO 32000-2, 7.2).
type token struct {
	span
	kind    tokenKind
	integer int64
	real    float64
	bytes   []byte // of a string; of a name or keyword, which is good until the next token
	hex     bool   // of a string
}

func (t token) is(keyword string) bool {
	return t.kind == tokenKeyword && string(t.bytes) == keyword
}

// lexer reads tokens from src, from pos up to limit, through a small window.
type lexer struct {
	src   io.ReaderAt
	pos   int64
	limit int64

	window []byte
	at     int64 // offset of window[0]
	err    error // of src; the input looks ended from there on
}

func newLexer(src io.ReaderAt, pos, limit int64) *lexer {
	return &lexer{src: src, pos: pos, limit: limit}
}

const eof = -1

// peek returns the byte at pos, or eof.
func (l *lexer) peek() int {
	if i := uint64(l.pos - l.at); i < uint64(len(l.window)) { // before the window it is a huge number
		return int(l.window[i])
	}
	return l.refill()
}

// refill is peek where the window does not hold pos.
func (l *lexer) refill() int {
	if !l.fill() {
		return eof
	}
	return int(l.window[0])
}

// next returns the byte at pos and steps over it.
func (l *lexer) next() int {
	c := l.peek()
	if c != eof {
		l.pos++
	}
	return c
}

func (l *lexer) fill() bool {
	n := min(windowLen, l.limit-l.pos)
	if n <= 0 || l.pos < 0 || l.err != nil {
		return false
	}
	if cap(l.window) == 0 {
		n = min(n, firstWindow)
	}
	if int64(cap(l.window)) < n {
		l.window = make([]byte, n)
	}
	got, err := l.src.ReadAt(l.window[:n], l.pos)
	l.window, l.at = l.window[:got], l.pos
	if got == 0 && err != nil && !errors.Is(err, io.EOF) {
		l.err = fmt.Errorf("reading PDF at byte %d: %w", l.pos, err)
	}
	return got > 0
}

func isSpace(c int) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c int) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c int) bool { return c != eof && regularBytes[c] }

// regularBytes are those that names, numbers and keywords are made of.
var regularBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = !isSpace(c) && !isDelimiter(c)
	}
	return set
}()

// skip steps over white space and comments.
func (l *lexer) skip() {
	for {
		c := l.peek()
		switch {
		case isSpace(c):
			l.pos++
		case c == '%':
			for c != '\n' && c != '\r' && c != eof {
				c = l.next()
			}
		default:
			return
		}
	}
}

// skipSpace steps over white space only.
func (l *lexer) skipSpace() {
	for isSpace(l.peek()) {
		l.pos++
	}
}

// token reads the next token.
func (l *lexer) token() (token, error) {
	l.skip()
	t := token{span: span{start: l.pos}}
	err := l.scan(&t)
	t.end = l.pos
	if l.err != nil {
		return t, l.err
	}
	return t, err
}

func (l *lexer) scan(t *token) error {
	switch c := l.peek(); c {
	case eof:
		t.kind = tokenEOF
	case '/':
		l.pos++
		t.kind = tokenName
		return l.name(t)
	case '(':
		l.pos++
		t.kind = tokenString
		return l.literal(t)
	case '<':
		l.pos++
		if l.peek() == '<' {
			l.pos++
			t.kind = tokenDictOpen
			return nil
		}
		t.kind, t.hex = tokenString, true
		return l.hexString(t)
	case '>':
		l.pos++
		if l.next() != '>' {
			return damaged(t.start, "a lone >")
		}
		t.kind = tokenDictClose
	case '[':
		l.pos++
		t.kind = tokenArrayOpen
	case ']':
		l.pos++
		t.kind = tokenArrayClose
	case ')', '{', '}':
		return damaged(t.start, "unexpected %q", rune(c))
	default:
		return l.word(t)
	}
	return nil
}

// regular reads the run of regular characters at pos. It returns a part of the
// window where that holds all of it: good until the window moves on, and not to be
// written to.
func (l *lexer) regular() ([]byte, error) {
	var w []byte
	for isRegular(l.peek()) {
		inWindow := l.window[l.pos-l.at:]
		n := 1
		for n < len(inWindow) && regularBytes[inWindow[n]] {
			n++
		}
		if len(w)+n > maxWord {
			return nil, damaged(l.pos, "a word longer than %d bytes", maxWord)
		}
		l.pos += int64(n)
		if w == nil && n < len(inWindow) {
			return inWindow[:n:n], nil
		}
		w = append(w, inWindow[:n]...)
	}
	return w, nil
}

func (l *lexer) name(t *token) error {
	w, err := l.regular()
	if err != nil {
		return err
	}
	if t.bytes = w; !slices.Contains(w, '#') {
		return nil
	}
	t.bytes = make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		c := w[i]
		if c == '#' && i+2 < len(w) && unhex(w[i+1]) >= 0 && unhex(w[i+2]) >= 0 {
			c = byte(unhex(w[i+1])<<4 | unhex(w[i+2]))
			i += 2
		}
		t.bytes = append(t.bytes, c)
	}
	return nil
}

// word reads a number or a keyword.
func (l *lexer) word(t *token) error {
	w, err := l.regular()
	if err != nil {
		return err
	}
	t.kind, t.bytes = tokenKeyword, w
	if !isNumber(w) {
		return nil
	}
	if t.integer, err = strconv.ParseInt(string(w), 10, 64); err == nil {
		t.kind = tokenInteger
	} else if t.real, err = strconv.ParseFloat(string(w), 64); err == nil {
		t.kind = tokenReal
	}
	return nil
}

// isNumber reports whether w is written as PDF writes numbers: a sign, digits
// and one point, without the exponents, underscores and words that strconv knows.
func isNumber(w []byte) bool {
	digits, points := 0, 0
	for i, c := range w {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		case (c == '+' || c == '-') && i == 0:
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// longString is how much of a string is kept before its end is known to come.
const longString = 64 << 10

// What character returns beside bytes and eof.
const (
	nothing = iota - 3
	closing
)

// literal reads a string in parentheses, ISO 32000-2, 7.3.4.2. The end of a long
// one is looked for first: one without an end takes no memory, and others take what
// they need at once.
func (l *lexer) literal(t *token) error {
	for open := 1; ; {
		c := l.character(&open)
		switch c {
		case closing:
			return nil
		case eof:
			return damaged(t.start, "a string without end")
		case nothing:
			continue
		}
		if len(t.bytes) == longString {
			rest, ok := l.rest(open)
			if !ok {
				return damaged(t.start, "a string without end")
			}
			t.bytes = slices.Grow(t.bytes, rest+1)
		}
		t.bytes = append(t.bytes, byte(c))
	}
}

// rest counts the bytes up to the end of the string in which l stands.
func (l *lexer) rest(open int) (n int, ok bool) {
	ahead := newLexer(l.src, l.pos, l.limit)
	for {
		switch ahead.character(&open) {
		case closing:
			return n, true
		case eof:
			l.err = ahead.err
			return 0, false
		case nothing:
		default:
			n++
		}
	}
}

// character reads one byte of a string, open parentheses deep.
func (l *lexer) character(open *int) int {
	c := l.next()
	switch c {
	case '(':
		*open++
	case ')':
		if *open--; *open == 0 {
			return closing
		}
	case '\r':
		l.skipLF()
		return '\n'
	case '\\':
		if c = l.escape(); c == eof {
			return nothing
		}
	}
	return c
}

func (l *lexer) skipLF() {
	if l.peek() == '\n' {
		l.pos++
	}
}

// escape reads what follows a backslash; eof stands for nothing at all.
func (l *lexer) escape() int {
	switch c := l.next(); c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case '\r':
		l.skipLF()
		return eof
	case '\n':
		return eof
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := c - '0'
		for i := 0; i < 2 && l.peek() >= '0' && l.peek() <= '7'; i++ {
			n = n<<3 | (l.next() - '0')
		}
		return n & 0xff
	default:
		return c
	}
}

// hexString reads a string in angle brackets, ISO 32000-2, 7.3.4.3.
func (l *lexer) hexString(t *token) error {
	half, odd := 0, false
	for {
		c := l.next()
		switch {
		case c == '>':
			if odd {
				t.bytes = append(t.bytes, byte(half<<4))
			}
			return nil
		case isSpace(c):
			continue
		case c == eof:
			return damaged(t.start, "a hexadecimal string without end")
		case unhex(byte(c)) < 0:
			return damaged(l.pos-1, "%q in a hexadecimal string", rune(c))
		}
		if odd {
			t.bytes = append(t.bytes, byte(half<<4|unhex(byte(c))))
		}
		half, odd = unhex(byte(c)), !odd
	}
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
