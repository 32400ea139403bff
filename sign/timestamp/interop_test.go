// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"crypto"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// openssl is an authority that openssl answers for, and the folder of its files, of the
// root and of the document.
func openssl(t *testing.T, essDigest string) (*httptest.Server, string) {
	judges.Need(t, "openssl")
	dir := t.TempDir()
	authority, err := judges.OpenSSLAuthority(dir, testPKI.Must(t, pki.TSA), essDigest)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"root.pem": testPKI.RootPEM(), "document": document} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(authority)
	t.Cleanup(s.Close)
	return s, dir
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("openssl", args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("openssl %v: %v\n%s", args, err, out)
	}
}

// TestInteropOpenSSL has openssl ts answer our requests and verify what we make of
// the answers.
func TestInteropOpenSSL(t *testing.T) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		for _, ess := range []string{"sha1", "sha256", "sha512"} {
			s, dir := openssl(t, ess)
			c := &timestamp.Client{Transport: transport(t), Authorities: []timestamp.Authority{
				{URL: s.URL, Hash: h, Policy: []int{1, 3, 6, 1, 4, 1, 99999, 2}},
			}}
			token, err := stamp(t, c)
			if err != nil {
				t.Fatalf("%v, ESSCertID %s: %v", h, ess, err)
			}
			if i := token.Info; !i.Ordering || i.Accuracy == nil || i.Accuracy.String() != "1.5s" || i.TSA == nil {
				t.Errorf("%v: read %+v", h, i)
			}
			var file bytes.Buffer
			if err := timestamp.WriteTSD(&file, bytes.NewReader(document), int64(len(document)), nil, timestamp.Evidence{Token: token}); err != nil {
				t.Fatal(err)
			}
			inside, err := timestamp.Read(&file, timestamp.ReadOptions{Hashes: []crypto.Hash{h}})
			if err != nil {
				t.Fatal(err)
			}
			tsr := timestamp.EncodeResponse(inside.Evidence[0].Token)
			if err := os.WriteFile(filepath.Join(dir, "ours.tsr"), tsr, 0o600); err != nil || !good(inside) {
				t.Fatal(err)
			}
			trust := []string{"-CAfile", "root.pem", "-untrusted", "chain.pem"}
			run(t, dir, append([]string{"ts", "-verify", "-queryfile", "query.tsq", "-in", "ours.tsr"}, trust...)...)
			run(t, dir, append([]string{"ts", "-verify", "-data", "document", "-in", "ours.tsr"}, trust...)...)
		}
	}
}

// TestInteropOpenSSLRefusal takes a refusal for one.
func TestInteropOpenSSLRefusal(t *testing.T) {
	s, _ := openssl(t, "sha256")
	c := &timestamp.Client{Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL, Policy: []int{1, 2, 3}}}}
	_, err := stamp(t, c)
	if failed := new(timestamp.StatusError); !errors.As(err, &failed) || failed.Status != timestamp.Rejection || failed.Failure[0] != "unacceptedPolicy" {
		t.Errorf("%v, want a rejection of the policy", err)
	}
}
