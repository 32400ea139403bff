// SPDX-License-Identifier: Apache-2.0

// Command pectoken-fixtures makes by hand what the tests of pectoken make for
// themselves: a SoftHSM2 token or a virtual CNS in a virtual reader to try the
// program with, the test certificates, the services of their authorities, and the
// answers of other programs about a file. It also runs the benchmark.
package main

import (
	"os"

	"github.com/pectoken/pectoken/cmd/pectoken-fixtures/internal/cli"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

func main() {
	virtualcard.Hook()
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
