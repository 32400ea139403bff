// SPDX-License-Identifier: Apache-2.0

package pdf_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
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

// A document timestamp, and the certificates of the signature, so that both can be
// checked when nobody else keeps them any more.
func ExampleExtend() {
	signed, err := signContract()
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	p := pki.New(now)
	server, err := authority.Open(p, authority.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	signer, err := p.Issue(pki.Signer)
	if err != nil {
		fmt.Println(err)
		return
	}
	var lasting bytes.Buffer
	err = pdf.Extend(context.Background(), &lasting, bytes.NewReader(signed), int64(len(signed)), pdf.ExtendOptions{
		ValidationData: cms.ValidationData{Certificates: [][]byte{signer.Certificate.Raw, signer.Chain[0].Raw}},
		Stamp:          func(digest []byte) ([]byte, error) { return askForToken(server.URL(authority.TSA), digest) },
	})
	fmt.Println("grown:", lasting.Len() > len(signed), err)

	doc, err := pdf.Open(bytes.NewReader(lasting.Bytes()), int64(lasting.Len()))
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
		fmt.Println(s.Field, s.SubFilter, s.Covers)
	}
	// Output:
	// grown: true <nil>
	// Signature1 ETSI.CAdES.detached revision
	// Timestamp1 ETSI.RFC3161 wholeFile
}

// askForToken has a TSA stamp a SHA-256 digest. Package timestamp does this with all
// the checks that belong to it.
func askForToken(url string, digest []byte) ([]byte, error) {
	// A TimeStampReq that asks for the certificate, too.
	query := append([]byte("\x30\x39\x02\x01\x01\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), digest...)
	answer, err := http.Post(url, "application/timestamp-query", bytes.NewReader(append(query, 0x01, 0x01, 0xff)))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var response struct{ Status, Token asn1.RawValue }
	_, err = asn1.Unmarshal(content, &response)
	return response.Token.FullBytes, err
}

func ExampleDocument_SecurityStore() {
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
	// Here stands the revocation list that the issuer of the signer gives.
	crl := []byte{0x30, 0}
	var lasting bytes.Buffer
	err = pdf.Extend(context.Background(), &lasting, bytes.NewReader(signed), int64(len(signed)), pdf.ExtendOptions{
		VRI: map[string]cms.ValidationData{signatures[0].VRIKey(): {CRLs: [][]byte{crl}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	if doc, err = pdf.Open(bytes.NewReader(lasting.Bytes()), int64(lasting.Len())); err != nil {
		fmt.Println(err)
		return
	}
	store, err := doc.SecurityStore()
	if err != nil {
		fmt.Println(err)
		return
	}
	vri, ok := store.Of(signatures[0])
	fmt.Println(len(store.CRLs), "list, for the signature", len(vri.CRLs), ok)
	before, err := doc.SecurityStoreOf(signatures[0].Revision)
	fmt.Println("when it was signed there was none:", before == nil, err)
	// Output:
	// 1 list, for the signature 1 true
	// when it was signed there was none: true <nil>
}

// A signature timestamp goes into the CMS before it is written.
func ExampleSign_timestamp() {
	contract := documents.Form()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	p := pki.New(now)
	server, err := authority.Open(p, authority.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	signer, err := p.Issue(pki.Signer)
	if err != nil {
		fmt.Println(err)
		return
	}
	var signed bytes.Buffer
	err = pdf.Sign(context.Background(), &signed, bytes.NewReader(contract), int64(len(contract)), pdf.SignOptions{
		Signer:      cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain},
		SigningTime: now,
		Complete: func(signature []byte) ([]byte, error) {
			sd, err := cms.Read(bytes.NewReader(signature), cms.ReadOptions{})
			if err != nil {
				return nil, err
			}
			digest := sha256.Sum256(sd.Signers[0].Signature)
			token, err := askForToken(server.URL(authority.TSA), digest[:])
			if err != nil {
				return nil, err
			}
			stamp, err := cms.TimestampAttribute(cms.SignatureTimestamp, token)
			if err != nil {
				return nil, err
			}
			var stamped bytes.Buffer
			file := cms.Amended{Source: bytes.NewReader(signature), Size: int64(len(signature))}
			err = cms.Extend(&stamped, file, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {stamp}}})
			return stamped.Bytes(), err
		},
	})
	fmt.Println("tokens:", server.Issued(), err)
	// Output: tokens: 1 <nil>
}
