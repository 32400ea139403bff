// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// encryptions are the ways in which qpdf encrypts.
var encryptions = []struct {
	name string
	args []string // after the passwords
}{
	{"RC4-40", []string{"40", "--"}},
	{"RC4-128", []string{"128", "--use-aes=n", "--"}},
	{"RC4-V4", []string{"128", "--use-aes=n", "--force-V4", "--"}},
	{"AES-128", []string{"128", "--use-aes=y", "--"}},
	{"AES-128-metadata", []string{"128", "--use-aes=y", "--cleartext-metadata", "--"}},
	{"AES-256-R5", []string{"256", "--force-R5", "--"}},
	{"AES-256", []string{"256", "--"}},
}

// qpdf runs qpdf on file, with the arguments before the names of the files.
func qpdf(t testing.TB, file []byte, args ...string) []byte {
	t.Helper()
	program := judges.Need(t, "qpdf")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, append(args, in, out)...).CombinedOutput()
	if err != nil {
		t.Fatalf("qpdf %v: %v: %s", args, err, said)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// encrypted returns file encrypted by qpdf.
func encrypted(t testing.TB, file []byte, user, owner string, streams bool, kind ...string) []byte {
	t.Helper()
	mode := "--object-streams=disable"
	if streams {
		mode = "--object-streams=generate"
	}
	args := append([]string{"--allow-weak-crypto", "--static-id", mode, "--encrypt", user, owner}, kind...)
	return qpdf(t, file, args...)
}

// judgedWith asks pdfsig and qpdf about an encrypted file.
func judgedWith(t *testing.T, file []byte, password string, want int) {
	t.Helper()
	path := save(t, "signed.pdf", file)
	said, err := exec.Command(judges.Need(t, "qpdf"), "--check", "--password="+password, path).CombinedOutput()
	if err != nil || strings.Contains(string(said), "WARNING") {
		t.Errorf("qpdf: %v: %s", err, said)
	}
	said, err = exec.Command(judges.Need(t, "pdfsig"), "-nocert", "-upw", password, "-opw", password, path).CombinedOutput()
	if err != nil || strings.Count(string(said), "Signature is Valid.") != want || strings.Count(string(said), "Total document signed") != 1 {
		t.Errorf("pdfsig: %v: %s", err, said)
	}
}

// signaturesWith reads the signatures of an encrypted file.
func signaturesWith(t *testing.T, file []byte, password string) []*Signature {
	t.Helper()
	d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSignEncrypted(t *testing.T) {
	for _, kind := range encryptions {
		for _, streams := range []bool{false, true} {
			for _, password := range []string{"", "secret", "owner"} {
				name := kind.name
				if streams {
					name += " streams"
				}
				t.Run(name+" "+password, func(t *testing.T) {
					signEncrypted(t, encrypted(t, documents.Form(), strings.Replace(password, "owner", "secret", 1), "owner", streams, kind.args...), password)
				})
			}
		}
	}
}

func signEncrypted(t *testing.T, file []byte, password string) {
	o := options(t, pki.Signer)
	o.Password, o.Reason, o.Location, o.FieldName = password, "perché (sì)", "Roma", "Firma è"
	once := mustSign(t, file, o)
	list := signaturesWith(t, once, password)
	if len(list) != 1 {
		t.Fatalf("%d signatures, want 1", len(list))
	}
	s := list[0]
	wantCoverage(t, s, CoversWholeFile)
	mustBeIntact(t, s)
	if s.Reason != o.Reason || s.Location != o.Location || s.Field != o.FieldName || !s.Time.Equal(now) {
		t.Errorf("read %q, %q, %q, %v", s.Reason, s.Location, s.Field, s.Time)
	}
	judgedWith(t, once, password, 1)
	o.FieldName, o.Signer = "", options(t, pki.SignerP256).Signer
	twice := mustSign(t, once, o)
	list = signaturesWith(t, twice, password)
	if len(list) != 2 {
		t.Fatalf("%d signatures, want 2", len(list))
	}
	wantCoverage(t, list[0], CoversRevision)
	judgedWith(t, twice, password, 2)
	if bytes.Contains(twice[len(file):], []byte("Roma")) {
		t.Error("a string of the update is not encrypted")
	}
	sameForm(t, file, twice, password)
}

// sameForm checks through qpdf, which decrypts, that the form and its strings
// are what they were.
func sameForm(t *testing.T, before, after []byte, password string) {
	t.Helper()
	for _, file := range [][]byte{before, after} {
		plain := qpdf(t, file, "--password="+password, "--decrypt", "--object-streams=disable", "--qdf")
		for _, want := range []string{"(Roma)", "(/Helv 12 Tf 0 g)", "(city)", "(a note)"} {
			if !bytes.Contains(plain, []byte(want)) {
				t.Errorf("%s is lost", want)
			}
		}
	}
}

func TestWrongPassword(t *testing.T) {
	for _, streams := range []bool{false, true} {
		file := encrypted(t, documents.Form(), "user", "owner", streams, "256", "--")
		o := options(t, pki.Signer)
		o.Signer.Key = untouchable{o.Signer.Key, t}
		for _, password := range []string{"", "wrong"} {
			o.Password = password
			_, err := signBytes(file, o)
			var wrong *PasswordError
			var crypted *EncryptedError
			if !errors.As(err, &wrong) || wrong.Given != (password != "") || !errors.As(err, &crypted) {
				t.Errorf("password %q: error %v, want a PasswordError", password, err)
			}
		}
		if _, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Password: "wrong"}); err == nil {
			t.Error("opened with a wrong password")
		}
		if !mustOpen(t, file).Encrypted() {
			t.Error("not recognised as encrypted")
		}
	}
}

