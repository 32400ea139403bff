// SPDX-License-Identifier: Apache-2.0

//go:build cgo && windows

package token

import "syscall"

// loadFailure finds out why the binding, which gives no reason, did not load a
// library.
func loadFailure(path string) string {
	library, err := syscall.LoadLibrary(path)
	if err != nil {
		return "the system does not load it: " + err.Error()
	}
	_ = syscall.FreeLibrary(library) // only loaded to hear a reason
	return "not a PKCS#11 module: it has no function C_GetFunctionList"
}
