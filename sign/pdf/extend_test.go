// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// lasting is a PKI whose authorities answer.
type lasting struct {
	*pki.PKI
	server *authority.Server
	kept   map[string][]byte // answers: each would be another one the next time
}

func newLasting(t testing.TB, at time.Time) lasting {
	t.Helper()
	p := pki.New(at)
	return lasting{p, authority.Start(t, p, authority.Options{}), map[string][]byte{}}
}

// options returns what signs as the holder of the named identity.
func (l lasting) options(t testing.TB, name pki.Name) SignOptions {
	t.Helper()
	i := l.Must(t, name)
	return SignOptions{
		Signer:      cms.Signer{Key: i.Key, Certificate: i.Certificate, Chain: i.Chain},
		SigningTime: now,
	}
}

// imprint is a MessageImprint, RFC 3161, section 2.4.1.
type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hashed    []byte
}

var sha256OID = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

// stamp asks the TSA for a token of a SHA-256 digest.
func (l lasting) stamp(digest []byte) ([]byte, error) {
	query, err := asn1.Marshal(struct {
		Version      int
		Imprint      imprint
		Certificates bool
	}{1, imprint{pkix.AlgorithmIdentifier{Algorithm: sha256OID, Parameters: asn1.NullRawValue}, digest}, true})
	if err != nil {
		return nil, err
	}
	answer, err := l.post(authority.TSA, "application/timestamp-query", query)
	if err != nil {
		return nil, err
	}
	var response struct {
		Status asn1.RawValue
		Token  asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(answer, &response); err != nil {
		return nil, err
	}
	return response.Token.FullBytes, nil
}

func (l lasting) post(service authority.Service, kind string, query []byte) ([]byte, error) {
	answer, err := http.Post(l.server.URL(service), kind, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// complete adds a signature timestamp to a CMS: level B-T.
func (l lasting) complete(file []byte) ([]byte, error) {
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{})
	if err != nil {
		return nil, err
	}
	digest := crypto.SHA256.New()
	digest.Write(sd.Signers[0].Signature)
	token, err := l.stamp(digest.Sum(nil))
	if err != nil {
		return nil, err
	}
	attribute, err := cms.TimestampAttribute(cms.SignatureTimestamp, token)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = cms.Extend(&out, cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}, cms.Additions{
		Unsigned: map[int][]cms.Attribute{0: {attribute}},
	})
	return out.Bytes(), err
}

// data returns what proves that the named identities were not revoked.
func (l lasting) data(t testing.TB, names ...pki.Name) cms.ValidationData {
	t.Helper()
	var v cms.ValidationData
	for _, issuer := range []pki.Name{pki.QualifiedCA, pki.Root} {
		v.CRLs = append(v.CRLs, l.keep(t, "crl of "+issuer, func() ([]byte, error) { return l.CRL(issuer) }))
	}
	for _, name := range names {
		i := l.Must(t, name)
		for _, c := range append([]*x509.Certificate{i.Certificate}, i.Chain...) {
			if !slices.ContainsFunc(v.Certificates, func(other []byte) bool { return bytes.Equal(other, c.Raw) }) {
				v.Certificates = append(v.Certificates, c.Raw)
			}
		}
		v.OCSP = append(v.OCSP, l.keep(t, name, func() ([]byte, error) {
			return l.post(authority.OCSP, "application/ocsp-request", statusQuery(t, i.Certificate, i.Chain[0]))
		}))
	}
	return v
}

// keep returns what make returned the first time.
func (l lasting) keep(t testing.TB, what pki.Name, make func() ([]byte, error)) []byte {
	t.Helper()
	if l.kept[string(what)] == nil {
		der, err := make()
		if err != nil {
			t.Fatal(err)
		}
		l.kept[string(what)] = der
	}
	return l.kept[string(what)]
}

// statusQuery is an OCSPRequest for one certificate, RFC 6960, section 4.1.1.
func statusQuery(t testing.TB, c, issuer *x509.Certificate) []byte {
	t.Helper()
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &key); err != nil {
		t.Fatal(err)
	}
	type certID struct {
		Algorithm pkix.AlgorithmIdentifier
		Name, Key []byte
		Serial    *big.Int
	}
	type request struct{ ID certID }
	type requests struct{ List []request }
	name, bits := sha1.Sum(issuer.RawSubject), sha1.Sum(key.Key.RightAlign())
	id := certID{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, Parameters: asn1.NullRawValue}, name[:], bits[:], c.SerialNumber}
	query, err := asn1.Marshal(struct{ TBS requests }{requests{[]request{{id}}}})
	if err != nil {
		t.Fatal(err)
	}
	return query
}