// Without the password, the places and values of signatures can be read.
func TestLockedFacts(t *testing.T) {
	o := options(t, pki.Signer)
	o.Password, o.Reason = "user", "a secret reason"
	signed := mustSign(t, encrypted(t, documents.Form(), "user", "owner", false, "256", "--"), o)
	s := onlySignature(t, signed)
	wantCoverage(t, s, CoversWholeFile)
	mustBeIntact(t, s)
	if s.Field+s.Reason != "" || !s.Time.IsZero() {
		t.Errorf("strings were read without a password: %q %q %v", s.Field, s.Reason, s.Time)
	}
}

func TestEncryptionPermissions(t *testing.T) {
	noForms := encrypted(t, documents.Form(), "", "owner", false, "256", "--modify=none", "--")
	onlyForms := encrypted(t, documents.EmptyField(), "", "owner", true, "256", "--modify=form", "--")
	for _, tt := range []struct {
		name     string
		file     []byte
		password string
		field    string
		want     string
	}{
		{"nothing allowed", noForms, "", "", "forbids new form fields"},
		{"the owner may", noForms, "owner", "", ""},
		{"forms allowed, new field", onlyForms, "", "", "forbids new form fields"},
		{"forms allowed, existing field", onlyForms, "", "approval.manager", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Password, o.FieldName = tt.password, tt.field
			_, err := signBytes(tt.file, o)
			var forbidden *PermissionError
			if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &forbidden) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			again := Preflight(bytes.NewReader(tt.file), int64(len(tt.file)), SignOptions{Password: tt.password, FieldName: tt.field})
			if (again == nil) != (err == nil) {
				t.Errorf("the preflight says %v", again)
			}
		})
	}
}

