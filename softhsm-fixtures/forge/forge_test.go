// SPDX-License-Identifier: Apache-2.0

package forge_test

import (
	"bytes"
	"encoding/asn1"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
)

// sample is a SignedData with one signer of nonsense values.
func sample(t *testing.T) []byte {
	t.Helper()
	contentType, err := forge.Attribute(forge.OIDContentType, forge.OIDData)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := forge.Attribute(forge.OIDMessageDigest, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	empty := asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true}
	f := &forge.File{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, Data: forge.Data{
		Version: 1, Digests: asn1.RawValue{Tag: asn1.TagSet, IsCompound: true},
		Content: forge.Content{Type: forge.OIDData, Octets: []byte("document")},
		Signers: []forge.Signer{{Version: 1, ID: empty, Digest: empty, SignatureAlgorithm: empty, Value: []byte{9}}},
	}}
	f.SetCertificates([]byte{0x30, 0})
	f.SetSigned(contentType, digest)
	der, err := f.DER()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestRoundTrip(t *testing.T) {
	der := sample(t)
	f, err := forge.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.DER()
	if err != nil || !bytes.Equal(again, der) {
		t.Errorf("put together again: %x, %v\nwant %x", again, err, der)
	}
	if _, err := forge.Parse(append(der, 0)); err == nil {
		t.Error("a file with octets after its end was parsed")
	}
}

func TestSegmented(t *testing.T) {
	ber, err := forge.Segmented(sample(t), 3)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("\xa0\x80\x24\x80\x04\x03doc\x04\x03ume\x04\x02nt\x00\x00\x00\x00\x00\x00\xa0\x02\x30\x00\x31")
	if !bytes.HasPrefix(ber, []byte{0x30, 0x80}) || !bytes.Contains(ber, content) || !bytes.HasSuffix(ber, make([]byte, 6)) {
		t.Errorf("found %x, want %x in it", ber, content)
	}
}

func TestAttributesAsContent(t *testing.T) {
	der := sample(t)
	before, _ := forge.Parse(der)
	set, err := before.SignedSet()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := forge.AttributesAsContent(der)
	if err != nil {
		t.Fatal(err)
	}
	f, err := forge.Parse(forged)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.Data.Content.Octets, set) || len(f.Data.Signers[0].Signed.FullBytes) != 0 {
		t.Error("the content is not the signed attributes, or they are still there")
	}
}

func TestWithout(t *testing.T) {
	f, err := forge.Parse(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := f.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	left := forge.Without(attributes, forge.OIDContentType)
	if len(attributes) != 2 || len(left) != 1 || bytes.Contains(left[0], attributes[0]) {
		t.Errorf("%d attributes, %d left", len(attributes), len(left))
	}
}