func extendBytes(file []byte, o ExtendOptions) ([]byte, error) {
	var out bytes.Buffer
	err := Extend(context.Background(), &out, bytes.NewReader(file), int64(len(file)), o)
	return out.Bytes(), err
}

// mustExtend extends file and returns what it became.
func mustExtend(t testing.TB, file []byte, o ExtendOptions) []byte {
	t.Helper()
	after, err := extendBytes(file, o)
	if err != nil {
		t.Fatalf("extending: %v", err)
	}
	if !bytes.HasPrefix(after, file) {
		t.Fatal("the extended file does not begin with the file")
	}
	return after
}

// checkStamp checks that a document timestamp is of the bytes it covers.
func checkStamp(s *Signature) error {
	sd, err := cms.Read(bytes.NewReader(s.Contents), cms.ReadOptions{})
	if err != nil {
		return err
	}
	if len(sd.Signers) != 1 || len(sd.Check(sd.Signers[0]).Findings) > 0 {
		return errors.New("the token is not signed as it should be")
	}
	content, err := io.ReadAll(sd.ContentAt(bytes.NewReader(s.Contents)))
	if err != nil {
		return err
	}
	var info struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint imprint
	}
	if _, err := asn1.Unmarshal(content, &info); err != nil {
		return err
	}
	h := crypto.SHA256.New()
	if _, err := io.Copy(h, s.SignedBytes()); err != nil {
		return err
	}
	if !info.Imprint.Algorithm.Algorithm.Equal(sha256OID) || !bytes.Equal(info.Imprint.Hashed, h.Sum(nil)) {
		return errors.New("the imprint is of something else")
	}
	return nil
}

// raise makes level B-LTA of a document, and returns it as it was at each level.
func (l lasting) raise(t testing.TB, file []byte, name pki.Name, password string) (levelT, levelLT, levelLTA []byte) {
	t.Helper()
	o := l.options(t, name)
	o.Complete, o.Password = l.complete, password
	levelT = mustSign(t, file, o)
	list := signaturesOf(t, levelT, password)
	proof := l.data(t, name, pki.TSA)
	levelLT = mustExtend(t, levelT, ExtendOptions{
		VRI: map[string]cms.ValidationData{list[len(list)-1].VRIKey(): proof}, VRITime: now, Password: password,
	})
	levelLTA = mustExtend(t, levelLT, ExtendOptions{Stamp: l.stamp, Password: password})
	return levelT, levelLT, levelLTA
}

