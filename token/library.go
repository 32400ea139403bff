// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// library is a PKCS#11 library of this process, shared by every [Module] that
// was opened from the same file.
type library struct {
	c      cryptoki.Module
	file   os.FileInfo // to know the file again under another name
	serial bool        // the library cannot lock: one call at a time

	// calls is held shared for ordinary calls and exclusively for a sequence that
	// nothing may interrupt.
	calls sync.RWMutex

	mu    sync.Mutex // guards what follows
	users int        // open Modules
	owned bool       // C_Initialize was ours, so C_Finalize is too
	slots map[uint]*slotState
}

// slotState is what the sessions of this process on one slot have in common.
type slotState struct {
	turn    chan struct{} // holds one element while somebody logs in or out
	signers atomic.Int32  // open Signers, which rely on the login
}

// libraries lists the libraries loaded so far. It has to be process-wide,
// because a PKCS#11 library is: C_Initialize and C_Finalize act on the process, so
// two Modules of one file must share them. Entries stay, as libraries are never
// unloaded.
var libraries struct {
	mu   sync.Mutex
	list []*library
}

// openLibrary returns the loaded and initialised library of a file, loading it if
// it is the first time. One that hangs while it is initialised keeps no other from
// being opened.
func openLibrary(path string, file os.FileInfo) (*library, error) {
	l, err := loaded(path, file)
	if err != nil {
		return nil, err
	}
	return l, l.retain()
}

// loaded returns the library of a file, loading it if it is the first time.
func loaded(path string, file os.FileInfo) (*library, error) {
	libraries.mu.Lock()
	defer libraries.mu.Unlock()
	for _, l := range libraries.list {
		if os.SameFile(l.file, file) {
			return l, nil
		}
	}
	c, err := load(path)
	if err != nil {
		return nil, err
	}
	l := newLibrary(c)
	l.file = file
	libraries.list = append(libraries.list, l)
	return l, nil
}

func newLibrary(c cryptoki.Module) *library {
	return &library{c: c, slots: map[uint]*slotState{}}
}

// retain adds a user, and initialises the library for the first one.
func (l *library) retain() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		if err := l.initialize(); err != nil {
			return err
		}
	}
	l.users++
	return nil
}

// initialize calls C_Initialize (PKCS #11 v2.40, section 5.4). A library that
// somebody else in the process initialised is fine, and stays theirs to finalize.
func (l *library) initialize() error {
	err := code(l.c.Initialize(cryptoki.CKF_OS_LOCKING_OK))
	if isCode(err, cryptoki.CKR_CANT_LOCK) {
		l.serial = true
		err = code(l.c.Initialize(0))
	}
	l.owned = err == nil
	if isCode(err, cryptoki.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return nil
	}
	return err
}

// release takes a user away, and finalizes the library after the last one.
func (l *library) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	if l.users > 0 || !l.owned {
		return nil
	}
	l.owned = false
	return code(l.c.Finalize())
}

// slot returns the shared state of a slot.
func (l *library) slot(id uint) *slotState {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.slots[id]
	if s == nil {
		s = &slotState{turn: make(chan struct{}, 1)}
		l.slots[id] = s
	}
	return s
}

// take waits for the turn to log in or out; give it back with release.
func (s *slotState) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slotState) release() { <-s.turn }

// call runs calls of the library that others may run beside. Calls to call and
// alone must not nest.
func (l *library) call(ctx context.Context, f func(c cryptoki.Module) error) error {
	if l.serial {
		return l.alone(ctx, f)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l.calls.RLock()
	defer l.calls.RUnlock()
	return code(f(l.c))
}

// alone runs calls of the library with no other call of this process between.
func (l *library) alone(ctx context.Context, f func(c cryptoki.Module) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.calls.Lock()
	defer l.calls.Unlock()
	return code(f(l.c))
}

// session is a session on a slot, read-only but for changes of a PIN.
type session struct {
	lib    *library
	slot   uint
	handle uint
	once   sync.Once
}

func (l *library) openSession(ctx context.Context, slot uint, write bool) (*session, error) {
	s := &session{lib: l, slot: slot}
	err := l.call(ctx, func(c cryptoki.Module) (err error) {
		s.handle, err = c.OpenSession(slot, write)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openSession opens a session on the token, in whatever slot it is now.
func (t *Token) openSession(ctx context.Context, write bool) (*session, error) {
	now, _, err := t.refresh(ctx)
	if err != nil {
		return nil, err
	}
	return t.module.lib.openSession(ctx, now.Slot, write)
}

// close closes the session the first time it is called. It ignores the context
// of the work it ends, and a session that is gone is as good as closed.
func (s *session) close() (err error) {
	s.once.Do(func() {
		err = s.lib.call(context.Background(), func(c cryptoki.Module) error { return c.CloseSession(s.handle) })
	})
	if errors.Is(err, ErrRemoved) || isCode(err, cryptoki.CKR_CRYPTOKI_NOT_INITIALIZED) {
		return nil
	}
	return err
}

// loggedIn says whether the process is logged in as the user on the session's
// token (PKCS #11 v2.40, section 5.6, C_GetSessionInfo).
func (s *session) loggedIn(ctx context.Context) (bool, error) {
	var state uint
	err := s.lib.call(ctx, func(c cryptoki.Module) (err error) {
		state, err = c.SessionState(s.handle)
		return err
	})
	return state == cryptoki.CKS_RO_USER_FUNCTIONS || state == cryptoki.CKS_RW_USER_FUNCTIONS, err
}

// closeAfter closes the session at the end of work that may have gone wrong, in
// which case that is the error to report.
func (s *session) closeAfter(err *error) {
	if closing := s.close(); *err == nil {
		*err = closing
	}
}

func (s *session) login(ctx context.Context, user uint, pin []byte) error {
	return s.lib.call(ctx, func(c cryptoki.Module) error { return c.Login(s.handle, user, pin) })
}

func (s *session) logout(ctx context.Context) error {
	return s.lib.call(ctx, func(c cryptoki.Module) error { return c.Logout(s.handle) })
}
