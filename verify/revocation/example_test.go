// SPDX-License-Identifier: Apache-2.0

package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/revocation"
)

// One certificate, asked about where it says; and with nobody to ask.
func ExampleChecker_Check() {
	now := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	people := pki.New(now)
	server, err := authority.Open(people, authority.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	question := revocation.Question{Certificate: rossi.Certificate, Issuer: rossi.Chain[0], At: now, Now: now}

	online := &revocation.Checker{Fetcher: &revocation.Fetcher{Now: people.Now}}
	answer, err := online.Check(context.Background(), question)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Kind, answer.Status == revocation.Good)

	var unknown *revocation.UnknownError
	_, err = (&revocation.Checker{}).Check(context.Background(), question)
	fmt.Println(errors.As(err, &unknown))
	// Output:
	// ocsp true
	// true
}
