// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// now is the time at which the tests sign.
var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.FixedZone("CET", 3600))

// options returns what signs as the holder of the named identity.
func options(t testing.TB, name pki.Name) SignOptions {
	t.Helper()
	i := pki.New(now).Must(t, name)
	return SignOptions{
		Signer:      cms.Signer{Key: i.Key, Certificate: i.Certificate, Chain: i.Chain},
		SigningTime: now,
	}
}

// mustSign signs file and returns the signed file.
func mustSign(t testing.TB, file []byte, o SignOptions) []byte {
	t.Helper()
	signed, err := signBytes(file, o)
	if err != nil {
		t.Fatalf("signing: %v", err)
	}
	if !bytes.HasPrefix(signed, file) {
		t.Fatal("the signed file does not begin with the file")
	}
	return signed
}

func signBytes(file []byte, o SignOptions) ([]byte, error) {
	var out bytes.Buffer
	err := Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), o)
	return out.Bytes(), err
}

func mustOpen(t testing.TB, file []byte) *Document {
	t.Helper()
	d, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return d
}

func signatures(t testing.TB, file []byte) []*Signature {
	t.Helper()
	list, err := mustOpen(t, file).Signatures()
	if err != nil {
		t.Fatalf("reading signatures: %v", err)
	}
	return list
}

// onlySignature returns the one signature that file must have.
func onlySignature(t testing.TB, file []byte) *Signature {
	t.Helper()
	list := signatures(t, file)
	if len(list) != 1 {
		t.Fatalf("%d signatures, want 1", len(list))
	}
	return list[0]
}

// wantCoverage checks the facts that say how a signature is tied to the file.
func wantCoverage(t testing.TB, s *Signature, covers Coverage, problems ...Problem) {
	t.Helper()
	if s.Covers != covers || fmt.Sprint(s.Problems) != fmt.Sprint(problems) {
		t.Errorf("%s covers %v with problems %q, want %v with %q", s.Field, s.Covers, s.Problems, covers, problems)
	}
}

// checkCMS checks that the CMS of s is right for the bytes it signs.
func checkCMS(s *Signature) error {
	sd, err := cms.Read(bytes.NewReader(s.Contents), cms.ReadOptions{})
	if err != nil {
		return err
	}
	if err := sd.DigestContent(s.SignedBytes()); err != nil {
		return err
	}
	var all []error
	for _, signer := range sd.Signers {
		for _, f := range sd.Check(signer).Findings {
			all = append(all, errors.New(f.Detail))
		}
	}
	if len(sd.Signers) != 1 {
		all = append(all, fmt.Errorf("%d signers", len(sd.Signers)))
	}
	return errors.Join(all...)
}

func mustBeIntact(t testing.TB, s *Signature) {
	t.Helper()
	if err := checkCMS(s); err != nil {
		t.Errorf("%s: %v", s.Field, err)
	}
}

// replace puts with in the place of old, which must stand once in file and be
// as long, so that no offset changes.
func replace(t testing.TB, file []byte, old, with string) []byte {
	t.Helper()
	if n := bytes.Count(file, []byte(old)); n != 1 || len(old) != len(with) {
		t.Fatalf("replacing %q by %q: %d places, lengths %d and %d", old, with, n, len(old), len(with))
	}
	return bytes.Replace(file, []byte(old), []byte(with), 1)
}

// appendUpdate appends objects to file as an incremental update with a table
// of its own. Each object is "num gen obj … endobj".
func appendUpdate(t testing.TB, file []byte, objects ...string) []byte {
	t.Helper()
	last := mustOpen(t, file).newest()
	out := bytes.Clone(file)
	var rows string
	for _, o := range objects {
		var num, gen int
		if _, err := fmt.Sscanf(o, "%d %d obj", &num, &gen); err != nil {
			t.Fatalf("object %q: %v", o, err)
		}
		rows += fmt.Sprintf("%d 1\n%010d %05d n \n", num, len(out), gen)
		out = append(append(out, o...), '\n')
	}
	start := len(out)
	return fmt.Appendf(out, "xref\n%strailer\n<< /Size 100 /Root %v /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", rows, last.root, last.start, start)
}

// makePDF writes a file with a table out of the values of objects 1, 2, 3…, of
// which the first is the catalog.
func makePDF(values ...string) []byte {
	out := []byte("%PDF-1.7\n")
	rows := "0000000000 65535 f \n"
	for i, v := range values {
		rows += fmt.Sprintf("%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, v)
	}
	start := len(out)
	return fmt.Appendf(out, "xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n",
		len(values)+1, rows, len(values)+1, start)
}

// The smallest pages that makePDF can be given after a catalog.
const (
	pagesObject = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
	pageObject  = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"
)
