// SPDX-License-Identifier: Apache-2.0

//go:build unix

package token

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// DisableCoreDumps keeps the process from leaving its memory, and the PINs in it,
// in a core file when it crashes. It holds for child processes too, and cannot be
// taken back. Where the system knows no core files it does nothing.
func DisableCoreDumps() error {
	// One byte, not none: with a limit of 0 Linux still hands the dump to a program
	// if /proc/sys/kernel/core_pattern names one, with a limit of 1 it does not.
	limit := syscall.Rlimit{Cur: 1, Max: 1}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return fmt.Errorf("forbidding core files: %w", err)
	}
	return nil
}

// killGroup makes a child the first of a group of processes, all of which are
// killed with it.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// howItEnded says how a process ended that gave no answer.
func howItEnded(p *os.ProcessState) string {
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("crashed (signal %d)", int(status.Signal()))
	}
	return fmt.Sprintf("ended with exit status %d", p.ExitCode())
}

// inode returns the number of a file on its disk, 0 if unknown.
func inode(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}

// othersMayWrite says whether somebody but the owner may change a file, or
// somebody else owns it.
func othersMayWrite(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o022 != 0 || !ok || int(stat.Uid) != os.Geteuid()
}
