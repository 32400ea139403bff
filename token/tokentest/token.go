// SPDX-License-Identifier: Apache-2.0

package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Token is a card in a slot.
type Token struct {
	Label, Serial, Model, Manufacturer string
	Reader                             string // the slot's description; empty: "Reader" and the slot's number
	Removable                          bool   // CKF_REMOVABLE_DEVICE in CK_SLOT_INFO
	Flags                              uint   // of CK_TOKEN_INFO, but for those of tries, which follow from the tries
	MinPIN, MaxPIN                     uint
	MaxSessions                        int // 0: any number

	PIN, PUK        string
	Tries, PUKTries int // left
	MaxTries        int // of a fresh PIN or PUK

	LoggedIn bool // as the user
	Objects  []*Object

	officer bool   // logged in as the security officer
	typed   string // what the user types on the keypad, if not the right PIN
}

// NewToken returns a card with a PIN of 5 to 8 characters, three tries, and the PUK
// 87654321. [New] gives it a serial number.
func NewToken(label, pin string, objects ...*Object) *Token {
	return &Token{
		Label: label, Model: "Scripted", Manufacturer: "pectoken",
		Flags:  cryptoki.CKF_TOKEN_INITIALIZED | cryptoki.CKF_USER_PIN_INITIALIZED | cryptoki.CKF_LOGIN_REQUIRED,
		MinPIN: 5, MaxPIN: 8, PIN: pin, PUK: "87654321", Tries: 3, PUKTries: 3, MaxTries: 3, Objects: objects,
	}
}

// Pad gives the card's reader a keypad, on which the user always types the right
// PIN, unless it is said what else.
func (t *Token) Pad(typed string) {
	t.Flags |= cryptoki.CKF_PROTECTED_AUTHENTICATION_PATH
	t.typed = typed
}

// NotSet makes the card one whose PIN was never set.
func (t *Token) NotSet() { t.Flags &^= cryptoki.CKF_USER_PIN_INITIALIZED }

// FalseLock makes the card's module say that the PIN is locked, whatever the tries:
// as OpenSC does with Italian cards, under a model that gives it away.
func (t *Token) FalseLock() {
	t.Model = "PKCS#15 emulated"
	t.Flags |= cryptoki.CKF_USER_PIN_LOCKED
}

// info is CK_TOKEN_INFO.
func (t *Token) info() cryptoki.TokenInfo {
	i := cryptoki.TokenInfo{
		Label: t.Label + "      ", Serial: t.Serial, Model: t.Model, Manufacturer: t.Manufacturer,
		Flags: t.Flags, MinPIN: t.MinPIN, MaxPIN: t.MaxPIN,
	}
	i.Flags |= flags(t.Tries, t.MaxTries, cryptoki.CKF_USER_PIN_COUNT_LOW)
	i.Flags |= flags(t.PUKTries, t.MaxTries, cryptoki.CKF_SO_PIN_COUNT_LOW)
	return i
}

// flags says how many tries are left. The flags for "final" and "locked" are the
// two bits above the one for "low".
func flags(tries, most int, low uint) uint {
	switch {
	case tries == 0:
		return low << 2
	case tries == 1:
		return low<<1 | low
	case tries < most:
		return low
	}
	return 0
}

// try holds what was sent against the right secret. A keypad, which gets none, is
// given what the user types.
func (t *Token) try(secret string, tries *int, sent []byte) error {
	given := string(sent)
	if given == "" && t.Flags&cryptoki.CKF_PROTECTED_AUTHENTICATION_PATH != 0 {
		given = secret
		if t.typed != "" {
			given = t.typed
		}
	}
	switch {
	case *tries == 0:
		return cryptoki.RV(cryptoki.CKR_PIN_LOCKED)
	case given != secret:
		*tries--
		return cryptoki.RV(cryptoki.CKR_PIN_INCORRECT)
	}
	*tries = t.MaxTries
	return nil
}

// setPIN makes pin the user's.
func (t *Token) setPIN(pin []byte) error {
	if uint(len(pin)) < t.MinPIN || uint(len(pin)) > t.MaxPIN {
		return cryptoki.RV(cryptoki.CKR_PIN_LEN_RANGE)
	}
	t.PIN, t.Tries = string(pin), t.MaxTries
	t.Flags |= cryptoki.CKF_USER_PIN_INITIALIZED
	return nil
}

// Object is an object on a card, in PKCS#11's own numbers: its class (CKO_) and
// attributes (CKA_).
type Object struct {
	Class      uint
	Private    bool // seen only when logged in
	Attributes map[uint][]byte
	Key        crypto.Signer // what a private key does
}

// Identity is a certificate with its keys, as a card holds them.
type Identity struct {
	ID                 []byte            // CKA_ID
	Label              string            // CKA_LABEL
	Key                crypto.PrivateKey // nil: no key objects
	Certificate        *x509.Certificate // nil: no certificate object
	AlwaysAuthenticate bool              // the key wants the PIN before each use
	NoPublicKey        bool              // leave out the public key object, as many cards do
	VisibleKey         bool              // the private key is seen before a login
}

// Objects returns what a card holds of an identity.
func (i Identity) Objects() []*Object {
	var list []*Object
	if i.Certificate != nil {
		list = append(list, &Object{Class: cryptoki.CKO_CERTIFICATE, Attributes: i.named(map[uint][]byte{
			cryptoki.CKA_VALUE: i.Certificate.Raw, cryptoki.CKA_CERTIFICATE_TYPE: ULong(cryptoki.CKC_X_509),
		})})
	}
	key, ok := i.Key.(crypto.Signer)
	if !ok {
		return list
	}
	public := publicAttributes(key.Public())
	private := map[uint][]byte{cryptoki.CKA_ALWAYS_AUTHENTICATE: {0}}
	if i.AlwaysAuthenticate {
		private[cryptoki.CKA_ALWAYS_AUTHENTICATE] = []byte{1}
	}
	if n, ok := public[cryptoki.CKA_MODULUS]; ok {
		private[cryptoki.CKA_MODULUS] = n
	}
	list = append(list, &Object{Class: cryptoki.CKO_PRIVATE_KEY, Private: !i.VisibleKey, Attributes: i.named(private), Key: key})
	if !i.NoPublicKey {
		list = append(list, &Object{Class: cryptoki.CKO_PUBLIC_KEY, Attributes: i.named(public)})
	}
	return list
}

func (i Identity) named(attributes map[uint][]byte) map[uint][]byte {
	attributes[cryptoki.CKA_ID], attributes[cryptoki.CKA_LABEL] = i.ID, []byte(i.Label)
	return attributes
}

func publicAttributes(public crypto.PublicKey) map[uint][]byte {
	attributes := map[uint][]byte{}
	switch k := public.(type) {
	case *rsa.PublicKey:
		attributes[cryptoki.CKA_MODULUS] = k.N.Bytes()
	case *ecdsa.PublicKey:
		if point, err := k.Bytes(); err == nil {
			attributes[cryptoki.CKA_EC_POINT], _ = asn1.Marshal(point) // an OCTET STRING cannot fail
		}
	}
	return attributes
}

// Data returns a data object, such as the file of personal data of a CNS.
func Data(label, application string, value []byte) *Object {
	return &Object{Class: cryptoki.CKO_DATA, Attributes: map[uint][]byte{
		cryptoki.CKA_LABEL: []byte(label), cryptoki.CKA_APPLICATION: []byte(application), cryptoki.CKA_VALUE: value,
	}}
}

// ULong returns a CK_ULONG as attributes hold it.
func ULong(n uint64) []byte { return binary.NativeEndian.AppendUint64(nil, n) }
