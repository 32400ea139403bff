// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// fake is a scripted PKCS#11 module in memory. It shows what SoftHSM never does:
// PINs that lock, keypads, cards that fail or are pulled out, mechanisms that are
// refused. It records every call.
type fake struct {
	mu          sync.Mutex
	initialised bool
	slots       []*fakeSlot
	sessions    map[uint]*fakeSession
	next        uint
	calls       []string

	// script, if set, is asked before every call and may answer in its place.
	script func(call string) error
}

// fakeSlot is a slot with a token in it.
type fakeSlot struct {
	info     tokenInfo
	pin      string
	tries    int // left; SoftHSM's tokens never lock, these do
	most     int // tries of a fresh PIN
	loggedIn bool
	objects  []fakeObject
}

type fakeObject struct {
	class      uint
	private    bool // seen only when logged in
	attributes map[uint][]byte
	key        crypto.Signer
}

type fakeSession struct {
	slot          *fakeSlot
	found         []uint
	searching     bool
	operation     *mechanism
	key           *fakeObject
	authenticated bool // by a context-specific login
}

// newFake makes a module with a token for each description.
func newFake(tokens ...tokenOf) *fake {
	f := &fake{sessions: map[uint]*fakeSession{}}
	for i, t := range tokens {
		s := &fakeSlot{pin: t.pin, tries: 3, most: 3, info: tokenInfo{
			label: t.label + "      ", serial: fmt.Sprintf("609000000000000%d", i), model: "Scripted", manufacturer: "pectoken",
			flags:  ckfTokenInitialized | ckfUserPINInitialized | ckfLoginRequired,
			minPIN: 5, maxPIN: 8,
		}}
		for _, o := range t.objects {
			s.add(o)
		}
		f.slots = append(f.slots, s)
	}
	return f
}

func (s *fakeSlot) add(o softhsm.Object) {
	named := func(more map[uint][]byte) map[uint][]byte {
		more[ckaID], more[ckaLabel] = o.ID, []byte(o.Label)
		return more
	}
	if o.Certificate != nil {
		s.objects = append(s.objects, fakeObject{class: ckoCertificate, attributes: named(map[uint][]byte{
			ckaValue: o.Certificate.Raw, ckaCertificateType: ulong(ckcX509),
		})})
	}
	if o.Key == nil {
		return
	}
	signer := o.Key.(crypto.Signer)
	private, public := map[uint][]byte{ckaAlwaysAuthenticate: {0}}, map[uint][]byte{}
	if o.AlwaysAuthenticate {
		private[ckaAlwaysAuthenticate] = []byte{1}
	}
	switch k := signer.Public().(type) {
	case *rsa.PublicKey:
		private[ckaModulus] = k.N.Bytes()
		public[ckaModulus] = k.N.Bytes()
	case *ecdsa.PublicKey:
		point, _ := k.Bytes()
		public[ckaECPoint], _ = asn1.Marshal(point)
	}
	s.objects = append(s.objects, fakeObject{class: ckoPrivateKey, private: true, attributes: named(private), key: signer})
	if !o.NoPublicKey {
		s.objects = append(s.objects, fakeObject{class: ckoPublicKey, attributes: named(public)})
	}
}

func ulong(n uint64) []byte { return binary.NativeEndian.AppendUint64(nil, n) }

// open returns a Module of the fake, and at the end of the test makes sure that
// everything opened was closed again.
func (f *fake) open(t *testing.T) *Module {
	t.Helper()
	lib := newLibrary(f)
	if err := lib.retain(); err != nil {
		t.Fatalf("initialising the fake: %v", err)
	}
	m := newModule("fake.so", lib)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("closing the fake: %v", err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.sessions) > 0 || f.initialised {
			t.Errorf("left behind: %d sessions, initialised: %v", len(f.sessions), f.initialised)
		}
	})
	return m
}

// count says how often a function was called.
func (f *fake) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

// forget empties the record of calls.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

