// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/pectoken/pectoken/token"
)

func ExampleDiscover() {
	// A program gives its own path as Command, and calls ProbeMain first in main. Here
	// two modules in memory stand for those of the vendor and of OpenSC.
	modules := map[string]*token.Module{"/usr/lib/libbit4xpki.so": open(), "/usr/lib/opensc-pkcs11.so": open()}
	options := token.DiscoverOptions{Open: func(path string) (*token.Module, error) {
		if modules[path] == nil {
			return nil, &token.ModuleError{Path: path, Reason: "no such file", Err: os.ErrNotExist}
		}
		return modules[path], nil
	}}
	candidates := []token.Candidate{
		{Path: "/usr/lib/opensc-pkcs11.so", Vendor: "OpenSC", Source: token.SourceP11Kit},
		{Path: "/usr/lib/libbit4xpki.so", Vendor: "Bit4id", Source: token.SourceKnown},
		{Path: "/opt/driver.so", Source: token.SourceConfig},
	}

	found, err := token.Discover(context.Background(), candidates, options)
	if err != nil {
		log.Fatal(err)
	}
	for _, problem := range found.Problems {
		fmt.Println(problem)
	}
	for _, m := range found.Modules {
		fmt.Printf("%s: %d token\n", m.Vendor, len(m.Tokens))
	}
	// Output:
	// opening module "/opt/driver.so": no such file
	// Bit4id: 1 token
	// OpenSC: 1 token
}

func ExampleProbeMain() {
	if token.ProbeMain(os.Args, os.Stdout) {
		return
	}
	fmt.Println("started by a person")
	// Output: started by a person
}

func ExamplePlaces_Candidates() {
	for _, c := range (token.Places{Paths: []string{"/opt/libbit4xpki.so"}, P11Kit: []string{}}).Candidates() {
		if c.Source == token.SourceGiven {
			fmt.Println(c.Path, c.Vendor)
		}
	}
	// Output: /opt/libbit4xpki.so Bit4id
}

func ExampleMemory() {
	folder, err := os.MkdirTemp("", "memory")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	memory := token.Memory{Path: filepath.Join(folder, "cards.json")}

	_, _, err = memory.Open(context.Background(), nil)
	fmt.Println(err) // so a full look is needed
	fmt.Println(memory.Keep(&token.Discovery{}, time.Now()))
	// Output:
	// no remembered card is here
	// <nil>
}

func ExampleParseURI() {
	uri, err := token.ParseURI("pkcs11:token=MARIO%20ROSSI;id=%44%53%30?pin-value=123456")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(uri) // never with the PIN
	fmt.Println(uri.MatchToken(token.Info{Label: "MARIO ROSSI", Serial: "6090"}))
	// Output:
	// pkcs11:token=MARIO%20ROSSI;id=%44%53%30
	// true
}

func ExampleToken_Decrypter() {
	module := open()
	defer module.Close()
	ctx := context.Background()
	tokens, _, err := module.Tokens(ctx)
	if err != nil {
		log.Fatal(err)
	}
	certificates, err := tokens[0].Certificates(ctx)
	if err != nil {
		log.Fatal(err)
	}
	public := certificates[0].X509.PublicKey.(*rsa.PublicKey)
	ciphertext, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, []byte("secret"), nil)
	if err != nil {
		log.Fatal(err)
	}

	decrypter, err := tokens[0].Decrypter(ctx, certificates[0], askPIN, token.LoginOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer decrypter.Close()
	plain, err := decrypter.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA256})
	fmt.Printf("%s, %v\n", plain, err)
	// Output:
	// PIN of Firma (5 to 8 characters)?
	// secret, <nil>
}

func ExampleToken_ChangePIN() {
	module := open()
	defer module.Close()
	ctx := context.Background()
	tokens, _, err := module.Tokens(ctx)
	if err != nil {
		log.Fatal(err)
	}

	ask := func(_ context.Context, r token.PINRequest) ([]byte, error) {
		if r.Use == token.PINUseNew {
			return []byte("2468"), nil // too short
		}
		return []byte("123456"), nil
	}
	fmt.Println(tokens[0].ChangePIN(ctx, ask, token.LoginOptions{DigitsOnly: true}))
	// Output: changing PIN of token "Firma": the new PIN has a wrong length: this token wants 5 to 8 characters
}

func ExampleModule_Watch() {
	module := open()
	defer module.Close()
	for event, err := range module.Watch(context.Background(), time.Second) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Kind, event.Token.Label)
		break
	}
	// Output: inserted Firma
}