func TestEncryptionNotSupported(t *testing.T) {
	file := encrypted(t, documents.Plain(), "", "owner", false, "256", "--")
	for _, tt := range []struct{ old, with, want string }{
		{"/Filter /Standard", "/Filter /Adobe.Pu", `security handler "Adobe.Pu"`},
		{"/CFM /AESV3", "/CFM /AESV4", `method "AESV4"`},
		{"/CFM /AESV3", "/CFM /AESV2", `method "AESV2"`},
		{"/StmF /StdCF", "/StmF /Other", `crypt filter "Other"`},
		{"/R 6", "/R 7", "revision 7"},
		{"/V 5", "/V 3", "algorithm 3"},
		{"/UE <", "/UX <", "damaged"},
	} {
		t.Run(tt.with, func(t *testing.T) {
			_, err := signBytes(replace(t, file, tt.old, tt.with), options(t, pki.Signer))
			var crypted *EncryptedError
			if !errors.As(err, &crypted) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// Encryption that fails leaves nothing behind.
func TestEncryptionRandom(t *testing.T) {
	o := options(t, pki.Signer)
	o.Signer.Key = untouchable{o.Signer.Key, t}
	o.Signer.Rand = bytes.NewReader(nil)
	file := encrypted(t, documents.Plain(), "", "owner", false, "256", "--")
	if err := Sign(context.Background(), untouchable{o.Signer.Key, t}, bytes.NewReader(file), int64(len(file)), o); err == nil {
		t.Error("signed without randomness")
	}
}

// Up to revision 4 passwords are in PDFDocEncoding, then in UTF-8.
func TestPasswordEncoding(t *testing.T) {
	for _, kind := range encryptions {
		t.Run(kind.name, func(t *testing.T) {
			file := encrypted(t, documents.Form(), "pässwörd €", "öwner", true, kind.args...)
			for _, password := range []string{"pässwörd €", "öwner"} {
				if list := signaturesWith(t, file, password); len(list) != 0 {
					t.Errorf("%d signatures", len(list))
				}
			}
		})
	}
}

// TestPasswordForms: what is typed opens what was encrypted with the prepared form
// of it, or without preparing it. qpdf takes passwords as bytes.
func TestPasswordForms(t *testing.T) {
	const decomposed = "pa\u0300sswo\u0308rd"
	for _, tt := range []struct {
		name          string
		typed, stored string
		opens         bool
		kind          []string
	}{
		{"composed", decomposed, "p\u00e0ssw\u00f6rd", true, []string{"256", "--"}},
		{"as it stands", decomposed, decomposed, true, []string{"256", "--"}},
		{"compatibility", "\u2168\ufb01", "IXfi", true, []string{"256", "--"}},
		{"mapped to nothing", "I\u00adX\u200d", "IX", true, []string{"256", "--"}},
		{"a space that is none of ASCII", "a\u00a0b\u3000c", "a b c", true, []string{"256", "--"}},
		{"revision 5", "\u2168", "IX", true, []string{"256", "--force-R5", "--"}},
		{"prohibited by SASLprep", "a\u0007b", "a\u0007b", true, []string{"256", "--"}},
		{"both directions, which SASLprep refuses", "a\u05d0", "a\u05d0", true, []string{"256", "--"}},
		{"the case counts", "ix", "IX", false, []string{"256", "--"}},
		{"the other way round", "IX", "\u2168", false, []string{"256", "--"}},
		{"127 bytes count", strings.Repeat("a", 130), strings.Repeat("a", 127), true, []string{"256", "--"}},
		{"PDFDocEncoding", "p\u00e0 \u20ac\u2022", "p\xe0 \xa0\x80", true, []string{"128", "--use-aes=y", "--"}},
		{"PDFDocEncoding, composed", "pa\u0300", "p\xe0", true, []string{"128", "--use-aes=n", "--"}},
		{"UTF-8 in an old revision", "\u03a9", "\u03a9", true, []string{"128", "--use-aes=y", "--"}},
		{"no question mark for what is not there", "\u03a9", "?", false, []string{"128", "--use-aes=y", "--"}},
		{"no PDFDocEncoding in a new revision", "\u00e0", "\xe0", false, []string{"256", "--"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"--allow-weak-crypto", "--password-mode=bytes", "--encrypt", tt.stored, "another"}, tt.kind...)
			file := qpdf(t, documents.Plain(), args...)
			_, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Password: tt.typed})
			var wrong *PasswordError
			if tt.opens && err != nil || !tt.opens && !errors.As(err, &wrong) {
				t.Errorf("error %v, opens: %v", err, tt.opens)
			}
		})
	}
}

// An update that takes the encryption away, or brings one, is no way to make
// the reader fail.
func TestEncryptionChanges(t *testing.T) {
	o := options(t, pki.SignerP256)
	for _, streams := range []bool{false, true} {
		signed := mustSign(t, encrypted(t, documents.Form(), "", "owner", streams, "256", "--"), o)
		list, err := mustOpen(t, appendUpdate(t, signed, "90 0 obj\n<< /FT /Sig /V 91 0 R >>\nendobj")).Signatures()
		var damage *DamagedError
		switch { // an object stream can't be read without its key, the rest can
		case streams && !errors.As(err, &damage):
			t.Errorf("error %v, want a DamagedError", err)
		case !streams && (err != nil || len(list) != 1 || list[0].Covers != CoversRevision):
			t.Errorf("%+v, %v", list, err)
		}
	}
	signed := mustSign(t, documents.Form(), o)
	brought := appendUpdate(t, signed, "90 0 obj\n<< /Filter /Standard /V 5 /R 6 >>\nendobj")
	brought = bytes.Replace(brought, []byte("<< /Size 100"), []byte("<< /Encrypt 90 0 R /Size 100"), 1)
	s := onlySignature(t, brought)
	wantCoverage(t, s, CoversRevision)
	mustBeIntact(t, s)
}

