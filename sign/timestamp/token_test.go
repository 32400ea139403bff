// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var document = []byte("il documento da marcare")

func parse(t testing.TB, raw []byte) *timestamp.Token {
	t.Helper()
	token, err := timestamp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestParse(t *testing.T) {
	s := newStamper(t)
	s.edit = func(i *tstInfo) {
		i.Accuracy = asn1.RawValue{Tag: 16, IsCompound: true, Bytes: []byte{2, 1, 1, 0x80, 2, 1, 0xf4, 0x81, 1, 7}}
		i.Ordering = true
		i.Nonce = big.NewInt(99)
		i.TSA = asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: der(t, asn1.RawValue{Class: 2, Tag: 4, IsCompound: true, Bytes: s.identity.Certificate.RawSubject})}
		i.Extensions = asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: der(t, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}})}
	}
	token := parse(t, s.over(document))
	i := token.Info
	if !i.Time.Equal(now.Add(250*time.Millisecond)) || *i.Accuracy != time.Second+500*time.Millisecond+7*time.Microsecond {
		t.Errorf("time %v, accuracy %v", i.Time, i.Accuracy)
	}
	if !i.Ordering || i.Nonce.Int64() != 99 || i.SerialNumber.Int64() != 4711 || !i.Policy.Equal(testPolicy) || i.Hash != crypto.SHA256 || len(i.Extensions) != 1 {
		t.Errorf("read %+v", i)
	}
	if err := token.Check().Err(); err != nil {
		t.Error(err)
	}
	for content, want := range map[string]bool{string(document): true, "un altro": false} {
		if got, err := token.Covers(strings.NewReader(content)); err != nil || got != want {
			t.Errorf("Covers(%q) = %v, %v", content, got, err)
		}
	}
}

// TestParseInfo has a row for each thing that a TSTInfo may get wrong.
func TestParseInfo(t *testing.T) {
	for name, edit := range map[string]func(*tstInfo){
		"version 2":              func(i *tstInfo) { i.Version = 2 },
		"a local time":           func(i *tstInfo) { i.Time = generalized("20261122103000+0100") },
		"a time without seconds": func(i *tstInfo) { i.Time = generalized("202611221030Z") },
		"month 13":               func(i *tstInfo) { i.Time = generalized("20261322103000Z") },
		"a comma in the time":    func(i *tstInfo) { i.Time = generalized("20261122103000,5Z") },
		"UTCTime":                func(i *tstInfo) { i.Time = asn1.RawValue{Tag: asn1.TagUTCTime, Bytes: []byte("261122103000Z")} },
		"a short imprint":        func(i *tstInfo) { i.Imprint.Digest = i.Imprint.Digest[:31] },
		"a negative serial":      func(i *tstInfo) { i.Serial = big.NewInt(-1) },
		"an endless serial":      func(i *tstInfo) { i.Serial = new(big.Int).Lsh(big.NewInt(1), 4000) },
		"1000 milliseconds": func(i *tstInfo) {
			i.Accuracy = asn1.RawValue{Tag: 16, IsCompound: true, Bytes: []byte{0x80, 2, 3, 0xe8}}
		},
		"an accuracy in the wrong order": func(i *tstInfo) {
			i.Accuracy = asn1.RawValue{Tag: 16, IsCompound: true, Bytes: []byte{0x81, 1, 1, 0x80, 1, 1}}
		},
		"a field too many": func(i *tstInfo) { i.Extensions = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("x")} },
	} {
		s := newStamper(t)
		s.edit = edit
		_, err := timestamp.Parse(s.over(document))
		var format *timestamp.FormatError
		if !errors.As(err, &format) {
			t.Errorf("%s: %v, want a FormatError", name, err)
		}
	}
}

// Octets after the TSTInfo are signed with it, and refused all the same.
func TestParseTrailing(t *testing.T) {
	s := newStamper(t)
	s.tail = []byte{5, 0}
	var format *timestamp.FormatError
	if _, err := timestamp.Parse(s.over(document)); !errors.As(err, &format) {
		t.Errorf("%v, want a FormatError", err)
	}
}

