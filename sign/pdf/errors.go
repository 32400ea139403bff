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
}

// Error implements error.
func (e *EncryptedError) Error() string {
	return e.Doing + ": the PDF is encrypted"
}

// Hint names a command that removes the encryption.
func (e *EncryptedError) Hint() string {
	return "qpdf --decrypt --password=… in.pdf out.pdf makes a file without encryption"
}

// PermissionError says that an earlier signature of the document forbids the
// change that was asked for (ISO 32000-2, 12.8.2.2 and 12.7.5.5).
type PermissionError struct {
	Why string
}

// Error implements error.
func (e *PermissionError) Error() string {
	return "checking permissions: " + e.Why
}

// FieldError says that the asked field name cannot be used.
type FieldError struct {
	Field string
	Why   string
}

// Error implements error.
func (e *FieldError) Error() string {
	return fmt.Sprintf("adding signature field %q: %s", e.Field, e.Why)
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
