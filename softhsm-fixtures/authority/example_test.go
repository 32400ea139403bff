// SPDX-License-Identifier: Apache-2.0

package authority_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func ExampleOpen() {
	p := pki.New(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC))
	s, err := authority.Open(p, authority.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	signer, err := p.Issue(pki.SignerP256)
	if err != nil {
		log.Fatal(err)
	}
	list := signer.Certificate.CRLDistributionPoints[0]
	fmt.Println("the certificate points to the server:", list == s.URL(authority.CRL)+"/qualified-ca.crl")

	for _, fault := range []authority.Fault{"", authority.HTTP500, authority.EmptyAnswer} {
		if err := s.Fail(authority.CRL, fault); err != nil {
			log.Fatal(err)
		}
		response, err := http.Get(list)
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Printf("%q: %s, something %t, %v\n", fault, response.Status, len(content) > 0, err)
	}
	fmt.Println("requests:", s.Count(authority.CRL))
	// Output:
	// the certificate points to the server: true
	// "": 200 OK, something true, <nil>
	// "http-500": 500 Internal Server Error, something true, <nil>
	// "empty-answer": 200 OK, something false, <nil>
	// requests: 3
}
