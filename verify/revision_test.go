// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// token is a timestamp token of signed bytes, as far as document timestamps are
// looked at.
func token(t testing.TB, algorithm asn1.ObjectIdentifier, contentType asn1.ObjectIdentifier) func([]byte) []byte {
	return func(signed []byte) []byte {
		sum := sha256.Sum256(signed)
		info, err := asn1.Marshal(struct {
			Version int
			Policy  asn1.ObjectIdentifier
			Imprint struct {
				Algorithm pkix.AlgorithmIdentifier
				Digest    []byte
			}
			Serial int
		}{1, asn1.ObjectIdentifier{1, 2, 3}, struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}{pkix.AlgorithmIdentifier{Algorithm: algorithm}, sum[:]}, 7})
		if err != nil {
			t.Fatal(err)
		}
		f, err := forge.Parse(p7m(t, string(info), false, signer(t, pki.Signer)))
		if err != nil {
			t.Fatal(err)
		}
		attributes, err := f.Attributes()
		if err != nil {
			t.Fatal(err)
		}
		typed, err := forge.Attribute(forge.OIDContentType, contentType)
		if err != nil {
			t.Fatal(err)
		}
		f.SetSigned(append([][]byte{typed}, forge.Without(attributes, forge.OIDContentType)...)...)
		f.Data.Content.Type = contentType
		if err := f.Resign(people.Must(t, pki.Signer).Key); err != nil {
			t.Fatal(err)
		}
		der, err := f.DER()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

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

// TestTimestampedRevision: a document timestamp is found by its field, and is
// intact when its token names the digest of the document.
func TestTimestampedRevision(t *testing.T) {
	open := func(i report.Integrity) want {
		return want{report.Indeterminate, report.SigConstraintsFailure, i}
	}
	sha256OID := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	for _, c := range []struct {
		name     string
		contents func([]byte) []byte
		want     want
	}{
		{"intact", token(t, sha256OID, forge.OIDTSTInfo), open(report.Intact)},
		{"another digest", token(t, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, forge.OIDTSTInfo), hashFailure},
		{"an unknown digest", token(t, asn1.ObjectIdentifier{1, 2, 3}, forge.OIDTSTInfo), open(report.IntegrityUnknown)},
		{"of other bytes", func([]byte) []byte { return token(t, sha256OID, forge.OIDTSTInfo)([]byte("x")) }, hashFailure},
		{"no token", token(t, sha256OID, forge.OIDData), want{report.Invalid, report.FormatFailure, report.Broken}},
		{"no CMS", pkcs1(t, crypto.SHA1), want{report.Invalid, report.FormatFailure, report.Broken}},
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
