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
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

// A signature at level B-LTA is validated without asking anybody.
func ExampleDocument_level() {
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
	anchors := trust.NewAnchors(root.Certificate)

	var p7m bytes.Buffer
	err = sign.Document(context.Background(), &p7m, section([]byte("ciao")), sign.Options{
		Signer: cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, Chain: rossi.Chain},
		Time:   moment,
		Level:  sign.LevelLTA,
		Stamper: &timestamp.Client{
			Now:         people.Now,
			Transport:   http.DefaultTransport,
			Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}},
		},
		ValidationData: &verify.Collector{
			Trust:      anchors,
			Revocation: &revocation.Checker{Fetcher: &revocation.Fetcher{Now: people.Now}},
			Now:        people.Now,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	r, err := verify.File(context.Background(), section(p7m.Bytes()), verify.Options{
		Now: moment, Trust: anchors, Revocation: &revocation.Checker{},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Signatures[0].Level, r.Verdict)
	// Output: B-LTA valid
}
