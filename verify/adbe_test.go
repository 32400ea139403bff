// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

// handSigned appends a signature of any kind to the plain document: contents
// makes what stands in /Contents out of the signed bytes.
func handSigned(t testing.TB, subFilter, more string, contents func(signed []byte) []byte) []byte {
	t.Helper()
	const room = 8192
	const numbers = "0000000000 0000000000 0000000000 0000000000"
	value := "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /" + subFilter + " " + more +
		" /ByteRange [" + numbers + "] /Contents <" + strings.Repeat("0", 2*room) + "> >>"
	out := documents.Plain()
	previous := out[bytes.LastIndex(out, []byte("startxref"))+len("startxref"):]
	rows := ""
	for i, body := range []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [91 0 R] /SigFlags 3 >> >>",
		"<< /FT /Sig /T (old) /V 90 0 R /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 >>", value,
	} {
		num := []int{1, 91, 90}[i]
		rows += fmt.Sprintf("%d 1\n%010d 00000 n \n", num, len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", num, body)
	}
	out = fmt.Appendf(out, "xref\n%strailer\n<< /Size 92 /Root 1 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n",
		rows, strings.Fields(string(previous))[0], len(out))
	gap := bytes.LastIndex(out, []byte("/Contents <")) + len("/Contents ")
	resume := gap + 2*room + 2
	out = bytes.Replace(out, []byte(numbers), fmt.Appendf(nil, "%010d %010d %010d %010d", 0, gap, resume, len(out)-resume), 1)
	made := contents(append(bytes.Clone(out[:gap]), out[resume:]...))
	if len(made) > room {
		t.Fatalf("%d bytes of signature", len(made))
	}
	hex.Encode(out[gap+1:], made)
	return out
}

// certificates writes /Cert.
func certificates(t testing.TB, names ...pki.Name) string {
	cert := "/Cert ["
	for _, name := range names {
		cert += fmt.Sprintf("<%x>", people.Must(t, name).Certificate.Raw)
	}
	return cert + "]"
}