func openWith(t testing.TB, file []byte, password string) *Document {
	t.Helper()
	d, err := OpenWith(bytes.NewReader(file), int64(len(file)), OpenOptions{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func signaturesOf(t testing.TB, file []byte, password string) []*Signature {
	t.Helper()
	list, err := openWith(t, file, password).Signatures()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func storeOf(t testing.TB, d *Document) *SecurityStore {
	t.Helper()
	s, err := d.SecurityStore()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameData compares validation data, in whatever order.
func sameData(a, b cms.ValidationData) bool {
	for i, list := range valueLists(&a) {
		other := *valueLists(&b)[i]
		if len(*list) != len(other) {
			return false
		}
		for _, value := range *list {
			if !slices.ContainsFunc(other, func(v []byte) bool { return bytes.Equal(v, value) }) {
				return false
			}
		}
	}
	return true
}

func counted(v cms.ValidationData) string {
	return fmt.Sprintf("%d certificates, %d lists and %d answers", len(v.Certificates), len(v.CRLs), len(v.OCSP))
}

// wantAllowed checks that all changes since a signature are allowed, and their kinds.
func wantAllowed(t testing.TB, d *Document, s *Signature, kinds ...ChangeKind) {
	t.Helper()
	list, err := d.Changes(s)
	if err != nil {
		t.Fatal(err)
	}
	var found []ChangeKind
	for _, c := range list {
		if !c.Allowed {
			t.Errorf("since %s: %+v", s.Field, c)
		}
		found = append(found, c.Kind)
	}
	slices.Sort(found)
	slices.Sort(kinds)
	if kinds = slices.Compact(kinds); !slices.Equal(slices.Compact(found), kinds) {
		t.Errorf("changes since %s of the kinds %v, want %v", s.Field, found, kinds)
	}
}

// TestExtend takes every shape of document to level LTA and renews it twice.
func TestExtend(t *testing.T) {
	l := newLasting(t, now)
	proof := l.data(t, pki.Signer, pki.TSA)
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			_, _, file := l.raise(t, doc.PDF, pki.Signer, "")
			for range 2 {
				file = mustExtend(t, file, ExtendOptions{ValidationData: l.data(t, pki.TSAP256), Stamp: l.stamp})
			}
			acceptable(t, file, 1) // pdfsig 22 does not look into document timestamps
			d := mustOpen(t, file)
			list := signatures(t, file)
			if len(list) != 4 {
				t.Fatalf("%d signatures", len(list))
			}
			mustBeIntact(t, list[0])
			kinds := []ChangeKind{ChangeDSS, ChangeDocumentTimestamp}
			if declares(d) {
				wantAllowed(t, d, list[0], append(kinds, ChangeExtension)...)
			} else {
				wantAllowed(t, d, list[0], kinds...)
			}
			wantStamps(t, d, list)
			wantStores(t, d, list, proof)
		})
	}
}

// declares reports whether the document names the extension of ETSI.
func declares(d *Document) bool {
	root, _, _ := d.catalog()
	declared, _ := as[*dict](d, root.get("Extensions"))
	return declared.get("ESIC") != nil
}

// wantStamps checks the document timestamps after the first signature.
func wantStamps(t *testing.T, d *Document, list []*Signature) {
	for i, s := range list[1:] {
		if s.Type != "DocTimeStamp" || s.SubFilter != "ETSI.RFC3161" || s.Field != fmt.Sprint("Timestamp", i+1) || !s.Time.IsZero() {
			t.Errorf("%+v", s)
		}
		wantCoverage(t, s, map[bool]Coverage{true: CoversWholeFile, false: CoversRevision}[s == list[len(list)-1]])
		if err := checkStamp(s); err != nil {
			t.Errorf("%s: %v", s.Field, err)
		}
		for j, other := range list {
			if s.CoversSignature(other) != (j <= i) {
				t.Errorf("%s covers %s: %v", s.Field, other.Field, s.CoversSignature(other))
			}
		}
	}
	wantAllowed(t, d, list[len(list)-1])
}

// wantStores checks what is in the store, and since when.
func wantStores(t *testing.T, d *Document, list []*Signature, proof cms.ValidationData) {
	of := func(s *Signature) *SecurityStore {
		store, err := d.SecurityStoreOf(s.Revision)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	if store := of(list[0]); store != nil {
		t.Errorf("a store in the signed revision with %s", counted(store.ValidationData))
	}
	first, newest := of(list[1]), storeOf(t, d)
	if !sameData(first.ValidationData, proof) || first.Unreadable != 0 || len(first.VRI) != 1 {
		t.Errorf("the first timestamp covers %s, %d unreadable, %d signatures", counted(first.ValidationData), first.Unreadable, len(first.VRI))
	}
	if len(newest.OCSP) != 3 || len(newest.CRLs) != 2 || newest.Unreadable != 0 {
		t.Errorf("the newest store has %s", counted(newest.ValidationData))
	}
	vri, ok := newest.Of(list[0])
	if !ok || !sameData(vri.ValidationData, proof) || !vri.Time.Equal(now.Truncate(time.Second)) || vri.Timestamp != nil {
		t.Errorf("for the signature there are %s of %v", counted(vri.ValidationData), vri.Time)
	}
	if _, ok := newest.Of(list[1]); ok {
		t.Error("something is said to be for the timestamp")
	}
}

// TestSignExtended signs what is extended already, and extends it for both.
func TestSignExtended(t *testing.T) {
	l := newLasting(t, now)
	_, _, file := l.raise(t, documents.Form(), pki.Signer, "")
	_, _, file = l.raise(t, file, pki.SecondSigner, "")
	acceptable(t, file, 2)
	d, list := mustOpen(t, file), signatures(t, file)
	if len(list) != 4 {
		t.Fatalf("%d signatures", len(list))
	}
	for _, i := range []int{0, 2} {
		mustBeIntact(t, list[i])
		if vri, ok := storeOf(t, d).Of(list[i]); !ok || len(vri.Certificates) != 3 {
			t.Errorf("%s: %s", list[i].Field, counted(vri.ValidationData))
		}
	}
	wantAllowed(t, d, list[0], ChangeDSS, ChangeExtension, ChangeDocumentTimestamp, ChangeSignature)
	wantAllowed(t, d, list[2], ChangeDSS, ChangeDocumentTimestamp)
	for i, s := range []*Signature{list[1], list[3]} {
		if err := checkStamp(s); err != nil || s.Field != fmt.Sprint("Timestamp", i+1) {
			t.Errorf("%s: %v", s.Field, err)
		}
	}
}

// TestExtendTwice: what is there already is not added again.
func TestExtendTwice(t *testing.T) {
	l := newLasting(t, now)
	_, once, _ := l.raise(t, documents.Form(), pki.SignerP256, "")
	proof := l.data(t, pki.SignerP256, pki.TSA)
	o := ExtendOptions{ValidationData: proof, VRI: map[string]cms.ValidationData{onlySignature(t, once).VRIKey(): proof}}
	if again := mustExtend(t, once, o); len(again) != len(once) {
		t.Errorf("%d bytes more for what is there already", len(again)-len(once))
	}
	o.VRI[onlySignature(t, once).VRIKey()] = cms.ValidationData{CRLs: [][]byte{{0x30, 0}}}
	more := storeOf(t, mustOpen(t, mustExtend(t, once, o)))
	vri, _ := more.Of(onlySignature(t, once))
	if len(more.CRLs) != 3 || len(vri.CRLs) != 3 || len(vri.OCSP) != 2 || len(more.VRI) != 1 {
		t.Errorf("%d lists in the store, %d and %d answers for the signature", len(more.CRLs), len(vri.CRLs), len(vri.OCSP))
	}
}

// TestExtendOtherStores extends stores as others write them.
func TestExtendOtherStores(t *testing.T) {
	key, other := strings.Repeat("AB", 20), strings.Repeat("CD", 20)
	one, two := data("", "one"), data("", "two")
	for name, values := range map[string][]string{
		"direct":             {"<< /Certs [4 0 R] /CRLs [5 0 R] /VRI << /" + key + " << /Cert [4 0 R] /TU (D:20260101000000Z) /TS 5 0 R >> >> >>", one, two},
		"objects":            {"6 0 R", one, two, "<< /Certs 7 0 R /CRLs 8 0 R /VRI 9 0 R >>", "[4 0 R]", "[5 0 R]", "<< /" + key + " 10 0 R >>", "<< /Cert 7 0 R /TS 5 0 R >>"},
		"values that repeat": {"<< /Certs [4 0 R 4 0 R 6 0 R] /CRLs [5 0 R null 99 0 R 1 0 R] /VRI << /" + key + " << /Cert [4 0 R 4 0 R] /TS 5 0 R >> >> >>", one, two, one},
	} {
		t.Run(name, func(t *testing.T) {
			file := makePDF(append([]string{"<< /Type /Catalog /Pages 2 0 R /DSS " + values[0] + " >>", pagesObject, pageObject}, values[1:]...)...)
			proof := cms.ValidationData{Certificates: [][]byte{[]byte("one"), []byte("three")}}
			after := mustExtend(t, file, ExtendOptions{VRI: map[string]cms.ValidationData{key: proof, other: proof}, VRITime: now})
			s := storeOf(t, mustOpen(t, after))
			certificates := slices.DeleteFunc(slices.Clone(s.Certificates), func(v []byte) bool { return string(v) == "one" })
			if fmt.Sprintf("%s %s", certificates, s.CRLs) != "[three] [two]" {
				t.Errorf("certificates %s, lists %s", s.Certificates, s.CRLs)
			}
			v, w := s.VRI[key], s.VRI[other]
			if !sameData(v.ValidationData, proof) || !sameData(w.ValidationData, proof) || len(s.VRI) != 2 {
				t.Errorf("for the signatures %s and %s", v.ValidationData, w.ValidationData)
			}
			if string(v.Timestamp) != "two" || !v.Time.IsZero() || w.Timestamp != nil || !w.Time.Equal(now) {
				t.Errorf("made at %v (%s) and %v (%s)", v.Time, v.Timestamp, w.Time, w.Timestamp)
			}
			if n := bytes.Count(after[len(file):], []byte("stream\n")) / 2; n != 1 {
				t.Errorf("%d streams written for one new value", n)
			}
		})
	}
}

// TestExtendEncrypted extends files of every encryption. The values in the file are
// not those of the store.
func TestExtendEncrypted(t *testing.T) {
	l := newLasting(t, now)
	for _, kind := range encryptions {
		for _, streams := range []bool{false, true} {
			t.Run(fmt.Sprint(kind.name, streams), func(t *testing.T) {
				file := encrypted(t, documents.Form(), "secret", "owner", streams, kind.args...)
				_, _, file = l.raise(t, file, pki.Signer, "secret")
				file = mustExtend(t, file, ExtendOptions{ValidationData: l.data(t, pki.TSAP256), Stamp: l.stamp, Password: "secret"})
				judgedWith(t, file, "secret", 1)
				d := openWith(t, file, "secret")
				list := signaturesOf(t, file, "secret")
				mustBeIntact(t, list[0])
				wantStamps(t, d, list)
				wantStores(t, d, list, l.data(t, pki.Signer, pki.TSA))
				wantAllowed(t, d, list[0], append([]ChangeKind{ChangeDSS, ChangeDocumentTimestamp}, map[bool][]ChangeKind{true: {ChangeExtension}}[declares(d)]...)...)
				if bytes.Contains(file, l.Must(t, pki.Signer).Certificate.Raw) {
					t.Error("a certificate stands in the file as it is")
				}
				closed := mustOpen(t, file)
				if _, err := closed.SecurityStore(); !isEncrypted(err) {
					t.Errorf("the store without a password: %v", err)
				}
			})
		}
	}
}

func isEncrypted(err error) bool {
	var e *EncryptedError
	return errors.As(err, &e)
}

// TestExtendPackedStore keeps the strings of a store that stands in an encrypted
// object stream.
func TestExtendPackedStore(t *testing.T) {
	key := strings.Repeat("AB", 20)
	file := makePDF("<< /Type /Catalog /Pages 2 0 R /DSS << /Certs [4 0 R] /VRI << /"+key+" << /Cert [4 0 R] /TU (D:20260101000000Z) >> >> >> >>",
		pagesObject, pageObject, data("", "one"))
	for _, kind := range encryptions {
		t.Run(kind.name, func(t *testing.T) {
			file := encrypted(t, file, "", "owner", true, kind.args...)
			after := mustExtend(t, file, ExtendOptions{VRI: map[string]cms.ValidationData{strings.Repeat("CD", 20): {CRLs: [][]byte{[]byte("two")}}}, VRITime: now})
			s := storeOf(t, mustOpen(t, after))
			if got := s.VRI[key].Time; got.Year() != 2026 || len(s.VRI) != 2 || fmt.Sprintf("%s %s", s.Certificates, s.CRLs) != "[one] [two]" {
				t.Errorf("made at %v; %+v", got, s)
			}
		})
	}
}

// TestExtendPermitted: what forbids everything else does not forbid this.
func TestExtendPermitted(t *testing.T) {
	l := newLasting(t, now)
	o := l.options(t, pki.SignerP256)
	o.Certify = NoChanges
	certified := mustSign(t, documents.Form(), o)
	o.Certify, o.Lock = NotCertified, &FieldLock{Action: LockAll}
	locked := mustSign(t, documents.Form(), o)
	lockedFor := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /SigFlags 3 >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R] >>",
		"<< /FT /Sig /T (A) /Subtype /Widget /Rect [0 0 0 0] /P 3 0 R /Lock << /Type /SigFieldLock /Action /All /P 1 >> >>")
	o.FieldName, o.Lock = "A", nil
	for name, file := range map[string][]byte{"certified": certified, "locked": locked, "lock of level 1": mustSign(t, lockedFor, o)} {
		t.Run(name, func(t *testing.T) {
			if _, err := signBytes(file, l.options(t, pki.SignerP256)); name != "locked" && err == nil {
				t.Error("a further signature is not refused")
			}
			file = mustExtend(t, file, ExtendOptions{ValidationData: l.data(t, pki.SignerP256)})
			file = mustExtend(t, file, ExtendOptions{ValidationData: l.data(t, pki.TSA), Stamp: l.stamp})
			acceptable(t, file, 1)
			d := mustOpen(t, file)
			list := signatures(t, file)
			kinds := []ChangeKind{ChangeDSS, ChangeDocumentTimestamp}
			if declares(d) {
				kinds = append(kinds, ChangeExtension)
			}
			wantAllowed(t, d, list[0], kinds...)
		})
	}
}

// TestExtendDeclares: the extension is named where it is one, once.
func TestExtendDeclares(t *testing.T) {
	o := ExtendOptions{ValidationData: cms.ValidationData{CRLs: [][]byte{{0x30, 0}}}}
	for _, tt := range []struct {
		name, version, catalog string
		want                   string
	}{
		{"none yet", "1.7", "", "5"},
		{"another", "1.7", "/Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 3 >> >>", "5"},
		{"in an object", "1.7", "/Extensions 4 0 R", "5"},
		{"this one", "1.7", "/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 1 >> >>", "1"},
		{"PDF 2.0", "2.0", "", ""},
		{"PDF 2.0 by the catalog", "1.7", "/Version /2.0", ""},
		{"PDF 1.4", "1.4", "", ""},
		{"PDF 1.7 by the catalog", "1.4", "/Version /1.7", "5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := makePDF("<< /Type /Catalog /Pages 2 0 R "+tt.catalog+" >>", pagesObject, pageObject, "<< /ADBE << /BaseVersion /1.7 /ExtensionLevel 3 >> >>")
			file = bytes.Replace(file, []byte("%PDF-1.7"), []byte("%PDF-"+tt.version), 1)
			d := mustOpen(t, mustExtend(t, mustExtend(t, file, o), ExtendOptions{ValidationData: cms.ValidationData{CRLs: [][]byte{{0x30, 1, 0}}}}))
			root, _, err := d.catalog()
			if err != nil {
				t.Fatal(err)
			}
			declared, _ := as[*dict](d, root.get("Extensions"))
			ours, _ := as[*dict](d, declared.get("ESIC"))
			level, _ := ours.integer("ExtensionLevel")
			if fmt.Sprint(level) != max(tt.want, "0") || strings.Contains(tt.catalog, "ADBE") && declared.get("ADBE") == nil {
				t.Errorf("level %d, want %q; %v", level, tt.want, declared)
			}
		})
	}
}

