// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"bytes"
	"crypto"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// ours is a signer of pectoken.
func ours(identity *pki.Identity) cms.Signer {
	return cms.Signer{Key: identity.Key, Certificate: identity.Certificate, Chain: identity.Chain, SigningTime: time.Now()}
}

// message is a CMS message by pectoken, and the question whether it is good.
type message struct {
	name    string
	signers int
	ask     judges.Ask
}

// messages returns one message of each kind.
func messages(t *testing.T) []message {
	t.Helper()
	p := pki.New(time.Now())
	root, content := file(t, "root.pem", p.RootPEM()), file(t, "content", []byte(words))
	signer := func(name pki.Name, edit func(*cms.Signer)) cms.Signer {
		s := ours(p.Must(t, name))
		edit(&s)
		return s
	}
	rsa := signer(pki.Signer, func(*cms.Signer) {})
	sha512 := func(s *cms.Signer) { s.Hash = crypto.SHA512 }
	var all []message
	for _, who := range []struct {
		name    string
		signers []cms.Signer
	}{
		{"RSA", []cms.Signer{rsa}},
		{"RSA SHA-512", []cms.Signer{signer(pki.Signer, sha512)}},
		{"RSA-4096", []cms.Signer{signer(pki.SignerRSA4096, func(*cms.Signer) {})}},
		{"PSS", []cms.Signer{signer(pki.Signer, func(s *cms.Signer) { s.PSS = true })}},
		{"PSS SHA-512", []cms.Signer{signer(pki.Signer, func(s *cms.Signer) { s.PSS, s.Hash = true, crypto.SHA512 })}},
		{"P-256", []cms.Signer{signer(pki.SignerP256, func(*cms.Signer) {})}},
		{"P-384 SHA-384", []cms.Signer{signer(pki.SignerP384, func(s *cms.Signer) { s.Hash = crypto.SHA384 })}},
		{"P-384 SHA-512", []cms.Signer{signer(pki.SignerP384, sha512)}},
		{"two signers", []cms.Signer{rsa, signer(pki.SecondSigner, sha512)}},
	} {
		for _, how := range []struct {
			name     string
			content  io.Reader // one that can't seek makes BER
			detached bool
		}{
			{"DER", bytes.NewReader([]byte(words)), false},
			{"BER", io.MultiReader(bytes.NewReader([]byte(words))), false},
			{"detached", bytes.NewReader([]byte(words)), true},
		} {
			var out bytes.Buffer
			if err := cms.Sign(&out, how.content, cms.Options{Signers: who.signers, Detached: how.detached}); err != nil {
				t.Fatal(err)
			}
			ask := judges.Ask{File: file(t, "signed", out.Bytes()), Trust: root}
			if how.detached {
				ask.Content = content
			}
			all = append(all, message{who.name + ", " + how.name, len(who.signers), ask})
		}
	}
	return all
}

func TestInteropDSSJudgesOurCAdES(t *testing.T) {
	dss := judges.NeedDSS(t)
	for _, m := range messages(t) {
		t.Run(m.name, func(t *testing.T) {
			found, err := dss.Validate(t.Context(), m.ask)
			if err != nil || len(found) != m.signers {
				t.Fatalf("%d signatures, %v; want %d", len(found), err, m.signers)
			}
			for _, s := range found {
				wantPassed(t, s, "CAdES-BASELINE-B")
				if len(s.Warnings) > 0 {
					t.Errorf("warns: %q", s.Warnings)
				}
			}
		})
	}
}

// wantPassed checks that DSS accepts a signature.
func wantPassed(t *testing.T, s judges.DSSSignature, level string) {
	t.Helper()
	if s.Level != level || !s.Found || !s.Intact || !s.Valid || !s.Trusted || s.Indication != "TOTAL_PASSED" || len(s.Errors) > 0 {
		t.Errorf("want a %s that passes: %+v", level, s)
	}
}

