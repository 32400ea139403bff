// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// must returns a helper that unwraps a forged file.
func must(t *testing.T) func([]byte, error) []byte {
	return func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

// edited takes a signature of the usual signer apart, lets edit change it,
// signs it again with the same key if asked, and checks it.
func edited(t *testing.T, resign bool, edit func(*forge.File)) *cms.Check {
	t.Helper()
	f, err := forge.Parse(sign(t, []byte("vendo per 10 euro"), false, signer(t, pki.Signer)))
	if err != nil {
		t.Fatal(err)
	}
	edit(f)
	if resign {
		if err := f.Resign(people.Must(t, pki.Signer).Key); err != nil {
			t.Fatal(err)
		}
	}
	sd, _ := read(t, must(t)(f.DER()))
	return sd.Check(sd.Signers[0])
}

// setAttributes replaces the signed attributes by what change makes of them.
func setAttributes(t *testing.T, f *forge.File, change func([][]byte) [][]byte) {
	t.Helper()
	attributes, err := f.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	attributes = change(attributes)
	slices.SortFunc(attributes, bytes.Compare)
	f.SetSigned(attributes...)
}

// reference is a SigningCertificate with one ESSCertID, of the second version if the
// digest has a name.
func reference(hash asn1.ObjectIdentifier, digest []byte) any {
	type named struct {
		Hash   pkix.AlgorithmIdentifier
		Digest []byte
	}
	type unnamed struct{ Digest []byte }
	if hash == nil {
		return struct{ Certs []unnamed }{[]unnamed{{digest}}}
	}
	return struct{ Certs []named }{[]named{{pkix.AlgorithmIdentifier{Algorithm: hash}, digest}}}
}

// TestKeysWithoutSecret: what a point of small order signs, anybody can sign.
func TestKeysWithoutSecret(t *testing.T) {
	identity := append([]byte{1}, make([]byte, ed25519.PublicKeySize-1)...)
	unreduced := bytes.Repeat([]byte{0xff}, ed25519.PublicKeySize) // p+1, and the sign
	unreduced[0] = 0xee
	message, forged := []byte("vendo per 99 euro"), append(slices.Clone(identity), make([]byte, 32)...)
	if !ed25519.Verify(identity, message, forged) {
		t.Fatal("the attack is not what it should be: the value doesn't match")
	}
	id := cms.AlgorithmIdentifier{OID: asn1.ObjectIdentifier{1, 3, 101, 112}}
	for _, key := range [][]byte{identity, unreduced} {
		if id.Verify(ed25519.PublicKey(key), message, forged) == nil {
			t.Errorf("anybody can sign with %x", key)
		}
	}
	good := people.Must(t, pki.SignerEd25519).Key
	value, err := good.Sign(nil, message, crypto.Hash(0))
	if err != nil || id.Verify(good.Public(), message, value) != nil {
		t.Errorf("a good key is refused: %v", err)
	}
}

func TestAttacks(t *testing.T) {
	attribute := func(oid asn1.ObjectIdentifier, values ...any) []byte {
		return must(t)(forge.Attribute(oid, values...))
	}
	essV2 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	essV1 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	wrongDigest := make([]byte, 32)
	for _, c := range []struct {
		name   string
		resign bool // by a signer who cheats
		edit   func(*forge.File)
		want   cms.Problem
	}{
		{"another content", false, func(f *forge.File) { f.Data.Content.Octets = []byte("vendo per 99 euro") }, cms.DigestMismatch},
		{"no content", false, func(f *forge.File) { f.Data.Content.Octets = nil }, cms.ContentMissing},
		{"content type of the file lies", false, func(f *forge.File) { f.Data.Content.Type = forge.OIDTSTInfo }, cms.ContentTypeMismatch},
		{"content-type attribute lies", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte {
				return append(forge.Without(a, forge.OIDContentType), attribute(forge.OIDContentType, forge.OIDTSTInfo))
			})
		}, cms.ContentTypeMismatch},
		{"no content-type", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return forge.Without(a, forge.OIDContentType) })
		}, cms.ContentTypeMissing},
		{"no message-digest", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return forge.Without(a, forge.OIDMessageDigest) })
		}, cms.MessageDigestMissing},
		{"message-digest of something else", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte {
				return append(forge.Without(a, forge.OIDMessageDigest), attribute(forge.OIDMessageDigest, wrongDigest))
			})
		}, cms.DigestMismatch},
		{"two message-digests", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return append(a, attribute(forge.OIDMessageDigest, wrongDigest)) })
		}, cms.AttributeInvalid},
		{"message-digest with two values", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte {
				return append(forge.Without(a, forge.OIDMessageDigest), attribute(forge.OIDMessageDigest, wrongDigest, wrongDigest))
			})
		}, cms.AttributeInvalid},
		{"empty signed attributes", true, func(f *forge.File) { f.SetSigned() }, cms.MessageDigestMissing},
		{"no certificate reference", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return forge.Without(a, essV2) })
		}, cms.ReferenceMissing},
		{"certificate reference with MD5", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte {
				sum := md5.Sum(people.Must(t, pki.Signer).Certificate.Raw)
				return append(forge.Without(a, essV2), attribute(essV2, reference(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}, sum[:])))
			})
		}, cms.ReferenceMissing},
		{"certificate reference of the first version that lies", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return append(a, attribute(essV1, reference(nil, wrongDigest[:20]))) })
		}, cms.CertificateSwapped},
		{"unreadable certificate reference", true, func(f *forge.File) {
			setAttributes(t, f, func(a [][]byte) [][]byte { return append(forge.Without(a, essV2), attribute(essV2, 5)) })
		}, cms.ReferenceUnreadable},
		{"signed attributes dropped", false, func(f *forge.File) { f.Data.Signers[0].Signed = asn1.RawValue{} }, cms.SignatureMismatch},
		{"no certificates", false, func(f *forge.File) { f.SetCertificates() }, cms.CertificateMissing},
		{"digest algorithm that signs", false, func(f *forge.File) { f.Data.Signers[0].Digest = f.Data.Signers[0].SignatureAlgorithm }, cms.DigestAlgorithmDiffers},
		{"unknown digest algorithm", false, func(f *forge.File) {
			f.Data.Signers[0].Digest = asn1.RawValue{FullBytes: []byte{0x30, 4, 6, 2, 0x2a, 3}}
		}, cms.AlgorithmUnsupported},
		{"unknown signature algorithm", false, func(f *forge.File) { f.Data.Signers[0].SignatureAlgorithm = f.Data.Signers[0].Digest }, cms.AlgorithmUnsupported},
		{"SignerInfo that is none", false, func(f *forge.File) { f.Data.Signers[0].ID = f.Data.Digests }, cms.Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := edited(t, c.resign, c.edit)
			if !check.Has(c.want) {
				t.Errorf("found %v, want problem %d", check.Findings, c.want)
			}
		})
	}
}

