// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/cns"
	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/token"
)

// The ATRs of chips whose certification has ended, will end, and isn't known.
const (
	atrCosmo = "3bff1800008131fe45006b05052000012101434e5310318079"
	atrOther = "3bff1800ff8131fe55006b02090303010101434e5310318090"
)

func patientWith(t *testing.T, edit func(*patient)) *patient {
	t.Helper()
	p := &patient{now: time.Now(), found: &token.Discovery{}, wallet: &wallet{}}
	edit(p)
	return p
}

func inReader(state cnscard.ReaderState, atr string) cnscard.Reader {
	raw, _ := hex.DecodeString(atr)
	return cnscard.Reader{Name: "Reader 0", State: state, ATR: raw}
}

func TestReaderChecks(t *testing.T) {
	present := &card{Info: token.Info{Label: "Firma"}}
	for _, c := range []struct {
		name   string
		look   func(*patient) []check
		edit   func(*patient)
		status status
		what   string
		exit   exitCode
	}{
		{"no service", checkService, func(p *patient) { p.noReaders = cnscard.ErrNoService }, statusFault, "not running", exitNoToken},
		{"no library", checkService, func(p *patient) { p.noReaders = cnscard.ErrNoLibrary }, statusFault, "not installed", exitNoToken},
		{"refused", checkService, func(p *patient) { p.noReaders = cnscard.ErrDenied }, statusFault, "refuses", exitNoToken},
		{"not to be had", checkService, func(p *patient) { p.noReaders = cnscard.ErrUnsupported }, statusUnknown, "cannot reach", 0},
		{"no service, and a token without", checkService, func(p *patient) {
			p.noReaders, p.wallet.cards = cnscard.ErrNoService, []*card{present}
		}, statusWarning, "does without", 0},
		{"no reader", checkReaders, func(*patient) {}, statusFault, "no card reader", exitNoToken},
		{"no reader, and a token without", checkReaders, func(p *patient) { p.wallet.cards = []*card{present} }, statusOK, "needs none", 0},
		{"mute", checkReaders, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithMute, "")} }, statusFault, "does not answer", 0},
		{"unusable", checkReaders, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderUnavailable, "")} }, statusFault, "can't use", 0},
		{"kept by another", checkReaders, func(p *patient) {
			p.readers = []cnscard.Reader{{Name: "Reader 0", State: cnscard.ReaderWithCard, Exclusive: true}}
		}, statusWarning, "another program", 0},
		{"no card", checkCards, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderEmpty, "")} }, statusFault, "no card", exitNoToken},
		{"known card", checkCards, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, atrCosmo)} }, statusOK, "Cosmo V9", 0},
		{"unknown card", checkCards, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, "3b00")} }, statusUnknown, "no kind known", 0},
		{"no ATR", checkCards, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, "00")} }, statusWarning, "no ATR", 0},
		{"no driver", checkDrivers, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, atrOther)} }, statusFault, "no driver", exitNoToken},
		{"no module", checkDrivers, func(p *patient) { p.noModule = errors.New("none") }, statusFault, "none", exitNoToken},
		{"chip ended", checkChips, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, atrCosmo)} }, statusWarning, "ended on 2025-12-31", 0},
		{"chip unknown", checkChips, func(p *patient) { p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, atrOther)} }, statusUnknown, "not known", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.look(patientWith(t, c.edit))
			if len(got) != 1 || got[0].Status != c.status || !strings.Contains(got[0].What, c.what) || got[0].exit != c.exit {
				t.Fatalf("got %+v, want %s, %q, exit code %d", got, c.status, c.what, c.exit)
			}
			if fix := got[0].Status; fix == statusFault && c.name != "no module" && got[0].Todo == "" {
				t.Error("a fault without what to do")
			}
		})
	}
}

// TestDriverChecks has modules show a card, and says which of them does it well.
func TestDriverChecks(t *testing.T) {
	for _, c := range []struct {
		atr     string
		modules []string
		status  status
		what    string
	}{
		{atrOther, []string{"/x/libbit4ipki.so"}, statusOK, "made for this card"},
		{atrOther, []string{"/x/opensc-pkcs11.so", "/x/libbit4xpki.so"}, statusOK, "libbit4xpki"},
		{atrCosmo, []string{"/x/opensc-pkcs11.so", "/x/other.so"}, statusOK, "other.so"},
		{atrCosmo, []string{"/x/other.so"}, statusOK, "other.so"},
		{atrOther, []string{"/x/opensc-pkcs11.so"}, statusFault, "1024 bits"},
		{strings.Replace(atrOther, "434e5310", "434e5311", 1), []string{"/x/opensc-pkcs11.so"}, statusWarning, "shows only part"},
	} {
		p := patientWith(t, func(p *patient) {
			p.readers = []cnscard.Reader{inReader(cnscard.ReaderWithCard, c.atr)}
			for _, path := range c.modules {
				shown := &token.FoundToken{Info: token.Info{Reader: "Reader 0"}}
				p.found.Modules = append(p.found.Modules, &token.FoundModule{Candidate: token.Candidate{Path: path}, Tokens: []*token.FoundToken{shown}})
			}
		})
		if got := checkDrivers(p); len(got) != 1 || got[0].Status != c.status || !strings.Contains(got[0].What, c.what) {
			t.Errorf("%s with %q: got %+v, want %s, %q", c.atr, c.modules, got, c.status, c.what)
		}
	}
}

