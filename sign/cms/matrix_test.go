// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	smallstep "github.com/smallstep/pkcs7"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// The matrix: who signs with what, in which form.
var (
	matrixKeys = []struct {
		name string
		who  pki.Name
		pss  bool
	}{
		{"RSA-2048", pki.Signer, false}, {"RSA-4096", pki.SignerRSA4096, false}, {"PSS", pki.Signer, true},
		{"P-256", pki.SignerP256, false}, {"P-384", pki.SignerP384, false},
	}
	matrixHashes  = []crypto.Hash{crypto.SHA256, crypto.SHA512}
	matrixForms   = []string{"DER", "BER", "detached"}
	matrixSigners = []string{"1", "2", "5", "counter", "nested"}
)

// message is one cell of the matrix.
type message struct {
	name     string
	file     []byte
	content  []byte // of the outermost envelope
	detached bool
	signers  int // in parallel
	counters int
	pss      bool
}

// matrix makes every message there is.
func matrix(t *testing.T) []message {
	t.Helper()
	var all []message
	for _, key := range matrixKeys {
		for _, hash := range matrixHashes {
			who := currentSigner(t, key.who)
			who.Hash, who.PSS = hash, key.pss
			for _, form := range matrixForms {
				for _, how := range matrixSigners {
					m := build(t, who, form, how)
					m.name = fmt.Sprintf("%s/%v/%s/%s", key.name, hash, form, how)
					m.pss = key.pss
					all = append(all, m)
				}
			}
		}
	}
	return all
}

func build(t *testing.T, who cms.Signer, form, how string) message {
	t.Helper()
	m := message{content: bytes.Repeat([]byte("atto notarile "), 400), signers: 1, detached: form == "detached"}
	if how == "nested" {
		m.content = sign(t, m.content, false, currentSigner(t, pki.SecondSigner))
	}
	signers := []cms.Signer{who}
	if others := map[string]int{"2": 1, "5": 4}[how]; others > 0 {
		company := []pki.Name{pki.SecondSigner, pki.SignerP256, pki.SignerP384, pki.SignerRSA3072, pki.Signer}
		for _, name := range company {
			if other := currentSigner(t, name); len(signers) <= others && !other.Certificate.Equal(who.Certificate) {
				signers = append(signers, other)
			}
		}
		m.signers = len(signers)
	}
	if form == "BER" {
		m.file = signBER(t, m.content, signers...)
	} else {
		m.file = sign(t, m.content, m.detached, signers...)
	}
	if how == "counter" {
		m.file = counter(t, m.file, currentSigner(t, pki.SecondSigner))
		m.counters = 1
	}
	return m
}

// ask puts a message into files for a judge.
func (m message) ask(t *testing.T) judges.Ask {
	t.Helper()
	a := judges.Ask{File: writeFile(t, "message.p7m", m.file), Trust: writeFile(t, "root.pem", current.RootPEM())}
	if m.detached {
		a.Content = writeFile(t, "content", m.content)
	}
	return a
}

// TestMatrixWithOpenSSL has openssl verify every message, and smallstep/pkcs7
// those of algorithms it knows.
func TestMatrixWithOpenSSL(t *testing.T) {
	judges.Need(t, "openssl")
	for _, m := range matrix(t) {
		t.Run(m.name, func(t *testing.T) {
			a := m.ask(t)
			verdict, err := judges.OpenSSLVerify(context.Background(), judges.CMSVerify{Signature: a.File, Content: a.Content, CAFile: a.Trust})
			if err != nil || !verdict.Valid {
				t.Errorf("openssl: %v, %v", verdict, err)
			}
			if m.pss { // "unsupported algorithm" to smallstep
				return
			}
			p, err := smallstep.Parse(m.file)
			if err != nil {
				t.Fatal(err)
			}
			if m.detached {
				p.Content = m.content
			}
			if err := p.Verify(); err != nil || len(p.Signers) != m.signers {
				t.Errorf("smallstep: %d signers, %v", len(p.Signers), err)
			}
		})
	}
}

