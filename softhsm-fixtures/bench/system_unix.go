// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package bench

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the highest resident set of a finished process, in bytes.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) // bytes there, KiB on Linux
	}
	return int64(usage.Maxrss) << 10
}

// freeSpace is what a user may still write to the file system of dir.
func freeSpace(dir string) (bytes int64, known bool) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, false
	}
	return int64(stat.Bavail) * int64(stat.Bsize), true
}
