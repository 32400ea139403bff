// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/token"
	"github.com/pectoken/pectoken/verify/report"
)

func fixedNow() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func TestReportText(t *testing.T) {
	claimed := fixedNow()
	r := &report.Report{File: "a\n.pdf", Verdict: report.Indeterminate, Signatures: []*report.Signature{{
		ID: "S1", Field: "F\x1b[2J", Format: "PAdES", Level: "B-B", SubIndication: report.NoCertificateChainFound,
		Reason: "no trust\u202e", Integrity: report.Intact, ClaimedTime: &claimed, Covers: report.Revision,
		Signer:   &report.Signer{Name: "MARIO\nROSSI", CodiceFiscale: "RSSMRA80A01H501U", Organization: strings.Repeat("x", 5000)},
		Warnings: []report.Warning{{Code: "w", Message: "mind\x07this"}},
	}}}
	var out bytes.Buffer
	a := &app{out: &out, now: fixedNow}
	if err := (&reportView{app: a}).show(r); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		`a\n.pdf: INDETERMINATE` + "\n", `S1 (field F\x1b[2J): indeterminate, NO_CERTIFICATE_CHAIN_FOUND; the signed bytes are intact`,
		`no trust\u202e`, `MARIO\nROSSI, codice fiscale RSSMRA80A01H501U`, `as the signer claims`, `mind\athis`,
		"an earlier state of the file", "PAdES B-B\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\x07\u202e") || len(text) > 2000 {
		t.Errorf("the text can play with a terminal, or is endless: %q", text)
	}
}

func TestPaint(t *testing.T) {
	v := &reportView{app: &app{colour: true}}
	for verdict, want := range map[report.Verdict]string{
		report.Valid: "\x1b[32mx\x1b[0m", report.Invalid: "\x1b[31mx\x1b[0m", report.Indeterminate: "\x1b[33mx\x1b[0m",
	} {
		if got := v.paint(verdict, "x"); got != want {
			t.Errorf("%v is painted %q, want %q", verdict, got, want)
		}
	}
	if got := (&reportView{app: &app{}}).paint(report.Valid, "x"); got != "x" {
		t.Errorf("without colours the text is %q", got)
	}
}

func TestVerdictCode(t *testing.T) {
	some := []*report.Signature{{}}
	for _, c := range []struct {
		r    report.Report
		want exitCode
	}{
		{report.Report{}, exitIndeterminate},
		{report.Report{Verdict: report.Valid}, exitIndeterminate},
		{report.Report{Verdict: report.Valid, Signatures: some}, exitOK},
		{report.Report{Verdict: report.Indeterminate, Signatures: some}, exitIndeterminate},
		{report.Report{Verdict: report.Invalid, Signatures: some}, exitFailed},
		{report.Report{Verdict: report.Valid, Signatures: some, Error: &report.Error{}}, exitFailed},
	} {
		if got := verdictCode(&c.r); got != c.want {
			t.Errorf("%+v gives %d, want %d", c.r, got, c.want)
		}
	}
}

func TestIntegrity(t *testing.T) {
	intact, broken, unknown := &report.Signature{Integrity: report.Intact}, &report.Signature{Integrity: report.Broken}, &report.Signature{}
	for _, c := range []struct {
		signatures []*report.Signature
		want       report.Integrity
	}{
		{nil, report.IntegrityUnknown},
		{[]*report.Signature{intact, intact}, report.Intact},
		{[]*report.Signature{intact, unknown}, report.IntegrityUnknown},
		{[]*report.Signature{unknown, broken, intact}, report.Broken},
	} {
		if got := integrity(&report.Report{Signatures: c.signatures}); got != c.want {
			t.Errorf("%d signatures give %v, want %v", len(c.signatures), got, c.want)
		}
	}
}

func TestPINText(t *testing.T) {
	for _, c := range []struct {
		pin  token.PIN
		sent wrongCount
		want string
	}{
		{token.PIN{}, wrongCount{}, "unknown: the token does not say"},
		{token.PIN{Min: 5, Max: 8}, wrongCount{PIN: 2}, "unknown: the token does not say; 2 wrong ones in a row sent from here (5 to 8 characters)"},
		{token.PIN{State: token.PINStateOK, Min: 5, Max: 8}, wrongCount{PIN: 2}, "ok (5 to 8 characters)"},
		{token.PIN{State: token.PINStateFinal}, wrongCount{}, "final: one try left"},
		{token.PIN{State: token.PINStateLocked, Pad: true}, wrongCount{}, "locked: only the PUK helps, typed on the reader"},
	} {
		if got := pinText(c.pin, c.sent); got != c.want {
			t.Errorf("%+v is %q, want %q", c.pin, got, c.want)
		}
	}
}

func TestValidityText(t *testing.T) {
	a := &app{now: fixedNow}
	valid := func(from, to int) *certificate {
		return &certificate{Certificate: &token.Certificate{
			X509: &x509.Certificate{NotBefore: fixedNow().AddDate(0, 0, from), NotAfter: fixedNow().AddDate(0, 0, to)},
		}}
	}
	for _, c := range []struct {
		certificate *certificate
		want        string
	}{
		{valid(-10, 30), "30 days left, until "},
		{valid(-10, 0), "0 days left, until "},
		{valid(-10, -1), "EXPIRED on "},
		{valid(1, 30), "not before "},
	} {
		if got := a.validityText(c.certificate); !strings.HasPrefix(got, c.want) {
			t.Errorf("the text is %q, want it to begin with %q", got, c.want)
		}
	}
}

// TestUnreadableCertificate makes sure that a certificate Go can't parse is
// shown, and does not hide the others.
func TestUnreadableCertificate(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, now: fixedNow}
	c := &card{certificates: []*certificate{{Certificate: &token.Certificate{ID: []byte("X"), Raw: []byte{1}, ParseError: errNoTerminal}}}}
	if err := a.tokensText([]*card{c}); err != nil || !strings.Contains(out.String(), "unreadable: ") {
		t.Errorf("the text is %q, %v", out.String(), err)
	}
	line := onToken(c.certificates[0])
	if line.Error == nil || line.Error.Code != "unreadable" || line.NotAfter != nil || line.SHA256 == "" {
		t.Errorf("the line is %+v", line)
	}
}

func TestProgress(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{err: &stderr}
	none := a.newProgress(10)
	none.show(3, "x")
	none.clear()
	if stderr.Len() > 0 {
		t.Errorf("progress is shown where there is no terminal: %q", stderr.String())
	}
	a.errIsTerminal = true
	a.newProgress(10).show(3, "a\nb")
	a.say("note")
	if got, want := stderr.String(), clearLine+`[3/10] a\nb…`+clearLine+"pectoken: note\n"; got != want {
		t.Errorf("progress is %q, want %q", got, want)
	}
}
