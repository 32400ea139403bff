// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"errors"
	"fmt"
)

// ErrNotPDF says that the file has no %PDF- header in its first 1024 bytes.
var ErrNotPDF = errors.New("reading PDF header: not a PDF file")

// DamagedError says where and how a file departs from ISO 32000-2 in a way
// that this package does not read around, or where it exceeds a limit that
// keeps memory and time bounded.
type DamagedError struct {
	Offset int64  // byte of the file (of the inflated stream, inside an object stream); 0 for the whole
	What   string // what is wrong there
}

// Error implements error.
func (e *DamagedError) Error() string {
	if e.Offset == 0 {
		return "reading a damaged PDF: " + e.What
	}
	return fmt.Sprintf("reading a damaged PDF: at byte %d: %s", e.Offset, e.What)
}

// Hint names a command that repairs many damaged files. A repaired file is a
// new file: signatures in it are lost.
func (e *DamagedError) Hint() string {
	return "qpdf in.pdf out.pdf repairs many such files (and removes the effect of any signature in them)"
}

// EncryptedError says that what was asked needs the document decrypted.
type EncryptedError struct {
	Doing string // the step that met the encryption, as a gerund
	Why   string // why it cannot be opened, when that is known: the rest of a sentence
}

// Error implements error.
func (e *EncryptedError) Error() string {
	if e.Why != "" {
		return e.Doing + ": the PDF is encrypted, " + e.Why
	}
	return e.Doing + ": the PDF is encrypted"
}

// Hint names a command that removes the encryption.
func (e *EncryptedError) Hint() string {
	return "qpdf --decrypt --password=… in.pdf out.pdf makes a file without encryption"
}

// PasswordError says that the document is encrypted and needs a password, or
// another one. It is an [EncryptedError] too.
type PasswordError struct {
	Given bool // a password was given, and it is wrong
}

// Error implements error.
func (e *PasswordError) Error() string {
	if e.Given {
		return "opening PDF: wrong password"
	}
	return "opening PDF: the document is encrypted and needs a password"
}

// Unwrap returns the *EncryptedError that e is a kind of.
func (e *PasswordError) Unwrap() error { return &EncryptedError{Doing: "opening PDF"} }

// Hint says what to do.
func (e *PasswordError) Hint() string {
	return "the password that the document is opened with is needed, or its owner's"
}

// PermissionError says that an earlier signature of the document, or its
// encryption, forbids the change that was asked for (ISO 32000-2, 12.8.2.2,
// 12.7.5.5 and 7.6.4.2).
type PermissionError struct {
	Why string
}

// Error implements error.
func (e *PermissionError) Error() string {
	return "checking permissions: " + e.Why
}

// FieldError says that the asked field cannot be signed.
type FieldError struct {
	Field string
	Why   string
}

// Error implements error.
func (e *FieldError) Error() string {
	return fmt.Sprintf("signing field %q: %s", e.Field, e.Why)
}

// RoomError says that a finished signature or timestamp is longer than the room that
// was reserved for it before the document was digested. It must be made anew, with
// room for Size bytes.
type RoomError struct {
	Size int // of the value, in bytes
	Room int // reserved
}

// Error implements error.
func (e *RoomError) Error() string {
	return fmt.Sprintf("writing signature: it has %d bytes, and room was reserved for %d", e.Size, e.Room)
}

// Hint says what to do.
func (e *RoomError) Hint() string {
	return fmt.Sprintf("reserve %d bytes more and sign again", e.Size-e.Room)
}

func damaged(offset int64, format string, args ...any) error {
	return &DamagedError{Offset: offset, What: fmt.Sprintf(format, args...)}
}

// unreadable tells damage and encryption from errors of the reader.
func unreadable(err error) bool {
	var damage *DamagedError
	var encrypted *EncryptedError
	return errors.As(err, &damage) || errors.As(err, &encrypted)
}

// hard returns err unless it says that a part of the file is unreadable.
func hard(err error) error {
	if unreadable(err) {
		return nil
	}
	return err
}
