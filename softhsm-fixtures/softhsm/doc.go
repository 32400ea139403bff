// SPDX-License-Identifier: Apache-2.0

// Package softhsm makes SoftHSM2 tokens for tests, each set in a folder of its
// own: no token of the machine is ever touched.
//
//	h := softhsm.New(t)
//	serial, err := h.AddToken("Firma", "123456", softhsm.Object{
//		ID: []byte("DS0"), Label: "DS0", Key: signer.Key, Certificate: signer.Certificate,
//	})
//
// [Standard] makes the kit most tests want. The program under test then opens
// [HSM.Module] with the environment variable of [HSM.Env] set, which [New]
// does for the test's own process.
//
// # One library, one configuration
//
// A PKCS#11 library exists once in a process and reads its configuration when
// it is initialised. [HSM.AddToken] initialises it, adds the token and
// finalises it again, so it has to be called while nobody else in the process
// has the module open; otherwise it says so and does nothing. Make the tokens
// first, then open the module.
//
// # Where SoftHSM is no model of a card
//
// It never locks a PIN: after wrong ones it shows CKF_USER_PIN_COUNT_LOW and
// nothing worse. It always lists one more slot, whose token is not
// initialised. Its slot numbers are random. It does enforce
// CKA_ALWAYS_AUTHENTICATE.
//
// Built without cgo the package compiles, and adding a token is an error.
package softhsm
