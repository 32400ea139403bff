// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var signedDataOID = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// opening is a BER SignedData up to the octets of its content.
func opening() []byte {
	b := append([]byte{0x30, 0x80}, signedDataOID...)
	b = append(b, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x80)
	b = append(b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01)
	return append(b, 0xa0, 0x80)
}

// TestHostileInput: each of these once brought a parser down. They must be
// refused with a FormatError in bounded memory.
func TestHostileInput(t *testing.T) {
	repeat := func(unit string, n int) []byte { return bytes.Repeat([]byte(unit), n) }
	digests := append([]byte{0x30, 0x80}, signedDataOID...)
	digests = append(digests, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01)
	for name, in := range map[string][]byte{
		"nested content, 4 MB":              append(opening(), repeat("\x24\x80", 2<<20)...),
		"nested element, 4 MB":              append(digests, repeat("\x31\x80", 2<<20)...),
		"100,000 closed levels":             append(append(opening(), repeat("\x24\x80", 100_000)...), repeat("\x00\x00", 100_000)...),
		"length of 2^62":                    append(digests, 0x31, 0x88, 0x40, 0, 0, 0, 0, 0, 0, 0),
		"length of 2^63":                    append(digests, 0x31, 0x88, 0x80, 0, 0, 0, 0, 0, 0, 0),
		"length that lies":                  append(digests, 0x31, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x00),
		"length octets without end":         append(digests, append([]byte{0x31, 0xfe}, repeat("\x00", 300)...)...),
		"reserved length":                   append(digests, 0x31, 0xff),
		"a million digest algorithms":       append(append(digests, 0x31, 0x80), repeat("\x30\x03\x06\x01\x2a", 1<<20)...),
		"an element longer than its holder": {0x30, 0x12, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x7f, 0x30, 0x00, 0, 0, 0},
		"content that is a SEQUENCE":        append(opening(), 0x30, 0x00),
		"a segment that is an INTEGER":      append(opening(), 0x24, 0x80, 0x02, 0x01, 0x05),
		"a primitive of indefinite length":  append(opening(), 0x04, 0x80),
		"end-of-contents of two lengths":    append(opening(), 0x04, 0x00, 0x00, 0x81, 0x00, 0x00, 0x00, 0x31, 0x00),
		"an element with the tag 0":         append(digests, 0x31, 0x03, 0x00, 0x01, 0x05),
		"end-of-contents outside of what holds it": append(append(digests, 0x31, 0, 0x30, 15), slices.Concat(opening()[len(digests)+4:],
			[]byte{0x04, 0, 0, 0, 0x31, 0, 0, 0, 0, 0, 0, 0})...),
	} {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			_, err := cms.Read(bytes.NewReader(in), cms.ReadOptions{})
			var format *cms.FormatError
			if !errors.As(err, &format) {
				t.Errorf("got %v, want a FormatError", err)
			}
			if used := allocated() - before; used > 64<<20 {
				t.Errorf("allocated %d MiB", used>>20)
			}
		})
	}
}

// TestLargeElementIsHeldOnce: a revocation list close to the limit takes its own
// length, and little more for the buffers it grew out of.
func TestLargeElementIsHeldOnce(t *testing.T) {
	const size = 31 << 20
	list := must(t)(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: make([]byte, size)}))
	lists := must(t)(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: list}))
	in := slices.Concat(opening(), []byte{0x04, 0, 0, 0, 0, 0}, lists, []byte{0x31, 0x80}, make([]byte, 8))
	before := allocated()
	sd, err := cms.Read(bytes.NewReader(in), cms.ReadOptions{})
	used := allocated() - before
	if err != nil || len(sd.CRLs) != 1 || !bytes.Equal(sd.CRLs[0], list) {
		t.Fatalf("the list is not read: %v", err)
	}
	if used > size+8<<20 {
		t.Errorf("allocated %d MiB for %d", used>>20, size>>20)
	}
}

// signersOf is a SignedData with these SignerInfos.
func signersOf(signers ...[]byte) []byte {
	return slices.Concat(opening(), []byte{0x04, 0, 0, 0, 0, 0, 0x31, 0x80}, slices.Concat(signers...), make([]byte, 8))
}

