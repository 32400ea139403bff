// SPDX-License-Identifier: Apache-2.0

package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// signContract signs a document with a form. The key is one of the test PKI;
// with a card it comes from package token.
func signContract() ([]byte, error) {
	contract := documents.Form()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	signer, err := pki.New(now).Issue(pki.Signer)
	if err != nil {
		return nil, err
	}
	var signed bytes.Buffer
	err = pdf.Sign(context.Background(), &signed, bytes.NewReader(contract), int64(len(contract)), pdf.SignOptions{
		Signer:      cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain},
		SigningTime: now,
		Reason:      "accettazione",
	})
	return signed.Bytes(), err
}

func ExampleSign() {
	signed, err := signContract()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the document is still there:", bytes.HasPrefix(signed, documents.Form()))
	// Output: the document is still there: true
}

// A signature in the field that the form has for it, to be seen there.
func ExampleSign_visible() {
	form := documents.EmptyField()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	signer, err := pki.New(now).Issue(pki.Signer)
	if err != nil {
		fmt.Println(err)
		return
	}
	var signed bytes.Buffer
	err = pdf.Sign(context.Background(), &signed, bytes.NewReader(form), int64(len(form)), pdf.SignOptions{
		Signer:      cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain},
		SigningTime: now,
		FieldName:   "approval.manager",
		Location:    "Roma",
		Appearance:  &pdf.Appearance{Lines: []string{"Approvato da {name}", "{location}, {date}"}, Border: true},
	})
	fmt.Println("grown:", signed.Len() > len(form), err)
	// Output: grown: true <nil>
}

// What the signature will look like, before there is a card to sign with.
func ExamplePreview() {
	form := documents.EmptyField()
	seal := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="teal"/></svg>`
	look, err := pdf.Preview(bytes.NewReader(form), int64(len(form)), pdf.SignOptions{
		SigningTime: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC),
		Name:        "MARIO ROSSI",
		Appearance: &pdf.Appearance{
			Width: 180, Height: 72, Picture: []byte(seal),
			Lines: []string{"Firmato da {name}", "{date}"}, QR: "{name}, {date}",
		},
	}, 300)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(look.Bounds().Size())
	// Output: (750,300)
}

func ExamplePreflight() {
	form := documents.EmptyField()
	err := pdf.Preflight(bytes.NewReader(form), int64(len(form)), pdf.SignOptions{FieldName: "city"})
	fmt.Println(err)
	// Output: signing field "city": the document already has a field of that name, which is not for signatures
}

func ExampleOpen() {
	signed, err := signContract()
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)))
	if err != nil {
		fmt.Println(err)
		return
	}
	signatures, err := doc.Signatures()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signatures {
		fmt.Println(s.Field, s.SubFilter, s.Reason)
		fmt.Println("covers:", s.Covers, "of revision", s.Revision+1, "of", len(doc.Revisions()))
		fmt.Println("problems:", len(s.Problems))
	}
	// Output:
	// Signature1 ETSI.CAdES.detached accettazione
	// covers: wholeFile of revision 2 of 2
	// problems: 0
}

func ExampleDocument_Signatures() {
	signed, err := signContract()
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)))
	if err != nil {
		fmt.Println(err)
		return
	}
	signatures, err := doc.Signatures()
	if err != nil {
		fmt.Println(err)
		return
	}
	s := signatures[0]
	sd, err := cms.Read(bytes.NewReader(s.Contents), cms.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := sd.DigestContent(s.SignedBytes()); err != nil {
		fmt.Println(err)
		return
	}
	check := sd.Check(sd.Signers[0])
	fmt.Println(check.Certificate.Subject.CommonName, "findings:", len(check.Findings))
	// Output: MARIO ROSSI findings: 0
}

func ExampleDocument_Changes() {
	signed, err := signContract()
	if err != nil {
		fmt.Println(err)
		return
	}
	// Somebody replaces object 5, the content of page 1, in an update.
	last := bytes.LastIndex(signed, []byte("startxref"))
	var prev int
	if _, err := fmt.Sscanf(string(signed[last:]), "startxref\n%d", &prev); err != nil {
		fmt.Println(err)
		return
	}
	forged := fmt.Appendf(bytes.Clone(signed), "5 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n")
	forged = fmt.Appendf(forged, "xref\n5 1\n%010d 00000 n \ntrailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		len(signed), prev, len(forged))

	doc, err := pdf.Open(bytes.NewReader(forged), int64(len(forged)))
	if err != nil {
		fmt.Println(err)
		return
	}
	signatures, err := doc.Signatures()
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := doc.Changes(signatures[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Println(c.Kind, c.Allowed, c.What)
	}
	// Output: page false page 1: content replaced
}

func ExampleDocument_Risks() {
	contract := documents.Form()
	doc, err := pdf.Open(bytes.NewReader(contract), int64(len(contract)))
	if err != nil {
		fmt.Println(err)
		return
	}
	risks, err := doc.Risks()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range risks {
		fmt.Println("think twice before signing: the document holds", r.What)
	}
	fmt.Println(len(risks), "risks")
	// Output: 0 risks
}
