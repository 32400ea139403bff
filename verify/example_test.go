// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/trust"
)

func ExampleFile() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	root, err := people.Issue(pki.Root)
	if err != nil {
		log.Fatal(err)
	}
	var p7m bytes.Buffer
	who := cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, Chain: rossi.Chain, SigningTime: moment}
	if err := cms.Sign(&p7m, strings.NewReader("ciao"), cms.Options{Signers: []cms.Signer{who}}); err != nil {
		log.Fatal(err)
	}

	file := io.NewSectionReader(bytes.NewReader(p7m.Bytes()), 0, int64(p7m.Len()))
	for _, anchors := range []*trust.Anchors{nil, trust.NewAnchors(root.Certificate)} {
		r, err := verify.File(context.Background(), file, verify.Options{Now: moment, Trust: anchors})
		if err != nil {
			log.Fatal(err)
		}
		s := r.Signatures[0]
		fmt.Println(s.Signer.Name, s.Integrity, r.Verdict, s.SubIndication)
	}
	// Output:
	// MARIO ROSSI intact indeterminate NO_CERTIFICATE_CHAIN_FOUND
	// MARIO ROSSI intact valid
}
