// SPDX-License-Identifier: Apache-2.0

package outfile

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameNew renames a file unless there is one of the new name. Old kernels and
// some file systems can't do it in one step: then a second hard link can.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return linkNew(from, to)
	}
	return err
}
