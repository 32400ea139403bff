// SPDX-License-Identifier: Apache-2.0

package tokentest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// The functions of PKCS #11, for package token.

// Initialize is C_Initialize.
func (m *Module) Initialize(uint) error {
	done, err := m.enter("C_Initialize")
	defer done()
	if err == nil && m.initialised {
		err = cryptoki.RV(cryptoki.CKR_CRYPTOKI_ALREADY_INITIALIZED)
	}
	if err == nil {
		m.initialised = true
	}
	return err
}

// Finalize is C_Finalize.
func (m *Module) Finalize() error {
	done, err := m.enter("C_Finalize")
	defer done()
	m.initialised = false
	return err
}

// Info is C_GetInfo.
func (m *Module) Info() (cryptoki.Info, error) {
	done, err := m.enter("C_GetInfo")
	defer done()
	return cryptoki.Info{Manufacturer: "pectoken", Description: "Scripted module", Major: 2, Minor: 6}, err
}

// SlotList is C_GetSlotList for slots with a card.
func (m *Module) SlotList() ([]uint, error) {
	done, err := m.enter("C_GetSlotList")
	defer done()
	return slices.Sorted(maps.Keys(m.slots)), err
}

// SlotInfo is C_GetSlotInfo.
func (m *Module) SlotInfo(slot uint) (cryptoki.SlotInfo, error) {
	t, done, err := m.at("C_GetSlotInfo", slot)
	defer done()
	info := cryptoki.SlotInfo{Description: fmt.Sprintf("Reader %d\x00\x00", slot), Manufacturer: "pectoken"}
	if err != nil {
		return info, err
	}
	if t.Reader != "" {
		info.Description = t.Reader
	}
	if t.Removable {
		info.Flags = cryptoki.CKF_REMOVABLE_DEVICE
	}
	return info, nil
}

// TokenInfo is C_GetTokenInfo.
func (m *Module) TokenInfo(slot uint) (cryptoki.TokenInfo, error) {
	t, done, err := m.at(fmt.Sprintf("C_GetTokenInfo %d", slot), slot)
	defer done()
	if err != nil {
		return cryptoki.TokenInfo{}, err
	}
	return t.info(), nil
}

// OpenSession is C_OpenSession.
func (m *Module) OpenSession(slot uint, write bool) (uint, error) {
	t, done, err := m.at("C_OpenSession", slot)
	defer done()
	if err != nil {
		return 0, err
	}
	if t.MaxSessions > 0 && m.sessionsOf(t) >= t.MaxSessions {
		return 0, cryptoki.RV(cryptoki.CKR_SESSION_COUNT)
	}
	m.next++
	m.sessions[m.next] = &session{token: t, write: write}
	return m.next, nil
}

func (m *Module) sessionsOf(t *Token) (n int) {
	for _, s := range m.sessions {
		if s.token == t {
			n++
		}
	}
	return n
}

// CloseSession is C_CloseSession: the last one on a card ends the login.
func (m *Module) CloseSession(handle uint) error {
	s, done, err := m.in("C_CloseSession", handle)
	defer done()
	if err != nil {
		return err
	}
	delete(m.sessions, handle)
	if m.sessionsOf(s.token) == 0 {
		s.token.LoggedIn, s.token.officer = false, false
	}
	return nil
}

// SessionState is C_GetSessionInfo.
func (m *Module) SessionState(handle uint) (uint, error) {
	s, done, err := m.in("C_GetSessionInfo", handle)
	defer done()
	if err != nil || !s.token.LoggedIn {
		return 0, err
	}
	if s.write {
		return cryptoki.CKS_RW_USER_FUNCTIONS, nil
	}
	return cryptoki.CKS_RO_USER_FUNCTIONS, nil
}

var users = map[uint]string{
	cryptoki.CKU_SO: "C_Login so", cryptoki.CKU_USER: "C_Login user", cryptoki.CKU_CONTEXT_SPECIFIC: "C_Login context",
}

