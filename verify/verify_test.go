// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

var (
	moment = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	people = pki.New(moment)
)

func section(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

// root returns options that trust the root of the test PKI.
func root(t testing.TB) verify.Options {
	return verify.Options{Now: moment, Trust: trust.NewAnchors(people.Must(t, pki.Root).Certificate)}
}

func check(t testing.TB, data []byte, o verify.Options) *report.Report {
	t.Helper()
	r, err := verify.File(context.Background(), section(data), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signer(t testing.TB, name pki.Name) cms.Signer {
	id := people.Must(t, name)
	return cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment}
}

func p7m(t testing.TB, content string, detached bool, signers ...cms.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	err := cms.Sign(&out, strings.NewReader(content), cms.Options{Signers: signers, Detached: detached})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func signedPDF(t testing.TB, document []byte, name pki.Name) []byte {
	t.Helper()
	return signedPDFBy(t, document, signer(t, name))
}

func signedPDFBy(t testing.TB, document []byte, who cms.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	o := pdf.SignOptions{Signer: who, SigningTime: moment}
	if err := pdf.Sign(context.Background(), &out, bytes.NewReader(document), int64(len(document)), o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// want is what a test expects of the only signature in a file.
type want struct {
	verdict   report.Verdict
	sub       report.SubIndication
	integrity report.Integrity
}

var (
	valid       = want{report.Valid, "", report.Intact}
	hashFailure = want{report.Invalid, report.HashFailure, report.Broken}
	sigFailure  = want{report.Invalid, report.SigCryptoFailure, report.Broken}
	noChain     = want{report.Indeterminate, report.NoCertificateChainFound, report.Intact}
)

func (w want) compare(t *testing.T, r *report.Report) *report.Signature {
	t.Helper()
	if r.Error != nil || len(r.Signatures) != 1 {
		t.Fatalf("%d signatures, error %v", len(r.Signatures), r.Error)
	}
	s := r.Signatures[0]
	got := want{s.Verdict, s.SubIndication, s.Integrity}
	if got != w {
		t.Errorf("got %v, want %v (%s)", got, w, s.Reason)
	}
	if r.Verdict != s.Verdict {
		t.Errorf("the file is %v, its signature %v", r.Verdict, s.Verdict)
	}
	indication := map[report.Verdict]report.Indication{
		report.Valid: report.TotalPassed, report.Invalid: report.TotalFailed, report.Indeterminate: report.IndicationIndeterminate,
	}[s.Verdict]
	if s.Indication != indication || (s.Verdict == report.Valid) != (s.Reason == "") {
		t.Errorf("verdict %v with indication %v and reason %q", s.Verdict, s.Indication, s.Reason)
	}
	return s
}

func TestValidCMS(t *testing.T) {
	sha512 := signer(t, pki.Signer)
	sha512.Hash = crypto.SHA512
	pss := signer(t, pki.Signer)
	pss.PSS = true
	for name, who := range map[string]cms.Signer{
		"RSA": signer(t, pki.Signer), "RSA-SHA512": sha512, "PSS": pss,
		"P-256": signer(t, pki.SignerP256), "P-384": signer(t, pki.SignerP384), "Ed25519": signer(t, pki.SignerEd25519),
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, p7m(t, "ciao", false, who), root(t))
			s := valid.compare(t, r)
			if s.Format != "CAdES" || s.Level != "B-B" || !s.Trusted || s.Covers != report.WholeFile {
				t.Errorf("%s %s, trusted %v, covers %s", s.Format, s.Level, s.Trusted, s.Covers)
			}
			if s.ClaimedTime == nil || !s.ClaimedTime.Equal(moment) || s.BestTime.Source != report.FromNow {
				t.Errorf("claimed %v, best %v", s.ClaimedTime, s.BestTime)
			}
			// printf ciao | sha256sum
			const sum = "b133a0c0e9bee3be20163d2ad31d6248db292aa6dcb1ee087a2aa50e0fc75ae2"
			if r.Content.SHA256 != sum || r.Content.Size != 4 || r.Content.MediaType != "text/plain; charset=utf-8" {
				t.Errorf("content %+v", r.Content)
			}
		})
	}
}

func TestSigner(t *testing.T) {
	s := check(t, p7m(t, "ciao", false, signer(t, pki.Signer)), root(t)).Signatures[0]
	if s.Signer.Name != "MARIO ROSSI" || s.Signer.CodiceFiscale != "RSSMRA80A01H501U" || s.Signer.Country != "IT" {
		t.Errorf("signer %+v", s.Signer)
	}
}

func TestWithoutAnchorsNothingIsValid(t *testing.T) {
	for _, o := range []verify.Options{{Now: moment}, {Now: moment, Trust: trust.NewAnchors()}} {
		noChain.compare(t, check(t, p7m(t, "ciao", false, signer(t, pki.Signer)), o))
		noChain.compare(t, check(t, signedPDF(t, documents.Plain(), pki.Signer), o))
	}
}

func TestImpostorsHaveNoChain(t *testing.T) {
	noChain.compare(t, check(t, p7m(t, "ciao", false, signer(t, pki.AltSigner)), root(t)))
}

func TestValidity(t *testing.T) {
	outOfBounds := want{report.Indeterminate, report.OutOfBoundsNoPOE, report.Intact}
	for _, name := range []pki.Name{pki.Expired, pki.NotYetValid} {
		s := outOfBounds.compare(t, check(t, p7m(t, "ciao", false, signer(t, name)), root(t)))
		if s.Trusted {
			t.Errorf("%s: trusted", name)
		}
	}
	then := root(t)
	then.Time = people.Must(t, pki.Expired).Certificate.NotAfter.Add(-time.Hour)
	s := valid.compare(t, check(t, p7m(t, "ciao", false, signer(t, pki.Expired)), then))
	if s.BestTime.Source != report.FromGiven || !s.BestTime.Time.Equal(then.Time) {
		t.Errorf("best time %v", s.BestTime)
	}
}

func TestTamperedCMS(t *testing.T) {
	good := p7m(t, "vendo per 10 euro", false, signer(t, pki.Signer))
	forged := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	content := bytes.Replace(good, []byte("10"), []byte("99"), 1)
	value := bytes.Clone(good)
	value[len(value)-1] ^= 1
	other := people.Must(t, pki.SecondSigner).Certificate.Raw
	format := want{report.Invalid, report.FormatFailure, report.Intact}
	for name, c := range map[string]struct {
		file []byte
		want want
	}{
		"content":                     {content, hashFailure},
		"signature value":             {value, sigFailure},
		"certificate of another":      {forged(forge.SwappedCertificates(good, other)), sigFailure},
		"certificate of the impostor": {forged(forge.SwappedCertificates(good, people.Must(t, pki.AltSigner).Certificate.Raw)), sigFailure},
		"certificate of the same key": {forged(forge.SwappedCertificates(good, twin(t).Raw)), want{report.Invalid, report.NoSigningCertificateFound, report.Intact}},
		"no certificate":              {forged(forge.SwappedCertificates(good)), want{report.Indeterminate, report.NoSigningCertificateFound, report.IntegrityUnknown}},
		"content type":                {forged(forge.LyingContentType(good)), format},
		"attributes as content":       {forged(forge.AttributesAsContent(good)), want{report.Invalid, report.FormatFailure, report.Broken}},
		"cut in the middle":           {good[:len(good)/2], want{report.Invalid, report.FormatFailure, report.Broken}},
		"cut by one byte":             {good[:len(good)-1], want{report.Invalid, report.FormatFailure, report.Broken}},
	} {
		t.Run(name, func(t *testing.T) { c.want.compare(t, check(t, c.file, root(t))) })
	}
}

// twin is a certificate that the signer never used, for the same key and with
// the same name and serial number.
func twin(t *testing.T) *x509.Certificate {
	t.Helper()
	id, err := people.IssueCustom(pki.QualifiedCA, people.Must(t, pki.Signer).Key, func(c *x509.Certificate) {
		c.NotAfter = c.NotAfter.Add(time.Hour)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id.Certificate
}

func TestDetached(t *testing.T) {
	signature := p7m(t, "il documento", true, signer(t, pki.Signer))
	missing := want{report.Indeterminate, report.SignedDataNotFound, report.IntegrityUnknown}
	missing.compare(t, check(t, signature, root(t)))

	o := root(t)
	o.Name, o.Content = "a.txt.p7s", section([]byte("il documento"))
	r := check(t, signature, o)
	valid.compare(t, r)
	if r.Content.Size != 12 || r.Content.Name != "a.txt" || r.File != "a.txt.p7s" {
		t.Errorf("content %+v of %q", r.Content, r.File)
	}
	o.Content = section([]byte("un altro documento"))
	hashFailure.compare(t, check(t, signature, o))
}

// TestAnotherDocumentIsCarried: in the place of a detached signature stands one that
// carries its own document, signed by the same person.
func TestAnotherDocumentIsCarried(t *testing.T) {
	o := root(t)
	o.Content = section([]byte("vendo per 99 euro"))
	carried := p7m(t, "vendo per 10 euro", false, signer(t, pki.Signer))
	hashFailure.compare(t, check(t, carried, o))
	o.Content = section([]byte("vendo per 10 euro"))
	valid.compare(t, check(t, carried, o))

	contract := signedPDF(t, documents.Plain(), pki.Signer)
	o.Content = section(documents.Plain())
	hashFailure.compare(t, check(t, contract, o))
	o.Content = section(contract)
	valid.compare(t, check(t, contract, o))

	w := newWorld(t)
	stamped, o := w.stampedPDF(documents.Plain(), time.Hour), w.after(2*time.Hour)
	if r := check(t, stamped, o); r.Verdict != report.Valid {
		t.Fatalf("a PDF with a timestamp is %+v", r)
	}
	o.Content = section([]byte("another"))
	if r := check(t, stamped, o); r.Verdict != report.Invalid || r.Timestamps[0].SubIndication != report.HashFailure {
		t.Errorf("a timestamp of another document is %v, %s", r.Verdict, r.Timestamps[0].SubIndication)
	}
}

// TestPurposes: a key that is for something else signs no documents.
func TestPurposes(t *testing.T) {
	key := people.Must(t, pki.Signer).Key
	refused := want{report.Indeterminate, report.ChainConstraintsFailure, report.Intact}
	for name, c := range map[string]struct {
		purposes []x509.ExtKeyUsage
		want     want
	}{
		"time stamps":       {[]x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, refused},
		"OCSP":              {[]x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, refused},
		"a web server":      {[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, refused},
		"login":             {[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, valid},
		"mail, web servers": {[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageEmailProtection}, valid},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := people.IssueCustom(pki.QualifiedCA, key, func(x *x509.Certificate) { x.ExtKeyUsage = c.purposes })
			if err != nil {
				t.Fatal(err)
			}
			who := cms.Signer{Key: key, Certificate: id.Certificate, Chain: id.Chain}
			c.want.compare(t, check(t, p7m(t, "ciao", false, who), root(t)))
		})
	}
}

func TestShortCurve(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := people.IssueCustom(pki.QualifiedCA, key, func(*x509.Certificate) {})
	if err != nil {
		t.Fatal(err)
	}
	who := cms.Signer{Key: key, Certificate: id.Certificate, Chain: id.Chain}
	want{report.Indeterminate, report.CryptoConstraintsNoPOE, report.Intact}.compare(t, check(t, p7m(t, "ciao", false, who), root(t)))
}

func TestWorstSignatureDecides(t *testing.T) {
	r := check(t, p7m(t, "ciao", false, signer(t, pki.Signer), signer(t, pki.Expired)), root(t))
	if len(r.Signatures) != 2 || r.Verdict != report.Indeterminate || r.Signatures[0].ID != "S1" || r.Signatures[1].ID != "S2" {
		t.Errorf("%d signatures, verdict %v", len(r.Signatures), r.Verdict)
	}
}

func TestExtract(t *testing.T) {
	rossi := signer(t, pki.Signer)
	inner := p7m(t, "il contenuto", false, rossi)
	file := p7m(t, string(inner), false, rossi)
	armored := []byte(base64.StdEncoding.EncodeToString(file))
	for name, src := range map[string][]byte{"binary": file, "base64": armored} {
		for depth, want := range []string{string(inner), "il contenuto"} {
			var out bytes.Buffer
			if err := verify.Extract(context.Background(), section(src), depth, &out); err != nil || out.String() != want {
				t.Errorf("%s, depth %d: %d bytes, %v", name, depth, out.Len(), err)
			}
		}
		if err := verify.Extract(context.Background(), section(src), 2, io.Discard); err == nil {
			t.Errorf("%s: something was found at a depth where there is nothing", name)
		}
	}
	if err := verify.Extract(context.Background(), section(p7m(t, "x", true, rossi)), 1, io.Discard); err == nil {
		t.Error("something was found in a detached signature")
	}
}

func TestUnsupportedFormat(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "text": "hello", "zip": "PK\x03\x04", "random DER": "\x30\x03\x02\x01\x05",
		"e-mail": message, "e-mail cut off": message[:len(message)-9],
	} {
		r := check(t, []byte(file), root(t))
		if r.Error == nil || r.Error.Code != report.UnsupportedFormat || r.Verdict == report.Valid {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestValidPDF(t *testing.T) {
	for name, document := range map[string][]byte{"table": documents.Plain(), "streams": documents.Streams()} {
		t.Run(name, func(t *testing.T) {
			s := valid.compare(t, check(t, signedPDF(t, document, pki.Signer), root(t)))
			if s.Format != "PAdES" || s.Level != "B-B" || s.Covers != report.WholeFile || s.ModifiedAfterSigning || s.Field != "Signature1" {
				t.Errorf("%s %s, covers %s, modified %v, field %q", s.Format, s.Level, s.Covers, s.ModifiedAfterSigning, s.Field)
			}
			if s.ClaimedTime == nil || !s.ClaimedTime.Equal(moment) {
				t.Errorf("claimed time %v", s.ClaimedTime)
			}
		})
	}
}

func TestUnsignedPDF(t *testing.T) {
	r := check(t, documents.Plain(), root(t))
	if r.Error == nil || r.Error.Code != report.NoSignature || r.Format != "pdf" || r.Verdict == report.Valid {
		t.Errorf("%+v", r)
	}
}

func TestTamperedPDF(t *testing.T) {
	good := signedPDF(t, documents.Plain(), pki.Signer)
	at := bytes.Index(good, []byte("/MediaBox"))
	flipped := bytes.Clone(good)
	flipped[at+1] = 'm'
	hashFailure.compare(t, check(t, flipped, root(t)))

	appended := append(bytes.Clone(good), "\n% an innocent remark\n"...)
	s := want{report.Invalid, report.FormatFailure, report.Intact}.compare(t, check(t, appended, root(t)))
	if !s.ModifiedAfterSigning || s.Covers != report.Revision {
		t.Errorf("modified %v, covers %s", s.ModifiedAfterSigning, s.Covers)
	}
	for _, n := range []int{len(good) - 10, len(good) * 9 / 10, len(good) / 2, 4000} {
		want{report.Invalid, report.FormatFailure, report.Broken}.compare(t, check(t, good[:n], root(t)))
	}
}

// TestEveryFlippedBitOfAPDF: whatever signed bit of a PDF changes, the file is
// invalid, also when the change hides the signature itself from readers.
func TestEveryFlippedBitOfAPDF(t *testing.T) {
	good := signedPDF(t, documents.Plain(), pki.SignerP256)
	doc, err := pdf.Open(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	signatures, err := doc.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	r := signatures[0].ByteRange
	for i := range good {
		if int64(i) >= r[1] && int64(i) < r[2] {
			continue
		}
		forged := bytes.Clone(good)
		forged[i] ^= 1 << (i % 8)
		if r := check(t, forged, root(t)); r.Verdict != report.Invalid || r.Error != nil {
			t.Errorf("byte %d (%q to %q): %v, %+v", i, good[i], forged[i], r.Verdict, r.Error)
		}
	}
}

func TestTwiceSignedPDF(t *testing.T) {
	r := check(t, signedPDF(t, signedPDF(t, documents.Plain(), pki.Signer), pki.SecondSigner), root(t))
	if len(r.Signatures) != 2 {
		t.Fatalf("%d signatures", len(r.Signatures))
	}
	first, last := r.Signatures[0], r.Signatures[1]
	if first.Verdict != report.Valid || first.Covers != report.Revision || first.ModifiedAfterSigning {
		t.Errorf("first: %v, covers %s, modified %v: %s", first.Verdict, first.Covers, first.ModifiedAfterSigning, first.Reason)
	}
	change := report.Change{Kind: "signature", Allowed: true, What: "signature Signature2 added"}
	if len(first.Changes) != 1 || first.Changes[0] != change {
		t.Errorf("changes %+v, want %+v", first.Changes, change)
	}
	if last.Verdict != report.Valid || last.Covers != report.WholeFile || len(last.Changes) != 0 {
		t.Errorf("last: %v, covers %s: %s", last.Verdict, last.Covers, last.Reason)
	}
}

func TestStoppedWork(t *testing.T) {
	good := p7m(t, "ciao", false, signer(t, pki.Signer))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := verify.File(cancelled, section(good), root(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := verify.File(context.Background(), section(good), verify.Options{}); err == nil {
		t.Error("verified without a clock")
	}
	broken := errors.New("the disk is gone")
	src := io.NewSectionReader(failing{broken}, 0, 1000)
	if _, err := verify.File(context.Background(), src, root(t)); !errors.Is(err, broken) {
		t.Errorf("failing reader: %v", err)
	}
	if err := verify.Extract(context.Background(), section(good), 0, failing{broken}); !errors.Is(err, broken) {
		t.Errorf("failing writer: %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }
func (f failing) Write([]byte) (int, error)         { return 0, f.err }

func TestJSON(t *testing.T) {
	r := check(t, p7m(t, "ciao", false, signer(t, pki.Signer)), root(t))
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		`"format":"cades"`, `"verdict":"valid"`, `"indication":"TOTAL-PASSED"`, `"integrity":"intact"`, `"codiceFiscale":"RSSMRA80A01H501U"`,
		`"source":"now"`, `"modifiedAfterSigning":false`, `"changes":[]`, `"qualification":"unknown"`, `"counterSignatures":[]`, `"nested":[]`,
	} {
		if !strings.Contains(string(out), key) {
			t.Errorf("%s is not in %s", key, out)
		}
	}
}

// update appends an incremental update with one object to a PDF whose catalog is
// object 1.
func update(t *testing.T, file []byte, num int, object string) []byte {
	t.Helper()
	last := bytes.LastIndex(file, []byte("startxref\n"))
	var prev int
	if _, err := fmt.Sscanf(string(file[last:]), "startxref\n%d", &prev); err != nil {
		t.Fatal(err)
	}
	at := len(file)
	out := fmt.Appendf(bytes.Clone(file), "%d 0 obj\n%s\nendobj\n", num, object)
	start := len(out)
	return fmt.Appendf(out, "xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", num, at, prev, start)
}

const filledField = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /V (Milano) /DA (/Helv 12 Tf 0 g) /Rect [72 700 300 720] /P 3 0 R /F 4 /AP << /N 9 0 R >> >>"

func TestFilledAfterSigning(t *testing.T) {
	s := valid.compare(t, check(t, update(t, signedPDF(t, documents.Form(), pki.Signer), 6, filledField), root(t)))
	want := report.Change{Kind: "formFill", Allowed: true, What: "field city: value Roma → Milano"}
	if s.ModifiedAfterSigning || s.Covers != report.Revision || len(s.Changes) != 1 || s.Changes[0] != want {
		t.Errorf("modified %v, covers %s, changes %+v", s.ModifiedAfterSigning, s.Covers, s.Changes)
	}
}

// TestChangedAfterSigning: a change that nothing permits makes the signature invalid,
// with whatever else the document got.
func TestChangedAfterSigning(t *testing.T) {
	good := signedPDF(t, documents.Form(), pki.Signer)
	for name, file := range map[string][]byte{
		"content": update(t, good, 5, "<< /Length 0 >>\nstream\n\nendstream"),
		"font":    update(t, good, 4, "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"),
		"note":    update(t, good, 7, "null"),
		"both":    update(t, update(t, good, 6, filledField), 4, "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"),
	} {
		t.Run(name, func(t *testing.T) {
			s := want{report.Invalid, report.FormatFailure, report.Intact}.compare(t, check(t, file, root(t)))
			if !s.ModifiedAfterSigning || len(s.Changes) == 0 || s.Changes[0].Allowed || !strings.Contains(s.Reason, s.Changes[0].What) {
				t.Errorf("modified %v, changes %+v: %s", s.ModifiedAfterSigning, s.Changes, s.Reason)
			}
		})
	}
	r := check(t, update(t, signedPDF(t, good, pki.SecondSigner), 5, "<< /Length 0 >>\nstream\n\nendstream"), root(t))
	for _, s := range r.Signatures {
		if s.Verdict != report.Invalid {
			t.Errorf("%s: %v, though what came after both is not permitted", s.Field, s.Verdict)
		}
	}
	// Without trust the verdict is invalid as well, not merely open.
	if r := check(t, update(t, good, 7, "null"), verify.Options{Now: moment}); r.Verdict != report.Invalid {
		t.Errorf("untrusted: %v", r.Verdict)
	}
}

// Changes that can't be compared leave the verdict open.
func TestChangesThatCannotBeTold(t *testing.T) {
	good := signedPDF(t, documents.Form(), pki.Signer)
	encrypted := bytes.Replace(update(t, good, 6, filledField), []byte("/Size 100 "), []byte("/Size 100 /Encrypt << >> "), 1)
	r := check(t, encrypted, root(t))
	if len(r.Signatures) != 1 || r.Verdict == report.Valid || !r.Signatures[0].ModifiedAfterSigning {
		t.Errorf("%+v, %v", r.Signatures, r.Error)
	}
}

func TestManyChangesAreCut(t *testing.T) {
	file := signedPDF(t, documents.Form(), pki.SignerP256)
	for i := range 250 {
		file = update(t, file, 6, strings.Replace(filledField, "Milano", fmt.Sprint(i), 1))
	}
	file = update(t, file, 7, "null")
	s := check(t, file, root(t)).Signatures[0]
	if n := len(s.Changes); n != 201 || s.Changes[0].Allowed || s.Changes[n-1].What != "and 51 more" {
		t.Errorf("%d changes, the first %+v, the last %+v", n, s.Changes[0], s.Changes[n-1])
	}
}

func TestRisksAreWarnings(t *testing.T) {
	script := update(t, documents.Plain(), 1, "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>")
	r := check(t, signedPDF(t, script, pki.Signer), root(t))
	if r.Verdict != report.Valid || len(r.Warnings) != 1 || r.Warnings[0].Code != "javaScript" {
		t.Errorf("%v with %+v", r.Verdict, r.Warnings)
	}
}
