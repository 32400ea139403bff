// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// revision extracts, and checks that the report describes what came out.
func revision(t testing.TB, file []byte, which string) ([]byte, *report.Report) {
	t.Helper()
	section, r, err := verify.Revision(context.Background(), section(file), which, root(t))
	if err != nil {
		t.Fatal(err)
	}
	if section == nil {
		return nil, r
	}
	content, err := io.ReadAll(section)
	if err != nil {
		t.Fatal(err)
	}
	if r.Content == nil || r.Content.Size != int64(len(content)) || r.Content.SHA256 != fmt.Sprintf("%x", sha256.Sum256(content)) {
		t.Errorf("%d bytes described as %+v", len(content), r.Content)
	}
	return content, r
}

// TestRevision takes each signed state out of documents that were signed three
// times and changed at last.
func TestRevision(t *testing.T) {
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			var states [][]byte
			file := d.PDF
			for range 3 {
				file = signedPDF(t, file, pki.SignerP256)
				states = append(states, file)
			}
			file = append(slices.Clone(file), "and more"...)
			for i, state := range states {
				for _, which := range []string{fmt.Sprint(i + 1), fmt.Sprint("S", i+1), fmt.Sprint("Signature", i+1)} {
					content, r := revision(t, file, which)
					s := valid.compare(t, r)
					if !bytes.Equal(content, state) || s.ID != fmt.Sprint("S", i+1) || s.Covers != report.WholeFile {
						t.Errorf("%s: %d bytes of %s, which covers %s; want %d", which, len(content), s.ID, s.Covers, len(state))
					}
				}
			}
		})
	}
}

// A change that makes a signature invalid leaves the revision before it alone.
func TestRevisionBeforeAChange(t *testing.T) {
	signed := signedPDF(t, documents.Plain(), pki.Signer)
	changed := update(t, signed, 3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>")
	if r := check(t, changed, root(t)); r.Verdict != report.Invalid {
		t.Fatalf("the changed file is %v", r.Verdict)
	}
	content, r := revision(t, changed, "1")
	valid.compare(t, r)
	if !bytes.Equal(content, signed) {
		t.Error("not the file that was signed")
	}
}

// TestBrokenRevision: the bytes come out with the truth about them, or not at all.
func TestBrokenRevision(t *testing.T) {
	signed := signedPDF(t, documents.Plain(), pki.Signer)
	tampered := bytes.Replace(signed, []byte("/MediaBox"), []byte("/mediaBox"), 1)
	content, r := revision(t, tampered, "1")
	hashFailure.compare(t, r)
	if !bytes.Equal(content, tampered) {
		t.Error("not the bytes of the ranges")
	}
	malformed := want{report.Invalid, report.FormatFailure, report.Broken}
	for name, ranges := range map[string]string{"late": "[1 ", "reversed": "[0 99999999 3", "negative": "[0 -1 "} {
		file := bytes.Replace(signed, []byte("/ByteRange [0 "), []byte("/ByteRange "+ranges), 1)
		if content, r := revision(t, file, "1"); content != nil {
			t.Errorf("%s: %d bytes", name, len(content))
		} else if s := r.Signatures[0]; s.Verdict != report.Invalid || s.SubIndication != report.FormatFailure {
			t.Errorf("%s: %v, %s", name, s.Verdict, s.Reason)
		}
	}
	if content, r := revision(t, signed[:len(signed)/2], "1"); content != nil {
		t.Errorf("%d bytes of a file that was cut", len(content))
	} else {
		malformed.compare(t, r)
	}
}

// TestTimestampedRevision: a document timestamp is found by its field, and is judged
// without what came after it.
func TestTimestampedRevision(t *testing.T) {
	stamp := func(fault authority.Fault, by pki.Name) func([]byte) []byte {
		return func(signed []byte) []byte {
			w := newWorld(t)
			id := w.Must(t, by)
			w.Configure(func(c *authority.Config) { c.TSA.Signer = id })
			if err := w.Fail(authority.TSA, fault); err != nil {
				t.Fatal(err)
			}
			return w.token(signed, 0)
		}
	}
	malformed := want{report.Invalid, report.FormatFailure, report.Broken}
	for _, c := range []struct {
		name     string
		contents func([]byte) []byte
		want     want
	}{
		{"good", stamp("", pki.TSA), valid},
		{"another digest", stamp(authority.WrongHash, pki.TSA), hashFailure},
		{"another imprint", stamp(authority.WrongImprint, pki.TSA), hashFailure},
		{"of other bytes", func([]byte) []byte { return stamp("", pki.TSA)([]byte("x")) }, hashFailure},
		{"a flipped bit", stamp(authority.FlippedBit, pki.TSA), sigFailure},
		{"by the impostor", stamp("", pki.AltTSA), noChain},
		{"by a signer", stamp("", pki.SecondSigner), want{report.Indeterminate, report.SigConstraintsFailure, report.Intact}},
		{"no token", stamp(authority.WrongContent, pki.TSA), malformed},
		{"no CMS", pkcs1(t, crypto.SHA1), malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			stamped := handSigned(t, "ETSI.RFC3161", "/DocTimeStampFilter /x", c.contents)
			content, r := revision(t, append(slices.Clone(stamped), ' '), "old")
			c.want.compare(t, r)
			if !bytes.Equal(content, stamped) {
				t.Errorf("%d bytes, want %d", len(content), len(stamped))
			}
		})
	}
}

func TestUnknownSignature(t *testing.T) {
	signed := signedPDF(t, documents.Plain(), pki.Signer)
	for _, which := range []string{"", "0", "2", "S", "s1", "01", "-1", "Signature", "Signature1 "} {
		_, _, err := verify.Revision(context.Background(), section(signed), which, root(t))
		if unknown := new(verify.UnknownSignatureError); !errors.As(err, &unknown) || len(unknown.Known) != 1 {
			t.Errorf("%q: %v", which, err)
		}
	}
}
