// SPDX-License-Identifier: Apache-2.0

package token

import (
	"os"
	"testing"
)

// TestMain makes the test program one that Discover can load modules in.
func TestMain(m *testing.M) {
	if ProbeMain(os.Args, os.Stdout) {
		os.Exit(0)
	}
	os.Exit(m.Run())
}