// TestSignedAttributesAsContent: the value of a good signature matches its
// attributes presented as a document, and that must not help.
func TestSignedAttributesAsContent(t *testing.T) {
	for _, ber := range []bool{false, true} {
		forged := must(t)(forge.AttributesAsContent(sign(t, []byte("vero"), false, signer(t, pki.Signer))))
		if ber { // the forged content, detached
			f, _ := forge.Parse(forged)
			content := f.Data.Content.Octets
			f.Data.Content.Octets = nil
			sd, _ := read(t, must(t)(f.DER()))
			if err := sd.DigestContent(bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			if c := sd.Check(sd.Signers[0]); !c.Has(cms.AttributesAsContent) {
				t.Errorf("detached: found %v", c.Findings)
			}
			continue
		}
		sd, _ := read(t, forged)
		c := sd.Check(sd.Signers[0])
		if !c.ValueMatches {
			t.Fatal("the attack is not what it should be: the value doesn't match")
		}
		if !c.Has(cms.AttributesAsContent) {
			t.Errorf("found %v", c.Findings)
		}
	}
}

// TestLargeSignedAttributesAsContent: with a revocation list among them, as in
// signatures of PDFs, signed attributes are larger than what is kept of a content.
func TestLargeSignedAttributesAsContent(t *testing.T) {
	f, err := forge.Parse(sign(t, []byte("vero"), false, signer(t, pki.Signer)))
	if err != nil {
		t.Fatal(err)
	}
	setAttributes(t, f, func(a [][]byte) [][]byte {
		return append(a, must(t)(forge.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}, make([]byte, 100_000))))
	})
	if err := f.Resign(people.Must(t, pki.Signer).Key); err != nil {
		t.Fatal(err)
	}
	sd, _ := read(t, must(t)(forge.AttributesAsContent(must(t)(f.DER()))))
	if c := sd.Check(sd.Signers[0]); !c.ValueMatches || !c.Has(cms.AttributesAsContent) {
		t.Errorf("value matches %v: %v", c.ValueMatches, c.Findings)
	}
}

