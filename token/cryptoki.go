// SPDX-License-Identifier: Apache-2.0

package token

// cryptoki is the part of PKCS #11 v2.40 that this package calls, one method a C
// function. A module loaded from a file stands behind it, and in tests a
// scripted one. Errors are a [Code].
type cryptoki interface {
	Initialize(flags uint) error
	Finalize() error
	SlotList() ([]uint, error) // slots with a token present
	SlotDescription(slot uint) (string, error)
	TokenInfo(slot uint) (tokenInfo, error)
	OpenSession(slot uint) (uint, error) // read-only
	CloseSession(session uint) error
	SessionState(session uint) (uint, error)
	Login(session, user uint, pin []byte) error // an empty pin is sent as NULL
	Logout(session uint) error
	FindInit(session, class uint) error
	Find(session uint, most int) ([]uint, error)
	FindFinal(session uint) error
	Attribute(session, object, kind uint) ([]byte, error)
	SignInit(session uint, m mechanism, key uint) error
	Sign(session uint, data []byte) ([]byte, error)
}

// tokenInfo is what we use of CK_TOKEN_INFO, strings as the module gave them.
type tokenInfo struct {
	label, serial, model, manufacturer string
	flags                              uint
	minPIN, maxPIN                     uint
}

// mechanism is a CK_MECHANISM; pss is set for CKM_RSA_PKCS_PSS alone.
type mechanism struct {
	kind uint
	pss  *pssParameters
}

// pssParameters is a CK_RSA_PKCS_PSS_PARAMS.
type pssParameters struct{ hash, mgf, salt uint }

// Constants of PKCS #11 v2.40, pkcs11t.h, under their own names. They stand here
// too, and not only in the binding, so that the package builds without cgo.
const (
	ckfOSLockingOK = 0x2 // CK_C_INITIALIZE_ARGS

	ckfLoginRequired      = 0x4 // CK_TOKEN_INFO
	ckfUserPINInitialized = 0x8
	ckfProtectedAuthPath  = 0x100
	ckfTokenInitialized   = 0x400
	ckfUserPINCountLow    = 0x10000
	ckfUserPINFinalTry    = 0x20000
	ckfUserPINLocked      = 0x40000

	cksROUserFunctions = 1
	cksRWUserFunctions = 3

	ckuUser            = 1
	ckuContextSpecific = 2

	ckoCertificate = 1
	ckoPublicKey   = 2
	ckoPrivateKey  = 3

	ckaLabel              = 0x3
	ckaValue              = 0x11
	ckaCertificateType    = 0x80
	ckaID                 = 0x102
	ckaModulus            = 0x120
	ckaECPoint            = 0x181
	ckaAlwaysAuthenticate = 0x202

	ckcX509 = 0

	ckmRSAPKCS    = 0x1
	ckmRSAX509    = 0x3
	ckmRSAPKCSPSS = 0xd
	ckmSHA1       = 0x220
	ckmSHA224     = 0x255
	ckmSHA256     = 0x250
	ckmSHA384     = 0x260
	ckmSHA512     = 0x270
	ckmECDSA      = 0x1041

	ckgMGF1SHA1   = 1
	ckgMGF1SHA256 = 2
	ckgMGF1SHA384 = 3
	ckgMGF1SHA512 = 4
	ckgMGF1SHA224 = 5
)