// TestInteropMatrixDSS: to DSS every message is CAdES-BASELINE-B, intact and
// valid, counter-signatures included.
func TestInteropMatrixDSS(t *testing.T) {
	dss := judges.NeedDSS(t)
	for _, m := range matrix(t) {
		t.Run(m.name, func(t *testing.T) {
			said, err := dss.Validate(context.Background(), m.ask(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(said) != m.signers+m.counters {
				t.Fatalf("DSS finds %d signatures, want %d and %d counter-signatures", len(said), m.signers, m.counters)
			}
			for _, s := range said {
				if s.Level != "CAdES-BASELINE-B" || !s.Intact || !s.Valid || s.Indication != "TOTAL_PASSED" {
					t.Errorf("DSS: %s, intact %v, valid %v, %s %s: %v", s.Level, s.Intact, s.Valid, s.Indication, s.SubIndication, s.Errors)
				}
			}
		})
	}
}

// TestInteropMatrixPyHanko: pyHanko takes every message for intact and valid.
// It doesn't look at counter-signatures.
func TestInteropMatrixPyHanko(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	for _, m := range matrix(t) {
		t.Run(m.name, func(t *testing.T) {
			said, err := pyHanko.Validate(context.Background(), m.ask(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(said) != m.signers {
				t.Fatalf("pyHanko finds %d signatures, want %d", len(said), m.signers)
			}
			for _, s := range said {
				if !s.Intact || !s.Valid || !s.Trusted {
					t.Errorf("pyHanko: intact %v, valid %v, trusted %v: %s", s.Intact, s.Valid, s.Trusted, s.Says)
				}
			}
		})
	}
}

// theirs checks what another program made: so many signers and
// counter-signatures, all intact and CAdES.
func theirs(t *testing.T, path string, content []byte, detached bool, signers, counters int) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sd, got := read(t, file)
	if detached {
		err = sd.DigestContent(bytes.NewReader(content))
	} else if !bytes.Equal(got, content) {
		t.Errorf("content of %d bytes, want %d", len(got), len(content))
	}
	if err != nil || len(sd.Signers) != signers {
		t.Fatalf("%d signers, want %d: %v", len(sd.Signers), signers, err)
	}
	found := 0
	for _, s := range sd.Signers {
		intact(t, sd.Check(s))
		for _, countering := range s.CounterSignatures() {
			intact(t, sd.CheckCounter(s, countering))
			found++
		}
	}
	if found != counters {
		t.Errorf("%d counter-signatures, want %d", found, counters)
	}
}

func intact(t *testing.T, c *cms.Check) {
	t.Helper()
	if !c.ValueMatches || !c.Referenced || len(c.Findings) > 0 {
		t.Errorf("value matches %v, referenced %v: %v", c.ValueMatches, c.Referenced, c.Findings)
	}
}

// digestName is a digest as the judges spell it.
func digestName(h crypto.Hash) string {
	return map[crypto.Hash]string{crypto.SHA256: "sha256", crypto.SHA512: "sha512"}[h]
}

// eachTheirs runs f for every key, digest and form that others make.
func eachTheirs(t *testing.T, f func(t *testing.T, who *pki.Identity, digest string, pss, detached bool)) {
	for _, key := range matrixKeys {
		for _, hash := range matrixHashes {
			for _, detached := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/detached=%v", key.name, hash, detached), func(t *testing.T) {
					f(t, current.Must(t, key.who), digestName(hash), key.pss, detached)
				})
			}
		}
	}
}

