// SPDX-License-Identifier: Apache-2.0

// Pectoken signs with a PKCS#11 token and verifies what others signed: see
// pectoken help, and package cli, where its commands are.
package main

import (
	"os"

	"github.com/pectoken/pectoken/cmd/internal/cli"
)

func main() { os.Exit(cli.Main()) }