// TestManyTinyElements: what is known of an attribute takes many times its
// octets, so that there is a limit for all signers and their counter-signers.
func TestManyTinyElements(t *testing.T) {
	element := func(class, tag int, body ...[]byte) []byte {
		return must(t)(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: slices.Concat(body...)}))
	}
	const universal, context = asn1.ClassUniversal, asn1.ClassContextSpecific
	signerInfo := func(signed, unsigned []byte) []byte {
		sid := element(universal, asn1.TagSequence, []byte{0x30, 0, 2, 1, 5})
		digest := []byte{0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
		return element(universal, asn1.TagSequence, []byte{2, 1, 1}, sid, digest,
			element(context, 0, signed), digest, []byte{4, 1, 9}, element(context, 1, unsigned))
	}
	counterSignature := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	empty := []byte{0x30, 5, 6, 1, 0x2a, 0x31, 0}
	values := must(t)(forge.Attribute(asn1.ObjectIdentifier{1, 2}, asn1.RawValue{FullBytes: bytes.Repeat([]byte{5, 0}, 1000)}))
	broken := must(t)(forge.Attribute(counterSignature, asn1.RawValue{FullBytes: bytes.Repeat([]byte{0x30, 0}, 1000)}))
	deep := signerInfo(nil, nil)
	for range 70 {
		deep = signerInfo(nil, must(t)(forge.Attribute(counterSignature, asn1.RawValue{FullBytes: deep})))
	}
	for name, c := range map[string]struct {
		file    []byte
		refused bool
	}{
		"signers with many attributes": {signersOf(bytes.Repeat(signerInfo(bytes.Repeat(empty, 1000), nil), 2000)), true},
		"attributes with many values":  {signersOf(signerInfo(nil, bytes.Repeat(values, 300))), true},
		"many counter-signatures":      {signersOf(signerInfo(nil, bytes.Repeat(broken, 2))), true},
		"most that is read":            {signersOf(signerInfo(bytes.Repeat(empty, 1000), broken)), false},
		"counter-signatures in depth":  {signersOf(deep), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			_, err := cms.Read(bytes.NewReader(c.file), cms.ReadOptions{})
			var format *cms.FormatError
			if errors.As(err, &format) != c.refused {
				t.Errorf("got %v", err)
			}
			if used := allocated() - before; used > 256<<20 { // in all; at a time it is a fraction of it
				t.Errorf("allocated %d MiB", used>>20)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestTooManyAttributesSpoilTheirSigner(t *testing.T) {
	one := must(t)(forge.Attribute(asn1.ObjectIdentifier{1, 2, 3}, 5))
	c := edited(t, false, func(f *forge.File) { f.SetSigned(bytes.Repeat(one, 2000)) })
	if !c.Has(cms.Malformed) {
		t.Errorf("2,000 attributes: %v", c.Findings)
	}
}

// zeros is a content of any size.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// TestLargeContentInConstantMemory streams 256 MiB through a signature and its
// verification at once, and counts what was allocated on the way.
func TestLargeContentInConstantMemory(t *testing.T) {
	const size = 256 << 20
	who := signer(t, pki.Signer)
	before := allocated()
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(cms.Sign(w, &zeros{size}, cms.Options{Signers: []cms.Signer{who}}))
	}()
	sd, err := cms.Read(r, cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sd.ContentSize != size {
		t.Errorf("%d bytes of content, want %d", sd.ContentSize, size)
	}
	wantClean(t, sd, 1)
	if used := allocated() - before; used > 16<<20 {
		t.Errorf("allocated %d MiB for %d MiB of content", used>>20, size>>20)
	}
}

// TestSegmentsInSegments: BER may split a content in pieces of pieces.
func TestSegmentsInSegments(t *testing.T) {
	p7m := signBER(t, []byte("ab"), signer(t, pki.Signer))
	flat := []byte{0x24, 0x80, 0x04, 0x02, 'a', 'b', 0, 0}
	nested := []byte{0x24, 0x80, 0x24, 0x03, 0x04, 0x01, 'a', 0x24, 0x80, 0x04, 0x00, 0x24, 0x03, 0x04, 0x01, 'b', 0, 0, 0, 0}
	forged := bytes.Replace(p7m, flat, nested, 1)
	if bytes.Equal(forged, p7m) {
		t.Fatal("the content was not found")
	}
	sd, content := read(t, forged)
	if string(content) != "ab" {
		t.Errorf("content %q", content)
	}
	wantClean(t, sd, 1)
}

// TestCostOfOneFile: what a file can have computed doesn't grow with what it announces,
// nor without end with those who sign it.
func TestCostOfOneFile(t *testing.T) {
	ids := []asn1.ObjectIdentifier{}
	for _, h := range []crypto.Hash{crypto.MD5, crypto.SHA1, crypto.SHA512, crypto.SHA384, crypto.SHA256} {
		ids = append(ids, cms.DigestIdentifier(h))
	}
	f, err := forge.Parse(sign(t, []byte("vero"), false, signer(t, pki.Signer)))
	if err != nil {
		t.Fatal(err)
	}
	var announced []byte
	for _, id := range ids {
		announced = append(announced, must(t)(asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: id}))...)
	}
	f.Data.Digests = asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: announced}
	file := must(t)(f.DER())
	sd, _ := read(t, file)
	if missing := sd.MissingHashes(); len(missing) != 1 || missing[0] != crypto.SHA256 || sd.ContentDigest(crypto.MD5) == nil {
		t.Errorf("the digests %v are missing", missing)
	}
	sd, err = cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: sd.MissingHashes()})
	if err != nil {
		t.Fatal(err)
	}
	wantClean(t, sd, 1)

	large := signer(t, pki.Signer)
	key := &rsa.PublicKey{N: large.Certificate.PublicKey.(*rsa.PublicKey).N, E: 1<<31 - 1}
	id, err := people.IssueCustom(pki.QualifiedCA, publicOnly{key}, func(*x509.Certificate) {})
	if err != nil {
		t.Fatal(err)
	}
	f.SetCertificates(id.Certificate.Raw)
	sd, _ = read(t, must(t)(f.DER()))
	for range 100 {
		sd.Check(sd.Signers[0])
	}
	if c := sd.Check(sd.Signers[0]); !c.Has(cms.AlgorithmUnsupported) {
		t.Errorf("the hundred and first large key: %v", c.Findings)
	}
}
