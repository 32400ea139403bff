// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"log"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func amended(file []byte) cms.Amended {
	return cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}
}

func TestAddSigner(t *testing.T) {
	content := bytes.Repeat([]byte("atto "), 60_000)
	one := signer(t, pki.Signer)
	two := signer(t, pki.SecondSigner)
	two.Hash = crypto.SHA512
	for name, before := range map[string][]byte{
		"DER":      sign(t, content, false, one),
		"BER":      signBER(t, content, one),
		"base64":   []byte(base64.StdEncoding.EncodeToString(signBER(t, content, one))),
		"detached": sign(t, content, true, one),
	} {
		t.Run(name, func(t *testing.T) {
			old, _ := read(t, before)
			file := amended(before)
			if !old.Attached {
				if err := cms.AddSigner(&bytes.Buffer{}, file, two); err == nil {
					t.Error("signed without the content")
				}
				file.Detached = bytes.NewReader(content)
			}
			var after bytes.Buffer
			if err := cms.AddSigner(&after, file, two, signer(t, pki.SignerP256)); err != nil {
				t.Fatal(err)
			}
			sd, got := read(t, after.Bytes())
			if old.Attached && !bytes.Equal(got, content) {
				t.Error("the content changed")
			}
			if !old.Attached {
				if err := sd.DigestContent(bytes.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
			wantClean(t, sd, 3)
			if !bytes.Equal(sd.Signers[0].Raw, old.Signers[0].Raw) || len(sd.Certificates) != 4 || len(sd.DigestAlgorithms) != 2 {
				t.Errorf("first signer changed, or %d certificates, %d digests", len(sd.Certificates), len(sd.DigestAlgorithms))
			}
			if sd.Trailing != 0 || len(sd.MissingHashes()) != 0 {
				t.Errorf("%d octets trail, digests %v are not announced", sd.Trailing, sd.MissingHashes())
			}
		})
	}
}

func TestAddSignerRefuses(t *testing.T) {
	if err := cms.AddSigner(&bytes.Buffer{}, amended([]byte("no signature")), signer(t, pki.Signer)); err == nil {
		t.Error("added a signer to a text")
	}
	good := sign(t, []byte("x"), false, signer(t, pki.Signer))
	if err := cms.AddSigner(&bytes.Buffer{}, amended(good)); err == nil {
		t.Error("added nobody")
	}
}

// counter adds a counter-signature to the first signer.
func counter(t testing.TB, file []byte, by cms.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := cms.CounterSign(&out, amended(file), 0, by); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCounterSign(t *testing.T) {
	for name, before := range map[string][]byte{
		"DER": sign(t, []byte("atto"), false, signer(t, pki.Signer)), "BER": signBER(t, []byte("atto"), signer(t, pki.Signer)),
	} {
		t.Run(name, func(t *testing.T) {
			after := counter(t, counter(t, before, signer(t, pki.SecondSigner)), signer(t, pki.SignerP256))
			sd, content := read(t, after)
			if string(content) != "atto" {
				t.Errorf("content %q", content)
			}
			wantClean(t, sd, 1)
			counters := sd.Signers[0].CounterSignatures()
			if len(counters) != 2 {
				t.Fatalf("%d counter-signatures, want 2", len(counters))
			}
			for i, who := range []string{"LUCIA VERDI", "MARIO ROSSI"} {
				c := sd.CheckCounter(sd.Signers[0], counters[i])
				if !c.ValueMatches || !c.Referenced || len(c.Findings) > 0 || c.Certificate.Subject.CommonName != who {
					t.Errorf("counter-signature %d: %v, %v", i, c.ValueMatches, c.Findings)
				}
			}
		})
	}
	if err := cms.CounterSign(&bytes.Buffer{}, amended(sign(t, nil, false, signer(t, pki.Signer))), 1, signer(t, pki.SecondSigner)); err == nil {
		t.Error("counter-signed a signer that isn't there")
	}
}

// TestCounterSignatureOfAnother: moved to another signature, a counter-signature
// is broken.
func TestCounterSignatureOfAnother(t *testing.T) {
	donor, err := forge.Parse(counter(t, sign(t, []byte("uno"), false, signer(t, pki.Signer)), signer(t, pki.SecondSigner)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := forge.Parse(sign(t, []byte("due"), false, signer(t, pki.Signer)))
	if err != nil {
		t.Fatal(err)
	}
	f.Data.Signers[0].Unsigned = donor.Data.Signers[0].Unsigned
	f.Data.Certificates = donor.Data.Certificates
	sd, _ := read(t, must(t)(f.DER()))
	c := sd.CheckCounter(sd.Signers[0], sd.Signers[0].CounterSignatures()[0])
	if !c.Has(cms.DigestMismatch) {
		t.Errorf("findings %v", c.Findings)
	}
}

// everyAttribute is one of each optional attribute.
func everyAttribute(t *testing.T) []cms.Attribute {
	t.Helper()
	build := func(a cms.Attribute, err error) cms.Attribute {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	return []cms.Attribute{
		build(cms.MimeType("application/pdf")), build(cms.ContentHints("contratto")), build(cms.CommitmentType(cms.ProofOfApproval)),
		build(cms.SignerLocation("IT", "Roma")), build(cms.ClaimedRole("legale rappresentante")),
	}
}

func TestExtraAttributes(t *testing.T) {
	who := signer(t, pki.Signer)
	who.Attributes = everyAttribute(t)
	sd, _ := read(t, sign(t, []byte("x"), false, who))
	wantClean(t, sd, 1)
	if n := len(sd.Signers[0].SignedAttributes); n != 9 {
		t.Errorf("%d signed attributes, want 9", n)
	}
	who.Attributes = append(who.Attributes, who.Attributes[0])
	if err := cms.Sign(&bytes.Buffer{}, bytes.NewReader(nil), cms.Options{Signers: []cms.Signer{who}}); err == nil {
		t.Error("one attribute was written twice")
	}
	who.Attributes = []cms.Attribute{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}, Raw: []byte{0x30, 0}}}
	if err := cms.Sign(&bytes.Buffer{}, bytes.NewReader(nil), cms.Options{Signers: []cms.Signer{who}}); err == nil {
		t.Error("a second signing-time was written")
	}
	for name, err := range map[string]error{
		"mime": second(cms.MimeType("not a type at all/")), "commitment": second(cms.CommitmentType(0)),
		"location": second(cms.SignerLocation("", "")), "role": second(cms.ClaimedRole("")), "hints": second(cms.ContentHints("\xff")),
	} {
		if err == nil {
			t.Errorf("%s: nonsense was accepted", name)
		}
	}
}

func second(_ cms.Attribute, err error) error { return err }

func ExampleAddSigner() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	verdi, err := people.Issue(pki.SecondSigner)
	if err != nil {
		log.Fatal(err)
	}
	var p7m, both bytes.Buffer
	first := cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, SigningTime: moment}
	if err := cms.Sign(&p7m, bytes.NewReader([]byte("atto")), cms.Options{Signers: []cms.Signer{first}}); err != nil {
		log.Fatal(err)
	}
	file := cms.Amended{Source: bytes.NewReader(p7m.Bytes()), Size: int64(p7m.Len())}
	if err := cms.AddSigner(&both, file, cms.Signer{Key: verdi.Key, Certificate: verdi.Certificate, SigningTime: moment}); err != nil {
		log.Fatal(err)
	}
	sd, err := cms.Read(&both, cms.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range sd.Signers {
		c := sd.Check(s)
		fmt.Println(c.Certificate.Subject.CommonName, c.ValueMatches)
	}
	// Output:
	// MARIO ROSSI true
	// LUCIA VERDI true
}

func ExampleCounterSign() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	verdi, err := people.Issue(pki.SecondSigner)
	if err != nil {
		log.Fatal(err)
	}
	var p7m, countersigned bytes.Buffer
	first := cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, SigningTime: moment}
	if err := cms.Sign(&p7m, bytes.NewReader([]byte("atto")), cms.Options{Signers: []cms.Signer{first}}); err != nil {
		log.Fatal(err)
	}
	file := cms.Amended{Source: bytes.NewReader(p7m.Bytes()), Size: int64(p7m.Len())}
	if err := cms.CounterSign(&countersigned, file, 0, cms.Signer{Key: verdi.Key, Certificate: verdi.Certificate, SigningTime: moment}); err != nil {
		log.Fatal(err)
	}
	sd, err := cms.Read(&countersigned, cms.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, counter := range sd.Signers[0].CounterSignatures() {
		fmt.Println(sd.CheckCounter(sd.Signers[0], counter).ValueMatches)
	}
	// Output: true
}