// TestSignComplete puts a signature timestamp into the CMS before it is written.
func TestSignComplete(t *testing.T) {
	l := newLasting(t, now)
	o := l.options(t, pki.Signer)
	calls := 0
	o.Complete = func(cms []byte) ([]byte, error) { calls++; return l.complete(cms) }
	s := onlySignature(t, mustSign(t, documents.Form(), o))
	wantCoverage(t, s, CoversWholeFile)
	mustBeIntact(t, s)
	sd, err := cms.Read(bytes.NewReader(s.Contents), cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stamps := sd.Signers[0].Timestamps()
	if len(stamps) != 1 || stamps[0].Kind != cms.SignatureTimestamp || calls != 1 || l.server.Issued() != 1 {
		t.Errorf("%d timestamps after %d calls and %d tokens", len(stamps), calls, l.server.Issued())
	}
}

// cut stops taking bytes, and remembers how many it got.
type cut struct{ n, most int }

func (c *cut) Write(b []byte) (int, error) {
	if c.n += len(b); c.n > c.most {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// TestRoom: a value that does not fit is told with its size, and not written.
func TestRoom(t *testing.T) {
	l := newLasting(t, now)
	file := documents.Plain()
	o := l.options(t, pki.Signer)
	o.Complete = func(cms []byte) ([]byte, error) { return seq(len(cms) + 20_000), nil }
	long := func([]byte) ([]byte, error) { return seq(20_000), nil }
	for name, run := range map[string]func(room int) ([]byte, error){
		"signature": func(room int) ([]byte, error) { o.Room = room; return signBytes(file, o) },
		"timestamp": func(room int) ([]byte, error) {
			return extendBytes(file, ExtendOptions{Stamp: long, Room: room})
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(0)
			var full *RoomError
			if !errors.As(err, &full) || full.Size <= full.Room || !bytes.Equal(out, file) {
				t.Fatalf("error %v after %d bytes", err, len(out))
			}
			if _, err := run(20_100); err != nil {
				t.Error(err)
			}
			for _, room := range []int{-1, maxRoom + 1} {
				if out, err := run(room); err == nil || len(out) > 0 {
					t.Errorf("room for %d bytes: %v", room, err)
				}
			}
		})
	}
}

// seq is a DER SEQUENCE of so many bytes, as long as they need two for the length.
func seq(n int) []byte {
	b := make([]byte, n)
	copy(b, []byte{0x30, 0x82, byte((n - 4) >> 8), byte(n - 4)})
	return b
}

// TestBadValues: what is no value is not written.
func TestBadValues(t *testing.T) {
	broken := errors.New("no marks left")
	for name, value := range map[string]func([]byte) ([]byte, error){
		"none":     func([]byte) ([]byte, error) { return nil, nil },
		"cut off":  func([]byte) ([]byte, error) { return []byte{0x30, 9, 0}, nil },
		"too long": func([]byte) ([]byte, error) { return []byte{0x30, 0, 0}, nil },
		"an error": func([]byte) ([]byte, error) { return nil, broken },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, pki.SignerP256)
			o.Complete = value
			for _, run := range []func() ([]byte, error){
				func() ([]byte, error) { return signBytes(documents.Plain(), o) },
				func() ([]byte, error) { return extendBytes(documents.Plain(), ExtendOptions{Stamp: value}) },
			} {
				out, err := run()
				if err == nil || name == "an error" && !errors.Is(err, broken) || !bytes.Equal(out, documents.Plain()) {
					t.Errorf("error %v after %d bytes", err, len(out))
				}
			}
		})
	}
}

