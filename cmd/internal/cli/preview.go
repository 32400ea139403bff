// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
)

// previewResolution is in pixels an inch, that of a good printer.
const previewResolution = 300

// placeholder stands for a signer who is not known without the card.
const placeholder = "NOME COGNOME"

// checkPreview refuses what does not go with --preview, which signs nothing.
func (o *signOptions) checkPreview(a *app, c *cobra.Command) error {
	switch {
	case len(o.files) > 1:
		return usageError(helpHint(c), "--preview is for one file, and %d are given", len(o.files))
	case o.output.path != "" || o.output.folder != "":
		return usageError(helpHint(c), "--preview signs nothing: --output and --output-dir don't go with it")
	case o.amend.asked() || o.skipSigned || o.detached || o.format == "cades":
		return usageError(helpHint(c), "--preview is for visible signatures in PDFs: --add, --counter, --skip-signed, --detached and --format cades don't go with it")
	case o.pdf.preview == stdio && a.json:
		return usageError(helpHint(c), "standard output can't carry the picture and --json: name a file with --preview")
	case o.pdf.preview == stdio && a.outIsTerminal:
		return usageError(helpHint(c), "standard output is a terminal, which is no place for a picture: name a file with --preview")
	}
	return nil
}

// runPreview draws a visible signature. No card is looked at.
func runPreview(ctx context.Context, a *app, o *signOptions) error {
	file, output := o.files[0], o.pdf.preview
	in, err := a.openInput(ctx, file)
	if err != nil {
		return err
	}
	defer in.close()
	format, err := sign.Detect(in.section(), in.info.Size())
	if err != nil {
		return fmt.Errorf("reading %q: %w", file, err)
	}
	if format != sign.PAdES {
		return usageError("pectoken sign --help", "drawing the signature of %q: it is no PDF, and only in a PDF a signature is visible", file)
	}
	if err := o.previewable(in); err != nil {
		return err
	}
	signing := o.signing(a)
	if err := o.previewSigner(a, &signing); err != nil {
		return err
	}
	picture, err := sign.Preview(in.section(), signing, previewResolution)
	if err != nil {
		return fmt.Errorf("drawing the signature of %q: %w", file, err)
	}
	out, err := a.createOutput(output, o.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := png.Encode(out, picture); err != nil {
		return fmt.Errorf("writing %q: %w", output, err)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	size := picture.Bounds().Size()
	return a.previewed(previewJSON{file, output, signing.Name, o.cert == "", size.X, size.Y})
}

func (o *signOptions) previewable(in *input) error {
	if err := notInput(o.pdf.preview, in.info); err != nil || o.pdf.preview == stdio {
		return err
	}
	return outfile.Check(o.pdf.preview, o.output.mode())
}

// previewSigner settles whose name is drawn.
func (o *signOptions) previewSigner(a *app, signing *sign.Options) error {
	if o.cert == "" {
		signing.Name = placeholder
		a.say("note: %s stands for the signer's name, which is on the card; --cert FILE takes it from a certificate", placeholder)
		return nil
	}
	certificate, err := readCertificate(o.cert)
	if err != nil {
		return usageError("pectoken sign --help", "--cert: with --preview it names a file with a certificate: reading %q: %w", o.cert, bare(err))
	}
	signing.Name, signing.Signer.Certificate = nameOf(certificate), certificate
	return nil
}

// readCertificate reads the first certificate in a file, PEM or DER.
func readCertificate(path string) (*x509.Certificate, error) {
	const longest = 1 << 20
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, longest+1))
	if err != nil {
		return nil, err
	}
	if len(data) > longest {
		return nil, errors.New("it is too long for a certificate")
	}
	for rest := data; bytes.Contains(rest, []byte("-----BEGIN ")); {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return x509.ParseCertificate(data)
}

// previewJSON is the line of --json for a drawn signature.
type previewJSON struct {
	File        string `json:"file"`
	Preview     string `json:"preview"`
	Name        string `json:"name"`
	Placeholder bool   `json:"placeholder"` // the name is nobody's
	Width       int    `json:"width"`       // in pixels
	Height      int    `json:"height"`
}

// previewed shows that a signature was drawn.
func (a *app) previewed(p previewJSON) error {
	switch {
	case a.json:
		return a.printJSON(p)
	case p.Preview == stdio:
		return nil
	}
	return a.print(printable(p.File) + ": the signature is drawn in " + printable(p.Preview) + ", and nothing is signed\n")
}
