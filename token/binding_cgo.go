// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token

import (
	"github.com/miekg/pkcs11"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Available returns nil if this program can load PKCS#11 modules, and
// [ErrNoCgo] if it was built without cgo.
func Available() error { return nil }

// binding is a module loaded from a file.
type binding struct {
	functions
	ctx *pkcs11.Ctx
}

// load maps a library into the process; path is absolute. The library is never
// unloaded: vendor modules that started threads crash when their code goes away.
func load(path string) (cryptoki.Module, error) {
	list, err := openFunctions(path)
	if err != nil {
		return nil, err
	}
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, &ModuleError{Path: path, Reason: "the system does not load it a second time"}
	}
	return binding{list, ctx}, nil
}

func (b binding) Initialize(flags uint) error {
	return rv(b.ctx.Initialize(pkcs11.InitializeWithFlags(flags)))
}

func (b binding) Finalize() error { return rv(b.ctx.Finalize()) }

func (b binding) Info() (cryptoki.Info, error) {
	info, err := b.ctx.GetInfo()
	return cryptoki.Info{
		Manufacturer: info.ManufacturerID, Description: info.LibraryDescription,
		Major: info.LibraryVersion.Major, Minor: info.LibraryVersion.Minor,
	}, rv(err)
}

func (b binding) SlotList() ([]uint, error) {
	slots, err := b.ctx.GetSlotList(true)
	return slots, rv(err)
}

func (b binding) SlotInfo(slot uint) (cryptoki.SlotInfo, error) {
	info, err := b.ctx.GetSlotInfo(slot)
	return cryptoki.SlotInfo{Description: info.SlotDescription, Manufacturer: info.ManufacturerID, Flags: info.Flags}, rv(err)
}

func (b binding) TokenInfo(slot uint) (cryptoki.TokenInfo, error) {
	info, err := b.ctx.GetTokenInfo(slot)
	return cryptoki.TokenInfo{
		Label: info.Label, Serial: info.SerialNumber, Model: info.Model, Manufacturer: info.ManufacturerID,
		Flags: info.Flags, MinPIN: info.MinPinLen, MaxPIN: info.MaxPinLen,
	}, rv(err)
}

func (b binding) OpenSession(slot uint, write bool) (uint, error) {
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	session, err := b.ctx.OpenSession(slot, flags)
	return uint(session), rv(err)
}

func (b binding) CloseSession(session uint) error {
	return rv(b.ctx.CloseSession(pkcs11.SessionHandle(session)))
}

func (b binding) SessionState(session uint) (uint, error) {
	info, err := b.ctx.GetSessionInfo(pkcs11.SessionHandle(session))
	return info.State, rv(err)
}

func (b binding) Logout(session uint) error {
	return rv(b.ctx.Logout(pkcs11.SessionHandle(session)))
}

func (b binding) FindInit(session, class uint) error {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}
	return rv(b.ctx.FindObjectsInit(pkcs11.SessionHandle(session), template))
}

func (b binding) Find(session uint, most int) ([]uint, error) {
	found, _, err := b.ctx.FindObjects(pkcs11.SessionHandle(session), most)
	handles := make([]uint, len(found))
	for i, h := range found {
		handles[i] = uint(h)
	}
	return handles, rv(err)
}

func (b binding) FindFinal(session uint) error {
	return rv(b.ctx.FindObjectsFinal(pkcs11.SessionHandle(session)))
}

func (b binding) SignInit(session uint, m cryptoki.Mechanism, key uint) error {
	return rv(b.ctx.SignInit(pkcs11.SessionHandle(session), mechanisms(m), pkcs11.ObjectHandle(key)))
}

func (b binding) DecryptInit(session uint, m cryptoki.Mechanism, key uint) error {
	return rv(b.ctx.DecryptInit(pkcs11.SessionHandle(session), mechanisms(m), pkcs11.ObjectHandle(key)))
}

func mechanisms(m cryptoki.Mechanism) []*pkcs11.Mechanism {
	var parameter any
	switch {
	case m.PSS != nil:
		parameter = pkcs11.NewPSSParams(m.PSS.Hash, m.PSS.MGF, m.PSS.Salt)
	case m.OAEP != nil:
		parameter = pkcs11.NewOAEPParams(m.OAEP.Hash, m.OAEP.MGF, cryptoki.CKZ_DATA_SPECIFIED, m.OAEP.Label)
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.Kind, parameter)}
}

// rv turns the binding's error into that of the seam.
func rv(err error) error {
	if code, ok := err.(pkcs11.Error); ok {
		return cryptoki.RV(code)
	}
	return err
}
