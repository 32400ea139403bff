// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package token

import (
	"errors"
	"strings"
	"testing"
)

// TestNoCgo wants a program built without C to say so, whatever the file.
func TestNoCgo(t *testing.T) {
	if err := Available(); !errors.Is(err, ErrNoCgo) {
		t.Errorf("available: %v", err)
	}
	for _, path := range []string{"/nowhere/libbit4xpki.so", t.TempDir()} {
		_, err := Open(path)
		if !errors.Is(err, ErrNoCgo) || !strings.Contains(err.Error(), "apt install gcc libc6-dev") {
			t.Errorf("opening %q: %v", path, err)
		}
	}
}

// TestNoCgoDiscover wants the same of a search, without a process for it.
func TestNoCgoDiscover(t *testing.T) {
	o := DiscoverOptions{Command: []string{"/nowhere/pectoken"}}
	d, err := Discover(t.Context(), []Candidate{{Path: "/nowhere/libbit4xpki.so"}}, o)
	if err != nil || len(d.Problems) != 1 || !errors.Is(d.Problems[0], ErrNoCgo) {
		t.Errorf("%+v, %v", d, err)
	}
}