// TestExtendRefusals: nothing is written and no token asked for.
func TestExtendRefusals(t *testing.T) {
	some := cms.ValidationData{CRLs: [][]byte{{0x30, 0}}}
	restricted := encrypted(t, documents.Form(), "", "owner", false, "256", "--modify=none", "--annotate=n", "--")
	many := make([][]byte, maxStoreValues+1)
	for i := range many {
		many[i] = fmt.Append(nil, i)
	}
	for _, tt := range []struct {
		name string
		file []byte
		o    ExtendOptions
		want string
	}{
		{"nothing to add", documents.Plain(), ExtendOptions{}, "no validation data to add"},
		{"no PDF", []byte("hello"), ExtendOptions{ValidationData: some}, "not a PDF"},
		{"a wrong password", restricted, ExtendOptions{ValidationData: some, Password: "x"}, "wrong password"},
		{"no password", encrypted(t, documents.Form(), "secret", "owner", false, "256", "--"), ExtendOptions{ValidationData: some}, "encrypted"},
		{"permissions", restricted, ExtendOptions{}, "the encryption of the document forbids"},
		{"a key", documents.Plain(), ExtendOptions{VRI: map[string]cms.ValidationData{"Signature1": some}}, "40 upper-case hexadecimal digits"},
		{"an empty value", documents.Plain(), ExtendOptions{ValidationData: cms.ValidationData{OCSP: [][]byte{nil}}}, "a value of 0 bytes"},
		{"too many values", documents.Plain(), ExtendOptions{ValidationData: cms.ValidationData{OCSP: many}}, "more than 10000 values"},
		{"a hash", documents.Plain(), ExtendOptions{Hash: crypto.RIPEMD160}, "no hash function"},
		{"no page", makePDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"), ExtendOptions{}, "page tree"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name != "nothing to add" {
				tt.o.Stamp = func([]byte) ([]byte, error) { t.Error("a token was asked for"); return nil, nil }
			}
			out, err := extendBytes(tt.file, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(out) > 0 {
				t.Errorf("error %v after %d bytes, want %q", err, len(out), tt.want)
			}
		})
	}
}

