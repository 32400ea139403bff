// SPDX-License-Identifier: Apache-2.0

// Package verify is the door to verification: it finds out what a file is,
// checks every signature and timestamp in it, and returns a [report.Report].
//
// [File] is the one call for that. It recognises PDF, CMS (.p7m, .p7s; DER, BER,
// base64, below the header of S/MIME too) and timestamps (.tsr, .tst, .tsd, .m7m) by
// content, never by name, and gives each signature a verdict in the order of ETSI EN 319
// 102-1, clause 5.3: format, signer's certificate, arithmetic, the signed attributes, the
// chain to a trust anchor.
//
// A signature is valid only when everything was checked and good. Without
// [Options.Trust] an intact signature is indeterminate, never valid. What
// can't be found out is indeterminate; what was found out and is bad is
// invalid, and both are a report, not an error.
//
// A file inside a file (.p7m in .p7m, a signed PDF in a .p7m) and
// counter-signatures are verified as well; the verdict on the whole is the
// worst of all.
//
// What was changed in a PDF after each signature is listed, and judged by what the
// document permits: form filling, further signatures and data for long-term
// validation leave a signature valid, anything else makes it invalid. Where that
// can't be told, as in an encrypted file without its password, it is
// indeterminate at best. A damaged PDF is read as far as it can be, and none of
// its signatures is valid.
//
// [Extract] takes the document out of a .p7m, [Revision] out of a PDF the state
// that one signature covers.
//
// A signature is judged at the earliest moment at which it is proven to have been there:
// by a timestamp on it, or on a file or document that it stands in, whose own authority
// chains to an anchor, may issue timestamps, and was not revoked. Timestamps are judged the
// last one first, each at the time that the next one proves (EN 319 102-1, clause 5.6.2.4).
// One that is not good proves nothing, which is said in a warning, and takes nothing away.
// Without one the moment is [Options.Time], else Now. What the signer claims proves
// nothing; a time that can't be true is a warning.
//
// With [Options.Revocation] each certificate of a chain but the anchor is asked about, by
// evidence in the file, given evidence and the network, as package revocation says. Where
// nothing is found out the verdict is TRY_LATER, unless a certificate names no place to
// ask, which is a warning. Suspension counts as one until it is lifted (Italian CAD, art.
// 24, 4-bis).
//
// Evidence counts only if it is proven to be from when those who signed it could be relied
// on: a key whose certificate has ended, or was revoked, may be in the hands of a thief, who
// can date a list, an answer or a certificate at will. It is proven by the archive, document
// or file timestamps that cover it, and otherwise to be here now, or at [Options.Time] if that
// is given. A "good" that is not proven is NO_POE (EN 319 102-1, clause 5.6.2.2); that
// clause slides one control time down the chain, here each step is asked for on its own,
// which asks for no less. A "revoked" is believed without proof. So B-LT lasts while the
// responder and the issuers live, and B-LTA beyond that.
//
// A timestamp proves the end of what its accuracy allows: the latest that it may have been
// made. The standard takes the time that it states; where the two differ a thief could
// have used the difference. Two timestamps are in the wrong order only when their accuracy
// leaves no doubt (RFC 3161, section 2.4.2).
//
// All asking for one file takes no longer than [Options.NetworkTime]. Anchors are not
// asked about: who trusts them directly has to stop doing so.
//
// All sub-indications of package report can be reached.
//
// # Limits
//
// Files are made to cost time as well, so there are limits beside those of the format
// packages: files inside files and counter-signatures of counter-signatures go 8 deep; 16
// certificates of a file have no chain before no more is looked for, and for 16 an issuer is
// fetched; of digests of the content that a file did not announce three kinds are computed;
// of very many document timestamps only the last are known by what they cover; 2,000
// revocation values are read for one signer; and where signers, timestamps, certificates and
// revocation values are many each, not all are compared with all. What is beyond is
// indeterminate at best.
//
// Not checked yet: qualification by trusted lists; archive timestamps before version 3, and
// evidence records, which prove nothing here.
//
// Functions of this package may be called from several goroutines.
package verify
