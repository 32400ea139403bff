// SPDX-License-Identifier: Apache-2.0

package outfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
)

// What is wrong with one name is found although the folder is good, and what is
// wrong with the folder is said of every name.
func TestFoldersCheck(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(in("old.txt"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var folders outfile.Folders
	for _, name := range []string{"a.txt", "b.txt", "perché.txt"} {
		if err := folders.Check(in(name), outfile.KeepExisting); err != nil {
			t.Error(err)
		}
	}
	if err := folders.Check(in("old.txt"), outfile.KeepExisting); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("of a file that exists Check says %v", err)
	}
	if err := folders.Check(in(strings.Repeat("n", 256)), outfile.KeepExisting); err == nil {
		t.Error("of a name that is too long Check says nothing")
	}
	for _, name := range []string{"a.txt", "b.txt"} {
		err := folders.Check(filepath.Join(folder, "none", name), outfile.KeepExisting)
		if failed := new(outfile.Error); !errors.As(err, &failed) || filepath.Base(failed.Path) != name || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("of %s in a folder that is missing Check says %v", name, err)
		}
	}
	contains(t, folder, "old.txt")
}

// Each file of those that are committed together succeeds or fails by itself.
func TestCommitAll(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	paths := []string{filepath.Join(folder, "a"), filepath.Join(folder, "late"), filepath.Join(other, "c"), filepath.Join(folder, "gone")}
	var files []*outfile.File
	for i, path := range paths {
		f, err := outfile.Create(path, outfile.KeepExisting)
		if err != nil {
			t.Fatal(err)
		}
		// Short, longer than what is gathered, and in pieces.
		for range i + 1 {
			if _, err := f.Write([]byte(strings.Repeat("x", i*20<<10))); err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, f)
	}
	if err := os.WriteFile(paths[1], []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	files[3].Discard()
	errs := outfile.CommitAll(files...)
	if errs[0] != nil || !errors.Is(errs[1], outfile.ErrExists) || errs[2] != nil || errs[3] == nil {
		t.Errorf("CommitAll says %v", errs)
	}
	if got := content(t, paths[1]); got != "first" {
		t.Errorf("the file that was faster holds %q", got)
	}
	if got := content(t, paths[2]); got != strings.Repeat("x", 3*40<<10) {
		t.Errorf("the file holds %d bytes", len(got))
	}
	contains(t, folder, "a", "late")
	contains(t, other, "c")
}
