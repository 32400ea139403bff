// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package outfile

// renameNew renames a file unless there is one of the new name.
func renameNew(from, to string) error { return linkNew(from, to) }
