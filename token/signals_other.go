// SPDX-License-Identifier: Apache-2.0

//go:build !cgo || !unix

package token

// defaultSignals has nothing to do where no C is called, and on Windows.
func defaultSignals() {}

// CrashTo has a crash in C, or in Go, end the process with this exit code from now on,
// without a word. It is for a program that has done its work, and has but to close its
// modules: some crash in C_Finalize, and would have success look like failure. It cannot
// be taken back. Where no C is called, and on Windows, it does nothing.
func CrashTo(exitCode int) {}
