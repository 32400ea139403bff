// SPDX-License-Identifier: Apache-2.0

//go:build unix

package outfile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
)

// TestPermissions compares with what the system gives a new file.
func TestPermissions(t *testing.T) {
	before := syscall.Umask(0o027)
	defer syscall.Umask(before)
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := write(t, path, outfile.KeepExisting, "new"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o640 {
		t.Errorf("permissions are %o, want 640", got)
	}
}

// TestLinks makes sure that a symbolic link counts as something that exists,
// and that replacing one leaves what it leads to alone.
func TestLinks(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := write(t, link, outfile.KeepExisting, "new"); err == nil {
		t.Error("a link was replaced")
	}
	if err := write(t, link, outfile.ReplaceExisting, "new"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, target); got != "old" {
		t.Errorf("what the link led to holds %q", got)
	}
	if got := content(t, link); got != "new" {
		t.Errorf("the new file holds %q", got)
	}
}
