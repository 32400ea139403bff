// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func newPKI() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "pki --dir FOLDER",
		Short: "Write all test certificates, their keys and the revocation lists",
		Long: "Write all test certificates, their keys and the revocation lists.\n\n" +
			"NAME.pem is the certificate, NAME.key its private key (PKCS#8, not encrypted), NAME.chain.pem its issuers without the root,\n" +
			"NAME.crl the revocation list of an authority (DER). Files of these names are replaced.",
		Example: "  pectoken-fixtures pki --dir certificates",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := writePKI(dir); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %d certificates to %s\n", len(pki.Names()), dir)
			return err
		},
	}
	requiredDir(cmd, &dir, "folder to write to")
	return cmd
}

func writePKI(dir string) error {
	p := pki.New(time.Now())
	if err := p.Write(dir, pki.Names()...); err != nil {
		return err
	}
	for _, authority := range []pki.Name{pki.Root, pki.QualifiedCA, pki.CNSCA} {
		list, err := p.CRL(authority)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, string(authority)+".crl"), list, 0o644); err != nil {
			return err
		}
	}
	return nil
}