// Encrypted files have the shapes of others.
func TestEncryptedShapes(t *testing.T) {
	for _, doc := range documents.All() {
		for _, kind := range [][]string{{"128", "--use-aes=y", "--"}, {"256", "--"}} {
			t.Run(doc.Name+" "+kind[0], func(t *testing.T) {
				args := append([]string{"--allow-weak-crypto", "--linearize", "--encrypt", "", "owner"}, kind...)
				file := qpdf(t, doc.PDF, args...)
				signed := mustSign(t, file, options(t, pki.Signer))
				judgedWith(t, signed, "", 1)
				sameLook(t, file, signed)
				junk := append([]byte("junk\r\n"), append(file, "\n<!-- more -->"...)...)
				s := onlySignature(t, mustSign(t, junk, options(t, pki.Signer)))
				wantCoverage(t, s, CoversWholeFile)
				mustBeIntact(t, s)
			})
		}
	}
}

// TestStringsEncryptedAgain: a program that fills in a field writes all of its
// strings anew, with AES as other bytes than before.
func TestStringsEncryptedAgain(t *testing.T) {
	for _, kind := range [][]string{{"128", "--use-aes=y", "--"}, {"256", "--"}} {
		file := signed(t, encrypted(t, documents.Form(), "", "owner", false, kind...))
		d := mustOpen(t, file)
		var field *indirect
		for num := int64(1); num < d.newest().size; num++ {
			if o, err := d.object(ref{num: num}); err == nil && dictOf(o) != nil && dictOf(o).find("DA") != nil && dictOf(o).find("T") != nil {
				field = o
			}
		}
		// again is the field with each string encrypted anew, once edit changed it.
		again := func(edit func(words []byte, stored []byte) ([]byte, []byte)) []byte {
			text := string(file[field.start:field.end])
			for t2 := range texts(field.value) {
				words, err := d.plaintext(t2)
				if err != nil {
					t.Fatal(err)
				}
				old := string(file[t2.start:t2.end])
				words, stored := edit(words, t2.bytes)
				if stored == nil {
					if stored, err = d.security.encrypt(rand.Reader, d.security.strings, field.ref, words); err != nil {
						t.Fatal(err)
					}
				}
				text = strings.Replace(text, old, fmt.Sprintf("<%x>", stored), 1)
			}
			id := regexp.MustCompile(`/ID ?\[[^\]]*\]`).Find(file)
			trailer := fmt.Appendf(nil, "<< /Encrypt %v %s /Size 100", d.newest().encryption, id)
			return bytes.Replace(appendUpdate(t, file, text+"\nendobj"), []byte("<< /Size 100"), trailer, 1)
		}
		same := again(func(words, _ []byte) ([]byte, []byte) { return words, nil })
		if found := changes(t, same, "Signature1"); len(found) != 0 {
			t.Errorf("%v: nothing was changed: %s", kind, words(found))
		}
		value := again(func(words, _ []byte) ([]byte, []byte) {
			return bytes.Replace(words, []byte("Roma"), []byte("Milano"), 1), nil
		})
		wantChanges(t, changes(t, value, "Signature1"), "formFill: field city: value Roma → Milano")
		renamed := again(func(words, _ []byte) ([]byte, []byte) {
			return bytes.Replace(words, []byte("city"), []byte("town"), 1), nil
		})
		wantForbidden(t, changes(t, renamed, "Signature1"), "/T was replaced")
		// The byte before the length of the padding is no padding any more.
		torn := again(func(words, stored []byte) ([]byte, []byte) {
			if string(words) != "city" {
				return words, nil
			}
			stored = bytes.Clone(stored)
			stored[14] ^= 1
			return words, stored
		})
		wantForbidden(t, changes(t, torn, "Signature1"), "/T was replaced")
	}
}
