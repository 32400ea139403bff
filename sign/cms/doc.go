// SPDX-License-Identifier: Apache-2.0

// Package cms reads and writes CMS SignedData (RFC 5652) and its European
// profile CAdES (ETSI EN 319 122-1): the .p7m, the .p7s, and the signature
// value inside a PDF.
//
// # Signing
//
// [Sign] streams a document of any size into a signature, attached or
// detached, in constant memory. [Signer.SignDigest] signs a digest that was
// computed elsewhere, as a PDF needs. Both meet the key only as a
// [crypto.Signer], write the attributes of the CAdES B-B level, and check the
// finished value against the certificate before it leaves.
//
// [AddSigner] and [CounterSign] put one more signature into a file that has
// some, and keep the octets of what was there.
//
// # Reading
//
// [Read] takes DER, BER and base64, streams the content past, and keeps the
// raw bytes of every other element. [SignedData.Check] then states facts about
// one signer: which bytes were digested, whether the signed attributes tell
// the truth, whether the value matches the certificate's key;
// [SignedData.CheckCounter] does so for a counter-signature.
//
// Nothing here decides whom to trust. A [Check] without findings says that the
// key of that certificate signed these bytes; whether the certificate is worth
// anything is for package verify. Content handed on by [Read] is unproven
// until Check has been asked.
//
// # Limits
//
// Everything but the content is held in memory, so it is limited: 32 MiB in
// all, 4 MiB of certificates, 2,000 signers and counter-signers, 1,000 attributes a
// signer, 64 levels of nesting. RSA keys have 8,192 bits at the most, and of those over
// 4,096 a hundred signatures are checked. Three digests of the content are computed because
// the file announces them. No real file comes near. The content has no limit.
//
// # Not done here
//
// Certificate chains, revocation and timestamps are not checked; unsigned
// attributes but for counter-signatures are kept raw. EnvelopedData is another
// package.
//
// Values of this package may be shared between goroutines for reading.
package cms