func TestInteropPyHankoJudgesOurCAdES(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	for _, m := range messages(t) {
		t.Run(m.name, func(t *testing.T) {
			found, err := pyHanko.Validate(t.Context(), m.ask)
			if err != nil || len(found) != m.signers {
				t.Fatalf("%d signatures, %v; want %d", len(found), err, m.signers)
			}
			for _, s := range found {
				if !s.Intact || !s.Valid || !s.Trusted || !s.Accepted {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// signedTwice returns the paths of a PDF that Mario Rossi, then Lucia Verdi
// signed with pectoken, after the first signature and after the second.
func signedTwice(t *testing.T, p *pki.PKI, content []byte) (once, twice string) {
	t.Helper()
	sign := func(content []byte, name pki.Name) []byte {
		var out bytes.Buffer
		options := pdf.SignOptions{Signer: ours(p.Must(t, name)), SigningTime: time.Now()}
		if err := pdf.Sign(t.Context(), &out, bytes.NewReader(content), int64(len(content)), options); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := sign(content, pki.Signer)
	return file(t, "once.pdf", first), file(t, "twice.pdf", sign(first, pki.SecondSigner))
}

// TestInteropDSSJudgesOurPAdES allows the warnings that DSS has for its own
// signature of the same document: 6.4 moves a note that has no appearance when
// it draws it, and then warns that the page looks different.
func TestInteropDSSJudgesOurPAdES(t *testing.T) {
	dss := judges.NeedDSS(t)
	p := pki.New(time.Now())
	root := file(t, "root.pem", p.RootPEM())
	validate := func(t *testing.T, signed string, want int) []judges.DSSSignature {
		found, err := dss.Validate(t.Context(), judges.Ask{File: signed, Trust: root})
		if err != nil || len(found) != want {
			t.Fatalf("%d signatures, %v; want %d", len(found), err, want)
		}
		return found
	}
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			judges.Need(t, "openssl")
			theirs := filepath.Join(t.TempDir(), "theirs.pdf")
			sign := judges.DSSPDFSign{Signer: p.Must(t, pki.Signer), File: file(t, "plain.pdf", d.PDF), Output: theirs}
			if err := dss.SignPDF(t.Context(), sign); err != nil {
				t.Fatal(err)
			}
			allowed := validate(t, theirs, 1)[0].Warnings
			once, twice := signedTwice(t, p, d.PDF)
			for _, s := range slices.Concat(validate(t, once, 1), validate(t, twice, 2)) {
				wantPassed(t, s, "PAdES-BASELINE-B")
				if !slices.Equal(s.Warnings, allowed) || !s.PDF.ByteRangeValid || !s.PDF.DictionaryConsistent ||
					len(s.PDF.UndefinedChanges)+len(s.PDF.AnnotationChanges) > 0 {
					t.Errorf("warns %q, and of its own %q; %+v", s.Warnings, allowed, s.PDF)
				}
			}
		})
	}
}

// TestInteropPyHankoJudgesOurPAdES is lenient on two documents, both as they
// are before we sign: pyHanko takes no hybrid-reference file otherwise, nor a
// generation that follows none that was freed.
func TestInteropPyHankoJudgesOurPAdES(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	p := pki.New(time.Now())
	root := file(t, "root.pem", p.RootPEM())
	for _, d := range documents.All() {
		t.Run(d.Name, func(t *testing.T) {
			lenient := d.Name == "hybrid" || d.Name == "generations"
			once, twice := signedTwice(t, p, d.PDF)
			for i, signed := range []string{once, twice} {
				found, err := pyHanko.Validate(t.Context(), judges.Ask{File: signed, Trust: root, Lenient: lenient})
				if err != nil || len(found) != i+1 {
					t.Fatalf("%d signatures, %v; want %d", len(found), err, i+1)
				}
				for j, s := range found {
					last := j == i
					if !s.Accepted || !s.DocMDPOK || last != (s.Coverage == "ENTIRE_FILE") || s.SubFilter != "ETSI.CAdES.detached" {
						t.Errorf("%s: %+v", filepath.Base(signed), s)
					}
				}
			}
		})
	}
}

// section returns a file for reading, nil when it has no name.
func section(t *testing.T, path string) *io.SectionReader {
	t.Helper()
	if path == "" {
		return nil
	}
	content := read(t, path)
	return io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content)))
}

func TestInteropWeJudgeTheirs(t *testing.T) {
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	content, form := file(t, "content", []byte(words)), file(t, "form.pdf", documents.Form())
	anchors := trust.NewAnchors(p.Must(t, pki.Root).Certificate)
	want := func(t *testing.T, signed, content, format string) {
		t.Helper()
		options := verify.Options{Trust: anchors, Now: time.Now(), Content: section(t, content)}
		said, err := verify.File(t.Context(), section(t, signed), options)
		if err != nil || len(said.Signatures) != 1 {
			t.Fatalf("%+v, %v", said, err)
		}
		s := said.Signatures[0]
		if said.Verdict != report.Valid || s.Format != format || s.Level != "B-B" || s.Signer.Name != "MARIO ROSSI" {
			t.Errorf("verdict %v, %s %s, %s", said.Verdict, s.Format, s.Level, s.Reason)
		}
	}
	eachOutside(t, func(t *testing.T, judge outside) {
		for _, c := range waysToSign() {
			t.Run(c.name, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "signed")
				if err := judge.signCMS(t, p.Must(t, c.signer), content, out, c.detached, c.pss, c.digest); err != nil {
					t.Fatal(err)
				}
				if c.detached {
					want(t, out, content, "CAdES")
				} else {
					want(t, out, "", "CAdES")
				}
			})
		}
		t.Run("PDF", func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "signed.pdf")
			if err := judge.signPDF(t, p.Must(t, pki.SignerP384), form, out); err != nil {
				t.Fatal(err)
			}
			want(t, out, "", "PAdES")
		})
	})
}
