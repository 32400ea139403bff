// SPDX-License-Identifier: Apache-2.0

package softhsm

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// ErrNotInstalled is returned when the SoftHSM2 library is not on the system.
var ErrNotInstalled = errors.New("softhsm2 is not installed")

// ErrNoCgo is returned by AddToken in a build without cgo.
var ErrNoCgo = errors.New("built without cgo: tokens need a C compiler and CGO_ENABLED=1")

// The token of the usual kit.
const (
	StandardLabel = "Firma"
	StandardPIN   = "123456"
)

// confVariable names the configuration file to the library.
const confVariable = "SOFTHSM2_CONF"

// HSM is a set of tokens in one folder.
type HSM struct {
	dir    string
	module string
}

// Object is what is stored under one CKA_ID: a private key, its public key and
// its certificate. The key is RSA, or ECDSA on a curve of NIST.
type Object struct {
	ID                 []byte            // CKA_ID
	Label              string            // CKA_LABEL
	Key                crypto.PrivateKey // nil: no key objects
	Certificate        *x509.Certificate // nil: no certificate object
	AlwaysAuthenticate bool              // the key wants the PIN before each signature
	NoPublicKey        bool              // leave out the public key object, as many cards do
}

// Create prepares the folder dir, which it makes if need be: a configuration
// file and a place for tokens. The error is [ErrNotInstalled] when there is no
// SoftHSM2.
func Create(dir string) (*HSM, error) {
	module, err := FindModule()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	h := &HSM{dir: dir, module: module}
	if err := os.MkdirAll(h.tokens(), 0o700); err != nil {
		return nil, err
	}
	return h, os.WriteFile(h.Conf(), []byte(h.configuration()), 0o600)
}

// New is Create in a folder of the test, with the environment variable set for
// the length of the test. Where SoftHSM2 is missing, t ends as
// [judges.Absent] says; without cgo it is skipped.
func New(t testing.TB) *HSM {
	t.Helper()
	if !haveCgo {
		t.Skip(ErrNoCgo)
	}
	h, err := Create(t.TempDir())
	if errors.Is(err, ErrNotInstalled) {
		judges.Absent(t, "softhsm2")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(confVariable, h.Conf())
	return h
}

// Standard is New with the usual kit on it, made by [HSM.AddStandard].
func Standard(t testing.TB, p *pki.PKI) *HSM {
	t.Helper()
	h := New(t)
	if _, err := h.AddStandard(p); err != nil {
		t.Fatal(err)
	}
	return h
}

// AddStandard adds the token of the usual kit, called [StandardLabel] with the
// PIN [StandardPIN]: the signer of p as "DS0", his CNS certificate as "CNS0",
// each with its key, and the certificate of the signer's CA as "CA0". It
// returns the token's serial number.
func (h *HSM) AddStandard(p *pki.PKI) (serial string, err error) {
	signer, err := p.Issue(pki.Signer)
	if err != nil {
		return "", err
	}
	cns, err := p.Issue(pki.CNS)
	if err != nil {
		return "", err
	}
	return h.AddToken(StandardLabel, StandardPIN,
		Object{ID: []byte("DS0"), Label: "DS0", Key: signer.Key, Certificate: signer.Certificate},
		Object{ID: []byte("CNS0"), Label: "CNS0", Key: cns.Key, Certificate: cns.Certificate},
		Object{ID: []byte("CA0"), Label: "CA0", Certificate: signer.Chain[0]},
	)
}

// Module returns the path of the SoftHSM2 library.
func (h *HSM) Module() string { return h.module }

// Conf returns the path of the configuration file.
func (h *HSM) Conf() string { return filepath.Join(h.dir, "softhsm2.conf") }

// Env returns what a child process needs in its environment to see the tokens.
func (h *HSM) Env() string { return confVariable + "=" + h.Conf() }

func (h *HSM) tokens() string { return filepath.Join(h.dir, "tokens") }

func (h *HSM) configuration() string {
	return fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", h.tokens())
}

// modulePatterns is where distributions put the library: Debian and its
// multiarch folders, Fedora, a local build, Homebrew, Windows.
var modulePatterns = []string{
	"/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib/*/softhsm/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
	"/opt/homebrew/lib/softhsm/libsofthsm2.so",
	`C:\SoftHSM2\lib\softhsm2-x64.dll`,
}

// FindModule returns the path of the SoftHSM2 library: the one SOFTHSM2_MODULE
// names, or else the first found where distributions put it. The error is
// [ErrNotInstalled] when there is none.
func FindModule() (string, error) {
	patterns := modulePatterns
	if given := os.Getenv("SOFTHSM2_MODULE"); given != "" {
		patterns = []string{given}
	}
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%w: no library at %q", ErrNotInstalled, patterns)
}
