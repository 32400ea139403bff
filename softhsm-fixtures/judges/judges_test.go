// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// file writes content into a folder of the test and returns its path.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// flipped returns the path of a copy of a file with a bit of one byte changed;
// at counts from the end when negative.
func flipped(t *testing.T, path string, at int) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(content)
	}
	content[at] ^= 1
	return file(t, filepath.Base(path), content)
}

func TestOpenSSLVerifiesWhatItSigned(t *testing.T) {
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	root := file(t, "root.pem", p.RootPEM())
	content := file(t, "content", []byte("I sign this.\n"))
	cases := []struct {
		name   string
		signer pki.Name
		how    judges.CMSSign
		shows  string // in the structure of the message
	}{
		{"RSA", pki.Signer, judges.CMSSign{}, "messageDigest"},
		{"BER", pki.Signer, judges.CMSSign{Stream: true}, "l=inf"},
		{"PSS", pki.Signer, judges.CMSSign{PSS: true}, "rsassaPss"},
		{"SHA-512", pki.Signer, judges.CMSSign{Digest: "sha512"}, ":sha512"},
		{"CAdES", pki.Signer, judges.CMSSign{CAdES: true}, "id-smime-aa-signingCertificateV2"},
		{"no attributes", pki.Signer, judges.CMSSign{NoAttributes: true}, "pkcs7-signedData"},
		{"P-256 by key identifier", pki.SignerP256, judges.CMSSign{KeyID: true}, "ecdsa-with-SHA256"},
		{"detached", pki.SignerP384, judges.CMSSign{Detached: true}, "pkcs7-data"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.how.Signer = p.Must(t, c.signer)
			c.how.Content = content
			c.how.Output = filepath.Join(t.TempDir(), "signed")
			if err := judges.OpenSSLSign(t.Context(), c.how); err != nil {
				t.Fatal(err)
			}
			structure, err := judges.OpenSSLParse(t.Context(), c.how.Output)
			if err != nil || !strings.Contains(structure, c.shows) {
				t.Errorf("no %s in the message, %v", c.shows, err)
			}
			ask := judges.CMSVerify{Signature: c.how.Output, CAFile: root, Output: filepath.Join(t.TempDir(), "content")}
			if c.how.Detached {
				ask.Content = content
			}
			verdict, err := judges.OpenSSLVerify(t.Context(), ask)
			if err != nil || !verdict.Valid {
				t.Fatalf("%+v, %v", verdict, err)
			}
			if got, err := os.ReadFile(ask.Output); string(got) != "I sign this.\n" {
				t.Errorf("content is %q, %v", got, err)
			}
			// The last byte belongs to the signature value.
			ask.Signature = flipped(t, c.how.Output, lastOfSignature(c.how))
			if verdict, err := judges.OpenSSLVerify(t.Context(), ask); verdict.Valid || err != nil || verdict.Says == "" {
				t.Errorf("changed: %+v, %v", verdict, err)
			}
		})
	}
}

// lastOfSignature is where, from the end, the last byte of the signature is: a
// message of indefinite length ends with end-of-contents octets.
func lastOfSignature(s judges.CMSSign) int {
	if s.Stream {
		return -7
	}
	return -1
}

func TestOpenSSLSaysNo(t *testing.T) {
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	content := file(t, "content", []byte("I sign this.\n"))
	signed := filepath.Join(t.TempDir(), "signed")
	if err := judges.OpenSSLSign(t.Context(), judges.CMSSign{Signer: p.Must(t, pki.Signer), Content: content, Output: signed}); err != nil {
		t.Fatal(err)
	}
	other := file(t, "root.pem", p.Must(t, pki.AltRoot).CertificatePEM())
	verdict, err := judges.OpenSSLVerify(t.Context(), judges.CMSVerify{Signature: signed, CAFile: other})
	if err != nil || verdict.Valid || !strings.Contains(verdict.Says, "certificate verify error") {
		t.Errorf("with the impostor's root: %+v, %v", verdict, err)
	}
	if _, err := judges.OpenSSLVerify(t.Context(), judges.CMSVerify{Signature: content, CAFile: other}); err == nil {
		t.Error("a text is read as CMS")
	}
	if _, err := judges.OpenSSLParse(t.Context(), content); err == nil {
		t.Error("a text is read as ASN.1")
	}
}

