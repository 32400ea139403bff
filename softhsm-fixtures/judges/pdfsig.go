// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// PDFSignature is what pdfsig says of one signature field.
type PDFSignature struct {
	Field         string
	Signed        bool   // false for a field that is still empty, which has no more than its name
	Signer        string // the common name
	Subject       string // the distinguished name, most specific part first
	Hash          string // as in "SHA-256"
	Type          string // the /SubFilter
	Ranges        []Range
	TotalDocument bool   // the ranges reach the end of the file
	Valid         bool   // the digest and the signature are right; says nothing of trust
	Validation    string // the words for it
}

// Range is a part of a file, in bytes, End not included.
type Range struct{ Start, End int64 }

// pdfsig's exit code for a document without signatures.
const noSignatures = 2

// PDFSig returns what pdfsig says of each signature field of a PDF; nothing
// when it has none. It is not asked about certificates: what it says of them
// is not reliable. A file pdfsig can't read is an error.
func PDFSig(ctx context.Context, file string) (signatures []PDFSignature, err error) {
	err = inTemp(func(home string) error {
		// An empty home keeps the certificates of a browser out of it.
		out, err := program{name: "pdfsig", args: []string{"-nocert", file}, home: home}.run(ctx)
		if err != nil && exitCode(err) != noSignatures {
			return err
		}
		signatures, err = parsePDFSig(out)
		return err
	})
	return signatures, err
}

// parsePDFSig reads the lines of pdfsig: a heading for each field, then its
// facts.
func parsePDFSig(out string) ([]PDFSignature, error) {
	var signatures []PDFSignature
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "Signature #") {
			signatures = append(signatures, PDFSignature{Signed: true})
			continue
		}
		if len(signatures) == 0 {
			continue
		}
		if err := signatures[len(signatures)-1].read(line); err != nil {
			return nil, fmt.Errorf("reading pdfsig: %w", err)
		}
	}
	return signatures, nil
}

func (s *PDFSignature) read(line string) (err error) {
	fact := strings.TrimPrefix(strings.TrimSpace(line), "- ")
	name, value, _ := strings.Cut(fact, ": ")
	switch name {
	case "Signature Field Name":
		s.Field = value
	case "The signature form field is not signed.":
		s.Signed = false
	case "Signer Certificate Common Name":
		s.Signer = value
	case "Signer full Distinguished Name":
		s.Subject = value
	case "Signing Hash Algorithm":
		s.Hash = value
	case "Signature Type":
		s.Type = value
	case "Signed Ranges":
		s.Ranges, err = parseRanges(value)
	case "Total document signed":
		s.TotalDocument = true
	case "Signature Validation":
		s.Validation = value
		s.Valid = value == "Signature is Valid."
	}
	return err
}

var rangePattern = regexp.MustCompile(`\[(\d+) - (\d+)\]`)

// parseRanges reads "[0 - 478003], [487447 - 487930]".
func parseRanges(text string) ([]Range, error) {
	var ranges []Range
	for _, match := range rangePattern.FindAllStringSubmatch(text, -1) {
		start, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil {
			return nil, err
		}
		end, err := strconv.ParseInt(match[2], 10, 64)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, Range{start, end})
	}
	return ranges, nil
}

// PDFSigAdd has pdfsig add a signature by signer, of type adbe.pkcs7.detached
// and in a field of its own naming, to the PDF in and write the result to out.
// It also needs openssl, certutil and pk12util, to give pdfsig a database with
// the key.
func PDFSigAdd(ctx context.Context, signer *pki.Identity, in, out string) error {
	return inTemp(func(dir string) error {
		if err := NSSDatabase(ctx, dir, signer); err != nil {
			return err
		}
		_, err := run(ctx, "pdfsig", PDFSigAddArgs(dir, in, out)...)
		return err
	})
}

// PDFSigAddArgs are those with which pdfsig signs as in [PDFSigAdd], with a
// database of [NSSDatabase].
func PDFSigAddArgs(database, in, out string) []string {
	return []string{"-nssdir", "sql:" + database, "-nss-pwd", "", "-add-signature", "-nick", nickname, "-digest", "SHA256", in, out}
}

// NSSDatabase makes an NSS database in the folder dir that holds the signer's key,
// without a password, and certificates.
func NSSDatabase(ctx context.Context, dir string, signer *pki.Identity) error {
	files, err := writeIdentity(dir, signer)
	if err != nil {
		return err
	}
	p12, err := files.pkcs12(ctx, dir)
	if err != nil {
		return err
	}
	database := "sql:" + dir
	if _, err := run(ctx, "certutil", "-N", "-d", database, "--empty-password"); err != nil {
		return err
	}
	_, err = run(ctx, "pk12util", "-i", p12, "-d", database, "-W", transferPassword, "-K", "")
	return err
}
