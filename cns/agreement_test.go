// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func texts(findings []Finding) string {
	var list []string
	for _, f := range findings {
		list = append(list, f.Answer.String()+": "+f.Text)
	}
	return strings.Join(list, "; ")
}

func TestSameCard(t *testing.T) {
	const a, b = "6090000000000001", "7430000000000001"
	cases := []struct {
		name     string
		ids      CardIDs
		want     Answer
		findings int
		says     string
	}{
		{"everywhere", CardIDs{a, a, a}, Yes, 2, ""},
		{"card and certificate", CardIDs{Card: a, CommonName: a}, Yes, 1, ""},
		{"certificate and token", CardIDs{CommonName: a, Token: a + "  "}, Yes, 1, "the token's"},
		{"another certificate", CardIDs{a, b, a}, No, 2, `"7430000000000001"`},
		{"another token", CardIDs{a, a, b}, No, 2, "the token's serial number is"},
		{"card unknown", CardIDs{"", a, b}, No, 1, ""},
		{"small letters", CardIDs{Card: "609000000000000A", Token: "609000000000000a"}, Yes, 1, ""},
		{"one alone", CardIDs{Card: a}, AnswerUnknown, 0, ""},
		{"nothing", CardIDs{}, AnswerUnknown, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, findings := SameCard(c.ids)
			if got != c.want || len(findings) != c.findings || !strings.Contains(texts(findings), c.says) {
				t.Errorf("%v, %s", got, texts(findings))
			}
		})
	}
}

func TestCompareCodes(t *testing.T) {
	const rossi, omocode, verdi = "RSSMRA80A01H501U", "RSSMRA80A01H50MM", "VRDLGU75C41F205E"
	cases := []struct {
		a, b string
		want HolderMatch
	}{
		{rossi, rossi, SameHolder}, {rossi, "rssmra80a01h501u", SameHolder}, {rossi, verdi, OtherHolder},
		{rossi, omocode, OmocodeHint}, {omocode, rossi, OmocodeHint}, {omocode, omocode, SameHolder},
		{rossi, "", HolderUnknown}, {"", "", HolderUnknown}, {rossi, "RSSMRA80A01H501X", HolderUnknown},
	}
	for _, c := range cases {
		if got := CompareCodes(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestCompareHolders(t *testing.T) {
	certificate := func(name pki.Name) *x509.Certificate { return issuer().Must(t, name).Certificate }
	if got := CompareHolders(certificate(pki.CNS), certificate(pki.Signer)); got != SameHolder {
		t.Error(got)
	}
	if got := CompareHolders(certificate(pki.CNS), certificate(pki.SecondSigner)); got != OtherHolder {
		t.Error(got)
	}
	if got := CompareHolders(certificate(pki.CNS), nil); got != HolderUnknown {
		t.Error(got)
	}
}

func TestWebmailReady(t *testing.T) {
	const rossi = "RSSMRA80A01H501U"
	card := issuer().Must(t, pki.CNS).Certificate
	now := card.NotBefore.AddDate(1, 0, 0)
	login := x509.KeyUsageDigitalSignature
	like := draft{usage: login, client: true, name: rossi + "/7430000000000001"}.certificate(t)
	like.Subject.Names = subject(oidCommonName, like.Subject.CommonName).Subject.Names
	like.NotBefore, like.NotAfter = card.NotBefore, card.NotAfter
	nobody := *card
	nobody.Subject.Names = nil

	cases := []struct {
		name string
		c    *x509.Certificate
		at   time.Time
		code string
		want Answer
		says string
	}{
		{"ready", card, now, rossi, Yes, "yes: a CNS certificate"},
		{"nobody asked for", card, now, "", Yes, "active until"},
		{"another's", card, now, "VRDLGU75C41F205E", No, "no: for another codice fiscale"},
		{"omocode", card, now, "RSSMRA80A01H50MM", No, "by omocodia"},
		{"not a code", card, now, "ROSSI", AnswerUnknown, "is not one"},
		{"at the last moment", card, card.NotAfter, rossi, Yes, ""},
		{"expired", card, card.NotAfter.Add(time.Second), rossi, No, "no: expired on"},
		{"too early", card, card.NotBefore.Add(-time.Second), rossi, No, "no: not valid before"},
		{"like a CNS", like, now, rossi, AnswerUnknown, "unknown: like"},
		{"like a CNS, expired", like, card.NotAfter.AddDate(1, 0, 0), rossi, No, "expired"},
		{"for signatures", issuer().Must(t, pki.Signer).Certificate, now, rossi, No, "for signatures"},
		{"no code in it", &nobody, now, rossi, No, "no codice fiscale"},
		{"something else", issuer().Must(t, pki.TSA).Certificate, now, "", No, "not a CNS"},
		{"none", nil, now, rossi, No, "no certificate"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, findings := WebmailReady(c.c, c.at, c.code)
			if got != c.want || !strings.Contains(texts(findings), c.says) {
				t.Errorf("%v, %s", got, texts(findings))
			}
		})
	}
}

func TestRenewalOf(t *testing.T) {
	expiry := time.Date(2027, time.May, 15, 10, 0, 0, 0, time.UTC)
	of := func(issuer, subject pkix.Name) *x509.Certificate {
		return &x509.Certificate{Issuer: issuer, Subject: subject, NotAfter: expiry}
	}
	aruba := pkix.Name{Organization: []string{"ArubaPEC S.p.A."}, CommonName: "ArubaPEC EU Qualified Certificates CA G1"}
	chamber := pkix.Name{OrganizationalUnit: []string{"Camera di Commercio di Firenze"}}
	cases := []struct {
		name          string
		c             *x509.Certificate
		provider      string
		opens, closes time.Time
		doubt         bool
	}{
		{"Aruba", of(aruba, pkix.Name{}), "Aruba", expiry.AddDate(0, -2, 0), expiry, false},
		{"Aruba for a chamber", of(aruba, chamber), "Camera di Commercio", expiry.AddDate(0, 0, -90), expiry.AddDate(0, 0, -2), true},
		{"CONAF", of(pkix.Name{}, pkix.Name{Organization: []string{"CONAF"}}), "CONAF", expiry.AddDate(0, 0, -60), time.Time{}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, ok := RenewalOf(c.c)
			if !ok || w.Provider != c.provider || !w.Opens.Equal(c.opens) || !w.Closes.Equal(c.closes) || (w.Doubt != "") != c.doubt || w.Source == "" {
				t.Errorf("%+v, %t", w, ok)
			}
		})
	}
	for _, c := range []*x509.Certificate{nil, of(pkix.Name{}, aruba), of(pkix.Name{Organization: []string{"InfoCert S.p.A."}}, pkix.Name{})} {
		if w, ok := RenewalOf(c); ok {
			t.Errorf("a rule for a provider that has none here: %+v", w)
		}
	}
}

func TestWords(t *testing.T) {
	cases := map[string][]encoding.TextMarshaler{
		"unknown yes no unknown":                 {AnswerUnknown, Yes, No, Answer(9)},
		"unknown same other omocodeHint unknown": {HolderUnknown, SameHolder, OtherHolder, OmocodeHint, HolderMatch(9)},
		"none file content fields none":          {HashInputNone, HashOfFile, HashOfContent, HashOfFields, HashInput(9)},
		"unknown absent good wrong unknown":      {CheckUnknown, CheckAbsent, CheckGood, CheckWrong, Check(9)},
	}
	for want, values := range cases {
		var words []string
		for _, v := range values {
			text, err := v.MarshalText()
			if err != nil {
				t.Error(err)
			}
			words = append(words, string(text))
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
