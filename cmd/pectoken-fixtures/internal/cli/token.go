// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

const notes = "Notes on the contract between Mario Rossi and Lucia Verdi.\n"

func newToken() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "token --dir FOLDER",
		Short:   "Make a SoftHSM2 token with a signature kit on it, and documents to sign",
		Example: "  pectoken-fixtures token --dir kit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return makeToken(cmd.OutOrStdout(), dir)
		},
	}
	requiredDir(cmd, &dir, "folder to make it in; must not have a token yet")
	return cmd
}

// makeToken makes the kit in dir and tells out what it made.
func makeToken(out io.Writer, dir string) error {
	h, err := createHSM(dir)
	if err != nil {
		return fmt.Errorf("making token: %w", err)
	}
	dir = filepath.Dir(h.Conf())
	p := pki.New(time.Now())
	files, err := offlineKit(p)
	if err != nil {
		return err
	}
	err = writeAll(dir, append(files,
		kitFile{"pin", []byte(softhsm.StandardPIN), 0o600},
		kitFile{"env", []byte(exportLine(h.Env())), 0o644}))
	if err != nil {
		return err
	}
	serial, err := h.AddStandard(p)
	if err != nil {
		return err
	}
	return tellToken(out, dir, serial)
}

// createHSM refuses a folder that has a token already.
func createHSM(dir string) (*softhsm.HSM, error) {
	if _, err := os.Lstat(filepath.Join(dir, "softhsm2.conf")); err == nil {
		return nil, fmt.Errorf("there is one in %q already", dir)
	}
	return softhsm.Create(dir)
}

// kitFile is a file that goes with a token or card.
type kitFile struct {
	name    string
	content []byte
	mode    os.FileMode
}

// offlineKit is what goes with a card or token for which no authority runs.
func offlineKit(p *pki.PKI) ([]kitFile, error) {
	files, err := documentsFor(p)
	if err != nil {
		return nil, err
	}
	lists, err := revocationLists(p)
	return append(files, lists...), err
}

// documentsFor is what is to be signed, and what to verify with.
func documentsFor(p *pki.PKI) ([]kitFile, error) {
	authorities, err := authoritiesPEM(p)
	return []kitFile{
		{"root.pem", authorities, 0o644},
		{"contract.pdf", documents.Plain(), 0o644},
		{"notes.txt", []byte(notes), 0o644},
	}, err
}

// authoritiesPEM is the root, and below it the issuers of both certificates of a
// kit. Most cards have no room for their issuers, so that signatures come without
// them; and a trusted list names those, not the root.
func authoritiesPEM(p *pki.PKI) ([]byte, error) {
	authorities := p.RootPEM()
	for _, name := range []pki.Name{pki.Signer, pki.CNS} {
		holder, err := p.Issue(name)
		if err != nil {
			return nil, err
		}
		authorities = append(authorities, holder.ChainPEM()...)
	}
	return authorities, nil
}

// revocationLists are those of the authorities, good for a week: nobody answers where
// the certificates say that somebody does.
func revocationLists(p *pki.PKI) (files []kitFile, err error) {
	for _, issuer := range []pki.Name{pki.Root, pki.QualifiedCA} {
		list, err := p.CRL(issuer)
		if err != nil {
			return nil, err
		}
		files = append(files, kitFile{string(issuer) + ".crl", list, 0o644})
	}
	return files, nil
}

// writeAll writes files that must not be there yet.
func writeAll(dir string, files []kitFile) error {
	for _, f := range files {
		if err := writeNew(filepath.Join(dir, f.name), f.content, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, content []byte, mode os.FileMode) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(content)
	return err
}

// exportLine is a line for the shell that exports NAME=value.
func exportLine(assignment string) string {
	name, value, _ := strings.Cut(assignment, "=")
	return "export " + name + "=" + quote(value) + "\n"
}

// quote makes one word of the shell out of any text.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func tellToken(out io.Writer, dir, serial string) error {
	_, err := fmt.Fprintf(out, `made in %s:
  softhsm2.conf, tokens     the token %q, serial number %s, with
                            a signature certificate of MARIO ROSSI (DS0) and his CNS certificate (CNS0)
  pin                       its PIN, %s
  env                       what tells SoftHSM2 where the token is
  root.pem                  the root and the issuers of the certificates, to verify with
  root.crl, qualified-ca.crl
                            who was revoked, good for a week
  contract.pdf, notes.txt   documents to sign

type next:
  cd %s
  . ./env
  pectoken tokens
  pectoken sign --pin-file pin contract.pdf
  pectoken verify --trust root.pem --offline --crl root.crl --crl qualified-ca.crl contract-signed.pdf
`, dir, softhsm.StandardLabel, serial, softhsm.StandardPIN, quote(dir))
	return err
}
