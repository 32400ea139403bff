// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

func rossi() cms.Signer {
	who, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	return cms.Signer{Key: who.Key, Certificate: who.Certificate, Chain: who.Chain}
}

// The document is taken out after it was found intact.
func ExampleExtract() {
	var p7m, document bytes.Buffer
	if err := cms.Sign(&p7m, strings.NewReader("ciao"), cms.Options{Signers: []cms.Signer{rossi()}}); err != nil {
		log.Fatal(err)
	}
	r, err := verify.File(context.Background(), section(p7m.Bytes()), verify.Options{Now: moment})
	if err != nil {
		log.Fatal(err)
	}
	if r.Signatures[0].Integrity != report.Intact {
		log.Fatal("forged")
	}
	if err := verify.Extract(context.Background(), section(p7m.Bytes()), 0, &document); err != nil {
		log.Fatal(err)
	}
	fmt.Println(&document)
	// Output: ciao
}

// A PDF that was signed twice, as the first signer saw it.
func ExampleRevision() {
	once, twice := &bytes.Buffer{}, &bytes.Buffer{}
	o := pdf.SignOptions{Signer: rossi(), SigningTime: moment}
	if err := pdf.Sign(context.Background(), once, bytes.NewReader(documents.Plain()), int64(len(documents.Plain())), o); err != nil {
		log.Fatal(err)
	}
	if err := pdf.Sign(context.Background(), twice, bytes.NewReader(once.Bytes()), int64(once.Len()), o); err != nil {
		log.Fatal(err)
	}
	revision, r, err := verify.Revision(context.Background(), section(twice.Bytes()), "S1", verify.Options{Now: moment})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(revision.Size() == int64(once.Len()), r.Signatures[0].Integrity)
	// Output: true intact
}

// What a signature has to keep inside to be validated offline for years: the issuer's
// certificate, and an answer for each certificate that can be revoked.
func ExampleCollector() {
	people := pki.New(moment)
	server, err := authority.Open(people, authority.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	root, err := people.Issue(pki.Root)
	if err != nil {
		log.Fatal(err)
	}
	c := &verify.Collector{
		Trust:      trust.NewAnchors(root.Certificate),
		Revocation: &revocation.Checker{Fetcher: &revocation.Fetcher{Now: people.Now}},
		Now:        people.Now,
	}
	data, err := c.ValidationData(context.Background(), rossi.Certificate, rossi.Chain, moment)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(data.Certificates) >= 2, len(data.OCSP)+len(data.CRLs))
	// Output: true 2
}
