// SPDX-License-Identifier: Apache-2.0

// Package judges runs the programs that say whether pectoken is right: they
// verify what it signs, and make what it has to verify. openssl speaks for
// CMS, pdfsig and qpdf for PDF; ghostscript, LibreOffice and others make
// documents no code of ours had a hand in.
//
// A test names what it needs, and is skipped by that name where it is missing:
//
//	judges.Need(t, "pdfsig")
//	signatures, err := judges.PDFSig(ctx, "contract-signed.pdf")
//
// pyHanko and DSS speak for both, and sign too; veraPDF says whether a PDF is still good
// for an archive. No distribution has them: `make judges` installs them into a folder of
// their own, where [NeedPyHanko], [NeedDSS] and [NeedVeraPDF] find them. They start
// slowly, so that one process answers all the questions of a test:
//
//	dss := judges.NeedDSS(t)
//	signatures, err := dss.Validate(ctx, judges.Ask{File: "notes.txt.p7m", Trust: "root.pem"})
//
// Programs run in the C locale, with an empty standard input and for at most
// [Timeout]. A judge that could not be asked is an error; one that says no is
// an answer, unless the function says otherwise.
package judges
