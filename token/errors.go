// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"fmt"
)

var (
	// ErrNoCgo is returned by [Open] and [Available] in a program built without cgo.
	ErrNoCgo = errors.New("this pectoken was built without a C compiler, so it cannot load PKCS#11 modules; " +
		"install one (Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install; " +
		"Windows: a C compiler such as mingw-w64) and build again with CGO_ENABLED=1")

	// ErrClosed is returned by everything that is used after its module, or it
	// itself, was closed.
	ErrClosed = errors.New("already closed")

	// ErrRemoved is matched by every error of a module that says that the card is
	// no longer there; see [Code.Is].
	ErrRemoved = errors.New("the card was removed")

	// ErrNoKey is returned by [Token.Signer] when the token has no private key for
	// the certificate, or several and nothing to tell them apart.
	ErrNoKey = errors.New("no private key for the certificate")

	// ErrLoggedIn is returned by [Token.VerifyPIN] and [Token.UnblockPIN] when this
	// process is logged in to the token and may not log out: the token would accept
	// any PIN, and no PUK.
	ErrLoggedIn = errors.New("this program is logged in to the token and in use of it, so a PIN cannot be checked now")

	// ErrNoUnblock is returned by [Token.UnblockPIN] and [Token.ChangePIN] when the
	// module does not do it: the vendor's own program may.
	ErrNoUnblock = errors.New("this module cannot set a PIN in this way")

	// ErrBadSignature is returned by [Signer.Sign] when what the token returned
	// does not verify with the certificate's public key.
	ErrBadSignature = errors.New("the token's signature does not verify with the certificate: " +
		"the key is not the certificate's, or the card is faulty")
)

// ModuleError says why a PKCS#11 module cannot be used.
type ModuleError struct {
	Path   string // as given to Open
	Reason string // in words, such as "built for x86_64, this program is arm64"
	Err    error  // the cause of Reason, or nil
}

func (e *ModuleError) Error() string {
	return fmt.Sprintf("opening module %q: %s", e.Path, e.Reason)
}

// Unwrap returns the cause.
func (e *ModuleError) Unwrap() error { return e.Err }

// SlotError says why a slot was left out of a list of tokens.
type SlotError struct {
	Slot   uint
	Reader string // the slot's description, empty if unknown
	Err    error
}

func (e *SlotError) Error() string {
	return fmt.Sprintf("reading token in slot %d (%q): %v", e.Slot, e.Reader, e.Err)
}

// Unwrap returns the cause.
func (e *SlotError) Unwrap() error { return e.Err }