// TestInteropDSSSigns checks what DSS signs, alone, in company and countered.
func TestInteropDSSSigns(t *testing.T) {
	dss := judges.NeedDSS(t)
	ctx := context.Background()
	content := []byte("atto di un altro programma")
	eachTheirs(t, func(t *testing.T, who *pki.Identity, digest string, pss, detached bool) {
		dir := t.TempDir()
		document := writeFile(t, "document", content)
		one, two, three := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "3")
		ask := judges.DSSCMSSign{Signer: who, File: document, Output: one, Digest: digest, PSS: pss, Detached: detached}
		if err := dss.SignCMS(ctx, ask); err != nil {
			t.Fatal(err)
		}
		theirs(t, one, content, detached, 1, 0)

		ask = judges.DSSCMSSign{Signer: current.Must(t, pki.SecondSigner), File: one, Output: two, Parallel: true, Detached: detached}
		outer := judges.Ask{File: two}
		if detached {
			ask.Content, outer.Content = document, document
		}
		if err := dss.SignCMS(ctx, ask); err != nil {
			t.Fatal(err)
		}
		theirs(t, two, content, detached, 2, 0)

		said, err := dss.Validate(ctx, outer)
		if err != nil || len(said) != 2 {
			t.Fatalf("%d signatures, %v", len(said), err)
		}
		ask.File, ask.Output, ask.Parallel, ask.CounterSigns = two, three, false, said[0].ID
		if err := dss.SignCMS(ctx, ask); err != nil {
			t.Fatal(err)
		}
		theirs(t, three, content, detached, 2, 1)
	})
}

// TestInteropPyHankoSigns checks what pyHanko signs.
func TestInteropPyHankoSigns(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	content := []byte("atto di un altro programma")
	eachTheirs(t, func(t *testing.T, who *pki.Identity, digest string, pss, detached bool) {
		out := filepath.Join(t.TempDir(), "out")
		ask := judges.PyHankoCMSSign{Signer: who, Content: writeFile(t, "document", content), Output: out, Digest: digest, PSS: pss, Detached: detached}
		if err := pyHanko.SignCMS(context.Background(), ask); err != nil {
			t.Fatal(err)
		}
		theirs(t, out, content, detached, 1, 0)
	})
}

// TestMatrixOpenSSLSigns checks what openssl signs, in DER and in BER.
func TestMatrixOpenSSLSigns(t *testing.T) {
	judges.Need(t, "openssl")
	content := []byte("atto di un altro programma")
	eachTheirs(t, func(t *testing.T, who *pki.Identity, digest string, pss, detached bool) {
		for _, stream := range []bool{false, true} {
			if stream && (detached || pss) {
				continue // no content to stream; and openssl 3.0 fails to write PSS with -stream
			}
			out := filepath.Join(t.TempDir(), "out")
			ask := judges.CMSSign{
				Signer: who, Content: writeFile(t, "document", content), Output: out,
				Digest: digest, PSS: pss, Detached: detached, Stream: stream, CAdES: true,
			}
			if err := judges.OpenSSLSign(context.Background(), ask); err != nil {
				t.Fatal(err)
			}
			theirs(t, out, content, detached, 1, 0)
		}
	})
}

// TestInteropAttributes: the optional attributes are no stumbling block.
func TestInteropAttributes(t *testing.T) {
	dss, pyHanko := judges.NeedDSS(t), judges.NeedPyHanko(t)
	who := currentSigner(t, pki.Signer)
	who.Attributes = everyAttribute(t)
	m := message{file: sign(t, []byte("atto"), false, who)}
	said, err := dss.Validate(context.Background(), m.ask(t))
	if err != nil || len(said) != 1 || said[0].Level != "CAdES-BASELINE-B" || said[0].Indication != "TOTAL_PASSED" {
		t.Errorf("DSS: %+v, %v", said, err)
	}
	heard, err := pyHanko.Validate(context.Background(), m.ask(t))
	if err != nil || len(heard) != 1 || !heard[0].Intact || !heard[0].Trusted {
		t.Errorf("pyHanko: %+v, %v", heard, err)
	}
}
