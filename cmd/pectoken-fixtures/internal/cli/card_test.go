// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// needReader skips where no card can be put into a reader.
func needReader(t *testing.T) {
	t.Helper()
	if err := virtualcard.Start(t).Close(); err != nil {
		t.Fatal(err)
	}
}

// script is the arguments of a shell that runs lines, in the folder dir.
func script(dir string, lines ...string) []string {
	return []string{"--", "sh", "-c", `cd "$1" && shift && ` + strings.Join(lines, "\n"), "sh", dir}
}

func TestCard(t *testing.T) {
	tool, module := judges.Need(t, "pkcs11-tool"), virtualcard.OpenSC(t)
	needReader(t)
	dir := filepath.Join(t.TempDir(), "it's a kit")
	list := `"` + tool + `" --module "` + module + `" -O >list && exit 7`
	var certificate [2]string
	for i := range certificate {
		code, _, stderr := run(append([]string{"card", "--dir", dir}, script(dir, list)...)...)
		if code != 7 || stderr != "" {
			t.Fatalf("run %d: exit %d, %s", i+1, code, stderr)
		}
		said, err := os.ReadFile(filepath.Join(dir, "list"))
		if err != nil || !strings.Contains(string(said), "CNS0") {
			t.Fatalf("run %d: the list is %q, %v", i+1, said, err)
		}
		_, certificate[i], _ = strings.Cut(string(said), "serial:")
		certificate[i], _, _ = strings.Cut(certificate[i], "ID:")
	}
	if certificate[0] != certificate[1] {
		t.Errorf("the card of the second run is another: %q, %q", certificate[0], certificate[1])
	}
	for name, want := range map[string]string{
		"pin": virtualcard.StandardPIN, "signature-pin": virtualcard.StandardSignaturePIN,
		"contract.pdf": "%PDF-", "notes.txt": "Notes on", "root.pem": "-----BEGIN CERTIFICATE-----",
	} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(content), want) {
			t.Errorf("%s is %q, %v", name, content, err)
		}
	}
}

// TestCardSignaturesVerify signs with the keys of a kit, and puts no issuer beside the
// signature, since the card holds none: root.pem alone has to lead to the root.
func TestCardSignaturesVerify(t *testing.T) {
	needReader(t)
	openssl := judges.Need(t, "openssl")
	dir := t.TempDir()
	if code, _, stderr := run("card", "--dir", dir, "--", "true"); code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	root := filepath.Join(dir, "root.pem")
	anchors, err := trust.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, holder := range []pki.Name{pki.Signer, pki.CNS} {
		identity := readKit(t, filepath.Join(dir, "card", string(holder)))
		signer := cms.Signer{Key: identity.PrivateKey.(crypto.Signer), Certificate: identity.Leaf}
		var p7m bytes.Buffer
		if err := cms.Sign(&p7m, strings.NewReader("notes"), cms.Options{Signers: []cms.Signer{signer}}); err != nil {
			t.Fatal(err)
		}
		r, err := verify.File(t.Context(), io.NewSectionReader(bytes.NewReader(p7m.Bytes()), 0, int64(p7m.Len())), verify.Options{Trust: anchors, Now: time.Now()})
		if err != nil || r.Verdict != report.Valid {
			t.Errorf("%s: %+v, %v", holder, r, err)
		}
		c := exec.Command(openssl, "cms", "-verify", "-inform", "DER", "-CAfile", root, "-purpose", "any")
		c.Stdin = &p7m
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: openssl: %s, %v", holder, out, err)
		}
	}
}

// readKit reads a certificate and its key.
func readKit(t *testing.T, base string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(base+".pem", base+".key")
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestCardShell(t *testing.T) {
	needReader(t)
	t.Setenv("SHELL", "true")
	code, _, stderr := run("card", "--dir", filepath.Join(t.TempDir(), "kit"))
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	for _, want := range []string{virtualcard.StandardPIN, virtualcard.StandardPUK, virtualcard.StandardSignaturePIN, "root.pem", "pectoken-fixtures reader --dir"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

func TestReader(t *testing.T) {
	needReader(t)
	dir := filepath.Join(t.TempDir(), "kit")
	if code, _, stderr := run("reader", "--dir", dir, "remove"); code != 1 || !strings.Contains(stderr, "has to be running") {
		t.Errorf("without a card: exit %d, %s", code, stderr)
	}
	ended := make(chan string)
	go func() {
		_, _, stderr := run(append([]string{"card", "--empty", "--dir", dir}, script(dir, "touch begun", "until [ -e enough ]; do sleep 0.05; done")...)...)
		ended <- stderr
	}()
	waitFor(t, filepath.Join(dir, "begun"))
	defer func() {
		if stderr := <-ended; stderr != "" {
			t.Error(stderr)
		}
	}()
	defer os.WriteFile(filepath.Join(dir, "enough"), nil, 0o600)
	for _, c := range []struct {
		order string
		code  int
		says  string
	}{
		{"remove", 0, ""}, // the reader is empty
		{"insert", 0, ""},
		{"insert", 1, "there is one in it"},
		{"delay", 0, ""},
		{"report", 0, `"triesLeft":3`},
		{"remove", 0, ""},
		{"polish", 2, "polish"},
	} {
		code, stdout, stderr := run("reader", "--dir", dir, c.order)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) || c.says == "" && stdout+stderr != "" {
			t.Errorf("%s: exit %d, %s%s", c.order, code, stdout, stderr)
		}
	}
	_, stdout, _ := run("reader", "--dir", dir, "report")
	var report virtualcard.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || report.PIN.Value != virtualcard.StandardPIN {
		t.Errorf("the report is %q, %v", stdout, err)
	}
	if code, _, stderr := run(append([]string{"card", "--dir", dir}, script(dir, "exit 9")...)...); code == 9 {
		t.Errorf("two commands have the card: %s", stderr)
	}
}

// waitFor waits for a file.
func waitFor(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", name)
		}
	}
}

func TestCardWrongUse(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no folder", []string{"card"}, 2, `"dir" not set`},
		{"unknown kind", []string{"card", "--dir", t.TempDir(), "--kind", "cie"}, 2, `"cie"`},
		{"no order", []string{"reader", "--dir", t.TempDir()}, 2, "accepts 1 arg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, stdout, stderr := run(c.args...); code != c.code || stdout != "" || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d, %s%s", code, stdout, stderr)
			}
		})
	}
}

func TestCardLeavesFilesAlone(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "contract.pdf")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run("card", "--dir", dir); code != 1 || !strings.Contains(stderr, "contract.pdf") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if content, err := os.ReadFile(name); string(content) != "mine" {
		t.Errorf("the file is %q now, %v", content, err)
	}
}