func TestParseRefuses(t *testing.T) {
	good := newStamper(t).over(document)
	data := newStamper(t)
	data.contentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	for name, raw := range map[string][]byte{
		"nothing": nil, "text": []byte("MIIB"), "a certificate": testPKI.Must(t, pki.TSA).Certificate.Raw,
		"signed data that is no token": data.over(document), "a response": response(t, 0, good),
	} {
		if _, err := timestamp.Parse(raw); !errors.Is(err, timestamp.ErrNotToken) {
			t.Errorf("%s: %v, want ErrNotToken", name, err)
		}
	}
	if _, err := timestamp.Parse(append(slices.Clone(good), 0)); err == nil {
		t.Error("an octet after the token is let pass")
	}
	for n := range good {
		if _, err := timestamp.Parse(good[:n]); err == nil {
			t.Fatalf("a token cut after %d octets is let pass", n)
		}
	}
}

// TestCheck has a row for each problem.
func TestCheck(t *testing.T) {
	tsa := testPKI.Must(t, pki.TSA)
	issued := func(edit func(*x509.Certificate)) func(*stamper) {
		return func(s *stamper) {
			id, err := testPKI.IssueCustom(pki.QualifiedCA, tsa.Key, edit)
			if err != nil {
				t.Fatal(err)
			}
			s.identity, s.named = id, id.Certificate
		}
	}
	stamping := []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
	for _, c := range []struct {
		name    string
		make    func(*stamper)
		problem timestamp.Problem
		cms     cms.Problem
	}{
		{name: "as it should be", make: func(*stamper) {}},
		{name: "ESSCertID of SHA-1", make: func(s *stamper) { s.ess = oidESS1 }},
		{name: "RSASSA-PSS", make: func(s *stamper) { s.pss = true }},
		{name: "no ESSCertID", make: func(s *stamper) { s.ess = nil }, cms: cms.ReferenceMissing},
		{name: "ESSCertIDv2 of another", make: func(s *stamper) { s.named = testPKI.Must(t, pki.Signer).Certificate }, cms: cms.CertificateSwapped},
		{name: "ESSCertID of another", make: func(s *stamper) { s.ess, s.named = oidESS1, testPKI.Must(t, pki.Signer).Certificate }, cms: cms.CertificateSwapped},
		{name: "no certificate", make: func(s *stamper) { s.bare = true }, cms: cms.CertificateMissing},
		{name: "two signers", make: func(s *stamper) { s.twice = true }, problem: timestamp.SeveralSigners},
		{name: "a signer's certificate", make: func(s *stamper) {
			s.identity = testPKI.Must(t, pki.Signer)
			s.named = s.identity.Certificate
		}, problem: timestamp.UsageMissing},
		{name: "not critical", make: issued(func(c *x509.Certificate) { c.ExtKeyUsage = stamping }), problem: timestamp.UsageNotCritical},
		{name: "for other things", make: issued(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageCodeSigning}
		}), problem: timestamp.UsageNotAlone},
		{name: "after its end", make: func(s *stamper) {
			s.edit = func(i *tstInfo) { i.Time = generalized("20461122103000Z") }
		}, problem: timestamp.TimeOutsideCertificate},
		{name: "another name", make: func(s *stamper) {
			s.edit = func(i *tstInfo) {
				i.TSA = asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: der(t, asn1.RawValue{Class: 2, Tag: 4, IsCompound: true, Bytes: s.identity.Certificate.RawIssuer})}
			}
		}, problem: timestamp.NameDiffers},
		{name: "an unknown digest", make: func(s *stamper) {
			s.edit = func(i *tstInfo) { i.Imprint.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 3, 4} }
		}, problem: timestamp.HashUnknown},
		{name: "a critical extension", make: func(s *stamper) {
			s.edit = func(i *tstInfo) {
				i.Extensions = asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: der(t, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})}
			}
		}, problem: timestamp.ExtensionUnknown},
	} {
		s := newStamper(t)
		c.make(s)
		check := parse(t, s.over(document)).Check()
		bad := c.problem != 0 || c.cms != 0
		if (check.Err() != nil) != bad || c.problem != 0 && !check.Has(c.problem) || c.cms != 0 && !check.Signature.Has(c.cms) {
			t.Errorf("%s: %v, %+v, %+v", c.name, check.Err(), check.Findings, check.Signature.Findings)
		}
	}
}

