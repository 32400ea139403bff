// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func ExampleSign() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	var p7m bytes.Buffer
	err = cms.Sign(&p7m, strings.NewReader("Cara Lucia,\n"), cms.Options{Signers: []cms.Signer{{
		Key:         rossi.Key, // of a token, or any other crypto.Signer
		Certificate: rossi.Certificate,
		Chain:       rossi.Chain,
		SigningTime: moment,
	}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cms.Recognize(&p7m))
	// Output: true
}

func ExampleRead() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	var p7m bytes.Buffer
	who := cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, SigningTime: moment}
	if err := cms.Sign(&p7m, strings.NewReader("Cara Lucia,\n"), cms.Options{Signers: []cms.Signer{who}}); err != nil {
		log.Fatal(err)
	}

	sd, err := cms.Read(&p7m, cms.ReadOptions{Content: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range sd.Signers {
		c := sd.Check(s)
		fmt.Println(s.Algorithm(c.Certificate), c.ValueMatches, c.Findings)
	}
	// Output:
	// Cara Lucia,
	// RSA-2048 with SHA-256 true []
}

func ExampleSigner_SignDigest() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	who := cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate}
	der, err := who.SignDigest(make([]byte, 32)) // a SHA-256 digest computed elsewhere
	if err != nil {
		log.Fatal(err)
	}
	most, err := who.MaxDetachedSize()
	fmt.Println(len(der) == most, err) // RSA signatures always have one length
	// Output: true <nil>
}