// record returns the calls so far.
func (f *fake) record() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// enter begins every function: it locks, records, and asks the script.
func (f *fake) enter(call string) (func(), error) {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	if f.script != nil {
		if err := f.script(call); err != nil {
			return f.mu.Unlock, err
		}
	}
	if !f.initialised && call != "C_Initialize" {
		return f.mu.Unlock, ckrCryptokiNotInitialized
	}
	return f.mu.Unlock, nil
}

// in begins a function that works in a session.
func (f *fake) in(call string, session uint) (*fakeSession, func(), error) {
	done, err := f.enter(call)
	if err != nil {
		return nil, done, err
	}
	s := f.sessions[session]
	if s == nil {
		return nil, done, ckrSessionHandleInvalid
	}
	return s, done, nil
}

func (f *fake) slot(id uint) (*fakeSlot, error) {
	if id >= uint(len(f.slots)) {
		return nil, ckrSlotIDInvalid
	}
	return f.slots[id], nil
}

func (f *fake) Initialize(uint) error {
	done, err := f.enter("C_Initialize")
	defer done()
	if err == nil && f.initialised {
		err = ckrCryptokiAlreadyInitialized
	}
	if err == nil {
		f.initialised = true
	}
	return err
}

func (f *fake) Finalize() error {
	done, err := f.enter("C_Finalize")
	defer done()
	f.initialised = false
	return err
}

func (f *fake) SlotList() ([]uint, error) {
	done, err := f.enter("C_GetSlotList")
	defer done()
	var list []uint
	for i := range f.slots {
		list = append(list, uint(i))
	}
	return list, err
}

func (f *fake) SlotDescription(slot uint) (string, error) {
	done, err := f.enter("C_GetSlotInfo")
	defer done()
	return fmt.Sprintf("Reader %d\x00\x00", slot), err
}

func (f *fake) TokenInfo(slot uint) (tokenInfo, error) {
	done, err := f.enter(fmt.Sprintf("C_GetTokenInfo %d", slot))
	defer done()
	if err != nil {
		return tokenInfo{}, err
	}
	s, err := f.slot(slot)
	if err != nil {
		return tokenInfo{}, err
	}
	info := s.info
	switch {
	case s.tries == 0:
		info.flags |= ckfUserPINLocked
	case s.tries == 1:
		info.flags |= ckfUserPINFinalTry | ckfUserPINCountLow
	case s.tries < s.most:
		info.flags |= ckfUserPINCountLow
	}
	return info, nil
}

func (f *fake) OpenSession(slot uint) (uint, error) {
	done, err := f.enter("C_OpenSession")
	defer done()
	if err != nil {
		return 0, err
	}
	s, err := f.slot(slot)
	if err != nil {
		return 0, err
	}
	f.next++
	f.sessions[f.next] = &fakeSession{slot: s}
	return f.next, nil
}

func (f *fake) CloseSession(session uint) error {
	s, done, err := f.in("C_CloseSession", session)
	defer done()
	if err != nil {
		return err
	}
	delete(f.sessions, session)
	for _, other := range f.sessions {
		if other.slot == s.slot {
			return nil
		}
	}
	s.slot.loggedIn = false
	return nil
}

func (f *fake) SessionState(session uint) (uint, error) {
	s, done, err := f.in("C_GetSessionInfo", session)
	defer done()
	if err != nil || !s.slot.loggedIn {
		return 0, err
	}
	return cksROUserFunctions, nil
}

func (f *fake) Login(session, user uint, pin []byte) error {
	call := map[uint]string{ckuUser: "C_Login user", ckuContextSpecific: "C_Login context"}[user]
	s, done, err := f.in(call, session)
	defer done()
	switch {
	case err != nil:
		return err
	case user == ckuUser && s.slot.loggedIn:
		return ckrUserAlreadyLoggedIn
	case user == ckuContextSpecific && s.operation == nil:
		return ckrOperationNotInitialized
	}
	if err := s.slot.try(string(pin)); err != nil {
		return err
	}
	s.slot.loggedIn = true
	s.authenticated = user == ckuContextSpecific
	return nil
}

