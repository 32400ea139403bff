// SPDX-License-Identifier: Apache-2.0

//go:build !cgo || !unix

package token

// defaultSignals has nothing to do where no C is called, and on Windows.
func defaultSignals() {}
