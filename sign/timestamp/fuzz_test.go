// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// known tells whether an error is one that the package says it returns.
func known(err error) bool {
	var format *timestamp.FormatError
	var inCMS *cms.FormatError
	return errors.As(err, &format) || errors.As(err, &inCMS) || errors.Is(err, timestamp.ErrNotToken) || errors.Is(err, cms.ErrNotSignedData)
}

// FuzzParse: whatever comes in, Parse and ParseResponse end with a token or an error
// of theirs, Check never panics, and no token is found good that says something else
// than a good one did.
func FuzzParse(f *testing.F) {
	s := newStamper(f)
	good := s.over(document)
	s.pss = true
	f.Add(good)
	f.Add(s.over(document))
	f.Add(response(f, 0, good))
	f.Add(response(f, 2, nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		token, err := timestamp.Parse(in)
		if err != nil {
			if !known(err) {
				t.Fatalf("an error of another kind: %v", err)
			}
			r, err := timestamp.ParseResponse(in)
			if err != nil {
				if !known(err) {
					t.Fatalf("an error of another kind: %v", err)
				}
				return
			}
			if token = r.Token; token == nil {
				if r.Err() == nil {
					t.Fatal("a response without a token is none of an error")
				}
				return
			}
		}
		if covers, _ := token.Covers(bytes.NewReader(document)); token.Check().Err() == nil && !covers {
			t.Fatalf("found good: %+v, which nobody signed", token.Info)
		}
	})
}

// FuzzRead: whatever comes in, Read ends with a container or an error of its own, and
// no chain is found good over a document that wasn't stamped.
func FuzzRead(f *testing.F) {
	f.Add(tsd(f, nil, 1))
	f.Add(tsd(f, &timestamp.MetaData{HashProtected: true, FileName: "a"}, 2))
	f.Add(inBER(f, tsd(f, nil, 1)))
	var message bytes.Buffer
	if err := timestamp.WriteM7M(&message, bytes.NewReader(document), "a.p7m", parse(f, newStamper(f).over(document))); err != nil {
		f.Fatal(err)
	}
	f.Add(message.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		var content bytes.Buffer
		c, err := timestamp.Read(bytes.NewReader(in), timestamp.ReadOptions{Content: &content})
		if err != nil {
			if !known(err) && !errors.Is(err, timestamp.ErrNotContainer) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if good(c) && !bytes.Equal(content.Bytes(), document) {
			t.Fatalf("good over %q, which nobody stamped", content.Bytes())
		}
		if view := c.ContentAt(bytes.NewReader(in)); view != nil && view.Size() != int64(content.Len()) {
			t.Fatalf("%d octets are seen in place, %d were read", view.Size(), content.Len())
		}
	})
}
