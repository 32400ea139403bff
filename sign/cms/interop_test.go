// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	mozilla "go.mozilla.org/pkcs7"

	smallstep "github.com/smallstep/pkcs7"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// current is the test PKI as of today: openssl judges by the clock.
var current = pki.New(time.Now())

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func currentSigner(t *testing.T, name pki.Name) cms.Signer {
	id := current.Must(t, name)
	return cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: time.Now()}
}

// TestOpenSSLAcceptsOurs has openssl verify what Sign writes.
func TestOpenSSLAcceptsOurs(t *testing.T) {
	judges.Need(t, "openssl")
	content := bytes.Repeat([]byte("documento "), 100_000)
	document, root := writeFile(t, "document", content), writeFile(t, "root.pem", current.RootPEM())
	pss := currentSigner(t, pki.Signer)
	pss.PSS = true
	for name, signers := range map[string][]cms.Signer{
		"RSA":        {currentSigner(t, pki.Signer)},
		"RSA-3072":   {currentSigner(t, pki.SignerRSA3072)},
		"PSS":        {pss},
		"P-256":      {currentSigner(t, pki.SignerP256)},
		"P-384":      {currentSigner(t, pki.SignerP384)},
		"in company": {currentSigner(t, pki.Signer), currentSigner(t, pki.SecondSigner), currentSigner(t, pki.SignerP256)},
	} {
		for kind, ask := range map[string]judges.CMSVerify{
			"DER":      {Signature: writeFile(t, "a.p7m", sign(t, content, false, signers...))},
			"BER":      {Signature: writeFile(t, "b.p7m", signBER(t, content, signers...))},
			"detached": {Signature: writeFile(t, "c.p7s", sign(t, content, true, signers...)), Content: document},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				ask.CAFile, ask.Output = root, filepath.Join(t.TempDir(), "content")
				verdict, err := judges.OpenSSLVerify(context.Background(), ask)
				if err != nil || !verdict.Valid {
					t.Fatalf("openssl: %v, %v", verdict, err)
				}
				if out, err := os.ReadFile(ask.Output); err != nil || !bytes.Equal(out, content) {
					t.Errorf("openssl found %d bytes of content, %v; want %d", len(out), err, len(content))
				}
			})
		}
	}
}

// TestWeAcceptOpenSSLs checks what openssl signs.
func TestWeAcceptOpenSSLs(t *testing.T) {
	judges.Need(t, "openssl")
	content := bytes.Repeat([]byte("documento "), 100_000)
	document := writeFile(t, "document", content)
	for name, ask := range map[string]judges.CMSSign{
		"plain":         {},
		"CAdES":         {CAdES: true},
		"stream":        {Stream: true, CAdES: true},
		"detached":      {Detached: true, CAdES: true},
		"PSS":           {PSS: true, CAdES: true},
		"key id":        {KeyID: true, CAdES: true},
		"SHA-512":       {Digest: "sha512", CAdES: true},
		"no attributes": {NoAttributes: true},
	} {
		for _, who := range []pki.Name{pki.Signer, pki.SignerP256} {
			if ask.PSS && who == pki.SignerP256 {
				continue
			}
			t.Run(name+"/"+string(who), func(t *testing.T) {
				ask.Signer, ask.Content, ask.Output = current.Must(t, who), document, filepath.Join(t.TempDir(), "out")
				if err := judges.OpenSSLSign(context.Background(), ask); err != nil {
					t.Fatal(err)
				}
				p7m, err := os.ReadFile(ask.Output)
				if err != nil {
					t.Fatal(err)
				}
				sd, got := read(t, p7m)
				if ask.Detached {
					err = sd.DigestContent(bytes.NewReader(content))
				} else if !bytes.Equal(got, content) {
					t.Errorf("%d bytes of content, want %d", len(got), len(content))
				}
				if err != nil || len(sd.Signers) != 1 {
					t.Fatalf("%d signers, %v", len(sd.Signers), err)
				}
				c := sd.Check(sd.Signers[0])
				if !c.ValueMatches || c.Referenced != ask.CAdES || c.Has(cms.DigestMismatch) || c.Has(cms.ReferenceMissing) == ask.CAdES {
					t.Errorf("value matches %v, referenced %v: %v", c.ValueMatches, c.Referenced, c.Findings)
				}
			})
		}
	}
}

// TestOtherReaders has two independent Go readers verify what Sign writes.
func TestOtherReaders(t *testing.T) {
	content := []byte("documento corto") // go.mozilla.org/pkcs7 loses more than 4 kB of BER
	for _, name := range []pki.Name{pki.Signer, pki.SignerP256} {
		for kind, p7m := range map[string][]byte{
			"DER": sign(t, content, false, signer(t, name)), "BER": signBER(t, content, signer(t, name)),
		} {
			a, err := smallstep.Parse(p7m)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Verify(); err != nil || !bytes.Equal(a.Content, content) {
				t.Errorf("smallstep, %s %s: %v, content %q", name, kind, err, a.Content)
			}
			b, err := mozilla.Parse(p7m)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Verify(); err != nil || !bytes.Equal(b.Content, content) {
				t.Errorf("mozilla, %s %s: %v, content %q", name, kind, err, b.Content)
			}
		}
	}
}
