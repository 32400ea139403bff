// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
)

// by makes the options of a signer, as those who hold a card do from its key and
// certificates.
func by(name pki.Name) sign.Options {
	who, err := people.Issue(name)
	if err != nil {
		log.Fatal(err)
	}
	return sign.Options{
		Signer: cms.Signer{Key: who.Key, Certificate: who.Certificate, Chain: who.Chain},
		Time:   moment,
	}
}

// signedDeed is a .p7m by MARIO ROSSI.
func signedDeed() []byte {
	var p7m bytes.Buffer
	if err := sign.Document(context.Background(), &p7m, section([]byte("atto")), by(pki.Signer)); err != nil {
		log.Fatal(err)
	}
	return p7m.Bytes()
}

// Two people sign the same document, in parallel.
func ExampleAddSigner() {
	var both bytes.Buffer
	err := sign.AddSigner(context.Background(), &both, sign.Existing{File: section(signedDeed())}, by(pki.SecondSigner))
	if err != nil {
		log.Fatal(err)
	}
	r, err := verify.File(context.Background(), section(both.Bytes()), verify.Options{Now: moment})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range r.Signatures {
		fmt.Println(s.Signer.Name, s.Integrity)
	}
	// Output:
	// MARIO ROSSI intact
	// LUCIA VERDI intact
}

// One person signs what another one signed.
func ExampleCounterSign() {
	var file bytes.Buffer
	err := sign.CounterSign(context.Background(), &file, sign.Existing{File: section(signedDeed())}, 0, by(pki.SecondSigner))
	if err != nil {
		log.Fatal(err)
	}
	r, err := verify.File(context.Background(), section(file.Bytes()), verify.Options{Now: moment})
	if err != nil {
		log.Fatal(err)
	}
	first := r.Signatures[0]
	fmt.Println(first.Signer.Name, "- over it:", first.CounterSignatures[0].Signer.Name)
	// Output: MARIO ROSSI - over it: LUCIA VERDI
}

// A signature that somebody made long ago gets a timestamp, without a key.
func ExampleExtend() {
	people := pki.New(moment)
	server, err := authority.Open(people, authority.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	var raised bytes.Buffer
	err = sign.Extend(context.Background(), &raised, sign.Existing{File: section(signedDeed())}, sign.Options{
		Level: sign.LevelT,
		Stamper: &timestamp.Client{
			Now:         people.Now,
			Transport:   http.DefaultTransport,
			Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	r, err := verify.File(context.Background(), section(raised.Bytes()), verify.Options{Now: moment})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Signatures[0].Level)
	// Output: B-T
}

// What would be refused is known before anybody is asked for a PIN.
func ExamplePreflight() {
	certified := by(pki.Signer)
	certified.Certify = pdf.NoChanges
	var contract bytes.Buffer
	if err := sign.Document(context.Background(), &contract, section(documents.Plain()), certified); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sign.Preflight(section(contract.Bytes()), sign.Options{Time: moment}) != nil)
	fmt.Println(sign.Preflight(section(documents.Plain()), sign.Options{Time: moment}))
	// Output:
	// true
	// <nil>
}

// The visible signature, at 150 pixels an inch.
func ExamplePreview() {
	look, err := sign.Preview(section(documents.Plain()), sign.Options{
		Time: moment, Name: "MARIO ROSSI", Appearance: &pdf.Appearance{Width: 180, Height: 72},
	}, 150)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(look.Bounds().Size())
	// Output: (375,150)
}
