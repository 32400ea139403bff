// SPDX-License-Identifier: Apache-2.0

package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Folders is [Check] for many files in few folders. The zero value is ready. It is for
// one goroutine.
type Folders struct {
	tried map[string]error // by folder, why no file can be made there
}

// Check is the function [Check], but for this: a folder that took one file counts as
// one that takes the next, if there is nothing unusual about its name.
func (f *Folders) Check(path string, mode Mode) error {
	if err := vacant(path, mode); err != nil {
		return &Error{"creating", path, err}
	}
	if !plain(filepath.Base(path)) {
		return try(path)
	}
	folder := filepath.Dir(path)
	denied, known := f.tried[folder]
	if !known {
		if f.tried == nil {
			f.tried = map[string]error{}
		}
		denied = try(path)
		f.tried[folder] = denied
	}
	if failed := new(Error); errors.As(denied, &failed) {
		return &Error{failed.Doing, path, failed.Err}
	}
	return denied
}

// try makes a file and removes it again.
func try(path string) error {
	temp, err := createTemp(path)
	if err != nil {
		return &Error{"creating", path, cause(err)}
	}
	return errors.Join(temp.Close(), os.Remove(temp.Name()))
}

// plain says whether every file system takes a name, but for its length.
func plain(name string) bool {
	unusual := func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"*/:<>?\|`, r) }
	return !strings.ContainsFunc(name, unusual) && !strings.HasSuffix(name, " ") && !strings.HasSuffix(name, ".")
}