// try holds a PIN against the right one. A keypad, which gets no PIN, is always
// given the right one.
func (s *fakeSlot) try(pin string) error {
	if pin == "" && s.info.flags&ckfProtectedAuthPath != 0 {
		pin = s.pin
	}
	switch {
	case s.tries == 0:
		return ckrPINLocked
	case pin != s.pin:
		s.tries--
		return ckrPINIncorrect
	}
	s.tries = s.most
	return nil
}

func (f *fake) Logout(session uint) error {
	s, done, err := f.in("C_Logout", session)
	defer done()
	if err == nil {
		s.slot.loggedIn = false
	}
	return err
}

func (f *fake) FindInit(session, class uint) error {
	s, done, err := f.in("C_FindObjectsInit", session)
	defer done()
	if err != nil {
		return err
	}
	s.searching, s.found = true, nil
	for i, o := range s.slot.objects {
		if o.class == class && (!o.private || s.slot.loggedIn) {
			s.found = append(s.found, uint(i)+1)
		}
	}
	return nil
}

func (f *fake) Find(session uint, most int) ([]uint, error) {
	s, done, err := f.in("C_FindObjects", session)
	defer done()
	if err != nil {
		return nil, err
	}
	n := min(most, len(s.found), 2) // in small helpings, as modules may
	some := s.found[:n]
	s.found = s.found[n:]
	return some, nil
}

func (f *fake) FindFinal(session uint) error {
	s, done, err := f.in("C_FindObjectsFinal", session)
	defer done()
	if err == nil {
		s.searching = false
	}
	return err
}

func (f *fake) Attribute(session, object, kind uint) ([]byte, error) {
	s, done, err := f.in(fmt.Sprintf("C_GetAttributeValue %#x", kind), session)
	defer done()
	if err != nil {
		return nil, err
	}
	value, ok := s.slot.objects[object-1].attributes[kind]
	if !ok {
		return nil, ckrAttributeTypeInvalid
	}
	return value, nil
}

func (f *fake) SignInit(session uint, m mechanism, key uint) error {
	s, done, err := f.in(fmt.Sprintf("C_SignInit %#x", m.kind), session)
	defer done()
	if err != nil {
		return err
	}
	if s.operation != nil {
		return Code(0x90) // CKR_OPERATION_ACTIVE
	}
	s.operation, s.key, s.authenticated = &m, &s.slot.objects[key-1], false
	return nil
}

func (f *fake) Sign(session uint, data []byte) ([]byte, error) {
	s, done, err := f.in("C_Sign", session)
	defer done()
	switch {
	case err != nil:
		return nil, err
	case s.operation == nil:
		return nil, ckrOperationNotInitialized
	}
	m := *s.operation
	s.operation = nil
	if isTrue(s.key.attributes[ckaAlwaysAuthenticate]) && !s.authenticated {
		return nil, ckrUserNotLoggedIn
	}
	return m.sign(s.key.key, data)
}

// sign does what the mechanism says, with Go's own cryptography.
func (m mechanism) sign(key crypto.Signer, data []byte) ([]byte, error) {
	switch m.kind {
	case ckmRSAPKCS:
		return rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), 0, data)
	case ckmRSAX509:
		k := key.(*rsa.PrivateKey)
		c := new(big.Int).Exp(new(big.Int).SetBytes(data), k.D, k.N)
		return c.Bytes(), nil // without leading zeros, as some tokens do
	case ckmRSAPKCSPSS:
		for h, names := range hashes {
			if names.mechanism == m.pss.hash && names.mgf == m.pss.mgf {
				return rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), h, data, &rsa.PSSOptions{SaltLength: int(m.pss.salt)})
			}
		}
		return nil, ckrMechanismParamInvalid
	case ckmECDSA:
		k := key.(*ecdsa.PrivateKey)
		r, s, err := ecdsa.Sign(rand.Reader, k, data)
		if err != nil {
			return nil, err
		}
		size := (k.Params().N.BitLen() + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	}
	return nil, ckrMechanismInvalid
}
