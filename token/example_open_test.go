// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token_test

import (
	"errors"
	"fmt"

	"github.com/pectoken/pectoken/token"
)

func ExampleOpen() {
	_, err := token.Open("/nowhere/libbit4xpki.so")
	fmt.Println(err)

	var refused *token.ModuleError
	if errors.As(err, &refused) {
		fmt.Println("reason:", refused.Reason)
	}
	// Output:
	// opening module "/nowhere/libbit4xpki.so": no such file
	// reason: no such file
}