// TestCertificateFromOutside completes a token that has none, and takes no wrong one.
func TestCertificateFromOutside(t *testing.T) {
	s := newStamper(t)
	s.bare = true
	token := parse(t, s.over(document))
	tsa, other := testPKI.Must(t, pki.TSA).Certificate, testPKI.Must(t, pki.Signer).Certificate
	if err := token.Check(other, tsa).Err(); err != nil {
		t.Error(err)
	}
	twin, err := testPKI.IssueCustom(pki.QualifiedCA, testPKI.Must(t, pki.TSA).Key, func(c *x509.Certificate) {
		c.SerialNumber, c.Subject = tsa.SerialNumber, tsa.Subject
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, certificate := range map[string]*x509.Certificate{"another": other, "one of the same name and number": twin.Certificate} {
		if token.Check(certificate).Err() == nil {
			t.Errorf("the certificate of %s is taken", name)
		}
	}
}

// TestEveryBit flips every bit of a token: none may be found good, whether or not
// the signature covers it.
func TestEveryBit(t *testing.T) {
	good := newStamper(t).over(document)
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			token, err := timestamp.Parse(bad)
			if err != nil || token.Check().Err() != nil {
				continue
			}
			t.Errorf("octet %d (0x%02x), bit %d: found good", i, good[i], bit)
		}
	}
}

func TestResponse(t *testing.T) {
	token := newStamper(t).over(document)
	for status, want := range []timestamp.Status{timestamp.Granted, timestamp.GrantedWithMods} {
		r, err := timestamp.ParseResponse(response(t, status, token))
		if err != nil || r.Err() != nil || r.Status != want || !bytes.Equal(r.Token.Raw, token) {
			t.Errorf("status %d: %+v, %v", status, r, err)
		}
	}
	for name, raw := range map[string][]byte{
		"granted without token":  response(t, 0, nil),
		"rejected with token":    response(t, 2, token),
		"octets after the token": append(response(t, 0, nil), token...),
		"indefinite length":      {0x30, 0x80, 0x30, 3, 2, 1, 2, 0, 0},
		"a long form length":     {0x30, 0x81, 5, 0x30, 3, 2, 1, 2},
		"nothing":                {},
	} {
		var format *timestamp.FormatError
		if _, err := timestamp.ParseResponse(raw); !errors.As(err, &format) {
			t.Errorf("%s: %v, want a FormatError", name, err)
		}
	}
	text := der(t, asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("credito esaurito")})
	refused := der(t, struct {
		Info struct {
			Status int
			Text   asn1.RawValue
			Fail   asn1.BitString
		}
	}{struct {
		Status int
		Text   asn1.RawValue
		Fail   asn1.BitString
	}{2, asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: text}, asn1.BitString{Bytes: []byte{0, 1, 0}, BitLength: 17}}})
	r, err := timestamp.ParseResponse(refused)
	var status *timestamp.StatusError
	if err != nil || !errors.As(r.Err(), &status) || status.Error() != `the authority answers rejection (unacceptedPolicy): "credito esaurito"` {
		t.Errorf("%v, %v", r, err)
	}
	if back, err := timestamp.ParseResponse(timestamp.EncodeResponse(parse(t, token))); err != nil || !bytes.Equal(back.Token.Raw, token) {
		t.Errorf("a round trip gives %v", err)
	}
}
