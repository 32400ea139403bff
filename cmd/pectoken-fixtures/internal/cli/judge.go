// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

// errRefused says that a judge said no; what it said is printed already.
var errRefused = errors.New("not everything is in order")

func newJudge() *cobra.Command {
	var ask judges.CMSVerify
	cmd := &cobra.Command{
		Use:   "judge FILE",
		Short: "Say what pdfsig and qpdf, or openssl, find of a signed file",
		Long: "Say what pdfsig and qpdf find of a PDF, or openssl of any other signed file.\n\n" +
			"pdfsig is asked about digests and signatures, not about trust.",
		Example: "  pectoken-fixtures judge contract-signed.pdf\n  pectoken-fixtures judge --trust root.pem notes.txt.p7m",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.Signature = args[0]
			return judge(cmd.Context(), cmd.OutOrStdout(), ask)
		},
	}
	cmd.Flags().StringVar(&ask.CAFile, "trust", "", "root certificate in PEM, for what is no PDF")
	cmd.Flags().StringVar(&ask.Content, "content", "", "what a detached signature is over")
	return cmd
}

func judge(ctx context.Context, out io.Writer, ask judges.CMSVerify) error {
	pdf, err := isPDF(ask.Signature)
	switch {
	case err != nil:
		return err
	case pdf:
		return judgePDF(ctx, out, ask.Signature)
	case ask.CAFile == "":
		return fmt.Errorf("%q is no PDF: openssl needs --trust with a root certificate", ask.Signature)
	}
	return judgeCMS(ctx, out, ask)
}

// isPDF looks at the first bytes only: further on, a PDF may be the content of
// something else.
func isPDF(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 5))
	return string(head) == "%PDF-", err
}

func judgePDF(ctx context.Context, out io.Writer, file string) error {
	signatures, err := judges.PDFSig(ctx, file)
	if err != nil {
		return err
	}
	if len(signatures) == 0 {
		fmt.Fprintln(out, "pdfsig: no signatures")
	}
	valid := true
	for _, s := range signatures {
		fmt.Fprintf(out, "pdfsig: %s: %s\n", s.Field, describe(s))
		valid = valid && (s.Valid || !s.Signed)
	}
	if err := judges.QPDFCheck(ctx, file); err != nil {
		fmt.Fprintln(out, "qpdf:", err)
		return errRefused
	}
	fmt.Fprintln(out, "qpdf: no errors found")
	if !valid {
		return errRefused
	}
	return nil
}

func describe(s judges.PDFSignature) string {
	reach := "not total document signed"
	switch {
	case !s.Signed:
		return "not signed"
	case s.TotalDocument:
		reach = "total document signed"
	}
	return fmt.Sprintf("%s %s, %s, %s", s.Validation, s.Signer, s.Type, reach)
}

func judgeCMS(ctx context.Context, out io.Writer, ask judges.CMSVerify) error {
	verdict, err := judges.OpenSSLVerify(ctx, ask)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "openssl: %s\n", verdict.Says)
	if !verdict.Valid {
		return errRefused
	}
	return nil
}