// signedPDF returns a PDF with a signature made by pdfsig.
func signedPDF(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"pdfsig", "openssl", "certutil", "pk12util"} {
		judges.Need(t, tool)
	}
	signer := pki.New(time.Now()).Must(t, pki.Signer)
	out := filepath.Join(t.TempDir(), "signed.pdf")
	if err := judges.PDFSigAdd(t.Context(), signer, file(t, "plain.pdf", documents.Plain()), out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPDFSig(t *testing.T) {
	signed := signedPDF(t)
	signatures, err := judges.PDFSig(t.Context(), signed)
	if err != nil || len(signatures) != 1 {
		t.Fatalf("%+v, %v", signatures, err)
	}
	s := signatures[0]
	if !s.Signed || !s.Valid || !s.TotalDocument || s.Signer != "MARIO ROSSI" || s.Type != "adbe.pkcs7.detached" || s.Hash != "SHA-256" {
		t.Errorf("%+v", s)
	}
	size := int64(len(read(t, signed)))
	if len(s.Ranges) != 2 || s.Ranges[0].Start != 0 || s.Ranges[1].End != size {
		t.Errorf("ranges are %v of %d bytes", s.Ranges, size)
	}
	t.Run("changed", func(t *testing.T) {
		changed, err := judges.PDFSig(t.Context(), flipped(t, signed, 20))
		if err != nil || len(changed) != 1 || changed[0].Valid {
			t.Errorf("%+v, %v", changed, err)
		}
	})
	t.Run("longer", func(t *testing.T) {
		longer, err := judges.PDFSig(t.Context(), file(t, "longer.pdf", append(read(t, signed), "\n%more\n"...)))
		if err != nil || len(longer) != 1 || longer[0].TotalDocument || !longer[0].Valid {
			t.Errorf("%+v, %v", longer, err)
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestPDFSigWithoutSignatures(t *testing.T) {
	judges.Need(t, "pdfsig")
	signatures, err := judges.PDFSig(t.Context(), file(t, "plain.pdf", documents.Plain()))
	if err != nil || len(signatures) != 0 {
		t.Errorf("%+v, %v", signatures, err)
	}
	if _, err := judges.PDFSig(t.Context(), file(t, "not.pdf", []byte("not a PDF"))); err == nil {
		t.Error("a text is read as PDF")
	}
}

func TestQPDF(t *testing.T) {
	judges.Need(t, "qpdf")
	plain := file(t, "plain.pdf", documents.Plain())
	marks := map[judges.Rewrite]string{
		judges.ObjectStreams: "/ObjStm", judges.NoObjectStreams: "\nxref\n", judges.Linearized: "/Linearized",
		judges.Encrypted: "/Encrypt", judges.PasswordProtected: "/Encrypt",
	}
	for as, mark := range marks {
		out := filepath.Join(t.TempDir(), "out.pdf")
		if err := judges.QPDFRewrite(t.Context(), plain, out, as); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(read(t, out), []byte(mark)) {
			t.Errorf("way %d: no %q in the file", as, mark)
		}
		err := judges.QPDFCheck(t.Context(), out)
		if wantsPassword := as == judges.PasswordProtected; (err != nil) != wantsPassword {
			t.Errorf("way %d: checking without a password: %v", as, err)
		}
	}
	if err := judges.QPDFCheck(t.Context(), file(t, "cut.pdf", documents.Plain()[:400])); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a truncated file: %v", err)
	}
	if err := judges.QPDFRewrite(t.Context(), plain, plain, 0); err == nil {
		t.Error("rewriting in no way is no error")
	}
}

func TestPDFToPPM(t *testing.T) {
	judges.Need(t, "pdftoppm")
	image, err := judges.PDFToPPM(t.Context(), file(t, "plain.pdf", documents.Plain()))
	if err != nil || !bytes.HasPrefix(image, []byte("P6\n")) {
		t.Fatalf("%d bytes, %v", len(image), err)
	}
	if len(bytes.TrimLeft(image[20:], "\xFF")) == 0 {
		t.Error("the page is blank")
	}
}

func TestProducers(t *testing.T) {
	for _, p := range judges.Producers() {
		t.Run(p.Name, func(t *testing.T) {
			judges.Need(t, p.Tool)
			pdf, err := p.Make(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			judges.Need(t, "qpdf")
			if err := judges.QPDFCheck(t.Context(), file(t, "out.pdf", pdf)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	judges.Need(t, "qpdf")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := judges.QPDFCheck(ctx, file(t, "plain.pdf", documents.Plain())); err == nil {
		t.Error("a cancelled run is no error")
	}
}

// recorder is a test whose end is looked at instead of had.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()               {}
func (r *recorder) Fatalf(string, ...any) { r.said = append(r.said, "failed") }
func (r *recorder) Skipf(string, ...any)  { r.said = append(r.said, "skipped") }

func TestAbsent(t *testing.T) {
	cases := []struct{ noSkip, tool, want string }{
		{"", "qpdf", "skipped"},
		{"0", "qpdf", "skipped"},
		{"1", "soffice", "skipped"},
		{"1", "qpdf", "failed"},
		{"1", "softhsm2", "failed"},
	}
	for _, c := range cases {
		t.Setenv("PECTOKEN_NO_SKIP", c.noSkip)
		r := &recorder{}
		judges.Absent(r, c.tool)
		if len(r.said) == 0 || r.said[0] != c.want {
			t.Errorf("PECTOKEN_NO_SKIP=%s, %s: %v, want %s", c.noSkip, c.tool, r.said, c.want)
		}
	}
	t.Setenv("PECTOKEN_NO_SKIP", "")
	r := &recorder{}
	if path := judges.Need(r, "no-such-program"); path != "" || !slices.Equal(r.said, []string{"skipped"}) {
		t.Errorf("a program that is not there: %q, %v", path, r.said)
	}
}
