// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// Where distributions put the driver of the virtual reader: Debian, and those
// with folders by architecture or word size, a local build.
var driverPatterns = []string{
	"/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
	"/usr/lib/*/pcsc/drivers/serial/libifdvpcd.so",
	"/usr/lib64/pcsc/drivers/serial/libifdvpcd.so",
	"/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so",
}

// Where distributions put OpenSC's module.
var openSCPatterns = []string{
	"/usr/lib/*/opensc-pkcs11.so",
	"/usr/lib64/opensc-pkcs11.so",
	"/usr/lib/opensc-pkcs11.so",
	"/usr/lib64/pkcs11/opensc-pkcs11.so",
	"/usr/lib/pkcs11/opensc-pkcs11.so",
	"/usr/local/lib/opensc-pkcs11.so",
}

// parts is what a service is made of.
type parts struct{ service, driver string }

// findParts finds the PC/SC service, which many users have no path to, and the
// driver of the virtual reader.
func findParts() (parts, error) {
	service, err := exec.LookPath("pcscd")
	if err != nil {
		service, err = find("pcscd (the PC/SC service)", "/usr/sbin/pcscd", "/usr/local/sbin/pcscd", "/sbin/pcscd")
	}
	if err != nil {
		return parts{}, err
	}
	driver, err := find("vpcd (vsmartcard's driver of a virtual reader)", driverPatterns...)
	return parts{service, driver}, err
}

// FindOpenSC returns the path of OpenSC's PKCS#11 module. The error matches
// [ErrNotInstalled] when there is none.
func FindOpenSC() (string, error) { return find("OpenSC's PKCS#11 module", openSCPatterns...) }

// OpenSC is FindOpenSC for a test, which is skipped where there is none, or fails
// with PECTOKEN_NO_SKIP=1 in the environment.
func OpenSC(t testing.TB) string {
	t.Helper()
	module, err := FindOpenSC()
	if err != nil {
		absent(t, err)
	}
	return module
}

// find returns the first file of any pattern.
func find(what string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%s is %w", what, ErrNotInstalled)
}
