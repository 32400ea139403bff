// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOpenAndClose(t *testing.T) {
	p := Start(t)
	if name, socket, _ := strings.Cut(p.Env(), "="); os.Getenv(name) != socket {
		t.Errorf("%s is %q, and Env says %q", name, os.Getenv(name), p.Env())
	}
	if _, err := Open(t.Context()); err == nil || !strings.Contains(err.Error(), "no second") {
		t.Errorf("a second one: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.host.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
	again, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again.Env() != p.Env() {
		t.Errorf("the library has to find it at %s, and it is at %s", p.Env(), again.Env())
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// The service is in namespaces: neither its port nor its processes are here.
func TestNothingIsSeenOutside(t *testing.T) {
	p := Start(t)
	inside, err := os.Stat(p.host.socket())
	if err != nil || inside.Mode().Type() != os.ModeSocket {
		t.Fatal(inside, err)
	}
	const column = "8C7B" // the port in the kernel's list
	for _, list := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if ports, err := os.ReadFile(list); err == nil && strings.Contains(string(ports), ":"+column+" ") {
			t.Errorf("the driver's port is open to everybody: %s", ports)
		}
	}
	if _, err := os.Stat(filepath.Join(runFolder, readersName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is the host's: %v", runFolder, err)
	}
}

func TestHostThatEnded(t *testing.T) {
	p := Start(t)
	if err := p.host.control.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := p.First.Insert(Foreign()); err == nil {
		t.Error("a card went into a reader that is gone")
	}
}

func TestNamespaceError(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("fork/exec: %w", syscall.EPERM), true},
		{fmt.Errorf("fork/exec: %w", syscall.ENOSPC), true},
		{fmt.Errorf("fork/exec: %w", syscall.ENOENT), false},
	} {
		if err := namespaceError(c.err); errors.Is(err, ErrNotPermitted) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%v is %v", c.err, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "driver.so")
	if _, err := find("a driver", name); !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "a driver") {
		t.Errorf("nothing is there: %v", err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := find("a driver", filepath.Join(dir, "none"), filepath.Join(dir, "*.so")); got != name || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
}

func TestFolderWithALongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 25))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	if _, err := newFolder(); err == nil || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

func TestWithoutHook(t *testing.T) {
	hooked.Store(false)
	defer hooked.Store(true)
	if _, err := Open(t.Context()); err == nil || !strings.Contains(err.Error(), "virtualcard.Hook") {
		t.Errorf("got %v", err)
	}
}
