// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/token"
	"github.com/pectoken/pectoken/token/tokentest"
)

// open stands for token.Open("/usr/lib/bit4id/libbit4xpki.so"): the examples
// have a token in memory instead of one in a reader.
func open() *token.Module {
	signer, err := pki.New(time.Now()).Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	key := tokentest.Identity{ID: []byte("DS0"), Label: "DS0", Key: signer.Key, Certificate: signer.Certificate}
	module, err := token.OpenScripted("scripted.so", tokentest.New(tokentest.NewToken("Firma", "123456", key.Objects()...)))
	if err != nil {
		log.Fatal(err)
	}
	return module
}

// askPIN stands for a question on the terminal.
func askPIN(_ context.Context, r token.PINRequest) ([]byte, error) {
	fmt.Printf("PIN of %s (%d to %d characters)?\n", r.Token.Label, r.Token.PIN.Min, r.Token.PIN.Max)
	return []byte("123456"), nil
}

func ExampleModule_Tokens() {
	module := open()
	defer module.Close()

	tokens, skipped, err := module.Tokens(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range skipped {
		fmt.Println("left out:", s)
	}
	for _, t := range tokens {
		fmt.Printf("%s, serial %s, in %s, PIN %s\n", t.Label, t.Serial, t.Reader, t.PIN.State)
	}
	// Output: Firma, serial 6090000000000000, in Reader 0, PIN ok
}

func ExampleToken_Certificates() {
	module := open()
	defer module.Close()
	tokens, _, err := module.Tokens(context.Background())
	if err != nil {
		log.Fatal(err)
	}

	certificates, err := tokens[0].Certificates(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range certificates {
		fmt.Printf("%s: %s, private key: %t\n", c.ID, c.X509.Subject.CommonName, c.HasPrivateKey)
	}
	// Output: DS0: MARIO ROSSI, private key: true
}

func ExampleToken_Signer() {
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

	signer, err := tokens[0].Signer(ctx, certificates[0], askPIN, token.LoginOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer signer.Close()
	digest := sha256.Sum256([]byte("what is signed"))
	signature, err := signer.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rsa.VerifyPKCS1v15(signer.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature))
	// Output:
	// PIN of Firma (5 to 8 characters)?
	// <nil>
}

func ExampleToken_VerifyPIN() {
	module := open()
	defer module.Close()
	ctx := context.Background()
	tokens, _, err := module.Tokens(ctx)
	if err != nil {
		log.Fatal(err)
	}

	wrong := func(context.Context, token.PINRequest) ([]byte, error) { return []byte("000000"), nil }
	err = tokens[0].VerifyPIN(ctx, wrong, token.LoginOptions{})
	fmt.Println(err)

	var refused *token.PINError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output:
	// verifying PIN of token "Firma": wrong PIN
	// CKR_PIN_INCORRECT (0xa0)
}

func ExampleFindModules() {
	for _, found := range token.FindModules() {
		module, err := token.Open(found.Path)
		if err != nil {
			fmt.Println(found.Vendor, err)
			continue
		}
		module.Close()
	}
}
