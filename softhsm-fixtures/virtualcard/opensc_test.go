// SPDX-License-Identifier: Apache-2.0

package virtualcard_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// tool runs a program of OpenSC and returns what it says.
type tool func(args ...string) (said string, err error)

// pkcs11Tool is OpenSC's program on OpenSC's module.
func pkcs11Tool(t *testing.T) tool {
	t.Helper()
	program, module := openSCProgram(t, "pkcs11-tool"), virtualcard.OpenSC(t)
	return func(args ...string) (string, error) {
		return output(program, append([]string{"--module", module}, args...)...)
	}
}

func openSCProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("PECTOKEN_NO_SKIP") == "1" {
		t.Fatalf("%s is not installed, and PECTOKEN_NO_SKIP=1 forbids to skip", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// output runs a program, for a time after which it hangs.
func output(program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return string(said), errors.Join(err, ctx.Err())
}

// must is for runs that succeed, and refused for those that don't; each wants
// some words of the tool.
func (run tool) must(t *testing.T, args []string, words ...string) {
	t.Helper()
	said, err := run(args...)
	if err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, said)
	}
	contains(t, said, words)
}

func (run tool) refused(t *testing.T, args []string, words ...string) {
	t.Helper()
	said, err := run(args...)
	if !errors.As(err, new(*exec.ExitError)) || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%q: %v, want it to be refused:\n%s", args, err, said)
	}
	contains(t, said, words)
}

func contains(t *testing.T, said string, words []string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in:\n%s", w, said)
		}
	}
}

func TestOpenSCLists(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tool := pkcs11Tool(t)
	tool.must(t, []string{"-L"}, "Virtual PCD 00 00", "MARIO ROSSI (PIN CNS0)", "MARIO ROSSI (PIN CNS1)", pki.CardID, "5/8", "(empty)")
	tool.must(t, []string{"--slot", "0", "-O"}, "EF_IDCarta", "EF_DatiPersonali", "CNS0", "CN=RSSMRA80A01H501U")
	tool.must(t, []string{"--slot", "1", "-O"}, "CNS1", "CN=MARIO ROSSI")
	for label, want := range map[string][]byte{"EF_IDCarta": []byte(pki.CardID), "EF_DatiPersonali": pki.PersonalData()} {
		read := filepath.Join(t.TempDir(), label)
		tool.must(t, []string{"--slot", "0", "--read-object", "--type", "data", "--application-label", label, "-o", read})
		if got, err := os.ReadFile(read); err != nil || string(got) != string(want) {
			t.Errorf("%s is %q, %v", label, got, err)
		}
	}
	if r := card.Report(); r.Verifies() != 0 || r.KeyUses() != 0 || r.PIN.Changes != 0 || r.Commands == 0 {
		t.Errorf("that cost %+v", r)
	}
}

// signing is how pkcs11-tool is asked for a signature; sign asks, and verifies
// what comes of it.
type signing struct {
	slot, pin, id string
	identity      pki.Name
	mechanism     string
}

var (
	withCNS       = signing{"0", virtualcard.StandardPIN, "01", pki.CNS, "SHA256-RSA-PKCS"}
	withSignature = signing{"1", virtualcard.StandardSignaturePIN, "10", pki.Signer, "SHA256-RSA-PKCS"}
)

func (s signing) args(t *testing.T) (args []string, signature string) {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.WriteFile(data, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	signature = filepath.Join(dir, "signature")
	return []string{"--slot", s.slot, "--login", "--pin", s.pin, "--sign", "--mechanism", s.mechanism, "--id", s.id, "-i", data, "-o", signature}, signature
}

func (s signing) sign(t *testing.T, tool tool) {
	t.Helper()
	args, name := s.args(t)
	tool.must(t, args)
	signature, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	public := authority.Must(t, s.identity).Certificate.PublicKey.(*rsa.PublicKey)
	digest := sha256.Sum256([]byte("content"))
	if strings.HasSuffix(s.mechanism, "-PSS") {
		err = rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, nil)
	} else {
		err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	}
	if err != nil {
		t.Errorf("the signature: %v", err)
	}
}

func TestOpenSCSigns(t *testing.T) {
	pss := withCNS
	pss.mechanism = "SHA256-RSA-PKCS-PSS"
	for _, c := range []struct {
		name    string
		signing signing
		atr     virtualcard.ATR
	}{
		{"with the authentication key", withCNS, virtualcard.CNS11},
		{"with the signature key", withSignature, virtualcard.CNS11},
		{"with PSS", pss, virtualcard.CNS11},
		{"on a STIncard", withCNS, virtualcard.STIncard},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority, func(p *virtualcard.Profile) { p.ATR = c.atr.Bytes() })
			virtualcard.Start(t, card)
			c.signing.sign(t, pkcs11Tool(t))
			if r := card.Report(); r.Verifies() != 1 || r.PIN.Refused+r.SignaturePIN.Refused != 0 || r.KeyUses() != 1 {
				t.Errorf("that cost %+v", r)
			}
		})
	}
}