func octets(t testing.TB, value []byte) []byte {
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// pkcs1 signs with RSA and no CMS around it.
func pkcs1(t testing.TB, h crypto.Hash) func([]byte) []byte {
	return func(signed []byte) []byte {
		d := h.New()
		d.Write(signed)
		value, err := rsa.SignPKCS1v15(rand.Reader, people.Must(t, pki.Signer).Key.(*rsa.PrivateKey), h, d.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return octets(t, value)
	}
}

// digestSigned signs the SHA-1 digest as the content of a CMS.
func digestSigned(t testing.TB, detached bool, signers ...pki.Name) func([]byte) []byte {
	return func(signed []byte) []byte {
		sum := sha1.Sum(signed)
		var all []cms.Signer
		for _, name := range signers {
			all = append(all, signer(t, name))
		}
		return p7m(t, string(sum[:]), detached, all...)
	}
}

// In both of the deprecated kinds an intact signature that rests on SHA-1 is
// indeterminate, whoever is trusted.
func TestDeprecatedKinds(t *testing.T) {
	weak := want{report.Indeterminate, report.CryptoConstraintsNoPOE, report.Intact}
	malformed := want{report.Invalid, report.FormatFailure, report.Broken}
	open := func(sub report.SubIndication) want { return want{report.Indeterminate, sub, report.IntegrityUnknown} }
	const sha1Kind, rsaKind = "adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"
	plain := func(content string) func([]byte) []byte {
		return func([]byte) []byte { return p7m(t, content, false, signer(t, pki.Signer)) }
	}
	cert := certificates(t, pki.Signer, pki.QualifiedCA)
	for _, c := range []struct {
		name, kind, more string
		contents         func([]byte) []byte
		want             want
	}{
		{"digest", sha1Kind, "", digestSigned(t, false, pki.Signer), weak},
		{"digest with ECDSA", sha1Kind, "", digestSigned(t, false, pki.SignerP256), weak},
		{"another digest", sha1Kind, "", plain("01234567890123456789"), hashFailure},
		{"the digest and more", sha1Kind, "", plain("012345678901234567890"), malformed},
		{"the document as content", sha1Kind, "", func(signed []byte) []byte { return p7m(t, string(signed), false, signer(t, pki.Signer)) }, malformed},
		{"detached from the digest", sha1Kind, "", digestSigned(t, true, pki.Signer), malformed},
		{"detached from the document", sha1Kind, "", func(signed []byte) []byte { return p7m(t, string(signed), true, signer(t, pki.Signer)) }, malformed},
		{"digest signed by two", sha1Kind, "", digestSigned(t, false, pki.Signer, pki.SecondSigner), malformed},
		{"no CMS", sha1Kind, "", pkcs1(t, crypto.SHA1), malformed},
		{"digest called detached", "adbe.pkcs7.detached", "", digestSigned(t, false, pki.Signer), malformed},

		{"SHA-1", rsaKind, cert, pkcs1(t, crypto.SHA1), weak},
		{"SHA-256", rsaKind, cert, pkcs1(t, crypto.SHA256), valid},
		{"SHA-384", rsaKind, cert, pkcs1(t, crypto.SHA384), valid},
		{"SHA-512", rsaKind, cert, pkcs1(t, crypto.SHA512), valid},
		{"one certificate and no array", rsaKind, strings.NewReplacer("[", "", "]", "").Replace(certificates(t, pki.Signer)), pkcs1(t, crypto.SHA256), noChain},
		{"no chain", rsaKind, certificates(t, pki.Signer), pkcs1(t, crypto.SHA256), noChain},
		{"another's certificate", rsaKind, certificates(t, pki.SecondSigner, pki.Signer), pkcs1(t, crypto.SHA256), sigFailure},
		{"no certificate", rsaKind, "", pkcs1(t, crypto.SHA256), open(report.NoSigningCertificateFound)},
		{"two /Cert", rsaKind, cert + certificates(t, pki.SecondSigner), pkcs1(t, crypto.SHA256), malformed},
		{"no certificate that can be read", rsaKind, "/Cert (x)", pkcs1(t, crypto.SHA256), open(report.NoSigningCertificateFound)},
		{"a key that is not RSA", rsaKind, certificates(t, pki.SignerP256), pkcs1(t, crypto.SHA256), open(report.CryptoConstraintsFailure)},
		{"a digest not foreseen", rsaKind, cert, pkcs1(t, crypto.MD5), sigFailure},
		{"a bare value", rsaKind, cert, func(signed []byte) []byte { return pkcs1(t, crypto.SHA1)(signed)[4:] }, malformed},
		{"CMS", rsaKind, cert, digestSigned(t, false, pki.Signer), malformed},
		{"of other bytes", rsaKind, cert, func([]byte) []byte { return pkcs1(t, crypto.SHA256)([]byte("x")) }, sigFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.want.compare(t, check(t, handSigned(t, c.kind, c.more, c.contents), root(t)))
			if s.Format != "PDF" || s.Integrity == report.Intact && (s.Signer == nil || s.Algorithm == "") {
				t.Errorf("format %s, signer %v, algorithm %q", s.Format, s.Signer, s.Algorithm)
			}
		})
	}
}

// Any signed byte that changes breaks a signature of either kind.
func TestTamperedDeprecatedKinds(t *testing.T) {
	for kind, c := range map[string]struct {
		more     string
		contents func([]byte) []byte
		want     want
	}{
		"adbe.pkcs7.sha1":    {"", digestSigned(t, false, pki.Signer), hashFailure},
		"adbe.x509.rsa_sha1": {certificates(t, pki.Signer, pki.QualifiedCA), pkcs1(t, crypto.SHA256), sigFailure},
	} {
		file := handSigned(t, kind, c.more, c.contents)
		c.want.compare(t, check(t, bytes.Replace(file, []byte("(old)"), []byte("(new)"), 1), root(t)))
		s := check(t, update(t, file, 3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"), root(t)).Signatures[0]
		if s.Verdict != report.Invalid || !s.ModifiedAfterSigning || s.Integrity != report.Intact {
			t.Errorf("%s with another page is %v, integrity %v: %s", kind, s.Verdict, s.Integrity, s.Reason)
		}
	}
}

// TestDeprecatedKindsElsewhere: what openssl signed with SHA-1 alone is intact
// for pdfsig too, and DSS finds in all of these files what is found here.
func TestDeprecatedKindsElsewhere(t *testing.T) {
	judges.Need(t, "openssl")
	judges.Need(t, "pdfsig")
	sha1Alone := handSigned(t, "adbe.pkcs7.sha1", "", func(signed []byte) []byte {
		sum := sha1.Sum(signed)
		der, err := opensslSign(t, sum[:], judges.CMSSign{Digest: "sha1"})
		if err != nil {
			t.Fatal(err)
		}
		return der
	})
	path := saved(t, sha1Alone)
	list, err := judges.PDFSig(context.Background(), path)
	if err != nil || len(list) != 1 || list[0].Type != "adbe.pkcs7.sha1" || !list[0].TotalDocument || !list[0].Valid {
		t.Errorf("pdfsig: %+v, %v", list, err)
	}
	dss := judges.NeedDSS(t)
	for _, file := range [][]byte{
		sha1Alone,
		handSigned(t, "adbe.pkcs7.sha1", "", digestSigned(t, false, pki.Signer)),
		bytes.Replace(sha1Alone, []byte("(old)"), []byte("(new)"), 1),
	} {
		ours := check(t, file, trustToday(t)).Signatures[0]
		theirs, err := dss.Validate(context.Background(), judges.Ask{File: saved(t, file)})
		if err != nil || len(theirs) != 1 || theirs[0].Intact != (ours.Integrity == report.Intact) {
			t.Errorf("integrity %v: %s; DSS: %+v, %v", ours.Integrity, ours.Reason, theirs, err)
		}
	}
}

func saved(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "old.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opensslSign has openssl sign content.
func opensslSign(t testing.TB, content []byte, ask judges.CMSSign) ([]byte, error) {
	ask.Signer, ask.Content, ask.Output = today.Must(t, pki.Signer), saved(t, content), filepath.Join(t.TempDir(), "out")
	if err := judges.OpenSSLSign(context.Background(), ask); err != nil {
		return nil, err
	}
	return os.ReadFile(ask.Output)
}
