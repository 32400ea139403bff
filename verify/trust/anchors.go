// SPDX-License-Identifier: Apache-2.0

// Package trust decides whether a certificate can be relied on: it loads trust
// anchors and builds chains to them at a given moment.
//
// [Load] reads anchors from a file or a folder. [Anchors.Chain] answers for
// one certificate; its [Chain] keeps "no chain", "outside its validity" and
// "breaks a rule" apart, since they mean different things to whoever asked.
//
// Revocation is not looked at here, and trusted lists are not read.
//
// An [Anchors] may be shared between goroutines once it is loaded.
package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Anchors are certificates to rely on because somebody said so: roots, or
// intermediate or end-entity certificates that are trusted directly.
type Anchors struct {
	roots *x509.CertPool
	count int
}

// NewAnchors returns anchors of these certificates.
func NewAnchors(certificates ...*x509.Certificate) *Anchors {
	a := &Anchors{roots: x509.NewCertPool(), count: len(certificates)}
	for _, c := range certificates {
		a.roots.AddCert(c)
	}
	return a
}

// Len returns how many anchors there are; nil has none.
func (a *Anchors) Len() int {
	if a == nil {
		return 0
	}
	return a.count
}

// maxAnchorFile is far more than any list of certificates needs.
const maxAnchorFile = 16 << 20

// ErrNoCertificate is wrapped by [Load] when a path holds no certificate.
var ErrNoCertificate = errors.New("no certificate in it")

// Load reads anchors from paths. A path is a file with certificates in PEM or
// one in DER, or a folder, whose files are read and whose subfolders are not.
// In a folder files without a certificate are passed over; a path that gives
// none at all is an error, and so is a certificate that can't be parsed in a
// file that was named.
func Load(paths ...string) (*Anchors, error) {
	var all []*x509.Certificate
	for _, path := range paths {
		found, err := load(path)
		if err == nil && len(found) == 0 {
			err = ErrNoCertificate
		}
		if err != nil {
			return nil, fmt.Errorf("reading trust anchors from %q: %w", path, err)
		}
		all = append(all, found...)
	}
	return NewAnchors(all...), nil
}

func load(path string) ([]*x509.Certificate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if !info.IsDir() {
		return loadFile(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, plain(err)
	}
	var all []*x509.Certificate
	for _, entry := range entries {
		name := filepath.Join(path, entry.Name())
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if found, err := loadFile(name); err == nil {
			all = append(all, found...)
		}
	}
	return all, nil
}

// plain drops the path from an error of package os: the caller names it.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func loadFile(path string) ([]*x509.Certificate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if info.Size() > maxAnchorFile {
		return nil, fmt.Errorf("file of %d bytes is too large to be certificates", info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, plain(err)
	}
	return parse(data)
}

// parse reads PEM blocks, passing over those that are no certificates, or one
// certificate in DER.
func parse(data []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		c, err := x509.ParseCertificate(data)
		if err != nil {
			return nil, fmt.Errorf("%w: neither PEM nor a certificate in DER", ErrNoCertificate)
		}
		return []*x509.Certificate{c}, nil
	}
	var list []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(list)+1, err)
		}
		list = append(list, c)
	}
	return list, nil
}
