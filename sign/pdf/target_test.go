// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// signatureDict returns the dictionary of a signature.
func signatureDict(t *testing.T, file []byte, field string) (*Document, *dict) {
	t.Helper()
	d := mustOpen(t, file)
	var value *dict
	err := d.eachField(func(f fieldNode) (err error) {
		if f.name == field {
			value, err = as[*dict](d, f.value)
		}
		return err
	})
	if err != nil || value == nil {
		t.Fatalf("no signature in %q: %v", field, err)
	}
	return d, value
}

type fieldNode = field // where field is a name

// refused signs with a key that must not be used, and checks that a preflight
// says the same.
func refused(t *testing.T, file []byte, o SignOptions, want any, text string) {
	t.Helper()
	o.Signer.Key = untouchable{o.Signer.Key, t}
	size := int64(len(file))
	err := Sign(context.Background(), untouchable{o.Signer.Key, t}, bytes.NewReader(file), size, o)
	if err == nil || !errors.As(err, want) || !strings.Contains(err.Error(), text) {
		t.Fatalf("error %v (%T), want a %T with %q", err, err, want, text)
	}
	if again := Preflight(bytes.NewReader(file), size, o); again == nil || again.Error() != err.Error() {
		t.Errorf("the preflight says %v, want %v", again, err)
	}
}

func TestSignExistingField(t *testing.T) {
	file := documents.EmptyField()
	o := options(t, pki.Signer)
	o.FieldName = "approval.manager"
	signed := mustSign(t, file, o)
	s := onlySignature(t, signed)
	wantCoverage(t, s, CoversWholeFile)
	mustBeIntact(t, s)
	if s.Field != o.FieldName {
		t.Errorf("field %q", s.Field)
	}
	for _, part := range []string{"/Rect [72 580 300 640]", "/P 3 0 R", "/T (manager)", "/Parent 8 0 R", "/Lock 10 0 R"} {
		if n := bytes.Count(signed, []byte(part)); n < 2 && part != "/P 3 0 R" {
			t.Errorf("%s is there %d times, want 2", part, n)
		}
	}
	_, value := signatureDict(t, signed, o.FieldName)
	want := "[<</Type /SigRef /TransformMethod /FieldMDP /Data 1 0 R " +
		"/TransformParams <</Type /TransformParams /V /1.2 /Action /Include /Fields [\"total\"]>>>>]"
	if got := show(value.get("Reference")); got != want {
		t.Errorf("/Reference %s, want %s", got, want)
	}
	acceptable(t, signed, 1)
	sameLook(t, file, signed)
	// The lock is in force for others, and leaves other fields alone.
	refused(t, signed, o, new(*FieldError), "signed already")
	o.FieldName = ""
	acceptable(t, mustSign(t, signed, o), 2)
}

func TestFieldRefusals(t *testing.T) {
	direct := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [<< /FT /Sig /T (inside) >>] >> >>", pagesObject, pageObject)
	for _, tt := range []struct {
		name, field string
		file        []byte
		lock        *FieldLock
		text        string
	}{
		{"a text field", "city", documents.Form(), nil, "not for signatures"},
		{"a new name with a full stop", "a.b", documents.Form(), nil, "full stop"},
		{"a field inside another object", "inside", direct, nil, "inside another object"},
		{"two locks", "approval.manager", documents.EmptyField(), &FieldLock{Action: LockAll}, "lock of its own"},
		{"a lock without action", "", documents.Form(), &FieldLock{}, "which fields"},
		{"a lock without fields", "", documents.Form(), &FieldLock{Action: LockInclude}, "which fields"},
		{"a lock of a field that is missing", "", documents.Form(), &FieldLock{Action: LockExclude, Fields: []string{"cty"}}, `"cty"`},
		{"an unknown lock", "", documents.Form(), &FieldLock{Action: 9}, "which fields"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.FieldName, o.Lock = tt.field, tt.lock
			refused(t, tt.file, o, new(*FieldError), tt.text)
		})
	}
}

func TestCertify(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Certify = FormFilling
			signed := mustSign(t, doc.PDF, o)
			acceptable(t, signed, 1)
			d, value := signatureDict(t, signed, "Signature1")
			want := "[<</Type /SigRef /TransformMethod /DocMDP /TransformParams <</Type /TransformParams /V /1.2 /P 2>>>>]"
			if got := show(value.get("Reference")); got != want {
				t.Errorf("/Reference %s, want %s", got, want)
			}
			root, _, err := d.catalog()
			if err != nil {
				t.Fatal(err)
			}
			perms, _ := root.get("Perms").(*dict)
			if named, err := as[*dict](d, perms.get("DocMDP")); err != nil || named == nil || named.start != value.start {
				t.Errorf("/Perms is %s, %v", show(root.get("Perms")), err)
			}
			refused(t, signed, o, new(*PermissionError), "signed already")
			o.Certify = NotCertified
			acceptable(t, mustSign(t, signed, o), 2)
		})
	}
}