func TestPINChecks(t *testing.T) {
	for state, want := range map[token.PINState]status{
		token.PINStateOK: statusOK, token.PINStateLow: statusWarning, token.PINStateFinal: statusWarning,
		token.PINStateLocked: statusFault, token.PINStateNotSet: statusFault, token.PINStateUnknown: statusUnknown,
	} {
		p := patientWith(t, func(p *patient) {
			p.wallet.cards = []*card{{Info: token.Info{Label: "Firma", Serial: "1", PIN: token.PIN{State: state}}}}
		})
		if got := checkPINs(p); len(got) != 1 || got[0].Status != want {
			t.Errorf("%s gives %+v, want %s", state, got, want)
		}
	}
}

func TestCertificateChecks(t *testing.T) {
	kit := pki.New(time.Now())
	for _, c := range []struct {
		name  string
		holds []pki.Name
		later time.Duration
		want  []status
	}{
		{"both good", []pki.Name{pki.CNS, pki.Signer}, 0, []status{statusOK, statusOK}},
		{"one only", []pki.Name{pki.Signer}, 0, []status{statusOK, statusWarning}},
		{"expired", []pki.Name{pki.CNS, pki.Expired}, 0, []status{statusOK, statusFault}},
		{"expired and renewed", []pki.Name{pki.CNS, pki.Expired, pki.Signer}, 0, []status{statusOK, statusOK, statusOK}},
		{"soon", []pki.Name{pki.CNS, pki.Signer}, 700 * 24 * time.Hour, []status{statusOK, statusWarning}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := patientWith(t, func(p *patient) {
				p.now = p.now.Add(c.later)
				p.wallet = testWallet(t, kit, c.holds)
			})
			var got []status
			for _, line := range checkCertificates(p) {
				got = append(got, line.Status)
			}
			if strings.Join(words(got), " ") != strings.Join(words(c.want), " ") {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func words(list []status) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, string(s))
	}
	return texts
}

// TestRenewalWindow goes through a window from before to after.
func TestRenewalWindow(t *testing.T) {
	w := cns.RenewalWindow{Provider: "Aruba", Opens: fixedNow().AddDate(0, 0, -10), Closes: fixedNow().AddDate(0, 0, 10), Doubt: "hearsay"}
	for days, want := range map[int]status{-11: statusOK, 0: statusWarning, 11: statusFault} {
		got := (&patient{now: fixedNow().AddDate(0, 0, days)}).checkWindow("DS0", w)
		if got.Status != want || !strings.Contains(got.What, "not confirmed: hearsay") {
			t.Errorf("after %d days: %+v, want %s", days, got, want)
		}
	}
}

// TestDoctorExit has a fault of the card outweigh one that is missing altogether.
func TestDoctorExit(t *testing.T) {
	a, _ := fakeApp(nil, "", "")
	for _, c := range []struct {
		checks []check
		want   exitCode
	}{
		{[]check{ok("a", "b"), warning("a", "b", "c"), unknown("a", "b")}, exitOK},
		{[]check{missing("a", "b", "c")}, exitNoToken},
		{[]check{missing("a", "b", "c"), fault("a", "b", "c")}, exitFailed},
	} {
		if got, err := a.showChecks(c.checks); got != c.want || err != nil {
			t.Errorf("%+v ends with %d, %v, want %d", c.checks, got, err, c.want)
		}
	}
}

// TestWhyNoCard has the readers tell why no driver shows a card.
func TestWhyNoCard(t *testing.T) {
	for _, c := range []struct {
		name    string
		readers []cnscard.Reader
		err     error
		why     string
		hints   int
	}{
		{name: "a card that no driver knows", readers: []cnscard.Reader{inReader(cnscard.ReaderWithCard, atrOther)}, why: `, though a card is in "Reader 0"`, hints: 1},
		{name: "no card", readers: []cnscard.Reader{inReader(cnscard.ReaderEmpty, "")}},
		{name: "no reader"},
		{name: "no service", err: cnscard.ErrNoService, why: ", and the PC/SC service, which readers need, is not running", hints: 1},
	} {
		a := &app{readers: func(context.Context) ([]cnscard.Reader, error) { return c.readers, c.err }}
		if why, hints := a.whyNoCard(t.Context()); why != c.why || len(hints) != c.hints {
			t.Errorf("%s: %q, %q", c.name, why, hints)
		}
	}
}
