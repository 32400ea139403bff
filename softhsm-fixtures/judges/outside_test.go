// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"bytes"
	"errors"
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

// finding is what pyHanko and DSS both say of a signature.
type finding struct {
	intact, valid, trusted bool
	signer, field          string
}

// outside is either judge, as far as they do the same.
type outside struct {
	validate func(*testing.T, judges.Ask) ([]finding, error)
	signCMS  func(t *testing.T, signer *pki.Identity, content, out string, detached, pss bool, digest string) error
	signPDF  func(t *testing.T, signer *pki.Identity, in, out string) error
}

// eachOutside runs a test with both judges, where they are installed.
func eachOutside(t *testing.T, test func(*testing.T, outside)) {
	t.Run("pyHanko", func(t *testing.T) { test(t, pyHanko(judges.NeedPyHanko(t))) })
	t.Run("DSS", func(t *testing.T) { test(t, dss(judges.NeedDSS(t))) })
}

func pyHanko(p *judges.PyHanko) outside {
	return outside{
		validate: func(t *testing.T, ask judges.Ask) (found []finding, err error) {
			signatures, err := p.Validate(t.Context(), ask)
			for _, s := range signatures {
				found = append(found, finding{s.Intact, s.Valid, s.Trusted, s.Signer, s.Field})
			}
			return found, err
		},
		signCMS: func(t *testing.T, signer *pki.Identity, content, out string, detached, pss bool, digest string) error {
			return p.SignCMS(t.Context(), judges.PyHankoCMSSign{
				Signer: signer, Content: content, Output: out, Detached: detached, PSS: pss, Digest: digest})
		},
		signPDF: func(t *testing.T, signer *pki.Identity, in, out string) error {
			return p.SignPDF(t.Context(), judges.PyHankoPDFSign{
				Signer: signer, File: in, Output: out, Field: judges.PDFField{Name: "Signature1"}})
		},
	}
}

func dss(d *judges.DSS) outside {
	return outside{
		validate: func(t *testing.T, ask judges.Ask) (found []finding, err error) {
			signatures, err := d.Validate(t.Context(), ask)
			for _, s := range signatures {
				f := finding{s.Intact, s.Valid, s.Trusted, s.Signer, ""}
				if s.PDF != nil {
					f.field = s.PDF.Field
				}
				found = append(found, f)
			}
			return found, err
		},
		signCMS: func(t *testing.T, signer *pki.Identity, content, out string, detached, pss bool, digest string) error {
			return d.SignCMS(t.Context(), judges.DSSCMSSign{
				Signer: signer, File: content, Output: out, Detached: detached, PSS: pss, Digest: digest})
		},
		signPDF: func(t *testing.T, signer *pki.Identity, in, out string) error {
			return d.SignPDF(t.Context(), judges.DSSPDFSign{Signer: signer, File: in, Output: out})
		},
	}
}

func TestOutsideVersions(t *testing.T) {
	t.Run("pyHanko", func(t *testing.T) {
		if got, err := judges.NeedPyHanko(t).Version(t.Context()); got != "0.36.0" || err != nil {
			t.Errorf("version %q, %v", got, err)
		}
	})
	t.Run("DSS", func(t *testing.T) {
		if got, err := judges.NeedDSS(t).Version(t.Context()); got != "6.4" || err != nil {
			t.Errorf("version %q, %v", got, err)
		}
	})
	t.Run("veraPDF", func(t *testing.T) {
		if got, err := judges.NeedVeraPDF(t).Version(t.Context()); got != "1.28.1" || err != nil {
			t.Errorf("version %q, %v", got, err)
		}
	})
}

const words = "I sign this.\n"

// replaced returns the path of a copy of a file with one text in place of
// another of the same length, which it must have.
func replaced(t *testing.T, path, old, with string) string {
	t.Helper()
	content := read(t, path)
	if !bytes.Contains(content, []byte(old)) || len(old) != len(with) {
		t.Fatalf("%q can't take the place of %q in %s", with, old, path)
	}
	return file(t, filepath.Base(path), bytes.ReplaceAll(content, []byte(old), []byte(with)))
}

