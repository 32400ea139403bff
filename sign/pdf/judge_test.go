// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// save writes content to a file in a folder of the test.
func save(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// acceptable asks pdfsig and qpdf about a file that must have so many
// signatures, all of them valid, the last one of the whole file.
func acceptable(t *testing.T, file []byte, signatures int) {
	t.Helper()
	judges.Need(t, "pdfsig")
	judges.Need(t, "qpdf")
	path := save(t, "signed.pdf", file)
	if err := judges.QPDFCheck(t.Context(), path); err != nil {
		t.Error(err)
	}
	said, err := judges.PDFSig(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	valid, total := 0, 0
	for _, s := range said {
		if s.Signed && s.Valid {
			valid++
		}
		if s.TotalDocument {
			total++
		}
	}
	if valid != signatures || total != 1 {
		t.Errorf("pdfsig finds %d of %d signatures valid and %d over the total document: %+v", valid, signatures, total, said)
	}
}

func TestJudgesAcceptEveryShape(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			once := mustSign(t, doc.PDF, options(t, pki.Signer))
			acceptable(t, once, 1)
			acceptable(t, mustSign(t, once, options(t, pki.SignerP256)), 2)
		})
	}
}

// sameLook checks that the first page is drawn as before.
func sameLook(t *testing.T, before, after []byte) {
	t.Helper()
	judges.Need(t, "pdftoppm")
	was, err := judges.PDFToPPM(t.Context(), save(t, "before.pdf", before))
	if err != nil {
		t.Fatal(err)
	}
	is, err := judges.PDFToPPM(t.Context(), save(t, "after.pdf", after))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, is) {
		t.Error("the page looks different")
	}
}

func TestQPDFModes(t *testing.T) {
	judges.Need(t, "qpdf")
	rewrite := func(t *testing.T, as judges.Rewrite) []byte {
		in := save(t, "in.pdf", documents.Form())
		out := filepath.Join(t.TempDir(), "out.pdf")
		if err := judges.QPDFRewrite(context.Background(), in, out, as); err != nil {
			t.Fatal(err)
		}
		made, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	for name, as := range map[string]judges.Rewrite{
		"object streams": judges.ObjectStreams, "table": judges.NoObjectStreams, "linearized": judges.Linearized,
	} {
		t.Run(name, func(t *testing.T) {
			made := rewrite(t, as)
			if n := len(mustOpen(t, made).Revisions()); n != 1 {
				t.Errorf("%d revisions, want 1", n)
			}
			signed := mustSign(t, made, options(t, pki.Signer))
			wantCoverage(t, onlySignature(t, signed), CoversWholeFile)
			acceptable(t, signed, 1)
		})
	}
}

// TestPDFSigSignatures reads what pdfsig signed, and signs after it. Where there
// is a form pdfsig 22 does not enter its field there.
func TestPDFSigSignatures(t *testing.T) {
	t.Run("plain", func(t *testing.T) { signAfterPDFSig(t, documents.Plain()) })
	t.Run("streams", func(t *testing.T) { signAfterPDFSig(t, documents.Streams()) })
	t.Run("form", func(t *testing.T) { signAfterPDFSig(t, documents.Form(), ProblemNotInForm) })
}

func signAfterPDFSig(t *testing.T, file []byte, problems ...Problem) {
	judges.Need(t, "pdfsig")
	judges.Need(t, "certutil")
	signer := pki.New(now).Must(t, pki.SecondSigner)
	out := filepath.Join(t.TempDir(), "out.pdf")
	if err := judges.PDFSigAdd(t.Context(), signer, save(t, "in.pdf", file), out); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	s := onlySignature(t, made)
	wantCoverage(t, s, CoversWholeFile, problems...)
	mustBeIntact(t, s)
	if s.SubFilter != "adbe.pkcs7.detached" {
		t.Errorf("subfilter %q", s.SubFilter)
	}
	again := mustSign(t, made, options(t, pki.Signer))
	wantCoverage(t, signatures(t, again)[0], CoversRevision, problems...)
	mustBeIntact(t, signatures(t, again)[0])
	acceptable(t, again, 2)
}