func TestCertifyForNoChanges(t *testing.T) {
	o := options(t, pki.Signer)
	o.Certify = NoChanges
	signed := mustSign(t, documents.Form(), o)
	acceptable(t, signed, 1)
	refused(t, signed, options(t, pki.Signer), new(*PermissionError), "forbids any change")
	o.Certify = 4
	if _, err := signBytes(documents.Form(), o); err == nil || !strings.Contains(err.Error(), "level 4") {
		t.Errorf("error %v for level 4", err)
	}
}

// /Perms can be there already, in the catalog or elsewhere.
func TestCertifyKeepsPerms(t *testing.T) {
	for name, file := range map[string][]byte{
		"direct":   makePDF("<< /Type /Catalog /Pages 2 0 R /Perms << /UR3 4 0 R >> >>", pagesObject, pageObject, "<< /Type /Sig >>"),
		"indirect": makePDF("<< /Type /Catalog /Pages 2 0 R /Perms 5 0 R >>", pagesObject, pageObject, "<< /Type /Sig >>", "<< /UR3 4 0 R >>"),
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Certify = Annotations
			d := mustOpen(t, mustSign(t, file, o))
			root, _, err := d.catalog()
			if err != nil {
				t.Fatal(err)
			}
			perms, err := as[*dict](d, root.get("Perms"))
			if err != nil || perms.get("UR3") != (ref{num: 4}) || perms.get("DocMDP") == nil {
				t.Errorf("/Perms %s, %v", show(perms), err)
			}
		})
	}
}

func TestLocks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lock  FieldLock
		field string // that the second signer asks for
		ok    bool
	}{
		{"all, new field", FieldLock{Action: LockAll}, "", false},
		{"all, existing field", FieldLock{Action: LockAll}, "approval.manager", false},
		{"others", FieldLock{Action: LockInclude, Fields: []string{"total", "city"}}, "approval.manager", true},
		{"others, new field", FieldLock{Action: LockInclude, Fields: []string{"total"}}, "", true},
		{"this one", FieldLock{Action: LockInclude, Fields: []string{"approval.manager"}}, "approval.manager", false},
		{"the one above", FieldLock{Action: LockInclude, Fields: []string{"approval"}}, "approval.manager", false},
		{"all but others", FieldLock{Action: LockExclude, Fields: []string{"city"}}, "approval.manager", false},
		{"all but others, new field", FieldLock{Action: LockExclude, Fields: []string{"city"}}, "", false},
		{"all but this one", FieldLock{Action: LockExclude, Fields: []string{"approval"}}, "approval.manager", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.Signer)
			o.Lock = &tt.lock
			signed := mustSign(t, documents.EmptyField(), o)
			acceptable(t, signed, 1)
			again := options(t, pki.SecondSigner)
			again.FieldName = tt.field
			if !tt.ok {
				refused(t, signed, again, new(*PermissionError), "locks the field")
				return
			}
			acceptable(t, mustSign(t, signed, again), 2)
		})
	}
}

// seeded is a document with an empty signature field "s" and a seed value.
func seeded(seed string) []byte {
	return makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R] >>",
		"<< /FT /Sig /T (s) /Type /Annot /Subtype /Widget /Rect [10 10 60 40] /F 4 /P 3 0 R /SV << /Type /SV "+seed+" >> >>")
}