func TestOutsideJudgesOfOpenSSL(t *testing.T) {
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	root, content := file(t, "root.pem", p.RootPEM()), file(t, "content", []byte(words))
	impostor := file(t, "impostor.pem", p.Must(t, pki.AltRoot).CertificatePEM())
	sign := func(how judges.CMSSign) string {
		how.Signer, how.Content, how.CAdES = p.Must(t, pki.Signer), content, true
		how.Output = filepath.Join(t.TempDir(), "signed")
		if err := judges.OpenSSLSign(t.Context(), how); err != nil {
			t.Fatal(err)
		}
		return how.Output
	}
	attached, detached := sign(judges.CMSSign{}), sign(judges.CMSSign{Detached: true})
	good := finding{intact: true, valid: true, trusted: true, signer: "MARIO ROSSI"}
	strange := finding{intact: true, valid: true, signer: "MARIO ROSSI"}
	cases := []struct {
		name string
		ask  judges.Ask
		want finding
	}{
		{"attached", judges.Ask{File: attached, Trust: root}, good},
		{"BER", judges.Ask{File: sign(judges.CMSSign{Stream: true}), Trust: root}, good},
		{"PSS", judges.Ask{File: sign(judges.CMSSign{PSS: true}), Trust: root}, good},
		{"detached", judges.Ask{File: detached, Content: content, Trust: root}, good},
		{"nobody trusted", judges.Ask{File: attached}, strange},
		{"impostor trusted", judges.Ask{File: attached, Trust: impostor}, strange},
	}
	tampered := []judges.Ask{
		{File: replaced(t, attached, "I sign", "I deny"), Trust: root},
		{File: flipped(t, attached, -1), Trust: root},
		{File: detached, Content: file(t, "other", []byte("I deny this.\n")), Trust: root},
		{File: flipped(t, detached, -1), Content: content, Trust: root},
	}
	eachOutside(t, func(t *testing.T, judge outside) {
		for _, c := range cases {
			if got, err := judge.validate(t, c.ask); err != nil || !slices.Equal(got, []finding{c.want}) {
				t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
			}
		}
		for i, ask := range tampered {
			if got, err := judge.validate(t, ask); err != nil || len(got) != 1 || got[0].intact && got[0].valid {
				t.Errorf("tampered %d: %+v, %v", i, got, err)
			}
		}
		var refused *judges.RefusedError
		if got, err := judge.validate(t, judges.Ask{File: content, Trust: root}); !errors.As(err, &refused) {
			t.Errorf("a text: %+v, %v", got, err)
		}
	})
}

// TestOutsideJudgesOfPDFSig is lenient: pdfsig 22 gives its objects a generation
// that was never free, which pyHanko refuses to read otherwise.
func TestOutsideJudgesOfPDFSig(t *testing.T) {
	signed := signedPDF(t)
	plain := file(t, "plain.pdf", documents.Plain())
	changed := replaced(t, signed, "Mario Rossi and Lucia Verdi", "Mario Rossi and nobody else")
	eachOutside(t, func(t *testing.T, judge outside) {
		got, err := judge.validate(t, judges.Ask{File: signed, Lenient: true})
		if err != nil || len(got) != 1 || !got[0].intact || !got[0].valid || got[0].signer != "MARIO ROSSI" || got[0].field == "" {
			t.Errorf("%+v, %v", got, err)
		}
		got, err = judge.validate(t, judges.Ask{File: changed, Lenient: true})
		if err != nil || len(got) != 1 || got[0].intact {
			t.Errorf("changed: %+v, %v", got, err)
		}
		if got, err := judge.validate(t, judges.Ask{File: plain}); err != nil || len(got) != 0 {
			t.Errorf("not signed: %+v, %v", got, err)
		}
	})
}

// theirs is a way to have pyHanko and DSS sign.
type theirs struct {
	name     string
	signer   pki.Name
	detached bool
	pss      bool
	digest   string
	shows    string // in the structure of the message
}

// waysToSign returns one of each kind.
func waysToSign() []theirs {
	return []theirs{
		{"RSA", pki.Signer, false, false, "", "sha256"},
		{"RSA detached, SHA-512", pki.Signer, true, false, "sha512", "sha512"},
		{"PSS", pki.Signer, false, true, "", "rsassaPss"},
		{"PSS detached, SHA-512", pki.Signer, true, true, "sha512", "rsassaPss"},
		{"P-256", pki.SignerP256, false, false, "", "ecdsa-with-SHA256"},
		{"P-384 detached, SHA-512", pki.SignerP384, true, false, "sha512", "ecdsa-with-SHA512"},
	}
}

func TestOutsideCMSForOpenSSL(t *testing.T) {
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	root, content := file(t, "root.pem", p.RootPEM()), file(t, "content", []byte(words))
	eachOutside(t, func(t *testing.T, judge outside) {
		for _, c := range waysToSign() {
			t.Run(c.name, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "signed")
				if err := judge.signCMS(t, p.Must(t, c.signer), content, out, c.detached, c.pss, c.digest); err != nil {
					t.Fatal(err)
				}
				structure, err := judges.OpenSSLParse(t.Context(), out)
				if err != nil || !strings.Contains(structure, c.shows) || !strings.Contains(structure, "signingCertificateV2") {
					t.Errorf("no %s or no signing certificate in the message, %v", c.shows, err)
				}
				ask := judges.CMSVerify{Signature: out, CAFile: root}
				if c.detached {
					ask.Content = content
				}
				if verdict, err := judges.OpenSSLVerify(t.Context(), ask); err != nil || !verdict.Valid {
					t.Errorf("%+v, %v", verdict, err)
				}
			})
		}
	})
}

