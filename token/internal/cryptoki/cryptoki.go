// SPDX-License-Identifier: Apache-2.0

// Package cryptoki is the seam between package token and a PKCS#11 module: the
// part of PKCS #11 v2.40 that token calls, one method a C function. A module
// loaded from a file stands behind it, and in tests a scripted one (package
// tokentest).
//
// Constants keep the names and values of pkcs11t.h. They stand here, and not only
// in the binding to C, so that everything builds without cgo.
package cryptoki

import "fmt"

// Module is a PKCS#11 module. Errors of the C functions are an [RV].
type Module interface {
	Initialize(flags uint) error
	Finalize() error
	Info() (Info, error)
	SlotList() ([]uint, error) // slots with a token present; asks for the length first
	SlotInfo(slot uint) (SlotInfo, error)
	TokenInfo(slot uint) (TokenInfo, error)
	OpenSession(slot uint, write bool) (uint, error)
	CloseSession(session uint) error
	SessionState(session uint) (uint, error)

	// A PIN is not kept and not copied. An empty one is sent as NULL.
	Login(session, user uint, pin []byte) error
	Logout(session uint) error
	InitPIN(session uint, pin []byte) error
	SetPIN(session uint, old, fresh []byte) error

	FindInit(session, class uint) error
	Find(session uint, most int) ([]uint, error)
	FindFinal(session uint) error

	// Attributes reads up to eight attributes in one call. If the module has not all of
	// them there is an error, and a caller who wants the others asks for each alone.
	Attributes(session, object uint, kinds ...uint) ([][]byte, error)

	// Sign and Decrypt are one call of C each, with room for size bytes. Only when
	// the module wants more room do they call again.
	SignInit(session uint, m Mechanism, key uint) error
	Sign(session uint, data []byte, size int) ([]byte, error)
	DecryptInit(session uint, m Mechanism, key uint) error
	Decrypt(session uint, data []byte, size int) ([]byte, error)
}

// Info is what is used of CK_INFO.
type Info struct {
	Manufacturer, Description string
	Major, Minor              byte // of the library's version
}

// SlotInfo is what is used of CK_SLOT_INFO.
type SlotInfo struct {
	Description, Manufacturer string
	Flags                     uint
}

// TokenInfo is what is used of CK_TOKEN_INFO, texts as the module gave them.
type TokenInfo struct {
	Label, Serial, Model, Manufacturer string
	Flags                              uint
	MinPIN, MaxPIN                     uint
}

// Mechanism is a CK_MECHANISM; at most one of the parameters is set.
type Mechanism struct {
	Kind uint
	PSS  *PSS
	OAEP *OAEP
}

// PSS is a CK_RSA_PKCS_PSS_PARAMS.
type PSS struct{ Hash, MGF, Salt uint }

// OAEP is a CK_RSA_PKCS_OAEP_PARAMS.
type OAEP struct {
	Hash, MGF uint
	Label     []byte
}

// RV is a CK_RV that is not CKR_OK.
type RV uint

func (r RV) Error() string { return fmt.Sprintf("CK_RV %#x", uint(r)) }