// TestSignedAttributesAsSignatureValue: presented as the signature of somebody
// else, signed attributes would be counter-signed by whoever signed them.
func TestSignedAttributesAsSignatureValue(t *testing.T) {
	f, err := forge.Parse(sign(t, []byte("vero"), false, signer(t, pki.Signer)))
	if err != nil {
		t.Fatal(err)
	}
	victim := f.Data.Signers[0]
	value := must(t)(f.SignedSet())
	victim.Signed = asn1.RawValue{}
	f.Data.Signers[0].Unsigned = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true,
		Bytes: must(t)(forge.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}, victim))}
	f.Data.Signers[0].Value = value
	sd, _ := read(t, must(t)(f.DER()))
	counters := sd.Signers[0].CounterSignatures()
	if len(counters) != 1 {
		t.Fatalf("%d counter-signatures, want 1", len(counters))
	}
	if c := sd.CheckCounter(sd.Signers[0], counters[0]); !c.ValueMatches || !c.Has(cms.AttributesAsContent) {
		t.Errorf("value matches %v: %v", c.ValueMatches, c.Findings)
	}
}

func TestSwappedCertificates(t *testing.T) {
	p7m := sign(t, []byte("vero"), false, signer(t, pki.Signer))
	own := people.Must(t, pki.Signer).Certificate
	sameKey := stranger(t, pki.Signer, pki.Signer)           // same key, same serial number, another certificate
	otherKey := people.Must(t, pki.AltSigner).Certificate    // same names and serial number, another key
	somebody := people.Must(t, pki.SecondSigner).Certificate // somebody else altogether
	renumbered := stranger(t, pki.Signer, pki.SecondSigner)  // same key, another serial number
	for name, c := range map[string]struct {
		bag     []*x509.Certificate
		swapped bool
		value   bool
	}{
		"the signer's own":              {[]*x509.Certificate{own}, false, true},
		"an evil twin beside it":        {[]*x509.Certificate{otherKey, sameKey, own}, false, true},
		"same key, same name":           {[]*x509.Certificate{sameKey}, true, true},
		"other key, same name":          {[]*x509.Certificate{otherKey}, true, false},
		"somebody else's":               {[]*x509.Certificate{somebody}, true, false},
		"same key, other serial number": {[]*x509.Certificate{renumbered}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var raw [][]byte
			for _, x := range c.bag {
				raw = append(raw, x.Raw)
			}
			sd, _ := read(t, must(t)(forge.SwappedCertificates(p7m, raw...)))
			check := sd.Check(sd.Signers[0])
			if check.Has(cms.CertificateSwapped) != c.swapped || check.ValueMatches != c.value {
				t.Errorf("swapped %v, value matches %v; want %v, %v: %v",
					check.Has(cms.CertificateSwapped), check.ValueMatches, c.swapped, c.value, check.Findings)
			}
		})
	}
}

// TestAttributesOutOfOrder: Italian signers in the field store their attributes
// unsorted and sign them sorted; others sign them as stored.
func TestAttributesOutOfOrder(t *testing.T) {
	reverse := func(f *forge.File) {
		attributes, err := f.Attributes()
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(attributes)
		f.SetSigned(attributes...)
	}
	for _, c := range []struct {
		resign bool // over the attributes as stored
		want   cms.AttributeOrder
	}{{false, cms.OrderDER}, {true, cms.OrderStored}} {
		check := edited(t, c.resign, reverse)
		if !check.ValueMatches || check.Order != c.want {
			t.Errorf("resigned %v: value matches %v in order %d, want %d", c.resign, check.ValueMatches, check.Order, c.want)
		}
	}
}
