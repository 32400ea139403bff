// SPDX-License-Identifier: Apache-2.0

// Package verify is the door to verification: it finds out what a file is,
// checks every signature in it, and returns a [report.Report].
//
// [File] is the one call. It recognises PDF and CMS (.p7m, .p7s; DER, BER,
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
// Not checked yet: revocation (said in a warning), timestamps, qualification
// by trusted lists. A PDF to which anything
// was added after a signature is indeterminate at best, since what was added
// isn't analysed.
//
// Functions of this package may be called from several goroutines.
package verify
