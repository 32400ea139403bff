// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// seeds are the documents of the fixtures, some of them signed, and the
// cheapest of our attacks.
func seeds(f *testing.F) {
	f.Helper()
	for _, doc := range documents.All() {
		f.Add(doc.PDF)
		once, err := signBytes(doc.PDF, options(f, pki.SignerP256))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(once)
		f.Add(append(bytes.Clone(once), "startxref\n9\n%%EOF"...))
	}
	f.Add(packedSignature())
	f.Add(certified("/Perms << /DocMDP 4 0 R >>", "1"))
}

// FuzzOpen: what is no PDF is refused with an error of ours, and what opens has
// facts that agree with each other.
func FuzzOpen(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		size := int64(len(file))
		d, err := Open(bytes.NewReader(file), size)
		if err != nil {
			if !unreadable(err) && !errors.Is(err, ErrNotPDF) {
				t.Fatalf("opening: %v", err)
			}
			return
		}
		end := int64(0)
		for _, r := range d.Revisions() {
			if r.End <= end || r.End > size || r.XRef < 0 || r.XRef >= r.End {
				t.Fatalf("revisions %v", d.Revisions())
			}
			end = r.End
		}
		list, err := d.Signatures()
		if err != nil && !unreadable(err) {
			t.Fatalf("reading signatures: %v", err)
		}
		for _, s := range list {
			checkFacts(t, d, s, size)
		}
	})
}

// checkFacts computes anew what a covering signature promises.
func checkFacts(t *testing.T, d *Document, s *Signature, size int64) {
	n, err := io.Copy(io.Discard, s.SignedBytes())
	if err != nil {
		t.Fatalf("reading signed bytes: %v", err)
	}
	if s.Covers != CoversWholeFile && s.Covers != CoversRevision {
		if len(s.Problems) == 0 || s.Revision != -1 {
			t.Fatalf("%v without a reason: %+v", s.Covers, s)
		}
		return
	}
	r := d.Revisions()[s.Revision]
	gap := s.ByteRange[2] - s.ByteRange[1]
	end := s.ByteRange[2] + s.ByteRange[3]
	if s.ByteRange[0] != 0 || n != end-gap || end > r.End || end < r.End-2 || gap < 2 || len(s.Contents) > int(gap) {
		t.Fatalf("%v with %d signed bytes: %+v", s.Covers, n, s)
	}
	if (s.Covers == CoversWholeFile) != (s.AppendedBytes == 0) || s.AppendedBytes != max(0, size-r.End) {
		t.Fatalf("%v with %d bytes appended", s.Covers, s.AppendedBytes)
	}
}

// FuzzSign: what is not refused becomes a file that has one signature more, of
// the whole file.
func FuzzSign(f *testing.F) {
	seeds(f)
	o := options(f, pki.SignerP256)
	f.Fuzz(func(t *testing.T, file []byte) {
		signed, err := signBytes(file, o)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(signed, file) {
			t.Fatal("the file was changed")
		}
		before, err := mustOpen(t, file).Signatures()
		if err != nil {
			t.Fatalf("signed, but its signatures could not be read before: %v", err)
		}
		after := signatures(t, signed)
		if len(after) != len(before)+1 {
			t.Fatalf("%d signatures after %d", len(after), len(before))
		}
		found := 0
		for _, s := range after {
			if s.Covers == CoversWholeFile && checkCMS(s) == nil {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("%d signatures of the whole file", found)
		}
	})
}

// encryptedWith is a file with an encryption dictionary of these entries.
func encryptedWith(entries []byte) []byte {
	file := makePDF("<< /Type /Catalog /Pages 2 0 R /Lang (it) >>", pagesObject, pageObject)
	id := "<00112233445566778899AABBCCDDEEFF>"
	return bytes.Replace(file, []byte("/Root 1 0 R"), fmt.Appendf(nil, "/Root 1 0 R /ID [%s %s] /Encrypt << %s >>", id, id, entries), 1)
}

// FuzzDecrypt: whatever the encryption dictionary says, opening ends with an
// error of ours or a key with which what is encrypted can be decrypted.
func FuzzDecrypt(f *testing.F) {
	f.Add([]byte("/Filter /Standard /V 1 /R 2 /P -4 /O <00> /U <00>"), "", []byte("x"))
	f.Fuzz(func(t *testing.T, entries []byte, password string, plain []byte) {
		file := encryptedWith(entries)
		d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Password: password})
		if err != nil {
			if !unreadable(err) {
				t.Fatalf("opening: %v", err)
			}
			return
		}
		if !d.Encrypted() || d.locked() != nil {
			return
		}
		c := d.cipherText(nil)
		for _, m := range []method{c.strings, c.streams} {
			sealed, err := c.encrypt(c.random, m, ref{num: 7, gen: 1}, plain)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := c.decrypt(m, ref{num: 7, gen: 1}, sealed)
			if err != nil || !bytes.Equal(opened, plain) {
				t.Fatalf("%x encrypted and decrypted is %x, %v", plain, opened, err)
			}
		}
		if root, _, err := d.catalog(); err == nil {
			if _, err := d.plainString(root.get("Lang")); err != nil && !unreadable(err) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzRepair: a search through any file ends, and ties no signature to it.
func FuzzRepair(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Repair: true})
		if err != nil || d.Repaired() == nil {
			return
		}
		list, err := d.Signatures()
		if err != nil && !unreadable(err) {
			t.Fatalf("reading signatures: %v", err)
		}
		for _, s := range list {
			if s.Covers == CoversWholeFile || s.Covers == CoversRevision {
				t.Fatalf("%+v", s)
			}
		}
	})
}
