// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

func TestNested(t *testing.T) {
	rossi, verdi := signer(t, pki.Signer), signer(t, pki.SecondSigner)
	inner := p7m(t, "atto", false, verdi)
	tampered := bytes.Replace(inner, []byte("atto"), []byte("ATTO"), 1)
	signed := signedPDF(t, documents.Plain(), pki.SecondSigner)
	armored := []byte(base64.StdEncoding.EncodeToString(p7m(t, string(inner), false, rossi)))
	for name, c := range map[string]struct {
		file    []byte
		nested  int
		verdict report.Verdict
	}{
		"p7m in p7m":          {p7m(t, string(inner), false, rossi), 1, report.Valid},
		"in base64":           {armored, 1, report.Valid},
		"broken p7m in p7m":   {p7m(t, string(tampered), false, rossi), 1, report.Invalid},
		"cut p7m in p7m":      {p7m(t, string(inner[:len(inner)-9]), false, rossi), 1, report.Invalid},
		"signed PDF in p7m":   {p7m(t, string(signed), false, rossi), 1, report.Valid},
		"unsigned PDF in p7m": {p7m(t, string(documents.Plain()), false, rossi), 0, report.Valid},
	} {
		t.Run(name, func(t *testing.T) {
			o := root(t)
			o.Name = "a.pdf.p7m.p7m"
			r := check(t, c.file, o)
			if len(r.Nested) != c.nested || r.Verdict != c.verdict || len(r.Signatures) != 1 || r.Signatures[0].Verdict != report.Valid {
				t.Errorf("%d nested, verdict %v: %v", len(r.Nested), r.Verdict, r.Warnings)
			}
			if c.nested > 0 && r.Nested[0].File != "a.pdf.p7m" {
				t.Errorf("the inner file is called %q", r.Nested[0].File)
			}
		})
	}
}

func TestNestingHasAnEnd(t *testing.T) {
	file := []byte("atto")
	for range 12 {
		file = p7m(t, string(file), false, signer(t, pki.SignerP256))
	}
	r := check(t, file, root(t))
	if r.Verdict != report.Indeterminate {
		t.Errorf("verdict %v though not everything was opened", r.Verdict)
	}
	depth := 0
	for ; len(r.Nested) > 0; r = r.Nested[0] {
		depth++
	}
	if depth < 8 || depth > 10 {
		t.Errorf("%d levels were opened", depth)
	}
}

func TestCounterSignatures(t *testing.T) {
	file := p7m(t, "atto", false, signer(t, pki.Signer))
	for _, by := range []pki.Name{pki.SecondSigner, pki.Expired} {
		var out bytes.Buffer
		amended := cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}
		if err := cms.CounterSign(&out, amended, 0, signer(t, by)); err != nil {
			t.Fatal(err)
		}
		file = out.Bytes()
	}
	r := check(t, file, root(t))
	if len(r.Signatures) != 1 || r.Signatures[0].Verdict != report.Valid || len(r.Signatures[0].CounterSignatures) != 2 {
		t.Fatalf("%d signatures: %+v", len(r.Signatures), r.Signatures)
	}
	for i, want := range []report.Verdict{report.Valid, report.Indeterminate} {
		c := r.Signatures[0].CounterSignatures[i]
		if c.Verdict != want || c.ID != fmt.Sprintf("S1.%d", i+1) || c.Integrity != report.Intact || c.Format != "CAdES" {
			t.Errorf("counter-signature %s: %v %v %s", c.ID, c.Verdict, c.Integrity, c.Format)
		}
	}
	if r.Verdict != report.Indeterminate {
		t.Errorf("the file is %v though a counter-signature is not valid", r.Verdict)
	}
}
