// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Module is an open PKCS#11 module: a vendor's library that knows the vendor's
// cards.
type Module struct {
	path string
	lib  *library

	open   sync.RWMutex // held shared by calls in progress, exclusively by Close
	closed bool

	mu   sync.Mutex // guards keys
	keys map[*privateKey]struct{}
}

// Open loads and initialises a PKCS#11 module (C_Initialize, PKCS #11 v2.40,
// section 5.4). Close it after use.
//
// Before it runs any of the library's code it looks at the file: whether it is
// there, and a library for this system and processor. What is wrong is said by a
// [*ModuleError]; in a program built without cgo the error is [ErrNoCgo].
//
// The same file may be opened several times, also under different names, and by
// other code of the process; it is finalized when the last Module of it is
// closed, and only if it was this package that initialised it.
//
// Open runs the vendor's code in this process. It does not guard against a library
// that crashes or hangs: see [Discover].
func Open(path string) (*Module, error) { return open(path, checkFile) }

// open is Open with what looks at the file before.
func open(path string, check func(path string) (os.FileInfo, error)) (*Module, error) {
	if err := Available(); err != nil {
		return nil, fmt.Errorf("opening module %q: %w", path, err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, moduleError(path, err)
	}
	file, err := check(absolute)
	if err != nil {
		return nil, moduleError(path, err)
	}
	lib, err := openLibrary(absolute, file)
	if err != nil {
		return nil, moduleError(path, err)
	}
	return newModule(path, lib), nil
}

// OpenScripted opens a module that is not a file: the one of package tokentest, for
// tests. Path is what the Module says it was opened with.
func OpenScripted(path string, scripted cryptoki.Module) (*Module, error) {
	lib := newLibrary(scripted)
	if err := lib.retain(); err != nil {
		return nil, moduleError(path, err)
	}
	return newModule(path, lib), nil
}

// moduleError says of which module err is, by the path that the caller wrote.
func moduleError(path string, err error) error {
	var known *ModuleError
	if errors.As(err, &known) {
		return &ModuleError{Path: path, Reason: known.Reason, Err: known.Err}
	}
	return &ModuleError{Path: path, Reason: "the module does not start: " + err.Error(), Err: err}
}

func newModule(path string, lib *library) *Module {
	return &Module{path: path, lib: lib, keys: map[*privateKey]struct{}{}}
}

// Path returns the path the module was opened with.
func (m *Module) Path() string { return m.path }

// Library is what a module says about itself.
type Library struct {
	Manufacturer string
	Description  string
	Version      string // such as "2.6"
}

// Library asks the module about itself (C_GetInfo, PKCS #11 v2.40, section 5.4).
func (m *Module) Library(ctx context.Context) (Library, error) {
	if err := m.enter(); err != nil {
		return Library{}, err
	}
	defer m.leave()
	var info cryptoki.Info
	err := m.lib.call(ctx, func(c cryptoki.Module) (err error) {
		info, err = c.Info()
		return err
	})
	if err != nil {
		return Library{}, fmt.Errorf("asking module %q about itself: %w", m.path, err)
	}
	return Library{clean(info.Manufacturer), clean(info.Description), fmt.Sprintf("%d.%d", info.Major, info.Minor)}, nil
}

// Close closes every [Signer] and [Decrypter] of the module and finalizes the library if nobody
// else uses it. It waits for calls in progress, so it must not be called from a
// [PINPrompt]. Closing twice is harmless.
func (m *Module) Close() error {
	m.open.Lock()
	defer m.open.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	var first error
	for _, k := range m.openKeys() {
		if err := k.Close(); first == nil {
			first = err
		}
	}
	if err := m.lib.release(); first == nil {
		first = err
	}
	if first != nil {
		return fmt.Errorf("closing module %q: %w", m.path, first)
	}
	return nil
}

// enter begins a call that Close must wait for; leave ends it.
func (m *Module) enter() error {
	m.open.RLock()
	if m.closed {
		m.open.RUnlock()
		return fmt.Errorf("using module %q: %w", m.path, ErrClosed)
	}
	return nil
}

func (m *Module) leave() { m.open.RUnlock() }

func (m *Module) add(k *privateKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[k] = struct{}{}
}

func (m *Module) remove(k *privateKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, k)
}

func (m *Module) openKeys() []*privateKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*privateKey, 0, len(m.keys))
	for k := range m.keys {
		list = append(list, k)
	}
	return list
}

// checkFile looks at a module's file without running it.
func checkFile(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &ModuleError{Reason: "no such file", Err: os.ErrNotExist}
	case err != nil:
		return nil, &ModuleError{Reason: "looking at the file: " + err.Error(), Err: err}
	case !info.Mode().IsRegular():
		return nil, &ModuleError{Reason: "not a file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &ModuleError{Reason: "reading the file: " + err.Error(), Err: err}
	}
	defer f.Close()
	if reason := unfit(f, thisPlatform()); reason != "" {
		return nil, &ModuleError{Reason: reason}
	}
	return info, nil
}
