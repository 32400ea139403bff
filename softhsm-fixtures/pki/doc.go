// SPDX-License-Identifier: Apache-2.0

// Package pki makes the test certificates of pectoken: a root, an Italian-like
// qualified CA, signers with the profile of a qualified signature certificate,
// a CNS certificate, and the ones that must be refused. Everything comes from
// one description, the table in entities.go, and is made at run time: no key
// and no certificate is kept in a file.
//
//	p := pki.New(time.Now())
//	signer, err := p.Issue(pki.Signer)
//
// Nothing is issued before it is asked for. Serial numbers, subjects and dates
// follow from the description and the time given to [New]; keys are random,
// but each name keeps its key as long as the process lives, because making
// RSA keys is what takes the time.
//
// The holders (MARIO ROSSI, LUCIA VERDI), their codici fiscali (tax codes) and
// the companies are invented. Certificates made here are worth nothing outside
// a test.
//
// A [PKI] is safe for concurrent use.
package pki
