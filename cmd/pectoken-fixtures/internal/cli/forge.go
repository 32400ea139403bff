// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/attacks"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func newForge() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "forge --dir FOLDER",
		Short: "Write forged PDFs that no verifier may call valid",
		Long: "Write forged PDFs that no verifier may call valid: MARIO ROSSI signed each, and then it was made to say something else.\n\n" +
			"root.pem is the root of his certificate, and honest.pdf what he signed. The README says what verifiers say of them.",
		Example: "  pectoken-fixtures forge --dir forged\n  pectoken verify --trust forged/root.pem --offline --crl forged/root.crl --crl forged/qualified-ca.crl forged/*.pdf",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := forge(cmd.Context(), dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %d forged files to %s\n", n, dir)
			return err
		},
	}
	requiredDir(cmd, &dir, "folder to write to")
	return cmd
}

// forge writes the forged files and says how many.
func forge(ctx context.Context, dir string) (int, error) {
	p := pki.New(time.Now())
	victim, err := p.Issue(pki.Signer)
	if err != nil {
		return 0, err
	}
	attacker, err := p.Issue(pki.SecondSigner)
	if err != nil {
		return 0, err
	}
	signers := attacks.Signers{
		Sign: func(document []byte, how attacks.Signing) ([]byte, error) {
			return signContract(ctx, victim, document, how)
		},
		VictimCMS:   func(content []byte) ([]byte, error) { return detachedCMS(victim, content) },
		AttackerCMS: func(content []byte) ([]byte, error) { return detachedCMS(attacker, content) },
	}
	all, err := attacks.All(signers)
	if err != nil {
		return 0, err
	}
	honest, err := signers.Sign(attacks.Contract(), attacks.Signing{})
	if err != nil {
		return 0, err
	}
	lists, err := revocationLists(p)
	if err != nil {
		return 0, err
	}
	files := append([]kitFile{{"root.pem", p.RootPEM(), 0o644}, {"honest.pdf", honest, 0o644}}, lists...)
	for _, a := range all {
		files = append(files, kitFile{a.Name + ".pdf", a.PDF, 0o644})
	}
	if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
		return 0, err
	}
	return len(all), writeAll(dir, files)
}

func signContract(ctx context.Context, by *pki.Identity, document []byte, how attacks.Signing) ([]byte, error) {
	o := pdf.SignOptions{
		Signer:      cms.Signer{Key: by.Key, Certificate: by.Certificate, Chain: by.Chain},
		SigningTime: time.Now(),
		Certify:     pdf.Certification(how.Certify),
	}
	if how.Visible {
		o.Appearance = &pdf.Appearance{Border: true}
	}
	var out bytes.Buffer
	err := pdf.Sign(ctx, &out, bytes.NewReader(document), int64(len(document)), o)
	return out.Bytes(), err
}

// detachedCMS returns a signature as one in a PDF is: without the time.
func detachedCMS(by *pki.Identity, content []byte) ([]byte, error) {
	signer := cms.Signer{Key: by.Key, Certificate: by.Certificate, Chain: by.Chain}
	var out bytes.Buffer
	err := cms.Sign(&out, bytes.NewReader(content), cms.Options{Signers: []cms.Signer{signer}, Detached: true})
	return out.Bytes(), err
}
