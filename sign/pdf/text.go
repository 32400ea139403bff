// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// The characters of PDFDocEncoding that differ from Latin-1, ISO 32000-2,
// annex D.2.
var (
	docEncodingLow  = []rune("\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc") // from 0x18
	docEncodingHigh = []rune("\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018" +
		"\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e\ufffd\u20ac") // from 0x80
)

// decodeText decodes a text string, ISO 32000-2, 7.9.2.2.
func decodeText(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return decodeUTF16(b[2:])
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return strings.ToValidUTF8(string(b[3:]), "\ufffd")
	}
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(docRune(c))
	}
	return s.String()
}

// docEncoded encodes s in PDFDocEncoding, if that has all of its characters.
func docEncoded(s string) ([]byte, bool) {
	b := []byte{}
	for _, r := range s {
		c, ok := docByte(r)
		if !ok {
			return nil, false
		}
		b = append(b, c)
	}
	return b, true
}

func docByte(r rune) (byte, bool) {
	for c := range 256 {
		if docRune(byte(c)) == r && r != utf8.RuneError {
			return byte(c), true
		}
	}
	return 0, false
}

func docRune(c byte) rune {
	switch {
	case c >= 0x18 && c < 0x20:
		return docEncodingLow[c-0x18]
	case c >= 0x80 && c <= 0xa0:
		return docEncodingHigh[c-0x80]
	}
	return rune(c)
}

func decodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// encodeText writes s as a text string object: ASCII as a literal, which
// PDFDocEncoding shares, anything else as UTF-16BE.
func encodeText(s string) []byte {
	if isASCII(s) {
		return literal(s)
	}
	return fmt.Appendf(nil, "<%X>", textBytes(s))
}

// textBytes returns the bytes of s as a text string.
func textBytes(s string) []byte {
	if isASCII(s) {
		return []byte(s)
	}
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

func isASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

func literal(s string) []byte {
	b := []byte{'('}
	for i := range len(s) {
		switch c := s[i]; c {
		case '(', ')', '\\':
			b = append(b, '\\', c)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, c)
		}
	}
	return append(b, ')')
}

// encodeDate writes t as a date, ISO 32000-2, 7.9.4.
func encodeDate(t time.Time) string {
	_, seconds := t.Zone()
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	zone := fmt.Sprintf("%c%02d'%02d'", sign, seconds/3600, seconds/60%60)
	return "D:" + t.Format("20060102150405") + zone
}

// decodeDate reads a date, ISO 32000-2, 7.9.4; the zero time when it is none.
// Without a zone it is taken as UTC.
func decodeDate(s string) time.Time {
	s = strings.TrimPrefix(s, "D:")
	zone := ""
	if i := strings.IndexAny(s, "+-Zz"); i >= 0 {
		s, zone = s[:i], strings.ReplaceAll(s[i:], "'", "")
	}
	if len(s) < 4 || len(s) > 14 {
		return time.Time{}
	}
	s += "00000101000000"[len(s):]
	layout := "20060102150405"
	switch {
	case zone == "" || zone[0] == 'Z' || zone[0] == 'z':
		zone = ""
	case len(zone) == len("+01"):
		layout += "-07"
	default:
		layout += "-0700"
	}
	t, err := time.Parse(layout, s+zone)
	if err != nil {
		return time.Time{}
	}
	return t
}
