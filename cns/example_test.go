// SPDX-License-Identifier: Apache-2.0

package cns_test

import (
	"encoding/hex"
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
	// - given out by Servizi ai cittadini
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

func ExampleParsePersonalData() {
	d, err := cns.ParsePersonalData(pki.PersonalData())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Name, d.Surname, d.CodiceFiscale)
	fmt.Println("issued", d.Issued.Format(time.DateOnly), "expires", d.Expires.Format(time.DateOnly))
	fmt.Println(len(d.Warnings), "warnings")
	// Output:
	// MARIO ROSSI RSSMRA80A01H501U
	// issued 2024-01-01 expires 2029-12-31
	// 0 warnings
}

func ExampleCommonName_MatchHash() {
	n, err := cns.ParseCommonName("RSSMRA80A01H501U/6090000000000001.b6sR+ohoFtM3/f3NaH5B7i8sv3E=")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.CodiceFiscale, n.CardID, n.MatchHash(pki.PersonalData()))
	// Output: RSSMRA80A01H501U 6090000000000001 file
}

func ExampleParseATR() {
	raw, err := hex.DecodeString("3bff1800008131fe45006b05052000012101434e5310318079")
	if err != nil {
		log.Fatal(err)
	}
	a, err := cns.ParseATR(raw)
	if err != nil {
		log.Fatal(err)
	}
	chip, _ := cns.ChipOf(a)
	fmt.Printf("%s, CNS version %x, check character %v\n", a.Mark, a.CNSVersion, a.Check)
	fmt.Println(chip.Name)
	if c, ok := cns.CertificationOf(a); ok {
		fmt.Println("certified until", c.Until.Format(time.DateOnly))
	}
	// Output:
	// CNS, CNS version 10, check character good
	// ID-One CNS V2 on Cosmo V9
	// certified until 2025-12-31
}

func ExampleWebmailReady() {
	holder, err := pki.New(time.Now()).Issue(pki.CNS)
	if err != nil {
		log.Fatal(err)
	}
	ready, findings := cns.WebmailReady(holder.Certificate, time.Now(), "VRDLGU75C41F205E")
	fmt.Println(ready)
	for _, f := range findings[1:] {
		fmt.Println("-", f.Answer, f.Text)
	}
	// Output:
	// no
	// - yes a CNS certificate
	// - no for another codice fiscale, RSSMRA80A01H501U
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
