// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

// asking is a script that asks the responder about the signer, and ends as
// openssl does.
const asking = `"$1" ocsp -issuer signer.chain.pem -cert signer.pem -url "$("$1" x509 -in signer.pem -noout -ocsp_uri)" -CAfile root.pem -verify_other signer.chain.pem >said 2>&1`

func TestServe(t *testing.T) {
	tool := judges.Need(t, "openssl")
	for _, c := range []struct {
		name   string
		faults []string
		code   int
		says   string
	}{
		{"right", nil, 7, "signer.pem: good"},
		{"wrong OCSP", []string{"--fault", "ocsp:try-later", "--fault", "tsa:hang"}, 1, "trylater"},
		{"all wrong", []string{"--fault", "http-500"}, 1, "500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "it's a kit")
			args := append([]string{"serve", "--dir", dir}, c.faults...)
			code, stdout, stderr := run(append(args, append(script(dir, asking+` || exit 1`, `printf %s "$PECTOKEN_TSA" >tsa`, `exit 7`), tool)...)...)
			said, err := os.ReadFile(filepath.Join(dir, "said"))
			if code != c.code || stdout != "" || stderr != "" || err != nil || !strings.Contains(string(said), c.says) {
				t.Fatalf("exit %d, %s%s%s, %v", code, stdout, stderr, said, err)
			}
			if tsa, err := os.ReadFile(filepath.Join(dir, "tsa")); c.code == 7 && (err != nil || !strings.HasPrefix(string(tsa), "http://127.0.0.1:")) {
				t.Errorf("PECTOKEN_TSA is %q, %v", tsa, err)
			}
		})
	}
}

// Without a command the services run until an interrupt.
func TestServeUntilInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kit")
	ended := make(chan string)
	go func() {
		code, stdout, stderr := run("serve", "--dir", dir, "--fault", "tsa:http-404")
		ended <- fmt.Sprint(code, stdout, stderr)
	}()
	waitFor(t, filepath.Join(dir, "env"))
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	url := strings.Trim(strings.TrimPrefix(string(env), "export PECTOKEN_TSA="), "'\n")
	response, err := http.Post(url, "application/timestamp-query", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("the TSA says %s", response.Status)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil { // which the program catches
		t.Fatal(err)
	}
	said := <-ended
	for _, want := range []string{"0serving until interrupted", url, "signer.chain.pem", "/crl/qualified-ca.crl"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	t.Run("again", func(t *testing.T) {
		if code, _, stderr := run("serve", "--dir", dir); code != 1 || !strings.Contains(stderr, "root.pem") {
			t.Errorf("exit %d, %s", code, stderr)
		}
	})
}

func TestServeToken(t *testing.T) {
	needSoftHSM(t)
	dir := t.TempDir()
	code, _, stderr := run(append([]string{"serve", "--dir", dir, "--token"}, script(dir, `. ./env`, `grep -q tokens "$SOFTHSM2_CONF" && [ -s pin ] && exit 7`)...)...)
	if code != 7 || stderr != "" {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestServeElsewhere(t *testing.T) {
	code, _, stderr := run("serve", "--dir", t.TempDir(), "--listen", "0.0.0.0:0")
	if code != 1 || !strings.Contains(stderr, "not an address of the loopback") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
