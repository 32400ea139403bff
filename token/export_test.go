// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/x509"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// OpenScripted opens the scripted module for the Examples, with one token that
// holds one key.
func OpenScripted(label, pin, id string, key crypto.PrivateKey, certificate *x509.Certificate) (*Module, error) {
	f := newFake(tokenOf{label, pin, []softhsm.Object{{ID: []byte(id), Label: id, Key: key, Certificate: certificate}}})
	lib := newLibrary(f)
	return newModule("scripted", lib), lib.retain()
}