// Another program verifies, with another implementation of RSA.
func TestOpenSSLVerifies(t *testing.T) {
	openssl := judges.Need(t, "openssl")
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	args, signature := withCNS.args(t)
	pkcs11Tool(t).must(t, args)
	dir := filepath.Dir(signature)
	certificate := filepath.Join(dir, "certificate.pem")
	if err := os.WriteFile(certificate, authority.Must(t, pki.CNS).CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(dir, "public.pem")
	if said, err := output(openssl, "x509", "-in", certificate, "-pubkey", "-noout", "-out", public); err != nil {
		t.Fatal(err, said)
	}
	said, err := output(openssl, "dgst", "-sha256", "-verify", public, "-signature", signature, filepath.Join(dir, "data"))
	if err != nil || !strings.Contains(said, "Verified OK") {
		t.Errorf("openssl says %q, %v", said, err)
	}
}

func TestOpenSCBlocksAndUnblocks(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tool := pkcs11Tool(t)
	login := func(pin string) []string { return []string{"--slot", "0", "--login", "--pin", pin, "-O"} }
	for _, want := range []struct {
		pin, says string
		tries     int
	}{
		{"9999", "CKR_PIN_LEN_RANGE", 3}, // the card is not asked
		{"99999999", "CKR_PIN_INCORRECT", 2},
		{"99999999", "CKR_PIN_INCORRECT", 1},
		{"99999999", "CKR_PIN_LOCKED", 0},
		{virtualcard.StandardPIN, "CKR_PIN_LOCKED", 0},
	} {
		tool.refused(t, login(want.pin), want.says)
		if r := card.Report().PIN; r.TriesLeft != want.tries || r.Verified != 0 {
			t.Fatalf("after %s the card reports %+v", want.pin, r)
		}
	}
	withSignature.sign(t, tool) // the other PIN is another matter

	pkcs15 := tool15(t)
	pkcs15.refused(t, []string{"--unblock-pin", "--auth-id", "01", "--puk", "99999999", "--new-pin", "13572468"})
	if r := card.Report(); r.PIN.TriesLeft != 0 || r.PUK.TriesLeft != 2 {
		t.Fatalf("after a wrong PUK the card reports %+v", r)
	}
	pkcs15.must(t, []string{"--unblock-pin", "--auth-id", "01", "--puk", virtualcard.StandardPUK, "--new-pin", "13572468"})
	tool.must(t, login("13572468"))
	if r := card.Report(); r.PIN.TriesLeft != 3 || r.PIN.Verified != 1 || r.PUK.TriesLeft != 3 || r.PIN.Value != "13572468" {
		t.Errorf("after the PUK the card reports %+v", r)
	}
}

// tool15 is the program of OpenSC that works below PKCS#11.
func tool15(t *testing.T) tool {
	t.Helper()
	program := openSCProgram(t, "pkcs15-tool")
	return func(args ...string) (string, error) { return output(program, args...) }
}

func TestOpenSCChangesPIN(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	tool := pkcs11Tool(t)
	tool.must(t, []string{"--slot", "1", "--login", "--pin", virtualcard.StandardSignaturePIN, "--change-pin", "--new-pin", "55667788"}, "successfully changed")
	tool.refused(t, []string{"--slot", "1", "--login", "--pin", virtualcard.StandardSignaturePIN, "-O"}, "CKR_PIN_INCORRECT")
	changed := withSignature
	changed.pin = "55667788"
	changed.sign(t, tool)
	if r := card.Report(); r.SignaturePIN.Value != "55667788" || r.PIN.Value != virtualcard.StandardPIN || r.SignaturePIN.Changes != 1 {
		t.Errorf("the card reports %+v", r)
	}
}

func TestOpenSCOnCNS10(t *testing.T) {
	card := virtualcard.Make(t, authority, func(p *virtualcard.Profile) { p.ATR = virtualcard.CNS10.Bytes() })
	virtualcard.Start(t, card)
	tool := pkcs11Tool(t)
	tool.must(t, []string{"--slot", "0", "--login", "--pin", virtualcard.StandardPIN, "-O"}, "Private Key Object")
	args, _ := withCNS.args(t)
	tool.refused(t, args, "CKR_FUNCTION_NOT_SUPPORTED (0x54)")
	if r := card.Report(); r.PIN.Verified != 2 || r.KeyUses() != 0 {
		t.Errorf("the card reports %+v", r)
	}
}

func TestOpenSCAndForeignCard(t *testing.T) {
	card := virtualcard.Foreign()
	virtualcard.Start(t, card)
	said, err := pkcs11Tool(t)("-L")
	if err != nil || strings.Contains(said, "MARIO") || !strings.Contains(said, "token not recognized") {
		t.Errorf("%v:\n%s", err, said)
	}
	if card.Report().Commands == 0 {
		t.Error("the card was not asked anything")
	}
}

func TestOpenSCAndTwoCards(t *testing.T) {
	const number = "6090000000000002"
	first := virtualcard.Make(t, authority)
	second := virtualcard.Make(t, authority, func(p *virtualcard.Profile) {
		p.Number, p.PIN, p.Signature = number, "24682468", nil
	})
	virtualcard.Start(t, first, second)
	tool := pkcs11Tool(t)
	tool.must(t, []string{"-L"}, pki.CardID, number, "Virtual PCD 00 00", "Virtual PCD 00 01")
	inSecond := withCNS
	inSecond.slot, inSecond.pin = "4", "24682468" // OpenSC keeps four slots for each reader
	inSecond.sign(t, tool)
	if one, two := first.Report(), second.Report(); one.Verifies() != 0 || one.KeyUses() != 0 || two.PIN.Verified != 1 || two.KeyUses() != 1 {
		t.Errorf("the cards report %+v and %+v", one, two)
	}
}

func TestOpenSCAndSlowCard(t *testing.T) {
	card := virtualcard.Make(t, authority)
	virtualcard.Start(t, card)
	card.SetDelay(5*time.Millisecond, 300*time.Millisecond)
	withCNS.sign(t, pkcs11Tool(t))
	if r := card.Report(); r.PIN.Verified != 1 || r.KeyUses() != 1 {
		t.Errorf("that cost %+v", r)
	}
}

func TestOpenSCAndFaultyCard(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault virtualcard.Fault
	}{
		{"memory failure", virtualcard.Fault{Instruction: 0x2A, Answer: []byte{0x65, 0x81}}},
		{"garbage", virtualcard.Fault{Instruction: 0x2A, Answer: []byte("no status that there is")}},
		{"one byte", virtualcard.Fault{Instruction: 0x2A, Answer: []byte{0x90}}},
		{"no reason", virtualcard.Fault{Instruction: 0x2A}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority)
			virtualcard.Start(t, card)
			tool := pkcs11Tool(t)
			card.SetFaults(c.fault)
			args, _ := withCNS.args(t)
			tool.refused(t, args, "CKR_")
			if r := card.Report(); r.KeyUses() != 0 {
				t.Errorf("that cost %+v", r)
			}
			card.SetFaults()
			withCNS.sign(t, tool)
		})
	}
}

