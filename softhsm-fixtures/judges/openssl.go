// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"cmp"
	"context"
	"os"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// Verdict is the answer of a judge that says yes or no.
type Verdict struct {
	Valid bool
	Says  string // its words, on one line
}

// CMSVerify is what `openssl cms -verify` is asked. Files are named by path.
type CMSVerify struct {
	Signature string // DER or BER
	Content   string // what a detached signature is over; empty for an attached one
	CAFile    string // the trust anchors, in PEM
	Output    string // where the content goes; empty to throw it away
}

// openssl's exit code when it read a message and found it bad.
const cmsNotVerified = 4

// OpenSSLVerify asks openssl whether a CMS signature is valid: digest,
// signature and chain to an anchor, now. The purpose of certificates is left
// out, because openssl knows none that allows nonRepudiation alone. A message
// openssl can't read is an error.
func OpenSSLVerify(ctx context.Context, v CMSVerify) (Verdict, error) {
	args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in", v.Signature, "-CAfile", v.CAFile}
	if v.Content != "" {
		args = append(args, "-content", v.Content)
	}
	if v.Output == "" {
		v.Output = os.DevNull
	}
	_, err := run(ctx, "openssl", append(args, "-out", v.Output)...)
	switch {
	case err == nil:
		return Verdict{Valid: true, Says: "CMS Verification successful"}, nil
	case exitCode(err) == cmsNotVerified:
		return Verdict{Says: err.Error()}, nil
	}
	return Verdict{}, err
}

// CMSSign is what `openssl cms -sign` is asked. The zero values ask for an
// attached DER message with signed attributes, SHA-256, PKCS#1 v1.5, and the
// signer named by issuer and serial number.
type CMSSign struct {
	Signer       *pki.Identity // REQUIRED; its chain is included
	Content      string        // REQUIRED: path of what is signed
	Output       string        // REQUIRED: path of the message
	Digest       string        // as openssl spells it: sha256, sha384, sha512…
	Detached     bool
	Stream       bool // BER of indefinite length; ignored when Detached
	PSS          bool // RSASSA-PSS with a salt as long as the digest
	KeyID        bool // name the signer by subject key identifier
	CAdES        bool // add the signing-certificate-v2 attribute
	NoAttributes bool // no signed attributes at all
}

// OpenSSLSign makes a CMS message with openssl.
func OpenSSLSign(ctx context.Context, s CMSSign) error {
	return inTemp(func(dir string) error {
		files, err := writeIdentity(dir, s.Signer)
		if err != nil {
			return err
		}
		// Options of the key count for the signer named before them.
		args := files.withChain("cms", "-sign", "-inkey", files.key, "-signer", files.certificate)
		_, err = run(ctx, "openssl", append(args, s.args()...)...)
		return err
	})
}

func (s CMSSign) args() []string {
	args := []string{"-binary", "-outform", "DER", "-md", digestOrDefault(s.Digest), "-in", s.Content, "-out", s.Output}
	options := []struct {
		on   bool
		args []string
	}{
		{!s.Detached, []string{"-nodetach"}},
		{s.Stream, []string{"-stream"}},
		{s.PSS, []string{"-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"}},
		{s.KeyID, []string{"-keyid"}},
		{s.CAdES, []string{"-cades"}},
		{s.NoAttributes, []string{"-noattr"}},
	}
	for _, o := range options {
		if o.on {
			args = append(args, o.args...)
		}
	}
	return args
}

// digestOrDefault is the digest asked for, or else SHA-256.
func digestOrDefault(name string) string { return cmp.Or(name, "sha256") }

// OpenSSLParse returns the structure of a DER or BER file as `openssl
// asn1parse` prints it. Bad ASN.1 is an error.
func OpenSSLParse(ctx context.Context, file string) (string, error) {
	return run(ctx, "openssl", "asn1parse", "-inform", "DER", "-in", file)
}