func TestSeedValues(t *testing.T) {
	me := options(t, pki.Signer).Signer
	own := fmt.Sprintf("<%X>", me.Certificate.Raw)
	issuer := fmt.Sprintf("<%X>", me.Chain[0].Raw)
	other := fmt.Sprintf("<%X>", options(t, pki.SecondSigner).Signer.Certificate.Raw)
	cn := me.Certificate.Subject.CommonName
	for _, tt := range []struct {
		seed string
		edit func(*SignOptions)
		want string // the word after its seed value, "" when it is obeyed
	}{
		{"", nil, ""},
		{"/Ff 1 /Filter /Adobe.PPKLite", nil, ""},
		{"/Ff 1 /Filter /Entrust.PPKEF", nil, "Filter"},
		{"/Filter /Entrust.PPKEF", nil, ""},
		{"/Ff 2 /SubFilter [/adbe.pkcs7.detached /ETSI.CAdES.detached]", nil, ""},
		{"/Ff 2 /SubFilter [/adbe.pkcs7.detached]", nil, "SubFilter"},
		{"/SubFilter [/adbe.pkcs7.detached]", nil, ""},
		{"/Ff 4 /V 2", nil, ""},
		{"/Ff 4 /V 4.0", nil, "V"},
		{"/Ff 8 /Reasons [(approved) (seen)]", nil, "Reasons"},
		{"/Ff 8 /Reasons [(approved) (seen)]", func(o *SignOptions) { o.Reason = "seen" }, ""},
		{"/Ff 8 /Reasons [(.)]", func(o *SignOptions) { o.Reason = "seen" }, "Reasons"},
		{"/Ff 8", func(o *SignOptions) { o.Reason = "seen" }, "Reasons"},
		{"/Ff 8", nil, ""},
		{"/Reasons [(approved)]", func(o *SignOptions) { o.Reason = "seen" }, ""},
		{"/Ff 16 /LegalAttestation [(x)]", nil, "LegalAttestation"},
		{"/Ff 32 /AddRevInfo true", nil, "AddRevInfo"},
		{"/Ff 32 /AddRevInfo false", nil, ""},
		{"/Ff 64 /DigestMethod [(SHA512) (SHA384)]", nil, ""},
		{"/Ff 64 /DigestMethod [(SHA1) (RIPEMD160)]", nil, "DigestMethod"},
		{"/Ff 64 /DigestMethod [(SHA512)]", func(o *SignOptions) { o.Signer.Hash = crypto.SHA256 }, "DigestMethod"},
		{"/Ff 128 /LockDocument /true", nil, "LockDocument"},
		{"/Ff 128 /LockDocument /auto", nil, ""},
		{"/Ff 256 /AppearanceFilter (x)", nil, "AppearanceFilter"},
		{"/Ff 512", nil, "Ff"},
		{"/MDP << /P 0 >>", nil, ""},
		{"/MDP << /P 0 >>", func(o *SignOptions) { o.Certify = FormFilling }, "MDP"},
		{"/MDP << /P 2 >>", nil, "MDP"},
		{"/MDP << /P 2 >>", func(o *SignOptions) { o.Certify = FormFilling }, ""},
		{"/TimeStamp << /URL (http://tsa.example) /Ff 1 >>", nil, "TimeStamp"},
		{"/TimeStamp << /URL (http://tsa.example) /Ff 1 >>", func(o *SignOptions) {
			o.Complete = func(cms []byte) ([]byte, error) { return cms, nil }
		}, ""},
		{"/TimeStamp << /URL (http://tsa.example) >>", nil, ""},
		{"/Cert << /Ff 1 /Subject [" + other + own + "] >>", nil, ""},
		{"/Cert << /Ff 1 /Subject [" + other + "] >>", nil, "Cert"},
		{"/Cert << /Subject [" + other + "] >>", nil, ""},
		{"/Cert << /Ff 2 /Issuer [" + issuer + "] >>", nil, ""},
		{"/Cert << /Ff 2 /Issuer [" + other + "] >>", nil, "Cert"},
		{"/Cert << /Ff 2 /Issuer [" + issuer + "] >>", func(o *SignOptions) { o.Signer.Chain = nil }, ""},
		{"/Cert << /Ff 4 /OID [(1.2.3)] >>", nil, "Cert"},
		{"/Cert << /Ff 8 /SubjectDN [<< /CN (nobody) >> << /CN (" + cn + ") /C (IT) >>] >>", nil, ""},
		{"/Cert << /Ff 8 /SubjectDN [<< /CN (" + cn + ") /C (FR) >>] >>", nil, "Cert"},
		{"/Cert << /Ff 32 /KeyUsage [(1XXXXXXXX) (01)] >>", nil, ""},
		{"/Cert << /Ff 32 /KeyUsage [(X1000000X)] >>", nil, ""},
		{"/Cert << /Ff 32 /KeyUsage [(X0)] >>", nil, "Cert"},
	} {
		t.Run(tt.seed[:min(len(tt.seed), 40)], func(t *testing.T) {
			o := options(t, pki.Signer)
			o.FieldName = "s"
			if tt.edit != nil {
				tt.edit(&o)
			}
			file := seeded(tt.seed)
			if tt.want != "" {
				refused(t, file, o, new(*SeedError), "its seed value /"+tt.want+" asks for")
				return
			}
			s := onlySignature(t, mustSign(t, file, o))
			wantCoverage(t, s, CoversWholeFile)
			mustBeIntact(t, s)
		})
	}
}

// A digest that the field asks for is the one that is used.
func TestSeedDigest(t *testing.T) {
	o := options(t, pki.Signer)
	o.FieldName = "s"
	signed := mustSign(t, seeded("/Ff 64 /DigestMethod [(SHA512)]"), o)
	mustBeIntact(t, onlySignature(t, signed))
	sha512 := []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}
	if !bytes.Contains(onlySignature(t, signed).Contents, sha512) {
		t.Error("the signature is not made with SHA-512")
	}
	acceptable(t, signed, 1)
}