// TestExtendFullDisk: where the document does not fit, no token is asked for.
func TestExtendFullDisk(t *testing.T) {
	file := documents.Plain()
	asked := 0
	stamp := func([]byte) ([]byte, error) { asked++; return seq(300), nil }
	for most, want := range map[int]int{len(file) - 1: 0, len(file): 1} {
		asked = 0
		err := Extend(t.Context(), &cut{most: most}, bytes.NewReader(file), int64(len(file)), ExtendOptions{Stamp: stamp})
		if !errors.Is(err, io.ErrShortWrite) || asked != want {
			t.Errorf("room for %d bytes: %v after %d tokens, want %d", most, err, asked, want)
		}
	}
}

// TestStampedBits flips bits all over what a document timestamp covers: each is found
// by the digest, but in its own /Contents.
func TestStampedBits(t *testing.T) {
	l := newLasting(t, now)
	_, _, file := l.raise(t, documents.Form(), pki.SignerP256, "")
	list := signatures(t, file)
	last := list[len(list)-1]
	if err := checkStamp(last); err != nil {
		t.Fatal(err)
	}
	flips := 0
	for at := 0; at < len(file); at += 1 + at%37 {
		if inside := int64(at) >= last.ByteRange[1] && int64(at) < last.ByteRange[2]; inside {
			continue
		}
		spoiled := *last
		changed := bytes.Clone(file)
		changed[at] ^= 1 << (at % 8)
		spoiled.src = bytes.NewReader(changed)
		if checkStamp(&spoiled) == nil {
			t.Fatalf("a bit flipped in byte %d is not found", at)
		}
		flips++
	}
	if flips < 1000 {
		t.Errorf("only %d bits were flipped", flips)
	}
}

