// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cli

import (
	"io/fs"
	"os"
	"syscall"
)

// othersMayWrite says whether somebody else than the user and root may change a file, or
// owns it.
func othersMayWrite(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return !known || stat.Uid != 0 && int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0
}

// idOf returns what no two files of the system share.
func idOf(info fs.FileInfo) (fileID, bool) {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return fileID{}, false
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino)}, true
}
