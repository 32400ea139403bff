// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pectoken/pectoken/sign/timestamp"
)

// always stands for a test where an example needs a fixture: it ends the program.
type always struct{ testing.TB }

func (always) Helper()           {}
func (always) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// exampleAuthority is a time-stamp authority on this machine.
func exampleAuthority() *httptest.Server {
	s := &server{}
	return httptest.NewServer(s.handler(stamps(newStamper(always{}), nil)))
}

// A document is stamped, and put into a .tsd with its stamp.
func Example() {
	authority := exampleAuthority()
	defer authority.Close()
	client := &timestamp.Client{
		Now:         clock,
		Transport:   http.DefaultTransport,
		Authorities: []timestamp.Authority{{URL: authority.URL}},
	}
	document := []byte("il documento")
	digests, err := client.Digest(bytes.NewReader(document))
	if err != nil {
		panic(err)
	}
	token, err := client.Stamp(context.Background(), digests)
	if err != nil {
		panic(err) // a *timestamp.StampError: it says whether a stamp may have been used up
	}
	var tsd bytes.Buffer
	stamp := timestamp.Evidence{Token: token}
	if err := timestamp.WriteTSD(&tsd, bytes.NewReader(document), int64(len(document)), nil, stamp); err != nil {
		panic(err)
	}
	fmt.Println(token.Info.Time)
	// Output: 2026-11-22 10:30:00.25 +0000 UTC
}

// The document comes out of a .tsd, and every stamp in it is looked at.
func ExampleRead() {
	file := tsd(always{}, nil, 2)
	var content bytes.Buffer
	c, err := timestamp.Read(bytes.NewReader(file), timestamp.ReadOptions{Content: &content})
	if err != nil {
		panic(err)
	}
	for n, e := range c.Evidence {
		if e.Err != nil {
			panic(e.Err)
		}
		fmt.Println(e.Token.Info.SerialNumber, c.Link(n) == timestamp.Linked, e.Token.Check().Err())
	}
	fmt.Println(content.String()) // unproven until whoever signed the stamps is trusted
	// Output:
	// 4711 true <nil>
	// 4711 true <nil>
	// il documento da marcare
}

// A stamp that stands alone is compared with its document.
func ExampleReadToken() {
	file := response(always{}, 0, newStamper(always{}).over(document))
	token, format, err := timestamp.ReadToken(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	covers, err := token.Covers(io.Reader(bytes.NewReader(document)))
	fmt.Println(format, covers, err)
	// Output: tsr true <nil>
}
