// SPDX-License-Identifier: Apache-2.0

package outfile_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
)

// writeHalf is the name of the variable that turns the test binary into a
// process that writes half a file and waits to be killed.
const writeHalf = "OUTFILE_TEST_WRITE_HALF"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeHalf); path != "" {
		f, err := outfile.Create(path, outfile.KeepExisting)
		if err != nil {
			panic(err)
		}
		if _, err := f.Write(make([]byte, 1<<20)); err != nil {
			panic(err)
		}
		fmt.Println("half")
		select {}
	}
	os.Exit(m.Run())
}

func write(t *testing.T, path string, mode outfile.Mode, content string) error {
	t.Helper()
	f, err := outfile.Create(path, mode)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err == nil && string(got) == content {
		t.Error("the content is there before Commit")
	}
	return f.Commit()
}

// contains fails the test unless the folder holds exactly the files named.
func contains(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCommit(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.txt")
	if err := write(t, path, outfile.KeepExisting, "new"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "new" {
		t.Errorf("the file holds %q", got)
	}
	contains(t, folder, "a.txt")
}

func TestLongName(t *testing.T) {
	folder := t.TempDir()
	name := string(make([]byte, 0, 255))
	for len(name) < 255 {
		name += "n"
	}
	if err := write(t, filepath.Join(folder, name), outfile.KeepExisting, "new"); err != nil {
		t.Fatal(err)
	}
	contains(t, folder, name)
}

func TestKeepExisting(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.txt")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := outfile.Check(path, outfile.KeepExisting); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("Check says %v", err)
	}
	if err := write(t, path, outfile.KeepExisting, "new"); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("Create says %v", err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("the file holds %q", got)
	}
	contains(t, folder, "a.txt")
}

func TestFileAppearsMeanwhile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.txt")
	f, err := outfile.Create(path, outfile.KeepExisting)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("Commit says %v", err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("the file holds %q", got)
	}
	contains(t, folder, "a.txt")
}

func TestReplaceExisting(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.txt")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := outfile.Check(path, outfile.ReplaceExisting); err != nil {
		t.Error(err)
	}
	if err := write(t, path, outfile.ReplaceExisting, "new"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "new" {
		t.Errorf("the file holds %q", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file lost its permissions: %v, %v", info.Mode(), err)
	}
	contains(t, folder, "a.txt")
}

func TestDiscard(t *testing.T) {
	folder := t.TempDir()
	f, err := outfile.Create(filepath.Join(folder, "a.txt"), outfile.KeepExisting)
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	f.Discard()
	contains(t, folder)
	if err := f.Commit(); err == nil {
		t.Error("Commit after Discard says nothing")
	}
}

func TestRefusals(t *testing.T) {
	folder := t.TempDir()
	for name, path := range map[string]string{
		"a folder":       folder,
		"missing folder": filepath.Join(folder, "none", "a.txt"),
	} {
		t.Run(name, func(t *testing.T) {
			if err := outfile.Check(path, outfile.ReplaceExisting); err == nil {
				t.Error("Check says nothing")
			}
			if _, err := outfile.Create(path, outfile.ReplaceExisting); err == nil {
				t.Error("Create says nothing")
			}
		})
	}
}

// TestKilled kills a process in the middle of its file.
func TestKilled(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.txt")
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), writeHalf+"="+path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "half\n" {
		t.Fatalf("the process says %q, %v", line, err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is something under the final name (%v)", err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(folder, ".a.txt.pectoken-*")); len(hidden) != 1 {
		t.Errorf("hidden files: %q, want one", hidden)
	}
}

// TestLongFile writes files that are long enough to go past the memory of the system, in
// pieces and to an end that no disk knows.
func TestLongFile(t *testing.T) {
	for _, size := range []int{16<<20 - 1, 16 << 20, 17<<20 + 1, 37<<20 + 4096, 50<<20 + 12_345} {
		folder := t.TempDir()
		path := filepath.Join(folder, "a")
		f, err := outfile.Create(path, outfile.KeepExisting)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Discard()
		want := make([]byte, size)
		rand.NewChaCha8([32]byte{}).Read(want)
		for at, piece := 0, 60; at < size; at, piece = at+piece, 256<<10 {
			piece = min(piece, size-at)
			if n, err := f.Write(want[at : at+piece]); err != nil || n != piece {
				t.Fatalf("%d octets: writing %d: %d, %v", size, piece, n, err)
			}
		}
		if err := f.Commit(); err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d octets: other ones were written: %d, %v", size, len(got), err)
		}
		contains(t, folder, "a")
	}
}
