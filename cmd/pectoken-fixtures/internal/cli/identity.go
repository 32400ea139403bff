// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// readIdentity reads the certificate and the key that [pki.PKI.Write] wrote; the
// chain stays where it is.
func readIdentity(dir string, name pki.Name) (*pki.Identity, error) {
	base := filepath.Join(dir, string(name))
	der, err := readPEM(base + ".pem")
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading %s.pem: %w", base, err)
	}
	if der, err = readPEM(base + ".key"); err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading %s.key: %w", base, err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("reading %s.key: %T signs nothing", base, parsed)
	}
	return &pki.Identity{Name: name, Key: key, Certificate: certificate}, nil
}

func readPEM(name string) ([]byte, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("reading %s: no PEM", name)
	}
	return block.Bytes, nil
}
