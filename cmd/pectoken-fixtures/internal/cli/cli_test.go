// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/cmd/pectoken-fixtures/internal/cli"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

func TestMain(m *testing.M) {
	virtualcard.Hook()
	os.Exit(m.Run())
}

// run runs the program and returns its exit code and what it wrote.
func run(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = cli.Main(args, &out, &errs)
	return code, out.String(), errs.String()
}

// needSoftHSM skips where no token can be made.
func needSoftHSM(t *testing.T) { softhsm.New(t) }

func TestToken(t *testing.T) {
	needSoftHSM(t)
	dir := filepath.Join(t.TempDir(), "it's a kit")
	code, stdout, stderr := run("token", "--dir", dir)
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	for _, want := range []string{`"Firma"`, "contract.pdf", "type next:", "pectoken sign --pin-file pin contract.pdf"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	for name, want := range map[string]string{
		"pin": "123456", "notes.txt": "Notes on", "contract.pdf": "%PDF-", "root.pem": "-----BEGIN CERTIFICATE-----", "softhsm2.conf": "directories.tokendir",
	} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(content), want) {
			t.Errorf("%s is %q, %v", name, content, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "pin")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the PIN file: %v, %v", info, err)
	}
	t.Run("env", func(t *testing.T) {
		out, err := exec.Command(judges.Need(t, "sh"), "-c", `. "$1/env" && cat "$SOFTHSM2_CONF"`, "sh", dir).Output()
		if err != nil || !strings.Contains(string(out), filepath.Join(dir, "tokens")) {
			t.Errorf("the shell finds %q, %v", out, err)
		}
	})
	t.Run("again", func(t *testing.T) {
		code, stdout, stderr := run("token", "--dir", dir)
		if code != 1 || stdout != "" || !strings.Contains(stderr, "already") {
			t.Errorf("exit %d, %s%s", code, stdout, stderr)
		}
	})
}

func TestTokenLeavesFilesAlone(t *testing.T) {
	needSoftHSM(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "contract.pdf")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run("token", "--dir", dir); code != 1 || !strings.Contains(stderr, "contract.pdf") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if content, err := os.ReadFile(name); string(content) != "mine" {
		t.Errorf("the file is %q now, %v", content, err)
	}
}

func TestTokenWithoutSoftHSM(t *testing.T) {
	t.Setenv("SOFTHSM2_MODULE", filepath.Join(t.TempDir(), "missing.so"))
	code, _, stderr := run("token", "--dir", t.TempDir())
	if code != 1 || !strings.Contains(stderr, "softhsm2 is not installed") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestPKI(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := run("pki", "--dir", dir)
	if code != 0 || !strings.HasPrefix(stdout, "wrote ") || stderr != "" {
		t.Fatalf("exit %d, %s%s", code, stdout, stderr)
	}
	for _, name := range pki.Names() {
		for _, suffix := range []string{".pem", ".key"} {
			if _, err := os.Stat(filepath.Join(dir, string(name)+suffix)); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "qualified-ca.crl")); err != nil {
		t.Error(err)
	}
}

// signed makes a folder with the test certificates, a text signed by openssl,
// and a PDF signed by pdfsig.
func signed(t *testing.T) (root, text, pdf string) {
	t.Helper()
	for _, tool := range []string{"openssl", "pdfsig", "qpdf", "certutil", "pk12util"} {
		judges.Need(t, tool)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	p := pki.New(time.Now())
	for name, content := range map[string][]byte{"root.pem": p.RootPEM(), "plain.pdf": documents.Plain()} {
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signer := p.Must(t, pki.Signer)
	// The content is a PDF: it must not pass for one.
	sign := judges.CMSSign{Signer: signer, Content: path("plain.pdf"), Output: path("plain.pdf.p7m")}
	if err := judges.OpenSSLSign(t.Context(), sign); err != nil {
		t.Fatal(err)
	}
	if err := judges.PDFSigAdd(t.Context(), signer, path("plain.pdf"), path("signed.pdf")); err != nil {
		t.Fatal(err)
	}
	return path("root.pem"), path("plain.pdf.p7m"), path("signed.pdf")
}

func TestJudge(t *testing.T) {
	root, p7m, pdf := signed(t)
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, pki.New(time.Now()).Must(t, pki.AltRoot).CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		args         []string
		code         int
		says, stderr string
	}{
		{"PDF", []string{pdf}, 0, "Signature is Valid. MARIO ROSSI, adbe.pkcs7.detached, total document signed", ""},
		{"changed PDF", []string{changed(t, pdf)}, 1, "Digest Mismatch", "not everything is in order"},
		{"CMS", []string{"--trust", root, p7m}, 0, "openssl: CMS Verification successful", ""},
		{"CMS, other root", []string{"--trust", other, p7m}, 1, "certificate verify error", "not everything is in order"},
		{"CMS without root", []string{p7m}, 1, "", "openssl needs --trust"},
		{"no such file", []string{filepath.Join(t.TempDir(), "missing")}, 1, "", "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := run(append([]string{"judge"}, c.args...)...)
			if code != c.code || !strings.Contains(stdout, c.says) || !strings.Contains(stderr, c.stderr) || (c.stderr == "") != (stderr == "") {
				t.Errorf("exit %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// changed copies a PDF with another letter in the text of its page.
func changed(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(content, []byte("(Contract"), []byte("(Kontract"), 1)
	if bytes.Equal(other, content) {
		t.Fatal("there is nothing to change")
	}
	copied := filepath.Join(t.TempDir(), "changed.pdf")
	if err := os.WriteFile(copied, other, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		says string
	}{
		{"bogus", `unknown command "bogus"`},
		{"token", `"dir" not set`},
		{"pki --dir x y", `unknown command "y"`},
		{"judge", "accepts 1 arg"},
		{"bench --size 0", "want a number of bytes"},
		{"bench --size 1TiB", "want a number of bytes"},
		{"bench --size 9000000000GiB", "want a number of bytes"},
		{"bench --bogus", "unknown flag"},
		{"serve", `"dir" not set`},
		{"serve --dir x --fault bogus", `no fault is called "bogus"`},
		{"serve --dir x --fault crl:wrong-nonce", `no fault is called "crl:wrong-nonce"`},
		{"serve --dir x --fault tsa:hang --fault slow", `the tsa can have one fault, not both "hang" and "slow"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := run(strings.Fields(c.args)...)
			if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "pectoken-fixtures: ") || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d, %s%s", code, stdout, stderr)
			}
		})
	}
}

func TestBenchWithoutProgram(t *testing.T) {
	needSoftHSM(t)
	judges.Need(t, "openssl")
	dir := t.TempDir()
	code, stdout, stderr := run("bench", "--size", "1KiB", "--runs", "1", "--dir", dir, "--program", filepath.Join(dir, "missing"))
	if code != 1 || stdout != "" || !strings.Contains(stderr, "measuring pectoken sign") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := run("bench", "--help")
	if code != 0 || !strings.Contains(stdout, "(default 1GiB)") || stderr != "" {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

func TestForge(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "forged")
	code, stdout, stderr := run("forge", "--dir", dir)
	if code != 0 || !strings.HasPrefix(stdout, "wrote ") || stderr != "" {
		t.Fatalf("exit %d, %s%s", code, stdout, stderr)
	}
	for _, name := range []string{"root.pem", "honest.pdf", "isa-update.pdf"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if code, _, stderr := run("forge", "--dir", dir); code != 1 || !strings.Contains(stderr, "root.pem") {
		t.Errorf("a second time: exit %d, %s", code, stderr)
	}
}
