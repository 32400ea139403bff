// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes text harmless for a terminal and keeps it on one line:
// control characters, invalid UTF-8, and the invisible characters that reorder
// or hide text are written as Go escapes.
func printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// clip is printable text of at most so many characters, for text that others
// chose the length of.
func clip(text string, characters int) string {
	runes := []rune(printable(text))
	if len(runes) <= characters {
		return string(runes)
	}
	return string(runes[:characters-1]) + "…"
}

// textID shows a CKA_ID as people know it: many are the ASCII of a name such as
// DS0. Others are shown in hexadecimal.
func textID(id []byte) string {
	for _, c := range id {
		if c <= ' ' || c >= 0x7f {
			return hexID(id)
		}
	}
	return string(id)
}
