// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package token

import (
	"fmt"
	"os"
	"os/exec"
)

// DisableCoreDumps keeps the process from leaving its memory, and the PINs in it,
// in a core file when it crashes. It holds for child processes too, and cannot be
// taken back. Where the system knows no core files it does nothing.
func DisableCoreDumps() error { return nil }

// killGroup leaves it at killing the child alone.
func killGroup(*exec.Cmd) {}

// howItEnded says how a process ended that gave no answer. On Windows a crash is
// an exit code above 0xC0000000.
func howItEnded(p *os.ProcessState) string {
	if code := uint32(p.ExitCode()); code >= 0xc0000000 {
		return fmt.Sprintf("crashed (%#x)", code)
	}
	return fmt.Sprintf("ended with exit status %d", p.ExitCode())
}

// inode returns the number of a file on its disk, 0 if unknown.
func inode(os.FileInfo) uint64 { return 0 }

// othersMayWrite trusts the permissions of the user's own folders.
func othersMayWrite(os.FileInfo) bool { return false }
