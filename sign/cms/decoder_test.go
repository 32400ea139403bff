// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
)

// TestDecoder reads the same structure in DER and in BER.
func TestDecoder(t *testing.T) {
	for name, in := range map[string][]byte{
		"DER": {0x30, 9, 2, 1, 7, 4, 4, 'a', 'b', 'c', 'd'},
		"BER": {0x30, 0x80, 2, 1, 7, 0x24, 0x80, 4, 2, 'a', 'b', 4, 2, 'c', 'd', 0, 0, 0, 0},
	} {
		d := cms.NewDecoder(bytes.NewReader(append(in, "rest"...)))
		var content bytes.Buffer
		if err := d.Enter(0x30); err != nil {
			t.Fatal(name, err)
		}
		if number, err := d.Element(); err != nil || !bytes.Equal(number, []byte{2, 1, 7}) {
			t.Errorf("%s: element %x, %v", name, number, err)
		}
		if n, err := d.Content(&content); err != nil || n != 4 || content.String() != "abcd" {
			t.Errorf("%s: content %q, %v", name, content.String(), err)
		}
		if _, more, err := d.Next(); more || err != nil {
			t.Errorf("%s: something follows: %v", name, err)
		}
		if err := d.Leave(); err != nil || d.Offset() != int64(len(in)) || d.BER() != (name == "BER") {
			t.Errorf("%s: %v at %d", name, err, d.Offset())
		}
		if n, err := d.Rest(); n != 4 || err != nil {
			t.Errorf("%s: %d octets follow, %v", name, n, err)
		}
	}
}

func TestDecoderRefuses(t *testing.T) {
	for name, in := range map[string][]byte{
		"an element longer than what holds it": {0x30, 3, 4, 5, 1, 2, 3, 4, 5},
		"an element that is cut":               {0x30, 5, 4, 3, 1},
		"something left":                       {0x30, 4, 5, 0, 5, 0},
		"nothing in it":                        {0x30, 0},
		"another tag":                          {0x31, 0},
	} {
		d := cms.NewDecoder(bytes.NewReader(in))
		err := d.Enter(0x30)
		if err == nil {
			_, err = d.Element()
		}
		if err == nil {
			err = d.Leave()
		}
		var format *cms.FormatError
		if !errors.As(err, &format) {
			t.Errorf("%s: %v, want a FormatError", name, err)
		}
	}
	d := cms.NewDecoder(bytes.NewReader(bytes.Repeat([]byte{0x30, 0x80}, 1000)))
	for range 1000 {
		if d.Enter(0x30) != nil {
			return
		}
	}
	t.Error("a thousand levels are entered")
}

func TestDER(t *testing.T) {
	got, err := cms.DER([]byte{0x30, 0x80, 0x31, 0x80, 4, 1, 'b', 4, 0x81, 1, 'a', 0, 0, 0, 0})
	if want := []byte{0x30, 8, 0x31, 6, 4, 1, 'a', 4, 1, 'b'}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("DER is %x, %v; want %x", got, err, want)
	}
	if _, err := cms.DER([]byte{5, 0, 0}); err == nil {
		t.Error("octets after the element are let pass")
	}
}