func TestOutsidePDFForPDFSig(t *testing.T) {
	judges.Need(t, "openssl")
	judges.Need(t, "pdfsig")
	judges.Need(t, "qpdf")
	signer := pki.New(time.Now()).Must(t, pki.SignerP256)
	in := file(t, "form.pdf", documents.Form())
	eachOutside(t, func(t *testing.T, judge outside) {
		out := filepath.Join(t.TempDir(), "signed.pdf")
		if err := judge.signPDF(t, signer, in, out); err != nil {
			t.Fatal(err)
		}
		signatures, err := judges.PDFSig(t.Context(), out)
		if err != nil || len(signatures) != 1 || !signatures[0].Valid || !signatures[0].TotalDocument || signatures[0].Type != "ETSI.CAdES.detached" {
			t.Errorf("%+v, %v", signatures, err)
		}
		if err := judges.QPDFCheck(t.Context(), out); err != nil {
			t.Error(err)
		}
	})
}

// TestDSSAddsSigners has DSS sign beside and above a signature of its own.
func TestVeraPDF(t *testing.T) {
	judge := judges.NeedVeraPDF(t)
	found, err := judge.Validate(t.Context(), file(t, "plain.pdf", documents.Plain()))
	if err != nil || len(found.Broken) == 0 {
		t.Errorf("a file that claims nothing is a good archive: %+v, %v", found, err)
	}
	var refused *judges.RefusedError
	if found, err := judge.Validate(t.Context(), file(t, "no.pdf", []byte("no PDF\n"))); !errors.As(err, &refused) {
		t.Errorf("what is no PDF: %+v, %v", found, err)
	}
}

func TestDSSAddsSigners(t *testing.T) {
	dss := judges.NeedDSS(t)
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	root, content := file(t, "root.pem", p.RootPEM()), file(t, "content", []byte(words))
	for name, detached := range map[string]bool{"attached": false, "detached": true} {
		t.Run(name, func(t *testing.T) {
			ask := judges.Ask{Trust: root}
			if detached {
				ask.Content = content
			}
			sign := func(s judges.DSSCMSSign) []judges.DSSSignature {
				s.Detached, s.Output = detached, filepath.Join(t.TempDir(), "signed")
				if err := dss.SignCMS(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				ask.File = s.Output
				found, err := dss.Validate(t.Context(), ask)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					wantPassed(t, f, "CAdES-BASELINE-B")
				}
				return found
			}
			first := sign(judges.DSSCMSSign{Signer: p.Must(t, pki.Signer), File: content})
			two := sign(judges.DSSCMSSign{Signer: p.Must(t, pki.SecondSigner), File: ask.File, Content: ask.Content, Parallel: true})
			if len(first) != 1 || len(two) != 2 || two[0].CounterSigns+two[1].CounterSigns != "" {
				t.Fatalf("in parallel: %+v", two)
			}
			all := sign(judges.DSSCMSSign{
				Signer: p.Must(t, pki.SignerP256), File: ask.File, Content: ask.Content, CounterSigns: two[1].ID, Digest: "sha512"})
			at := slices.IndexFunc(all, func(s judges.DSSSignature) bool { return s.CounterSigns != "" })
			if len(all) != 3 || at < 1 || all[at].CounterSigns != all[at-1].ID || all[at-1].Signer != two[1].Signer || all[at].Algorithm != "ECDSA_SHA512" {
				t.Errorf("counter-signed: %+v", all)
			}
		})
	}
}

func TestDSSSignsFields(t *testing.T) {
	dss, pyHanko := judges.NeedDSS(t), judges.NeedPyHanko(t)
	judges.Need(t, "openssl")
	p := pki.New(time.Now())
	field, signed := filepath.Join(t.TempDir(), "field.pdf"), filepath.Join(t.TempDir(), "signed.pdf")
	if err := pyHanko.AddField(t.Context(), file(t, "form.pdf", documents.Form()), field, judges.PDFField{Name: "Here"}); err != nil {
		t.Fatal(err)
	}
	how := judges.DSSPDFSign{Signer: p.Must(t, pki.Signer), File: field, Output: signed, Field: "Here", Certify: 1, PSS: true}
	if err := dss.SignPDF(t.Context(), how); err != nil {
		t.Fatal(err)
	}
	found, err := pyHanko.Validate(t.Context(), judges.Ask{File: signed, Trust: file(t, "root.pem", p.RootPEM())})
	if err != nil || len(found) != 1 || !found[0].Accepted || found[0].Field != "Here" || found[0].Mechanism != "rsassa_pss" {
		t.Errorf("%+v, %v", found, err)
	}
	if !bytes.Contains(read(t, signed), []byte("/DocMDP")) {
		t.Error("it does not certify")
	}
	how.Field, how.Output = "Elsewhere", filepath.Join(t.TempDir(), "none.pdf")
	var refused *judges.RefusedError
	if err := dss.SignPDF(t.Context(), how); !errors.As(err, &refused) {
		t.Errorf("a field that is not there: %v", err)
	}
}

