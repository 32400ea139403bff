// SPDX-License-Identifier: Apache-2.0

package tokentest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/pectoken/pectoken/token"
	"github.com/pectoken/pectoken/token/tokentest"
)

// A card on its last try: the PIN is not sent.
func ExampleModule() {
	card := tokentest.NewToken("Firma", "123456")
	card.Tries = 1
	scripted := tokentest.New(card)
	module, err := token.OpenScripted("scripted.so", scripted)
	if err != nil {
		log.Fatal(err)
	}
	defer module.Close()
	tokens, _, err := module.Tokens(context.Background())
	if err != nil {
		log.Fatal(err)
	}

	ask := func(context.Context, token.PINRequest) ([]byte, error) { return []byte("123456"), nil }
	fmt.Println(tokens[0].VerifyPIN(context.Background(), ask, token.LoginOptions{}))
	fmt.Println(scripted.Count("C_Login"), "logins")
	// Output:
	// verifying PIN of token "Firma": only one try is left before the PIN locks
	// 0 logins
}