func TestOpenSCAndPulledCard(t *testing.T) {
	card := virtualcard.Make(t, authority)
	pcsc := virtualcard.Start(t, card)
	tool := pkcs11Tool(t)
	card.SetFaults(virtualcard.PulledAfterSignatures(1))
	withCNS.sign(t, tool)
	args, _ := withCNS.args(t)
	tool.refused(t, args, "CKR_")
	if err := errors.Join(pcsc.First.Remove(), pcsc.First.Insert(card)); err != nil {
		t.Fatal(err)
	}
	withCNS.sign(t, tool)
	if r := card.Report(); r.KeyUses() != 2 || r.PIN.Verified != 3 {
		t.Errorf("that cost %+v", r)
	}
}

func TestOpenSCRemoveAndInsert(t *testing.T) {
	card := virtualcard.Make(t, authority)
	pcsc := virtualcard.Start(t)
	tool := pkcs11Tool(t)
	for range 3 {
		tool.refused(t, []string{"-O"}, "slot")
		if err := pcsc.First.Insert(card); err != nil {
			t.Fatal(err)
		}
		if err := pcsc.First.Insert(card); err == nil {
			t.Error("two cards went into one reader")
		}
		tool.must(t, []string{"-O"}, "CNS0")
		if err := pcsc.First.Remove(); err != nil {
			t.Fatal(err)
		}
		if err := pcsc.First.Remove(); err != nil {
			t.Errorf("removing from an empty reader: %v", err)
		}
	}
	said, err := tool("-L")
	if err != nil || strings.Contains(said, "MARIO") {
		t.Errorf("%v:\n%s", err, said)
	}
}