// TestPyHankoSignsInEveryWay has pyHanko use each of the options there are for
// a PDF, and DSS confirm it.
func TestPyHankoSignsInEveryWay(t *testing.T) {
	pyHanko, dss := judges.NeedPyHanko(t), judges.NeedDSS(t)
	judges.Need(t, "qpdf")
	p := pki.New(time.Now())
	root, form := file(t, "root.pem", p.RootPEM()), file(t, "form.pdf", documents.Form())
	encrypted, field := filepath.Join(t.TempDir(), "encrypted.pdf"), filepath.Join(t.TempDir(), "field.pdf")
	if err := judges.QPDFRewrite(t.Context(), form, encrypted, judges.PasswordProtected); err != nil {
		t.Fatal(err)
	}
	here := judges.PDFField{Name: "Here", Box: []int{72, 500, 272, 560}, Lock: &judges.PDFLock{Action: "Include", Fields: []string{"city"}}}
	if err := pyHanko.AddField(t.Context(), form, field, here); err != nil {
		t.Fatal(err)
	}
	fresh := judges.PDFField{Name: "New"}
	const pades = "PAdES-BASELINE-B"
	for _, c := range []struct {
		name  string
		how   judges.PyHankoPDFSign
		level string
		shows string // in the signed file, when it is not encrypted
	}{
		{"RSA", judges.PyHankoPDFSign{File: form, Field: fresh, Reason: "because"}, pades, "because"},
		{"PSS, SHA-512", judges.PyHankoPDFSign{File: form, Field: fresh, PSS: true, Digest: "sha512"}, pades, "/ETSI.CAdES.detached"},
		{"certify 1", judges.PyHankoPDFSign{File: form, Field: fresh, Certify: 1}, pades, "/P 1"},
		{"certify 2", judges.PyHankoPDFSign{File: form, Field: fresh, Certify: 2}, pades, "/P 2"},
		{"certify 3", judges.PyHankoPDFSign{File: form, Field: fresh, Certify: 3}, pades, "/P 3"},
		{"lock all", judges.PyHankoPDFSign{File: form, Field: judges.PDFField{Name: "New", Lock: &judges.PDFLock{Action: "All"}}}, pades, "/FieldMDP"},
		{"visible", judges.PyHankoPDFSign{File: form, Field: judges.PDFField{Name: "New", Page: -1, Box: here.Box}}, pades, "/ETSI.CAdES.detached"},
		{"existing field", judges.PyHankoPDFSign{File: field, Field: judges.PDFField{Name: "Here"}, Existing: true}, pades, "/FieldMDP"},
		{"Adobe", judges.PyHankoPDFSign{File: form, Field: fresh, Adobe: true}, "PKCS7-B", "/adbe.pkcs7.detached"},
		{"encrypted", judges.PyHankoPDFSign{File: encrypted, Field: fresh, Password: judges.Password}, pades, "/Encrypt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.how.Signer, c.how.Output = p.Must(t, pki.Signer), filepath.Join(t.TempDir(), "signed.pdf")
			if err := pyHanko.SignPDF(t.Context(), c.how); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(read(t, c.how.Output), []byte(c.shows)) {
				t.Errorf("no %s in the file", c.shows)
			}
			ask := judges.Ask{File: c.how.Output, Trust: root, Password: c.how.Password}
			found, err := dss.Validate(t.Context(), ask)
			if err != nil || len(found) != 1 || found[0].PDF.Field != c.how.Field.Name {
				t.Fatalf("DSS: %+v, %v", found, err)
			}
			wantPassed(t, found[0], c.level)
			own, err := pyHanko.Validate(t.Context(), ask)
			if err != nil || len(own) != 1 || !own[0].Accepted {
				t.Errorf("pyHanko: %+v, %v", own, err)
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "signed.pdf")
		how := judges.PyHankoPDFSign{Signer: p.Must(t, pki.Signer), File: encrypted, Output: out, Field: fresh, Password: "wrong"}
		var refused *judges.RefusedError
		if err := pyHanko.SignPDF(t.Context(), how); !errors.As(err, &refused) {
			t.Errorf("%v", err)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("an output is left: %v", err)
		}
	})
}
