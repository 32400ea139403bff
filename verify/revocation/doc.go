// SPDX-License-Identifier: Apache-2.0

// Package revocation finds out whether a certificate was revoked or suspended,
// and proves it: from OCSP responses (RFC 6960) and certificate revocation lists
// (RFC 5280, section 5) that were given, that stand in a signed file, or that are
// fetched.
//
// [ParseOCSP] and [ParseCRL] read one piece of evidence; [OCSP.Answer] and
// [CRL.Answer] say what it says of one certificate, and refuse to say anything
// unless it is signed by somebody who may: the issuer itself, or a responder to
// whom the issuer gave the right (RFC 6960, section 4.2.2.2). An [Answer] keeps good,
// revoked, suspended and unknown apart, and says of what time it speaks.
//
// A [Checker] looks for the best answer for a moment: evidence at hand first, then a
// cache, then the network, if it may.
//
// Not done here: chains are built by package trust, and whether a moment is proven is
// decided by package verify. Delta CRLs and indirect CRLs are recognised and not
// used. A list stays in memory as it came, with an index of a few bytes an entry.
package revocation
