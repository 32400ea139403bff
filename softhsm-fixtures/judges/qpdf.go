// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"strings"
)

// QPDFCheck returns an error with the words of `qpdf --check` when it has
// anything to say against a PDF: warnings count.
func QPDFCheck(ctx context.Context, file string) error {
	_, err := run(ctx, "qpdf", "--check", file)
	return err
}

// Rewrite is a way to write a PDF anew.
type Rewrite int

// The ways QPDFRewrite knows. What is encrypted opens without a password,
// unless the name says otherwise.
const (
	ObjectStreams     Rewrite = iota + 1 // cross-reference stream, all that can be in object streams
	NoObjectStreams                      // cross-reference table
	Uncompressed                         // cross-reference table, no filters, one key a line
	Linearized                           // for reading over a slow line
	RC4With40Bits                        // encrypted, revision 2
	RC4With128Bits                       // revision 3
	RC4WithFilters                       // revision 4, with crypt filters
	AES128                               // revision 4
	AES128Streams                        // revision 4, object streams, the metadata in clear
	AES256Early                          // revision 5, of Adobe before the standard
	Encrypted                            // AES-256, revision 6
	EncryptedStreams                     // AES-256, revision 6, object streams
	PasswordProtected                    // AES-256, opens with [Password]
)

// Password opens what [QPDFRewrite] makes of [PasswordProtected].
const Password = "password"

var rewriteArgs = map[Rewrite][]string{
	ObjectStreams:     {"--object-streams=generate"},
	NoObjectStreams:   {"--object-streams=disable"},
	Uncompressed:      {"--qdf", "--object-streams=disable"},
	Linearized:        {"--linearize"},
	RC4With40Bits:     {"--allow-weak-crypto", "--encrypt", "", "owner", "40", "--"},
	RC4With128Bits:    {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--"},
	RC4WithFilters:    {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--force-V4", "--"},
	AES128:            {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=y", "--"},
	AES128Streams:     {"--allow-weak-crypto", "--object-streams=generate", "--encrypt", "", "owner", "128", "--use-aes=y", "--cleartext-metadata", "--"},
	AES256Early:       {"--encrypt", "", "owner", "256", "--force-R5", "--"},
	Encrypted:         {"--encrypt", "", "owner", "256", "--"},
	EncryptedStreams:  {"--object-streams=generate", "--encrypt", "", "owner", "256", "--"},
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

// DrawPage returns the first page of a PDF as pdftoppm draws it, at 72 dots
// per inch, so that a dot is a point.
func DrawPage(ctx context.Context, file string) (image.Image, error) {
	out, err := run(ctx, "pdftoppm", "-r", "72", "-cropbox", "-png", "-f", "1", "-l", "1", file)
	if err != nil {
		return nil, err
	}
	return png.Decode(strings.NewReader(out))
}
