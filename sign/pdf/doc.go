// SPDX-License-Identifier: Apache-2.0

// Package pdf reads PDF files as far as signatures need it, adds PAdES
// signatures to them, and states facts about the signatures that are there.
//
// To sign, call [Sign]: it copies the file and appends an incremental update with
// a PAdES B-B signature (ETSI EN 319 142-1). It can fill in an empty field that
// the document has, certify the document, lock fields, and be visible, see
// [SignOptions]. [Preflight] says beforehand what would be refused: what earlier
// signatures, field locks, the encryption or the author of the form forbid. To
// look at what others signed:
//
//	doc, err := pdf.Open(file, size)
//	signatures, err := doc.Signatures()
//
// and for each [Signature] read Covers and Problems, then give Contents and
// SignedBytes to package sign/cms.
//
// What makes a signature last is added by SignOptions.Complete, a timestamp in the
// signature (level B-T), and by [Extend]: validation data in the document security
// store (B-LT) and document timestamps (B-LTA). Tokens, certificates, OCSP responses
// and revocation lists come from the caller. To read them again, see
// [Document.SecurityStore] and, for what a timestamp covers,
// [Document.SecurityStoreOf] and [Signature.CoversSignature].
//
// # What is a fact and what is not
//
// A signature whose Covers is [CoversWholeFile] signs every byte of the file but
// its own /Contents. One whose Covers is [CoversRevision] does so for an earlier
// state of the document, and AppendedBytes were added later: ask [Document.Changes]
// what they change, since they may change everything. With any other Covers the
// signature must not be taken as one of the document, even when its digest matches.
//
// Changes are judged by a whitelist: what no rule explains is forbidden. The rules
// are those of ISO 32000-2, 12.8.2, for the DocMDP level and the field locks that are
// in force at each step. [Document.Risks] names what can change the look of a
// document without any change.
//
// None of this is a verdict. The CMS is not opened here, no digest is computed,
// no certificate looked at; names, reasons and times in a signature dictionary
// are claims of whoever wrote it.
//
// # Reading
//
// Cross-reference tables, streams and hybrids are read (ISO 32000-2, 7.5), object
// streams, incremental updates, linearized files, and junk before the header and
// after the end. Objects are read when they are needed, through an [io.ReaderAt],
// in memory that does not grow with the file. Nothing is repaired unless
// [OpenOptions] ask for it: what departs from the standard in a way that two
// readers may understand differently is a *[DamagedError].
//
// # Encryption
//
// Files encrypted with a password are read and signed: RC4, AES-128 and AES-256
// (ISO 32000-2, 7.6.4, revisions 2 to 6). Strings and object streams are
// decrypted when they are read, /Contents of a signature never is, and what is
// added is encrypted as the rest. What the encryption forbids to holders of the
// user password is refused to them. Files encrypted for certificates are not
// opened. Passwords are taken as they stand, without a normal form of Unicode.
//
// # Appearance
//
// A visible signature is drawn so that it shows the same everywhere and keeps
// PDF/A and tagged documents what they are: the font is embedded as a subset,
// colours are calibrated, and a widget enters the structure of a document that
// has one and no signature yet. Fonts have TrueType outlines; pictures are PNG,
// JPEG or SVG, without transparency where PDF/A does not permit it. [Preview] shows
// the signature beforehand.
//
// # Limits
//
// An object has at most 32 MiB of source text, 400,000 parts and 100 levels; a
// stream that is inflated at most 32 MiB, all of them 256 MiB; a security store lists
// of at most 10,000 values, all of them 64 MiB; a revision has at most 10,000 signatures,
// a file 20,000 cross-reference sections. Files made to take very long, such as a thousand
// revisions of a form with thousands of fields, are refused.
//
// A [Document] must not be used by several goroutines at once; everything else
// may.
package pdf
