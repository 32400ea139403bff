// SPDX-License-Identifier: Apache-2.0

// Package verify is the door to verification: it finds out what a file is,
// checks every signature in it, and returns a [report.Report].
//
// [File] is the one call for that. It recognises PDF and CMS (.p7m, .p7s; DER, BER,
// base64) by content, never by name, and gives each signature a verdict in the
// order of ETSI EN 319 102-1, clause 5.3: format, signer's certificate,
// arithmetic, the signed attributes, the chain to a trust anchor.
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
// Not checked yet: revocation (said in a warning), timestamps, qualification
// by trusted lists.
//
// Functions of this package may be called from several goroutines.
package verify
