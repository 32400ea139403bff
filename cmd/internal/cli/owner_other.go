// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package cli

import "io/fs"

// othersMayWrite is not known here: the mode of a file does not tell.
func othersMayWrite(fs.FileInfo) bool { return false }

// idOf knows nothing here: package os keeps it to itself.
func idOf(fs.FileInfo) (fileID, bool) { return fileID{}, false }
