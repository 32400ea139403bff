// SPDX-License-Identifier: Apache-2.0

// Package sign is the door to signing: one call for every kind of document.
//
// [Document] signs a PDF inside itself (PAdES, ETSI EN 319 142-1) and puts
// anything else into a CMS envelope or beside one (CAdES, ETSI EN 319 122-1),
// at the B-B level or one that lasts longer: Options.Level says which, with a
// [Stamper] for the timestamps and a [ValidationDataSource] for the proof that
// certificates were good. [Extend] raises signatures that are there, by whomever.
// The key is any [crypto.Signer]; a token's comes from package token, which this
// package doesn't know.
//
// [Preflight] finds what would be refused before a PIN is asked for.
//
// Sources are read as they are and never written to. What a document shows,
// and whether the certificate is worth anything, is not looked at.
package sign
