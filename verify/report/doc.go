// SPDX-License-Identifier: Apache-2.0

// Package report is what verification says: outcomes, the words of ETSI
// EN 319 102-1, and one stable JSON form. It computes nothing and prints
// nothing; package verify fills a [Report], a program shows it.
//
// Three answers are kept apart because they are different facts. [Integrity]
// is the arithmetic alone: do these bytes still have the digest that was
// signed, and does the signature value match the public key. Trusted is the
// certificate chain alone. [Verdict] takes everything together, and is
// [Valid] only when nothing is missing.
//
// The zero value of every outcome is "unknown" or "indeterminate", so a field
// that was never filled can't be read as a good answer.
//
// The JSON form only ever grows: keys are added, never renamed or removed.
package report
