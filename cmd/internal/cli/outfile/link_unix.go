// SPDX-License-Identifier: Apache-2.0

//go:build unix

package outfile

import (
	"errors"
	"io/fs"
	"os"
)

// linkNew renames by way of a second hard link, which is never made over an
// existing file. Where there are no hard links, as on a FAT stick, it renames:
// a file that appears in that very moment would be lost.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	return os.Rename(from, to)
}

// syncFolder brings a new name to the disk. File systems that can't do that for
// a folder say so, which is no reason to call the file unwritten.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return nil // a folder may be written to and not read
	}
	_ = folder.Sync()
	return folder.Close()
}
