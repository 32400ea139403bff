// SPDX-License-Identifier: Apache-2.0

package pdf

// berLen returns the length of the one BER value that b begins with, of
// definite or indefinite length (X.690, 8.1), and whether there is one.
func berLen(b []byte) (int, bool) {
	pos := 0
	for open := 0; ; {
		head, length, ok := berHeader(b[pos:])
		if !ok {
			return 0, false
		}
		endOfContents := b[pos] == 0 && b[pos+1] == 0
		pos += head
		switch {
		case endOfContents && open == 0:
			return 0, false
		case endOfContents:
			open--
		case length < 0:
			open++
		case length > len(b)-pos:
			return 0, false
		default:
			pos += length
		}
		if open == 0 {
			return pos, true
		}
	}
}

// berHeader reads tag and length. The length is -1 when it is indefinite.
func berHeader(b []byte) (head, length int, ok bool) {
	i := 1
	if len(b) > 0 && b[0]&0x1f == 0x1f { // high tag number
		for i < len(b) && b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if i >= len(b) {
		return 0, 0, false
	}
	n := int(b[i])
	i++
	switch {
	case n < 0x80:
		return i, n, true
	case n == 0x80:
		return i, -1, true
	case n > 0x84 || i+n-0x80 > len(b):
		return 0, 0, false
	}
	for _, c := range b[i : i+n-0x80] {
		if length = length<<8 | int(c); length > len(b) {
			return 0, 0, false
		}
	}
	return i + n - 0x80, length, true
}
