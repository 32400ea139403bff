// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// TestContentAtOfUnevenSegments: pieces of all lengths, and equal ones at unequal
// distances, whose headers are longer than need be.
func TestContentAtOfUnevenSegments(t *testing.T) {
	var file, content []byte
	file = append(opening(), 0x24, 0x80)
	for i := range 3000 {
		piece := bytes.Repeat([]byte{byte(i)}, []int{2, 2, 2, 5, 0, 1, 2}[i%7])
		header := []byte{4, byte(len(piece))}
		if i%5 == 0 {
			header = []byte{4, 0x81, byte(len(piece))}
		}
		file, content = slices.Concat(file, header, piece), append(content, piece...)
	}
	file = append(append(file, make([]byte, 6)...), 0x31, 0, 0, 0, 0, 0, 0, 0)
	sd, got := read(t, file)
	if !bytes.Equal(got, content) {
		t.Fatal("the content that was read differs")
	}
	if err := iotest.TestReader(sd.ContentAt(bytes.NewReader(file)), content); err != nil {
		t.Error(err)
	}
}

func TestContentAt(t *testing.T) {
	for _, size := range []int{0, 1, 300, 256 << 10, 700_001} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * 7 / 3)
		}
		for kind, file := range map[string][]byte{
			"DER": sign(t, content, false, signer(t, pki.Signer)), "BER": signBER(t, content, signer(t, pki.Signer)),
		} {
			sd, _ := read(t, file)
			view := sd.ContentAt(bytes.NewReader(file))
			if err := iotest.TestReader(view, content); err != nil {
				t.Errorf("%s of %d bytes: %v", kind, size, err)
			}
			if size > 2 {
				piece := make([]byte, size/2)
				if _, err := view.ReadAt(piece, int64(size/3)); err != nil || !bytes.Equal(piece, content[size/3:size/3+size/2]) {
					t.Errorf("%s of %d bytes: reading in the middle: %v", kind, size, err)
				}
			}
		}
	}
	for name, file := range map[string][]byte{
		"detached": sign(t, []byte("x"), true, signer(t, pki.Signer)),
		"base64":   []byte(base64.StdEncoding.EncodeToString(sign(t, []byte("x"), false, signer(t, pki.Signer)))),
	} {
		sd, _ := read(t, file)
		if view := sd.ContentAt(bytes.NewReader(file)); view != nil {
			all, err := io.ReadAll(view)
			t.Errorf("%s: %q, %v", name, all, err)
		}
	}
}
