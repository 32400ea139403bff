// SPDX-License-Identifier: Apache-2.0

// Pectoken signs with a PKCS#11 token and verifies what others signed: see
// pectoken help, and package cli, where its commands are.
package main

import (
	"os"
	"runtime"

	"github.com/pectoken/pectoken/cmd/internal/cli"
)

// init keeps the start on the first thread. There the C library takes memory from the
// heap that is there already; a module that is opened on another thread makes it set up one
// for that thread, which is a tenth of the time that listing a token takes.
func init() { runtime.LockOSThread() }

func main() { os.Exit(cli.Main()) }