// TestVRIKeys finds entries by every key that writers make, and makes that of DSS.
func TestVRIKeys(t *testing.T) {
	o := options(t, pki.Signer)
	o.Room = 100
	file := mustSign(t, documents.Plain(), o)
	s := onlySignature(t, file)
	padded, err := hex.DecodeString(string(file[s.ByteRange[1]+1 : s.ByteRange[2]-1]))
	if err != nil || len(padded) <= len(s.Contents) {
		t.Fatalf("%d octets, %v", len(padded), err)
	}
	digest := func(b []byte) string { return fmt.Sprintf("%X", sha1.Sum(b)) }
	if s.VRIKey() != digest(padded) {
		t.Errorf("key %s", s.VRIKey())
	}
	for name, key := range map[string]string{
		"octets": digest(padded), "without padding": digest(s.Contents), "digits": digest(file[s.ByteRange[1]+1 : s.ByteRange[2]-1]),
	} {
		store := &SecurityStore{VRI: map[string]VRI{key: {Time: now}}}
		if v, ok := store.Of(s); !ok || v.Time.IsZero() {
			t.Errorf("not found by %s", name)
		}
	}
	if _, ok := (&SecurityStore{VRI: map[string]VRI{digest(nil): {}}}).Of(s); ok {
		t.Error("found by another key")
	}
}
