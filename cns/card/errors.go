// SPDX-License-Identifier: Apache-2.0

package card

import (
	"errors"
	"fmt"
)

// Errors of PC/SC that somebody can do something about.
var (
	// ErrNoLibrary: the library of PC/SC is not installed (libpcsclite on Linux).
	ErrNoLibrary = errors.New("the PC/SC library is not installed")

	// ErrNoService: the service does not run, or is not installed. It looks the same
	// from here.
	ErrNoService = errors.New("the PC/SC service is not running")

	// ErrDenied: the service runs, and does not let this user in.
	ErrDenied = errors.New("the PC/SC service refuses this user")

	// ErrUnsupported: this program cannot reach PC/SC on this system. On Linux
	// that takes cgo, so that a program without it stays free of the C library.
	ErrUnsupported = errors.New("this program cannot reach PC/SC: on Linux it has to be built with a C compiler, and other systems than Linux, macOS and Windows are not supported")

	ErrNoReader     = errors.New("no card reader")                // none at all, or none of the name
	ErrNoCard       = errors.New("no card in the reader")         // or it was pulled out
	ErrMuteCard     = errors.New("the card does not answer")      // turned round, dirty, or faulty
	ErrBusy         = errors.New("the card is in use")            // by a program that does not share it
	ErrSeveralCards = errors.New("cards in more than one reader") // and no name was given
)

// ErrNotShown is returned by [ReadObjects] for modules that show none of the
// card's files.
var ErrNotShown = errors.New("the module shows none of the card's files")

// ForeignCardError says that a card is not a CNS, or not one whose files lie
// where those of a CNS do.
type ForeignCardError struct {
	Reader string
	ATR    []byte
	Err    error // what was missing
}

func (e *ForeignCardError) Error() string { return fmt.Sprintf("not a CNS: %v", e.Err) }

// Unwrap returns what was missing.
func (e *ForeignCardError) Unwrap() error { return e.Err }

// Status is the status word with which a card refuses a command (ISO/IEC 7816-4,
// section 5.6).
type Status uint16

// Status words that are told apart.
const (
	statusOK         Status = 0x9000
	statusEndOfFile  Status = 0x6282
	statusLength     Status = 0x6700
	statusDenied     Status = 0x6982
	statusNoFile     Status = 0x6a82
	statusOutside    Status = 0x6b00
	statusMoreBytes  byte   = 0x61 // first byte; the second says how many
	statusExactBytes byte   = 0x6c // first byte; the second is the length to ask for
)

// Error names the word: "the card answers 6A82 (no such file)".
func (s Status) Error() string {
	words := map[Status]string{
		statusLength: "wrong length", statusDenied: "not without a PIN", statusNoFile: "no such file", statusOutside: "outside the file",
	}
	if w := words[s]; w != "" {
		return fmt.Sprintf("the card answers %04X (%s)", uint16(s), w)
	}
	return fmt.Sprintf("the card answers %04X", uint16(s))
}

// Code is an error code of PC/SC. It is in the chain of every error that comes
// from there, beside the error of this package that explains it.
type Code uint32

// Error returns the name that PC/SC gives the code, and the number.
func (c Code) Error() string {
	if name, ok := codeNames[c]; ok {
		return fmt.Sprintf("%s (0x%08X)", name, uint32(c))
	}
	return fmt.Sprintf("PC/SC error 0x%08X", uint32(c))
}

// Codes, as winscard.h of PC/SC Lite and of Windows have them.
const (
	codeUnknownReader     Code = 0x80100009
	codeSharingViolation  Code = 0x8010000b
	codeNoSmartcard       Code = 0x8010000c
	codeProtoMismatch     Code = 0x8010000f
	codeReaderUnavailable Code = 0x80100017
	codeCardUnsupported   Code = 0x8010001c
	codeNoService         Code = 0x8010001d
	codeServiceStopped    Code = 0x8010001e
	codeNoAccess          Code = 0x80100027
	codeNoReaders         Code = 0x8010002e
	codeUnsupportedCard   Code = 0x80100065
	codeUnresponsiveCard  Code = 0x80100066
	codeUnpoweredCard     Code = 0x80100067
	codeResetCard         Code = 0x80100068
	codeRemovedCard       Code = 0x80100069
	codeSecurityViolation Code = 0x8010006a
)

var codeNames = map[Code]string{
	codeUnknownReader: "SCARD_E_UNKNOWN_READER", codeSharingViolation: "SCARD_E_SHARING_VIOLATION",
	codeNoSmartcard: "SCARD_E_NO_SMARTCARD", codeProtoMismatch: "SCARD_E_PROTO_MISMATCH",
	codeReaderUnavailable: "SCARD_E_READER_UNAVAILABLE", codeCardUnsupported: "SCARD_E_CARD_UNSUPPORTED",
	codeNoService: "SCARD_E_NO_SERVICE", codeServiceStopped: "SCARD_E_SERVICE_STOPPED", codeNoAccess: "SCARD_E_NO_ACCESS",
	codeNoReaders: "SCARD_E_NO_READERS_AVAILABLE", codeUnsupportedCard: "SCARD_W_UNSUPPORTED_CARD",
	codeUnresponsiveCard: "SCARD_W_UNRESPONSIVE_CARD", codeUnpoweredCard: "SCARD_W_UNPOWERED_CARD",
	codeResetCard: "SCARD_W_RESET_CARD", codeRemovedCard: "SCARD_W_REMOVED_CARD", codeSecurityViolation: "SCARD_W_SECURITY_VIOLATION",
}

// explained puts the error that says what a code means before the code.
func (c Code) explained() error {
	var meaning error
	switch c {
	case codeNoService, codeServiceStopped:
		meaning = ErrNoService
	case codeNoAccess, codeSecurityViolation:
		meaning = ErrDenied
	case codeNoReaders, codeUnknownReader, codeReaderUnavailable:
		meaning = ErrNoReader
	case codeNoSmartcard, codeRemovedCard:
		meaning = ErrNoCard
	case codeUnresponsiveCard, codeUnpoweredCard, codeUnsupportedCard, codeCardUnsupported, codeProtoMismatch:
		meaning = ErrMuteCard
	case codeSharingViolation, codeResetCard:
		meaning = ErrBusy
	default:
		return c
	}
	return fmt.Errorf("%w: %w", meaning, c)
}