// Login is C_Login.
func (m *Module) Login(handle, user uint, pin []byte) error {
	s, done, err := m.in(users[user], handle)
	defer done()
	switch {
	case err != nil:
		return err
	case user == cryptoki.CKU_SO:
		return s.loginOfficer(pin)
	case user == cryptoki.CKU_USER && s.token.LoggedIn:
		return cryptoki.RV(cryptoki.CKR_USER_ALREADY_LOGGED_IN)
	case user == cryptoki.CKU_CONTEXT_SPECIFIC && s.operation == nil:
		return cryptoki.RV(cryptoki.CKR_OPERATION_NOT_INITIALIZED)
	}
	if err := s.token.try(s.token.PIN, &s.token.Tries, pin); err != nil {
		return err
	}
	s.token.LoggedIn = true
	s.authenticated = user == cryptoki.CKU_CONTEXT_SPECIFIC
	return nil
}

func (s *session) loginOfficer(puk []byte) error {
	switch {
	case !s.write:
		return cryptoki.RV(cryptoki.CKR_SESSION_READ_ONLY)
	case s.token.LoggedIn:
		return cryptoki.RV(0x104) // CKR_USER_ANOTHER_ALREADY_LOGGED_IN
	}
	err := s.token.try(s.token.PUK, &s.token.PUKTries, puk)
	s.token.officer = err == nil
	return err
}

// Logout is C_Logout.
func (m *Module) Logout(handle uint) error {
	s, done, err := m.in("C_Logout", handle)
	defer done()
	if err == nil {
		s.token.LoggedIn, s.token.officer = false, false
	}
	return err
}

// InitPIN is C_InitPIN.
func (m *Module) InitPIN(handle uint, pin []byte) error {
	s, done, err := m.in("C_InitPIN", handle)
	defer done()
	switch {
	case err != nil:
		return err
	case !s.token.officer:
		return cryptoki.RV(cryptoki.CKR_USER_NOT_LOGGED_IN)
	}
	return s.token.setPIN(pin)
}

// SetPIN is C_SetPIN.
func (m *Module) SetPIN(handle uint, old, fresh []byte) error {
	s, done, err := m.in("C_SetPIN", handle)
	defer done()
	switch {
	case err != nil:
		return err
	case !s.write:
		return cryptoki.RV(cryptoki.CKR_SESSION_READ_ONLY)
	}
	if err := s.token.try(s.token.PIN, &s.token.Tries, old); err != nil {
		return err
	}
	if fresh == nil {
		return nil // typed on the keypad
	}
	return s.token.setPIN(fresh)
}

// FindInit is C_FindObjectsInit for the objects of a class.
func (m *Module) FindInit(handle, class uint) error {
	s, done, err := m.in("C_FindObjectsInit", handle)
	defer done()
	if err != nil {
		return err
	}
	s.found = nil
	for i, o := range s.token.Objects {
		if o.Class == class && (!o.Private || s.token.LoggedIn) {
			s.found = append(s.found, uint(i)+1)
		}
	}
	return nil
}

// Find is C_FindObjects. It hands out objects in small helpings, as modules may.
func (m *Module) Find(handle uint, most int) ([]uint, error) {
	s, done, err := m.in("C_FindObjects", handle)
	defer done()
	if err != nil {
		return nil, err
	}
	n := min(most, len(s.found), 2)
	some := s.found[:n]
	s.found = s.found[n:]
	return some, nil
}

// FindMore makes every search under way find n more objects, whatever they are: a
// script that calls it before each C_FindObjects never comes to an end.
func (m *Module) FindMore(n int) {
	for _, s := range m.sessions {
		s.found = append(s.found, slices.Repeat([]uint{1}, n)...)
	}
}

// FindFinal is C_FindObjectsFinal.
func (m *Module) FindFinal(handle uint) error {
	_, done, err := m.in("C_FindObjectsFinal", handle)
	defer done()
	return err
}

// Attributes is C_GetAttributeValue. Scripts know it by the attributes that are asked
// for, in hexadecimal.
func (m *Module) Attributes(handle, object uint, kinds ...uint) ([][]byte, error) {
	call := "C_GetAttributeValue"
	for _, kind := range kinds {
		call += fmt.Sprintf(" %#x", kind)
	}
	s, done, err := m.in(call, handle)
	defer done()
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(kinds))
	for i, kind := range kinds {
		value, ok := s.token.Objects[object-1].Attributes[kind]
		if !ok {
			return nil, cryptoki.RV(cryptoki.CKR_ATTRIBUTE_TYPE_INVALID)
		}
		values[i] = value
	}
	return values, nil
}
