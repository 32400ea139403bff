// SPDX-License-Identifier: Apache-2.0

// Package attacks makes forged PDF files: each was signed, and then made to show
// or to say something that nobody signed. No verifier must call one valid.
//
// The classes are those of the literature: universal signature forgery (USF),
// incremental saving (ISA) and signature wrapping (SWA) of "1 Trillion Dollar
// Refund" (2019), "Shadow Attacks" (2021), the evil annotation (EAA) and sneaky
// signature (SSA) attacks of "Breaking the Specification: PDF Certification"
// (2021); and what was seen of verifiers since.
//
// The files are built by hand out of text, with no code of what they test. They
// are signed by whoever the caller says, so that they fit any trust anchor.
package attacks
