// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cli

import "syscall"

// closeOnExec keeps the descriptor that a secret is read from out of the processes
// that load modules.
func (f *secretFlags) closeOnExec() {
	if f.fd > 2 {
		syscall.CloseOnExec(f.fd)
	}
}
