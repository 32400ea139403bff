// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/attacks"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func signers(t *testing.T) attacks.Signers {
	i := pki.New(time.Now()).Must(t, pki.SignerP256)
	by := cms.Signer{Key: i.Key, Certificate: i.Certificate, Chain: i.Chain}
	detached := func(content []byte) ([]byte, error) {
		var out bytes.Buffer
		err := cms.Sign(&out, bytes.NewReader(content), cms.Options{Signers: []cms.Signer{by}, Detached: true})
		return out.Bytes(), err
	}
	return attacks.Signers{
		Sign: func(document []byte, how attacks.Signing) ([]byte, error) {
			o := pdf.SignOptions{Signer: by, SigningTime: time.Now(), Certify: pdf.Certification(how.Certify)}
			if how.Visible {
				o.Appearance = &pdf.Appearance{}
			}
			var out bytes.Buffer
			err := pdf.Sign(t.Context(), &out, bytes.NewReader(document), int64(len(document)), o)
			return out.Bytes(), err
		},
		VictimCMS: detached, AttackerCMS: detached,
	}
}

func TestAll(t *testing.T) {
	all, err := attacks.All(signers(t))
	if err != nil {
		t.Fatal(err)
	}
	names, classes := map[string]bool{}, map[string]bool{}
	for _, a := range all {
		if names[a.Name] || bytes.Count(a.PDF, []byte("/Type /Sig ")) == 0 || !bytes.Contains(a.PDF, []byte("99")) {
			t.Errorf("%s stands twice, or says nothing new under a signature", a.Name)
		}
		names[a.Name], classes[a.Class] = true, true
	}
	if len(classes) != len(attacks.Classes()) {
		t.Errorf("%d classes have attacks, want %d", len(classes), len(attacks.Classes()))
	}
}

func TestContract(t *testing.T) {
	judges.Need(t, "qpdf")
	if err := judges.QPDFCheck(t.Context(), save(t, attacks.Contract())); err != nil {
		t.Error(err)
	}
}

func save(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "contract.pdf")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestErrors(t *testing.T) {
	broken := errors.New("the pen is broken")
	for name, edit := range map[string]func(*attacks.Signers){
		"victim": func(s *attacks.Signers) {
			s.Sign = func([]byte, attacks.Signing) ([]byte, error) { return nil, broken }
		},
		"victim, by hand": func(s *attacks.Signers) { s.VictimCMS = func([]byte) ([]byte, error) { return nil, broken } },
		"attacker":        func(s *attacks.Signers) { s.AttackerCMS = func([]byte) ([]byte, error) { return nil, broken } },
	} {
		t.Run(name, func(t *testing.T) {
			s := signers(t)
			edit(&s)
			if all, err := attacks.All(s); !errors.Is(err, broken) || all != nil {
				t.Errorf("%d attacks, error %v", len(all), err)
			}
		})
	}
	s := signers(t)
	s.Sign = func(document []byte, _ attacks.Signing) ([]byte, error) { return document, nil }
	if _, err := attacks.All(s); err == nil || !strings.Contains(err.Error(), "ByteRange") {
		t.Errorf("nobody signed: %v", err)
	}
}
