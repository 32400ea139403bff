// SPDX-License-Identifier: Apache-2.0

package tokentest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Module is a scripted PKCS#11 module in memory.
type Module struct {
	// Script, if set, is asked before every call and may answer in its place. A
	// call is the name of the C function, for some with what it is about:
	// "C_GetTokenInfo 1" (the slot), "C_SignInit 0x1" and "C_DecryptInit 0x1" (the
	// mechanism), "C_GetAttributeValue 0x102" (the attribute), "C_Login user",
	// "C_Login so", "C_Login context".
	Script func(call string) error

	mu          sync.Mutex
	initialised bool
	slots       map[uint]*Token
	sessions    map[uint]*session
	next        uint // session handle
	calls       []string
}

type session struct {
	token         *Token
	write         bool
	found         []uint
	operation     *cryptoki.Mechanism
	key           *Object
	authenticated bool // by a context-specific login
}

// New returns a module with a card in slot 0, 1 and so on. Cards without a serial
// number get one.
func New(tokens ...*Token) *Module {
	m := &Module{slots: map[uint]*Token{}, sessions: map[uint]*session{}}
	for i, t := range tokens {
		if t.Serial == "" {
			t.Serial = fmt.Sprintf("609000000000000%d", i)
		}
		m.slots[uint(i)] = t
	}
	return m
}

// Code returns the error of a call that answers a CKR_ code: for [Module.Script].
func Code(code uint) error { return cryptoki.RV(code) }

// Answer returns a script that answers one call with a CKR_ code.
func Answer(call string, code uint) func(string) error {
	return func(c string) error {
		if c == call {
			return cryptoki.RV(code)
		}
		return nil
	}
}

// Refuse returns a script of a module that refuses mechanisms (CKM_) when a
// signature or decryption begins, whatever it lists.
func Refuse(code uint, mechanisms ...uint) func(string) error {
	return func(call string) error {
		for _, kind := range mechanisms {
			if call == fmt.Sprintf("C_SignInit %#x", kind) || call == fmt.Sprintf("C_DecryptInit %#x", kind) {
				return cryptoki.RV(code)
			}
		}
		return nil
	}
}

// PullOut returns a script that takes the card out of a slot when a call is made
// for the n-th time, the first being 1.
func (m *Module) PullOut(slot uint, call string, n int) func(string) error {
	return func(c string) error {
		if c != call || m.slots[slot] == nil {
			return nil
		}
		if n--; n > 0 {
			return nil
		}
		m.remove(slot)
		return cryptoki.RV(cryptoki.CKR_DEVICE_REMOVED)
	}
}

// Insert puts a card into a slot.
func (m *Module) Insert(slot uint, t *Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slots[slot] = t
}

// Remove takes the card out of a slot, and its sessions with it.
func (m *Module) Remove(slot uint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(slot)
}

func (m *Module) remove(slot uint) {
	t := m.slots[slot]
	delete(m.slots, slot)
	for handle, s := range m.sessions {
		if s.token == t {
			delete(m.sessions, handle)
		}
	}
	if t != nil {
		t.LoggedIn, t.officer = false, false
	}
}

// Token returns the card in a slot, nil if there is none.
func (m *Module) Token(slot uint) *Token { return m.slots[slot] }

// SetInitialised makes the module one that other code of the process initialised,
// or no longer.
func (m *Module) SetInitialised(is bool) { m.initialised = is }

// Idle returns an error if sessions are open or the module was not finalized.
func (m *Module) Idle() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.sessions) > 0 || m.initialised {
		return fmt.Errorf("left behind: %d sessions, initialised: %v", len(m.sessions), m.initialised)
	}
	return nil
}

// Calls returns the calls so far, in the words of Script.
func (m *Module) Calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// Count says how often a function was called: of "C_Login" all kinds, of "C_Login
// user" that one.
func (m *Module) Count(call string) int {
	n := 0
	for _, c := range m.Calls() {
		if c == call || strings.HasPrefix(c, call+" ") {
			n++
		}
	}
	return n
}

// Forget empties the record of calls.
func (m *Module) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = nil
}

// Sessions says how many sessions are open.
func (m *Module) Sessions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sessions)
}

// enter begins every function: it locks, records, and asks the script.
func (m *Module) enter(call string) (func(), error) {
	m.mu.Lock()
	m.calls = append(m.calls, call)
	if m.Script != nil {
		if err := m.Script(call); err != nil {
			return m.mu.Unlock, err
		}
	}
	if !m.initialised && call != "C_Initialize" {
		return m.mu.Unlock, cryptoki.RV(cryptoki.CKR_CRYPTOKI_NOT_INITIALIZED)
	}
	return m.mu.Unlock, nil
}

// in begins a function that works in a session.
func (m *Module) in(call string, handle uint) (*session, func(), error) {
	done, err := m.enter(call)
	if err != nil {
		return nil, done, err
	}
	s := m.sessions[handle]
	if s == nil {
		return nil, done, cryptoki.RV(cryptoki.CKR_SESSION_HANDLE_INVALID)
	}
	return s, done, nil
}

// at begins a function that is about a slot.
func (m *Module) at(call string, slot uint) (*Token, func(), error) {
	done, err := m.enter(call)
	if err != nil {
		return nil, done, err
	}
	t := m.slots[slot]
	if t == nil {
		return nil, done, cryptoki.RV(cryptoki.CKR_SLOT_ID_INVALID)
	}
	return t, done, nil
}
