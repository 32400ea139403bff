// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// extend adds to a file.
func extend(t *testing.T, file []byte, a cms.Additions) []byte {
	t.Helper()
	var after bytes.Buffer
	if err := cms.Extend(&after, amended(file), a); err != nil {
		t.Fatal(err)
	}
	return after.Bytes()
}

// reading reads a file and computes the digests that archive timestamps need.
func reading(t *testing.T, file []byte) *cms.SignedData {
	t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: []crypto.Hash{crypto.SHA256, crypto.SHA512}})
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// pretendToken stands for a TimeStampToken: what matters here is its structure.
func pretendToken(t *testing.T, of string) []byte {
	t.Helper()
	return sign(t, []byte(of), false, signer(t, pki.TSA))
}

func timestampOf(t *testing.T, kind cms.TimestampKind, token []byte) cms.Attribute {
	t.Helper()
	a, err := cms.TimestampAttribute(kind, token)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The outermost element of a CRL and of an OCSP response, which is all of them that this
// package looks at.
var (
	someCRL  = []byte{0x30, 3, 2, 1, 7}
	someOCSP = []byte{0x30, 3, 0x0a, 1, 0}
)

func TestExtend(t *testing.T) {
	content := []byte("atto")
	helper := people.Must(t, pki.CNS).Certificate.Raw
	for name, file := range map[string][]byte{
		"DER":      sign(t, content, false, signer(t, pki.Signer), signer(t, pki.SignerP256)),
		"BER":      signBER(t, content, signer(t, pki.Signer), signer(t, pki.SignerP256)),
		"detached": sign(t, content, true, signer(t, pki.Signer), signer(t, pki.SignerP256)),
	} {
		t.Run(name, func(t *testing.T) {
			token := pretendToken(t, "signature")
			additions := cms.Additions{
				Unsigned:     map[int][]cms.Attribute{1: {timestampOf(t, cms.SignatureTimestamp, token)}},
				Certificates: [][]byte{helper}, CRLs: [][]byte{someCRL}, OCSP: [][]byte{someOCSP},
			}
			before, sd := reading(t, file), reading(t, extend(t, file, additions))
			if sd.Version != 5 || len(sd.Certificates) != len(before.Certificates)+1 {
				t.Errorf("version %d, %d certificates", sd.Version, len(sd.Certificates))
			}
			if r := sd.Revocation(); len(r.CRLs) != 1 || len(r.OCSP) != 1 || r.Basic != nil || !bytes.Equal(r.CRLs[0], someCRL) || !bytes.Equal(r.OCSP[0], someOCSP) {
				t.Errorf("revocation values %+v", r)
			}
			if !bytes.Equal(sd.Signers[0].Raw, before.Signers[0].Raw) || len(sd.Signers[0].Timestamps()) != 0 {
				t.Error("signer 1 was changed")
			}
			stamps := sd.Signers[1].Timestamps()
			if len(stamps) != 1 || stamps[0].Kind != cms.SignatureTimestamp || !bytes.Equal(stamps[0].Token, token) {
				t.Errorf("timestamps %+v", stamps)
			}
			if !sd.Attached {
				if err := sd.DigestContent(bytes.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
			for i, s := range sd.Signers {
				if c := sd.Check(s); len(c.Findings) > 0 {
					t.Errorf("signer %d: %v", i+1, c.Findings)
				}
			}
			again := reading(t, extend(t, extend(t, file, additions), cms.Additions{Certificates: [][]byte{helper}, CRLs: [][]byte{someCRL}, OCSP: [][]byte{someOCSP}}))
			if len(again.Certificates) != len(sd.Certificates) || len(again.CRLs) != len(sd.CRLs) {
				t.Error("what was there was added again")
			}
		})
	}
	file := sign(t, content, false, signer(t, pki.Signer))
	none := cms.Additions{Unsigned: map[int][]cms.Attribute{1: nil}}
	if err := cms.Extend(io.Discard, amended(file), none); err == nil || !strings.Contains(err.Error(), "no signer 2") {
		t.Errorf("error %v", err)
	}
}

func TestAttach(t *testing.T) {
	content := bytes.Repeat([]byte("atto "), 1<<17)
	file := sign(t, content, true, signer(t, pki.Signer), signer(t, pki.SignerP256))
	file = extend(t, file, cms.Additions{CRLs: [][]byte{someCRL}})
	var whole bytes.Buffer
	if err := cms.Attach(&whole, amended(file), bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	sd := reading(t, whole.Bytes())
	if !sd.Attached || sd.BER || sd.ContentSize != int64(len(content)) || len(sd.CRLs) != 1 || sd.Trailing != 0 {
		t.Errorf("%+v", sd)
	}
	for i, s := range sd.Signers {
		if c := sd.Check(s); len(c.Findings) > 0 {
			t.Errorf("signer %d: %v", i+1, c.Findings)
		}
	}
	for name, other := range map[string][]byte{"another": bytes.ToUpper(content), "less": content[1:], "more": append([]byte("x"), content...)} {
		if err := cms.Attach(io.Discard, amended(file), bytes.NewReader(other), int64(len(content))); err == nil {
			t.Errorf("%s content was attached", name)
		}
	}
	if err := cms.Attach(io.Discard, amended(whole.Bytes()), bytes.NewReader(content), int64(len(content))); !errors.Is(err, cms.ErrAttached) {
		t.Errorf("error %v", err)
	}
}

// archived puts an archive timestamp with an index of everything into a file.
func archived(t *testing.T, file []byte, name string) []byte {
	t.Helper()
	sd := reading(t, file)
	index, err := sd.HashIndex(sd.Signers[0], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sd.ArchiveDigest(sd.Signers[0], index, crypto.SHA512); err != nil {
		t.Fatal(err)
	}
	token := extend(t, pretendToken(t, name), cms.Additions{Unsigned: map[int][]cms.Attribute{0: {index}}})
	return extend(t, file, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {timestampOf(t, cms.ArchiveTimestamp, token)}}})
}

func TestArchive(t *testing.T) {
	file := sign(t, []byte("atto"), false, signer(t, pki.Signer))
	token := pretendToken(t, "signature")
	file = extend(t, file, cms.Additions{
		Unsigned: map[int][]cms.Attribute{0: {timestampOf(t, cms.SignatureTimestamp, token)}}, CRLs: [][]byte{someCRL}, OCSP: [][]byte{someOCSP},
	})
	first := archived(t, file, "first")
	second := archived(t, extend(t, first, cms.Additions{CRLs: [][]byte{{0x30, 3, 2, 1, 8}}}), "second")
	sd := reading(t, second)
	stamps := sd.Signers[0].Timestamps()
	if len(stamps) != 3 || stamps[1].Kind != cms.ArchiveTimestamp || stamps[2].Kind != cms.ArchiveTimestamp {
		t.Fatalf("timestamps %+v", stamps)
	}
	var digests [][]byte
	for i, want := range []struct{ crls, attributes int }{{2, 1}, {3, 2}} {
		a, err := sd.Archive(sd.Signers[0], stamps[i+1].Token)
		if err != nil || len(a.CRLs) != want.crls || len(a.Attributes) != want.attributes || len(a.Certificates) != len(sd.Certificates) || !bytes.Equal(a.Attributes[0], token) {
			t.Fatalf("archive timestamp %d: %+v, %v", i+1, a, err)
		}
		digest, err := sd.ArchiveDigest(sd.Signers[0], a.Index, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	// What came after the first one does not change what it is of.
	sd = reading(t, first)
	a, err := sd.Archive(sd.Signers[0], sd.Signers[0].Timestamps()[1].Token)
	if err != nil {
		t.Fatal(err)
	}
	if digest, err := sd.ArchiveDigest(sd.Signers[0], a.Index, crypto.SHA256); err != nil || !bytes.Equal(digest, digests[0]) {
		t.Errorf("digest %x, %v, want %x", digest, err, digests[0])
	}
	if _, err := sd.ArchiveDigest(sd.Signers[0], a.Index, crypto.SHA384); err == nil {
		t.Error("a digest without that of the content")
	}
}

// TestArchiveNotices changes what an archive timestamp covers.
func TestArchiveNotices(t *testing.T) {
	file := extend(t, sign(t, []byte("atto"), false, signer(t, pki.Signer)), cms.Additions{
		Unsigned: map[int][]cms.Attribute{0: {timestampOf(t, cms.SignatureTimestamp, pretendToken(t, "signature"))}},
		CRLs:     [][]byte{someCRL},
	})
	file = archived(t, file, "archive")
	sd := reading(t, file)
	token := sd.Signers[0].Timestamps()[1].Token
	for name, covered := range map[string][]byte{
		"certificate": sd.Certificates[0].Raw, "revocation value": someCRL, "unsigned attribute": sd.Signers[0].Timestamps()[0].Token,
	} {
		at := bytes.Index(file, covered)
		if name == "revocation value" {
			at = bytes.LastIndex(file, covered)
		}
		bad := bytes.Clone(file)
		bad[at+len(covered)-1] ^= 1
		changed := reading(t, bad)
		if _, err := changed.Archive(changed.Signers[0], token); err == nil || !strings.Contains(err.Error(), "changed or taken away") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sd.Archive(sd.Signers[0], pretendToken(t, "no index")); err == nil || !strings.Contains(err.Error(), "hash index") {
		t.Errorf("token without index: %v", err)
	}
	a, err := sd.Archive(sd.Signers[0], token)
	if err != nil {
		t.Fatal(err)
	}
	want, err := sd.ArchiveDigest(sd.Signers[0], a.Index, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	other := reading(t, sign(t, []byte("altro"), false, signer(t, pki.Signer)))
	if got, err := other.ArchiveDigest(other.Signers[0], a.Index, crypto.SHA256); err != nil || slices.Equal(got, want) {
		t.Errorf("another signature has the same digest: %v", err)
	}
}
