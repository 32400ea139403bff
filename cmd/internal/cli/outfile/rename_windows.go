// SPDX-License-Identifier: Apache-2.0

package outfile

import "golang.org/x/sys/windows"

// renameNew renames a file unless there is one of the new name: without
// MOVEFILE_REPLACE_EXISTING that is what MoveFileEx does.
func renameNew(from, to string) error {
	source, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	target, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(source, target, windows.MOVEFILE_WRITE_THROUGH)
}

// syncFolder does nothing: MOVEFILE_WRITE_THROUGH has brought the name to the
// disk.
func syncFolder(string) error { return nil }
