// SPDX-License-Identifier: Apache-2.0

package outfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeBack begins to write a part of a file to the disk and doesn't wait. That
// it can't is no error: Commit writes everything.
func writeBack(f *os.File, from, length int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, length, unix.SYNC_FILE_RANGE_WRITE)
}

// await waits for what writeBack began.
func await(f *os.File, from, length int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, length, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
}

// release waits until a part of a file is on the disk and takes it out of memory.
func release(f *os.File, from, length int64) {
	const wait = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	if unix.SyncFileRange(int(f.Fd()), from, length, wait) == nil {
		_ = unix.Fadvise(int(f.Fd()), from, length, unix.FADV_DONTNEED)
	}
}
