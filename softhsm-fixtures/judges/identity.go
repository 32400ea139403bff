// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"os"
	"path/filepath"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// identityFiles are the paths of an identity written out for a program.
type identityFiles struct {
	key, certificate string
	chain            string // empty when there is none
}

// writeIdentity writes the key, the certificate and the chain into dir.
func writeIdentity(dir string, identity *pki.Identity) (identityFiles, error) {
	files := identityFiles{key: filepath.Join(dir, "key.pem"), certificate: filepath.Join(dir, "certificate.pem")}
	key, err := identity.KeyPEM()
	if err != nil {
		return files, err
	}
	if err := os.WriteFile(files.key, key, 0o600); err != nil {
		return files, err
	}
	if err := os.WriteFile(files.certificate, identity.CertificatePEM(), 0o600); err != nil {
		return files, err
	}
	if len(identity.Chain) == 0 {
		return files, nil
	}
	files.chain = filepath.Join(dir, "chain.pem")
	return files, os.WriteFile(files.chain, identity.ChainPEM(), 0o600)
}

// withChain adds openssl's option for further certificates, if there are any.
func (f identityFiles) withChain(args ...string) []string {
	if f.chain == "" {
		return args
	}
	return append(args, "-certfile", f.chain)
}

// nickname is what the signer is called in a PKCS#12 file, whose password is
// no secret.
const (
	nickname         = "signer"
	transferPassword = "transfer"
)

// pkcs12 writes key and certificates to a PKCS#12 file in dir, and returns its
// path.
func (f identityFiles) pkcs12(ctx context.Context, dir string) (string, error) {
	p12 := filepath.Join(dir, "signer.p12")
	_, err := run(ctx, "openssl", f.withChain("pkcs12", "-export", "-name", nickname, "-passout", "pass:"+transferPassword,
		"-out", p12, "-inkey", f.key, "-in", f.certificate)...)
	return p12, err
}
