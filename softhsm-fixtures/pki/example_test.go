// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"fmt"
	"log"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func ExampleNew() {
	p := pki.New(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC))
	signer, err := p.Issue(pki.SignerP256)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(signer.Certificate.Subject.CommonName)
	fmt.Println(signer.Certificate.Subject.SerialNumber)
	fmt.Println("until", signer.Certificate.NotAfter.Format(time.DateOnly))
	fmt.Println("issuers up to the root:", len(signer.Chain))
	// Output:
	// MARIO ROSSI
	// TINIT-RSSMRA80A01H501U
	// until 2028-11-19
	// issuers up to the root: 1
}
