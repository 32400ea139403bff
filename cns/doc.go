// SPDX-License-Identifier: Apache-2.0

// Package cns knows what is special to Italian cards and the certificates on
// them, as pure facts: it reads no card and judges nothing.
//
// A signature kit holds two certificates. One is for qualified signatures; the
// other is for logging in, in most kits that of a CNS (Carta Nazionale dei
// Servizi, the national service card), or one that only looks like it.
// [Classify] tells them apart, and says why:
//
//	kind, reasons := cns.Classify(certificate)
//
// The codice fiscale (tax code) names a person in both. [CodiceFiscale] finds it
// in a certificate, [ParseCodiceFiscale] takes it apart. [SubjectOf] has the
// names to show.
//
// # The card
//
// What a CNS says of itself is read by package cns/card, and understood here:
// [ParsePersonalData] and [ParseCardID] for its two files, [ParseATR] and [ChipOf]
// for the answer it gives when it gets power. [SameCard], [CommonName.MatchHash]
// and [CompareHolders] say what fits together. [CertificationOf] and [RenewalOf]
// are tables of what providers published: a date stands at each, what is not
// confirmed is marked, and what is not in them is not known.
//
// # What it does not check
//
// A certificate says about itself what its issuer wrote, and anybody can issue
// certificates. Nothing here verifies a signature, a chain or a date: whether a
// signature is qualified is decided by the trusted list, not by what Classify
// finds. All functions are safe for concurrent use.
package cns
