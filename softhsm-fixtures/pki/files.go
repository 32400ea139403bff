// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// CertificatePEM returns the certificate in PEM.
func (i *Identity) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw})
}

// ChainPEM returns the issuers in PEM, nearest first, without the root. It is
// empty for what the root issued.
func (i *Identity) ChainPEM() []byte {
	var out bytes.Buffer
	for _, c := range i.Chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return out.Bytes()
}

// KeyPEM returns the private key as PKCS#8 in PEM, not encrypted.
func (i *Identity) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, fmt.Errorf("encoding key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Write writes NAME.pem (the certificate), NAME.key (the private key, PKCS#8)
// and, if there are issuers below the root, NAME.chain.pem for each name into
// the folder dir, which it makes if need be. Files of these names are
// replaced.
func (p *PKI) Write(dir string, names ...Name) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range names {
		identity, err := p.Issue(name)
		if err != nil {
			return err
		}
		if err := identity.write(filepath.Join(dir, string(name))); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

func (i *Identity) write(base string) error {
	key, err := i.KeyPEM()
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".key", key, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(base+".pem", i.CertificatePEM(), 0o644); err != nil {
		return err
	}
	if len(i.Chain) == 0 {
		return nil
	}
	return os.WriteFile(base+".chain.pem", i.ChainPEM(), 0o644)
}
