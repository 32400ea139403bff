// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// remember keeps what is discovered on a SoftHSM through a copy of its module that
// the test may change.
func remember(t *testing.T) (memory Memory, module string) {
	t.Helper()
	o := inChildren(t)
	h := hsmWithFirma(t)
	content, err := os.ReadFile(h.Module())
	if err != nil {
		t.Fatal(err)
	}
	module = filepath.Join(t.TempDir(), "libsofthsm2.so")
	if err := os.WriteFile(module, content, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Discover(t.Context(), given(module), o)
	if err != nil || len(d.Certificates) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	memory = Memory{Path: filepath.Join(t.TempDir(), "cache", "cards.json")}
	if err := memory.Keep(d, time.Now()); err != nil {
		t.Fatal(err)
	}
	return memory, module
}

func TestMemory(t *testing.T) {
	memory, module := remember(t)
	if info, err := os.Stat(memory.Path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(memory.Path)); len(files) != 1 {
		t.Errorf("beside the file: %v", files)
	}
	content, err := os.ReadFile(memory.Path)
	if err != nil || bytes.Contains(content, []byte(rightPIN)) {
		t.Errorf("the file: %s, %v", content, err)
	}
	m, tokens, err := memory.Open(t.Context(), func(r Remembered) bool { return r.Label == "Firma" && len(r.Certificates) == 2 })
	if err != nil {
		t.Fatal(err)
	}
	if m.Path() != module || len(tokens) != 1 || tokens[0].Label != "Firma" {
		t.Errorf("module %q, tokens %v", m.Path(), tokens)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := memory.Open(t.Context(), func(r Remembered) bool { return r.Label == "Altra" }); !errors.Is(err, ErrNotRemembered) {
		t.Errorf("another card: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := memory.Open(cancelled, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMemoryIsDoubted wants a full look after anything changed.
func TestMemoryIsDoubted(t *testing.T) {
	cases := []struct {
		name   string
		change func(t *testing.T, memory Memory, module string)
	}{
		{"the module was replaced", func(t *testing.T, _ Memory, module string) {
			content, err := os.ReadFile(module)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, module, append(content, 0))
		}},
		{"the module was touched", func(t *testing.T, _ Memory, module string) {
			if err := os.Chtimes(module, time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}},
		{"the module is gone", func(t *testing.T, _ Memory, module string) {
			if err := os.Remove(module); err != nil {
				t.Fatal(err)
			}
		}},
		{"the card is gone", func(t *testing.T, memory Memory, _ string) {
			edit(t, memory, `"Serial":"`, `"Serial":"another`)
		}},
		{"the file is damaged", func(t *testing.T, memory Memory, _ string) { edit(t, memory, "{", "{{") }},
		{"the file is of another version", func(t *testing.T, memory Memory, _ string) { edit(t, memory, `"Version":1`, `"Version":2`) }},
		{"the file is huge", func(t *testing.T, memory Memory, _ string) {
			overwrite(t, memory.Path, bytes.Repeat([]byte(" "), maxMemory+1))
		}},
		{"others may write to the file", func(t *testing.T, memory Memory, _ string) {
			if runtime.GOOS == "windows" {
				t.Skip("file permissions")
			}
			if err := os.Chmod(memory.Path, 0o622); err != nil {
				t.Fatal(err)
			}
		}},
		{"forgotten", func(t *testing.T, memory Memory, _ string) {
			if err := errors.Join(memory.Forget(), memory.Forget()); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			memory, module := remember(t)
			c.change(t, memory, module)
			if _, _, err := memory.Open(t.Context(), nil); !errors.Is(err, ErrNotRemembered) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, memory Memory, old, fresh string) {
	t.Helper()
	content, err := os.ReadFile(memory.Path)
	if err != nil || !strings.Contains(string(content), old) {
		t.Fatalf("%s, %v", content, err)
	}
	overwrite(t, memory.Path, []byte(strings.ReplaceAll(string(content), old, fresh)))
}

func TestMemoryCannotBeWritten(t *testing.T) {
	memory := Memory{Path: filepath.Join(t.TempDir(), "file", "cards.json")}
	overwrite(t, filepath.Dir(memory.Path), nil)
	if err := memory.Keep(&Discovery{}, time.Now()); err == nil || !strings.HasPrefix(err.Error(), "remembering cards: ") {
		t.Errorf("error %v", err)
	}
}
