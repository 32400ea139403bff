// SPDX-License-Identifier: Apache-2.0

package cns_test

import (
	"fmt"
	"log"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func ExampleClassify() {
	holder, err := pki.New(time.Now()).Issue(pki.CNS)
	if err != nil {
		log.Fatal(err)
	}

	kind, reasons := cns.Classify(holder.Certificate)
	fmt.Println(kind)
	for _, reason := range reasons {
		fmt.Println("-", reason)
	}
	// Output:
	// cns
	// - key usage digitalSignature without nonRepudiation
	// - policy of the CNS (1.3.76.16.2.1)
	// - extended key usage clientAuth
	// - common name of the CNS's form
}

func ExampleSubjectOf() {
	holder, err := pki.New(time.Now()).Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}

	s := cns.SubjectOf(holder.Certificate)
	fmt.Println(s.Name, s.CodiceFiscale, s.Country)
	// Output: MARIO ROSSI RSSMRA80A01H501U IT
}

func ExampleCodiceFiscale() {
	holder, err := pki.New(time.Now()).Issue(pki.CNS)
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(cns.CodiceFiscale(holder.Certificate))
	// Output: RSSMRA80A01H501U true
}

func ExampleParseCodiceFiscale() {
	c, err := cns.ParseCodiceFiscale("VRDLGU75C41F205E")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Day, c.Month, c.Year, c.Sex == cns.Female, c.Place)

	_, err = cns.ParseCodiceFiscale("VRDLGU75C41F205F")
	fmt.Println(err)
	// Output:
	// 1 March 75 true F205
	// parsing codice fiscale "VRDLGU75C41F205F": check character 'F' instead of 'E'
}
