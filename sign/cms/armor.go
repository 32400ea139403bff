// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
)

// Armor is how the octets of a file are wrapped in text.
type Armor int

// The armors. Deliberazione CNIPA 45/2009, art. 21, allows a .p7m to be
// base64 with or without header lines.
const (
	Binary Armor = iota
	Base64
	PEM
)

// String returns "binary", "base64" or "PEM".
func (a Armor) String() string {
	switch a {
	case Base64:
		return "base64"
	case PEM:
		return "PEM"
	}
	return "binary"
}

const armorPeek = 4096

// Unarmor returns a reader of the binary octets of a CMS file that may be PEM or
// bare base64, and says which it is. The latter may stand below the header that S/MIME
// gives it (RFC 8551, section 3.5.2), if that says nothing but what it is: an e-mail has
// fields that nobody signed. Octets that are none of these are returned
// as they are, as Binary; what is not base64 further on is an error of the reader.
func Unarmor(r io.Reader) (io.Reader, Armor, error) {
	src := bufio.NewReaderSize(r, armorPeek)
	start, err := src.Peek(armorPeek)
	if err != nil && !isEOF(err) {
		return nil, Binary, err
	}
	if len(start) > 0 && start[0] == tagSequence {
		return src, Binary, nil
	}
	text := trimSpace(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		return newArmored(&letters{src: src, pem: true}), PEM, nil
	}
	if text = trimSpace(text[mimeHeader(text):]); looksBase64(text) {
		_, _ = src.Discard(len(start) - len(text)) // only what Peek has shown
		return newArmored(&letters{src: src}), Base64, nil
	}
	return src, Binary, nil
}

// mimeHeader returns the length of the header of a MIME entity that is CMS in base64; 0 for
// any other text.
func mimeHeader(text []byte) int {
	if !headerStart().Match(text) {
		return 0
	}
	end := headerEnd().FindIndex(text)
	if end == nil {
		return 0
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(text[:end[1]]))).ReadMIMEHeader()
	if err != nil {
		return 0
	}
	for field, values := range header {
		if field != "Mime-Version" && !strings.HasPrefix(field, "Content-") || len(values) != 1 {
			return 0
		}
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	known := mediaType == "application/pkcs7-mime" || mediaType == "application/x-pkcs7-mime"
	if err != nil || !known || !strings.EqualFold(header.Get("Content-Transfer-Encoding"), "base64") {
		return 0
	}
	return end[1]
}

var headerStart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^(mime-version|content-[a-z-]{1,40}):`) })

var headerEnd = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\r?\n\r?\n`) })

// armored decodes base64.
type armored struct {
	io.Reader
	letters *letters
}

func newArmored(l *letters) *armored {
	return &armored{base64.NewDecoder(base64.StdEncoding, l), l}
}

// behind is what stands behind the base64, in characters without white space, when
// decoding has come to an end with err.
func (a *armored) behind(err error) (int64, error) {
	var broken int64
	var corrupt base64.CorruptInputError
	switch {
	case errors.As(err, &corrupt), isEOF(err):
		broken = 1 // letters that make no whole octet
	case err != nil && !errors.Is(err, errNotBase64):
		return 0, err
	}
	n, err := a.letters.rest()
	return broken + n, err
}

// looksBase64 tells base64 of a DER or BER SEQUENCE ("MI…", "MA…", "MC…") from
// binary, whose first octet 0x30 is the digit 0.
func looksBase64(text []byte) bool {
	if len(text) < 16 || text[0] != 'M' {
		return false
	}
	for _, b := range text[:16] {
		if !isLetter(b) && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

func isLetter(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/' || b == '='
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

// letters passes the base64 letters of a text on, without white space and,
// for PEM, without the lines around them. What stands behind them, be it after
// the padding or the END line, it leaves to rest.
type letters struct {
	src   *bufio.Reader
	pem   bool
	body  bool // PEM: the BEGIN line is behind
	done  bool
	count int  // of the letters
	pad   bool // a = was met
}

var errNotBase64 = errors.New("found a character that is not base64")

// Read implements [io.Reader].
func (l *letters) Read(p []byte) (int, error) {
	if l.pem && !l.body {
		if err := l.skipLine(); err != nil {
			return 0, err
		}
		l.body = true
	}
	for n := 0; !l.done; {
		if n == len(p) {
			return n, nil
		}
		b, err := l.src.ReadByte()
		switch {
		case err != nil:
			l.done = true
			return n, err
		case isSpace(b):
		case isLetter(b):
			p[n] = b
			n++
			l.count++
			l.pad = l.pad || b == '='
			if l.done = l.pad && l.count%4 == 0; l.done {
				return n, nil
			}
		default:
			l.done = true
			if err := l.src.UnreadByte(); err != nil || l.pem && b == '-' {
				return n, err
			}
			return n, errNotBase64
		}
	}
	return 0, io.EOF
}

var endLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-----END [A-Z0-9 ]{1,64}-----`) })

// rest reads to the end of the text and returns how many characters there are but
// for white space and the END line.
func (l *letters) rest() (n int64, err error) {
	for first := true; ; {
		b, err := l.src.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case isSpace(b):
			continue
		case first && l.pem && b == '-':
			n += l.endLine()
		default:
			n++
		}
		first = false
	}
}

// endLine reads the END line, whose first - is behind, and returns 0; or 1, for that
// -, if there is none.
func (l *letters) endLine() int64 {
	_ = l.src.UnreadByte() // it was just read
	ahead, _ := l.src.Peek(armorPeek / 8)
	if line := endLine().Find(ahead); line != nil {
		_, _ = l.src.Discard(len(line)) // only what Peek has shown
		return 0
	}
	_, _ = l.src.Discard(1)
	return 1
}

// skipLine reads past the BEGIN line, whatever comes before it on that line.
func (l *letters) skipLine() error {
	seen := false
	for {
		b, err := l.src.ReadByte()
		if err != nil {
			return err
		}
		seen = seen || b == '-'
		if seen && (b == '\n' || b == '\r') {
			return nil
		}
	}
}
