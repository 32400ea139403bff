// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// today is the test PKI as of now, for programs that sign by the clock.
var today = pki.New(time.Now())

func trustToday(t *testing.T) verify.Options {
	return verify.Options{Now: time.Now(), Trust: trust.NewAnchors(today.Must(t, pki.Root).Certificate)}
}

// TestOpenSSLSigns verifies what `openssl cms -sign` makes.
func TestOpenSSLSigns(t *testing.T) {
	judges.Need(t, "openssl")
	dir := t.TempDir()
	document := filepath.Join(dir, "document")
	if err := os.WriteFile(document, []byte("un documento"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ask    judges.CMSSign
		format string
		level  string
	}{
		"plain":         {judges.CMSSign{}, "CMS", ""},
		"CAdES":         {judges.CMSSign{CAdES: true}, "CAdES", "B-B"},
		"stream":        {judges.CMSSign{CAdES: true, Stream: true}, "CAdES", "B-B"},
		"detached":      {judges.CMSSign{CAdES: true, Detached: true}, "CAdES", "B-B"},
		"PSS":           {judges.CMSSign{CAdES: true, PSS: true}, "CAdES", "B-B"},
		"key id":        {judges.CMSSign{KeyID: true}, "CMS", ""},
		"no attributes": {judges.CMSSign{NoAttributes: true}, "CMS", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.ask.Signer, c.ask.Content, c.ask.Output = today.Must(t, pki.Signer), document, filepath.Join(t.TempDir(), "out")
			if err := judges.OpenSSLSign(context.Background(), c.ask); err != nil {
				t.Fatal(err)
			}
			signed, err := os.ReadFile(c.ask.Output)
			if err != nil {
				t.Fatal(err)
			}
			o := trustToday(t)
			if c.ask.Detached {
				o.Content = section([]byte("un documento"))
			}
			s := valid.compare(t, check(t, signed, o))
			if s.Format != c.format || s.Level != c.level {
				t.Errorf("%s %q, want %s %q", s.Format, s.Level, c.format, c.level)
			}
		})
	}
}

// TestPDFSigSigns verifies what poppler's pdfsig makes, and then what is
// signed by us after it.
func TestPDFSigSigns(t *testing.T) {
	for _, tool := range []string{"pdfsig", "certutil", "pk12util", "openssl"} {
		judges.Need(t, tool)
	}
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
			if err := os.WriteFile(in, d.PDF, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := judges.PDFSigAdd(context.Background(), today.Must(t, pki.Signer), in, out); err != nil {
				t.Fatal(err)
			}
			signed, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			s := valid.compare(t, check(t, signed, trustToday(t)))
			if s.Format != "PDF" || s.Covers != report.WholeFile {
				t.Errorf("%s covers %s", s.Format, s.Covers)
			}
		})
	}
}

// TestEncryptedTwiceSigned: in a document that qpdf encrypted, for everybody to
// read, both signatures count as in any other.
func TestEncryptedTwiceSigned(t *testing.T) {
	judges.Need(t, "qpdf")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, documents.Form(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := judges.QPDFRewrite(context.Background(), in, out, judges.Encrypted); err != nil {
		t.Fatal(err)
	}
	encrypted, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	r := check(t, signedPDF(t, signedPDF(t, encrypted, pki.Signer), pki.SecondSigner), root(t))
	if len(r.Signatures) != 2 || r.Verdict != report.Valid {
		t.Fatalf("%d signatures, %v: %+v", len(r.Signatures), r.Verdict, r.Signatures[0])
	}
	first := r.Signatures[0]
	if first.Covers != report.Revision || first.ModifiedAfterSigning || len(first.Changes) == 0 || first.Field != "Signature1" {
		t.Errorf("first: covers %s, modified %v, changes %v, field %q", first.Covers, first.ModifiedAfterSigning, first.Changes, first.Field)
	}
}
