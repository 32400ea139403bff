// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token

import (
	"unsafe"

	"github.com/miekg/pkcs11"
)

// Available returns nil if this program can load PKCS#11 modules, and
// [ErrNoCgo] if it was built without cgo.
func Available() error { return nil }

// binding is a module loaded from a file.
type binding struct{ ctx *pkcs11.Ctx }

// load maps a library into the process; path is absolute. The library is never
// unloaded: vendor modules that started threads crash when their code goes away.
func load(path string) (cryptoki, error) {
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, &ModuleError{Path: path, Reason: loadFailure(path)}
	}
	return binding{ctx}, nil
}

func (b binding) Initialize(flags uint) error {
	return code(b.ctx.Initialize(pkcs11.InitializeWithFlags(flags)))
}

func (b binding) Finalize() error { return code(b.ctx.Finalize()) }

func (b binding) SlotList() ([]uint, error) {
	slots, err := b.ctx.GetSlotList(true)
	return slots, code(err)
}

func (b binding) SlotDescription(slot uint) (string, error) {
	info, err := b.ctx.GetSlotInfo(slot)
	return info.SlotDescription, code(err)
}

func (b binding) TokenInfo(slot uint) (tokenInfo, error) {
	info, err := b.ctx.GetTokenInfo(slot)
	return tokenInfo{
		label: info.Label, serial: info.SerialNumber, model: info.Model, manufacturer: info.ManufacturerID,
		flags: info.Flags, minPIN: info.MinPinLen, maxPIN: info.MaxPinLen,
	}, code(err)
}

func (b binding) OpenSession(slot uint) (uint, error) {
	session, err := b.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	return uint(session), code(err)
}

func (b binding) CloseSession(session uint) error {
	return code(b.ctx.CloseSession(pkcs11.SessionHandle(session)))
}

func (b binding) SessionState(session uint) (uint, error) {
	info, err := b.ctx.GetSessionInfo(pkcs11.SessionHandle(session))
	return info.State, code(err)
}

// Login lends the PIN's bytes to the binding as a string, because a string of
// our own could not be overwritten afterwards.
func (b binding) Login(session, user uint, pin []byte) error {
	lent := unsafe.String(unsafe.SliceData(pin), len(pin))
	return code(b.ctx.Login(pkcs11.SessionHandle(session), user, lent))
}

func (b binding) Logout(session uint) error {
	return code(b.ctx.Logout(pkcs11.SessionHandle(session)))
}

func (b binding) FindInit(session, class uint) error {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}
	return code(b.ctx.FindObjectsInit(pkcs11.SessionHandle(session), template))
}

func (b binding) Find(session uint, most int) ([]uint, error) {
	found, _, err := b.ctx.FindObjects(pkcs11.SessionHandle(session), most)
	handles := make([]uint, len(found))
	for i, h := range found {
		handles[i] = uint(h)
	}
	return handles, code(err)
}

func (b binding) FindFinal(session uint) error {
	return code(b.ctx.FindObjectsFinal(pkcs11.SessionHandle(session)))
}

// Attribute asks for one attribute alone: asked for several, the binding returns
// none when the module does not know one of them.
func (b binding) Attribute(session, object, kind uint) ([]byte, error) {
	want := []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)}
	got, err := b.ctx.GetAttributeValue(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object), want)
	if err != nil {
		return nil, code(err)
	}
	return got[0].Value, nil
}

func (b binding) SignInit(session uint, m mechanism, key uint) error {
	var parameter any
	if m.pss != nil {
		parameter = pkcs11.NewPSSParams(m.pss.hash, m.pss.mgf, m.pss.salt)
	}
	mechanisms := []*pkcs11.Mechanism{pkcs11.NewMechanism(m.kind, parameter)}
	return code(b.ctx.SignInit(pkcs11.SessionHandle(session), mechanisms, pkcs11.ObjectHandle(key)))
}

func (b binding) Sign(session uint, data []byte) ([]byte, error) {
	signature, err := b.ctx.Sign(pkcs11.SessionHandle(session), data)
	return signature, code(err)
}

// code turns the binding's error into ours.
func code(err error) error {
	if rv, ok := err.(pkcs11.Error); ok {
		return Code(rv)
	}
	return err
}
