// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"fmt"
)

// QPDFCheck returns an error with the words of `qpdf --check` when it has
// anything to say against a PDF: warnings count.
func QPDFCheck(ctx context.Context, file string) error {
	_, err := run(ctx, "qpdf", "--check", file)
	return err
}

// Rewrite is a way to write a PDF anew.
type Rewrite int

// The ways QPDFRewrite knows.
const (
	ObjectStreams     Rewrite = iota + 1 // cross-reference stream, all that can be in object streams
	NoObjectStreams                      // cross-reference table
	Linearized                           // for reading over a slow line
	Encrypted                            // AES-256, opens without a password
	PasswordProtected                    // AES-256, opens with [Password]
)

// Password opens what [QPDFRewrite] makes of [PasswordProtected].
const Password = "password"

var rewriteArgs = map[Rewrite][]string{
	ObjectStreams:     {"--object-streams=generate"},
	NoObjectStreams:   {"--object-streams=disable"},
	Linearized:        {"--linearize"},
	Encrypted:         {"--encrypt", "", "owner", "256", "--"},
	PasswordProtected: {"--encrypt", Password, "owner", "256", "--"},
}

// QPDFRewrite has qpdf write the PDF in anew, to out.
func QPDFRewrite(ctx context.Context, in, out string, as Rewrite) error {
	args, ok := rewriteArgs[as]
	if !ok {
		return fmt.Errorf("rewriting with qpdf: unknown way %d", as)
	}
	_, err := run(ctx, "qpdf", append(append([]string{}, args...), in, out)...)
	return err
}

// PDFToPPM returns the first page of a PDF as pdftoppm draws it, as a PPM
// image of 50 dots per inch.
func PDFToPPM(ctx context.Context, file string) ([]byte, error) {
	out, err := run(ctx, "pdftoppm", "-r", "50", "-f", "1", "-l", "1", file)
	return []byte(out), err
}
