// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/token"
)

// testWallet puts entities of the PKI on cards, without any token: one card
// for each list.
func testWallet(t *testing.T, p *pki.PKI, cards ...[]pki.Name) *wallet {
	t.Helper()
	w := &wallet{}
	for i, names := range cards {
		c := &card{Info: token.Info{Label: "Firma", Serial: string(rune('A' + i))}, module: "m.so"}
		for j, name := range names {
			entity := p.Must(t, name)
			c.certificates = append(c.certificates, &certificate{Certificate: &token.Certificate{
				ID: []byte{'D', 'S', byte('0' + j)}, Label: string(name), Raw: entity.Certificate.Raw,
				X509: entity.Certificate, HasPrivateKey: !entity.Certificate.IsCA,
			}})
		}
		w.cards = append(w.cards, c)
	}
	return w
}

func TestChooseSigner(t *testing.T) {
	p := pki.New(time.Now())
	signerPrint := fingerprint(p.Must(t, pki.Signer).Certificate.Raw)
	beginning := strings.ToUpper(signerPrint[:2] + ":" + signerPrint[2:4] + ":" + signerPrint[4:6] + ":" + signerPrint[6:8])
	one := [][]pki.Name{{pki.CNS, pki.Signer, pki.QualifiedCA}}
	for _, c := range []struct {
		name   string
		cards  [][]pki.Name
		wanted string
		label  string // of the certificate that is chosen
		code   string // or of the problem
		hints  int
	}{
		{"the qualified one", one, "", "signer", "", 0},
		{"by ID", one, "DS0", "cns", "", 0},
		{"by ID in hexadecimal", one, "445331", "signer", "", 0},
		{"by label", one, "cns", "cns", "", 0},
		{"by fingerprint", one, signerPrint, "signer", "", 0},
		{"by the beginning of it, with colons", one, beginning, "signer", "", 0},
		{"by too little of it", one, signerPrint[:7], "", "noCertificate", 2},
		{"an authority is no candidate", one, "qualified-ca", "", "noCertificate", 2},
		{"nothing on the card", [][]pki.Name{{}}, "", "", "noCertificate", 1},
		{"for logging in only", [][]pki.Name{{pki.CNS}}, "", "", "noCertificate", 1},
		{"two", [][]pki.Name{{pki.Signer}, {pki.SecondSigner}}, "", "", "ambiguous", 2},
		{"twins on two cards", [][]pki.Name{{pki.Signer}, {pki.Signer}}, "", "", "ambiguous", 2},
		{"the current one", [][]pki.Name{{pki.Expired, pki.Signer, pki.NotYetValid}}, "", "signer", "", 0},
		{"an expired one", [][]pki.Name{{pki.Expired}}, "", "", "expired", 1},
		{"an expired one by name", [][]pki.Name{{pki.Expired, pki.Signer}}, "DS0", "", "expired", 1},
		{"one of the future", [][]pki.Name{{pki.NotYetValid}}, "", "", "notYetValid", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := testWallet(t, p, c.cards...)
			got, err := choice{wanted: c.wanted, now: time.Now()}.signer(w.candidates())
			if c.code != "" {
				if err == nil || problemOf(err).code != c.code || len(problemOf(err).hint) != c.hints {
					t.Fatalf("got %v, want %s with %d hints", err, c.code, c.hints)
				}
				return
			}
			if err != nil || got.Label != c.label {
				t.Fatalf("got %+v, %v, want %s", got, err, c.label)
			}
		})
	}
}

func TestChooseExpired(t *testing.T) {
	w := testWallet(t, pki.New(time.Now()), []pki.Name{pki.Expired})
	got, err := choice{now: time.Now(), allowExpired: true}.signer(w.candidates())
	if err != nil || got.Label != "expired" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestThroughTwoModules makes sure that a card is not taken for two because two
// drivers show it, and that what only the worse one shows is not lost.
func TestThroughTwoModules(t *testing.T) {
	p := pki.New(time.Now())
	show := func(path, serial string, names ...pki.Name) *token.FoundModule {
		m := &token.FoundModule{Candidate: token.Candidate{Path: path}}
		shown := &token.FoundToken{Info: token.Info{Label: "by " + path, Serial: serial}, Module: m}
		for _, name := range names {
			c := p.Must(t, name).Certificate
			shown.Certificates = append(shown.Certificates, &token.Certificate{Label: string(name), Raw: c.Raw, X509: c})
		}
		m.Tokens = []*token.FoundToken{shown}
		return m
	}
	vendor, worse := show("vendor.so", "1", pki.CNS, pki.Signer), show("worse.so", "1", pki.CNS)
	found := &token.Discovery{Modules: []*token.FoundModule{vendor, worse, show("empty.so", "1")}}
	ways := []token.Way{{Token: vendor.Tokens[0], Certificate: vendor.Tokens[0].Certificates[0]}, {Token: worse.Tokens[0], Certificate: worse.Tokens[0].Certificates[0]}}
	found.Certificates = []*token.FoundCertificate{{Ways: ways}, {Ways: []token.Way{{Token: vendor.Tokens[0], Certificate: vendor.Tokens[0].Certificates[1]}}}}

	w := &wallet{cards: cardsOf(found, cardFlags{})}
	c, err := w.only(newPINCmd(&app{}))
	if err != nil || c.module != "vendor.so" || len(c.certificates) != 2 || fmt.Sprint(c.also) != "[empty.so worse.so]" {
		t.Fatalf("only gives %+v, %v, want what the vendor's module shows, also by the others", c, err)
	}
	if also := c.certificates[0].also; len(also) != 1 || also[0] != "worse.so" {
		t.Errorf("the first certificate is shown also by %q", also)
	}
	w.cards = cardsOf(found, cardFlags{token: "by worse.so"})
	if c, err := w.only(newPINCmd(&app{})); err != nil || c.module != "worse.so" || len(c.certificates) != 1 {
		t.Errorf("by the label of the worse module, only gives %+v, %v", c, err)
	}
}

func TestOrdinary(t *testing.T) {
	p := pki.New(time.Now())
	w := testWallet(t, p, []pki.Name{pki.TSA})
	all := w.candidates()
	if len(all) != 1 || all[0].kind != cns.Other || !ordinary(all[0]) {
		t.Fatalf("candidates are %+v, want one of no special kind", all)
	}
	all[0].HasPrivateKey = false
	if ordinary(all[0]) {
		t.Error("a certificate without a key is taken unasked")
	}
}

func TestChain(t *testing.T) {
	w := testWallet(t, pki.New(time.Now()), []pki.Name{pki.Signer, pki.QualifiedCA, pki.Root, pki.AltQualifiedCA})
	chain := w.candidates()[0].chain()
	if len(chain) != 1 || hex.EncodeToString(chain[0].Raw) != hex.EncodeToString(w.cards[0].certificates[1].Raw) {
		t.Errorf("the chain has %d certificates, want that of the issuer alone", len(chain))
	}
}
