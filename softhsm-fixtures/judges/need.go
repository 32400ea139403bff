// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// required are the tools every distribution packages and `.ci/prepare`
// installs. Where skips are forbidden, missing one of these is a failure; any
// other tool is big or rare, and its tests may always be skipped.
var required = []string{"certutil", "openssl", "pdfsig", "pdftoppm", "pk12util", "qpdf", "softhsm2"}

// Need returns the path of the program tool. When it is not installed the
// test ends as [Absent] says.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Absent(t, tool)
	}
	return path
}

// Absent ends a test for want of tool: it is skipped with the tool's name.
// With PECTOKEN_NO_SKIP=1 in the environment it fails instead, if the tool is
// one that distributions package and that is small.
func Absent(t testing.TB, tool string) {
	t.Helper()
	if os.Getenv("PECTOKEN_NO_SKIP") == "1" && slices.Contains(required, tool) {
		t.Fatalf("%s is not installed, and PECTOKEN_NO_SKIP=1 forbids to skip", tool)
	}
	t.Skipf("%s is not installed", tool)
}
