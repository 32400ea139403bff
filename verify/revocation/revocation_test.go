// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// The moments of the tests.
var (
	now    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	before = now.Add(-time.Hour)
	after  = now.Add(time.Hour)
)

// party is a certificate with its key.
type party struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var serials atomic.Int64

// issue makes a certificate, signed by itself without an issuer.
func issue(t testing.TB, issuer *party, name string, change func(*x509.Certificate)) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	p := &party{key: key}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if p.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return p
}

func authority(t testing.TB, name string) *party {
	return issue(t, nil, name, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
}

func responder(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }

func noCheck(c *x509.Certificate) {
	responder(c)
	c.ExtraExtensions = []pkix.Extension{{Id: oidNoCheck, Value: []byte{5, 0}}}
}

// says makes an OCSP response.
func says(t testing.TB, issuer, signer *party, template ocsp.Response) *OCSP {
	t.Helper()
	o, err := ParseOCSP(saysDER(t, issuer, signer, template))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func saysDER(t testing.TB, issuer, signer *party, template ocsp.Response) []byte {
	t.Helper()
	if template.ThisUpdate.IsZero() {
		template.ThisUpdate, template.NextUpdate = now, after
	}
	if signer != issuer {
		template.Certificate = signer.Certificate
	}
	der, err := ocsp.CreateResponse(issuer.Certificate, signer.Certificate, template, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// produced is when package ocsp says that it makes a response, which can't be given.
func produced() time.Time { return time.Now().Add(time.Minute) }

func TestOCSPResponders(t *testing.T) {
	ca, other := authority(t, "CA"), authority(t, "Other")
	namesake := authority(t, "CA") // the same name, another key
	user := issue(t, ca, "User", nil)
	current := func(more func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotAfter = time.Now().AddDate(1, 0, 0)
			more(c)
		}
	}
	for _, c := range []struct {
		name   string
		signer *party
		says   string // what is wrong; empty: nothing
	}{
		{"the issuer", ca, ""},
		{"a responder", issue(t, ca, "Responder", current(responder)), ""},
		{"a responder of another CA", issue(t, other, "Responder", current(responder)), "not from the issuer"},
		{"a responder of a namesake", issue(t, namesake, "Responder", current(responder)), "not from the issuer"},
		{"another CA", other, "not from the issuer"},
		{"a user of the same CA", issue(t, ca, "Somebody", current(func(*x509.Certificate) {})), "not for signing OCSP"},
		{"the certificate itself", user, "not for signing OCSP"},
		{"a responder who may not sign", issue(t, ca, "Responder", current(func(c *x509.Certificate) {
			responder(c)
			c.KeyUsage = x509.KeyUsageKeyEncipherment
		})), "may not sign"},
		{"an expired responder", issue(t, ca, "Responder", func(c *x509.Certificate) {
			responder(c)
			c.NotBefore, c.NotAfter = now.AddDate(-3, 0, 0), now.AddDate(-2, 0, 0)
		}), "was not valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := says(t, ca, c.signer, ocsp.Response{Status: ocsp.Good, SerialNumber: user.SerialNumber})
			a, err := o.Answer(user.Certificate, ca.Certificate, nil)
			if c.says == "" {
				if err != nil || a.Status != Good || !a.Signer.Equal(c.signer.Certificate) || !a.ThisUpdate.Equal(now) || !bytes.Equal(a.Raw, o.Raw) {
					t.Fatalf("%+v, %v", a, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("answer %+v, error %v, want %q", a, err, c.says)
			}
		})
	}
}

func TestOCSPAboutOther(t *testing.T) {
	ca, namesake := authority(t, "CA"), authority(t, "CA")
	user := issue(t, ca, "User", nil)
	twin := issue(t, namesake, "User", func(c *x509.Certificate) { c.SerialNumber = user.SerialNumber })
	o := says(t, ca, ca, ocsp.Response{Status: ocsp.Good, SerialNumber: user.SerialNumber})
	for name, asked := range map[string]struct{ certificate, issuer *party }{
		"same serial number of a namesake": {twin, namesake},
		"namesake as the issuer":           {user, namesake},
		"another serial number":            {issue(t, ca, "Somebody", nil), ca},
	} {
		if a, err := o.Answer(asked.certificate.Certificate, asked.issuer.Certificate, nil); !errors.Is(err, ErrOtherCertificate) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestOCSPStatus(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	for _, c := range []struct {
		template ocsp.Response
		at       time.Time
		want     Status
	}{
		{ocsp.Response{Status: ocsp.Good}, now, Good},
		{ocsp.Response{Status: ocsp.Unknown}, now, Unknown},
		{ocsp.Response{Status: ocsp.Revoked, RevokedAt: before, RevocationReason: ocsp.KeyCompromise}, now, Revoked},
		{ocsp.Response{Status: ocsp.Revoked, RevokedAt: before}, before.Add(-time.Second), Good},
		{ocsp.Response{Status: ocsp.Revoked, RevokedAt: before}, before, Revoked},
		{ocsp.Response{Status: ocsp.Revoked, RevokedAt: before, RevocationReason: ocsp.CertificateHold}, now, Suspended},
	} {
		c.template.SerialNumber = user.SerialNumber
		a, err := says(t, ca, ca, c.template).Answer(user.Certificate, ca.Certificate, nil)
		if err != nil || a.At(c.at) != c.want {
			t.Errorf("%+v: %+v at %v, %v", c.template, a, c.at, err)
		}
	}
}

// TestOCSPSeveralAnswers: a response that says two things of a certificate is believed the
// worse one, in whatever order.
func TestOCSPSeveralAnswers(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	answer := func(template ocsp.Response) single {
		template.SerialNumber = user.SerialNumber
		return says(t, ca, ca, template).singles[0]
	}
	good, unknown := answer(ocsp.Response{Status: ocsp.Good}), answer(ocsp.Response{Status: ocsp.Unknown})
	held := answer(ocsp.Response{Status: ocsp.Revoked, RevokedAt: now, RevocationReason: ocsp.CertificateHold})
	late, early := answer(ocsp.Response{Status: ocsp.Revoked, RevokedAt: now}), answer(ocsp.Response{Status: ocsp.Revoked, RevokedAt: before})
	of := func(list ...single) (*Answer, error) {
		o := says(t, ca, ca, ocsp.Response{SerialNumber: user.SerialNumber})
		o.singles = list
		return o.Answer(user.Certificate, ca.Certificate, nil)
	}
	bySeverity := []single{good, unknown, held, late, early}
	for i, worse := range bySeverity {
		for _, better := range bySeverity[:i] {
			for _, list := range [][]single{{better, worse}, {worse, better}} {
				if a, err := of(list...); err != nil || a.Status != worse.Status || !a.RevokedAt.Equal(worse.RevokedAt) {
					t.Errorf("%v and %v: %+v, %v", list[0].Status, list[1].Status, a, err)
				}
			}
		}
	}
	strange := good
	strange.critical = asn1.ObjectIdentifier{1, 2, 3}
	for _, list := range [][]single{{early, strange}, {strange, early}} {
		if a, err := of(list...); err == nil {
			t.Errorf("with an extension that is not known: %+v", a)
		}
	}
}

// TestOCSPBits flips every bit of a response: it is refused, or says the same.
func TestOCSPBits(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	der := saysDER(t, ca, ca, ocsp.Response{Status: ocsp.Revoked, RevokedAt: before, SerialNumber: user.SerialNumber})
	for i := range len(der) * 8 {
		bad := bytes.Clone(der)
		bad[i/8] ^= 1 << (i % 8)
		o, err := ParseOCSP(bad)
		if err != nil {
			continue
		}
		if a, err := o.Answer(user.Certificate, ca.Certificate, nil); err == nil && (a.Status != Revoked || !a.RevokedAt.Equal(before)) {
			t.Fatalf("bit %d: %+v", i, a)
		}
	}
}

func TestOCSPRefusals(t *testing.T) {
	for status := 1; status < 8; status++ {
		var refusal *ResponseError
		if _, err := ParseOCSP([]byte{0x30, 3, 0x0a, 1, byte(status)}); !errors.As(err, &refusal) || refusal.Status != status {
			t.Errorf("status %d: %v", status, err)
		}
	}
	for name, der := range map[string][]byte{
		"nothing": nil, "no structure": []byte("not there"), "good and empty": {0x30, 3, 0x0a, 1, 0}, "too long": make([]byte, maxOCSP+1),
	} {
		if _, err := ParseOCSP(der); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBasicOCSP(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	o := says(t, ca, ca, ocsp.Response{Status: ocsp.Good, SerialNumber: user.SerialNumber})
	again, err := ParseBasicOCSP(o.Basic())
	if err != nil || !bytes.Equal(again.Raw, o.Raw) {
		t.Fatalf("%v", err)
	}
	if a, err := again.Answer(user.Certificate, ca.Certificate, nil); err != nil || a.Status != Good {
		t.Errorf("%+v, %v", a, err)
	}
}

// lists makes a CRL.
func lists(t testing.TB, issuer *party, change func(*x509.RevocationList), revoked ...x509.RevocationListEntry) *CRL {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: before, NextUpdate: after, RevokedCertificateEntries: revoked}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer.Certificate, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func extension(id asn1.ObjectIdentifier, critical bool, value ...byte) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: id, Critical: critical, Value: value}}
	}
}

// point is an IssuingDistributionPoint with one URI.
func point(uri string) []byte {
	name := slices.Concat([]byte{0x86, byte(len(uri))}, []byte(uri))
	name = slices.Concat([]byte{0xa0, byte(len(name))}, name)
	name = slices.Concat([]byte{0xa0, byte(len(name))}, name)
	return slices.Concat([]byte{0x30, byte(len(name))}, name)
}

func TestCRL(t *testing.T) {
	ca, other, namesake := authority(t, "CA"), authority(t, "Other"), authority(t, "CA")
	user := issue(t, ca, "User", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://example.it/crl"} })
	entry := func(reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before, ReasonCode: reason}
	}
	for _, c := range []struct {
		name string
		list *CRL
		want Status
		says string // what is wrong; empty: nothing
	}{
		{"not listed", lists(t, ca, nil), Good, ""},
		{"listed", lists(t, ca, nil, entry(1)), Revoked, ""},
		{"held", lists(t, ca, nil, entry(6)), Suspended, ""},
		{"of another CA", lists(t, other, nil), Unknown, "does not speak"},
		{"of a namesake", lists(t, namesake, nil), Unknown, "another key"},
		{"delta", lists(t, ca, extension(oidDeltaIndicator, true, 2, 1, 1)), Unknown, "delta"},
		{"indirect", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 3, 0x84, 1, 0xff)), Unknown, "indirect"},
		{"of CAs", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 3, 0x82, 1, 0xff)), Unknown, "CAs only"},
		{"of users", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 3, 0x81, 1, 0xff)), Good, ""},
		{"of some reasons", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 4, 0x83, 2, 6, 0x40)), Unknown, "some reasons"},
		{"of attributes", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 3, 0x85, 1, 0xff)), Unknown, "attribute"},
		{"of its part", lists(t, ca, extension(oidDistributionPoint, true, point("HTTP://EXAMPLE.it/crl")...)), Good, ""},
		{"of another part", lists(t, ca, extension(oidDistributionPoint, true, point("http://example.it/other")...)), Unknown, "another part"},
		{"unreadable point", lists(t, ca, extension(oidDistributionPoint, true, 0x30, 1, 0)), Unknown, "can't be read"},
		{"unknown critical", lists(t, ca, extension(asn1.ObjectIdentifier{1, 2, 3}, true, 5, 0)), Unknown, "critical"},
		{"unknown", lists(t, ca, extension(asn1.ObjectIdentifier{1, 2, 3}, false, 5, 0)), Good, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := c.list.Answer(user.Certificate, ca.Certificate)
			if c.says == "" && (err != nil || a.At(now) != c.want) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%+v, %v; want %v, %q", a, err, c.want, c.says)
			}
		})
	}
}

func TestCRLBits(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	der := lists(t, ca, nil, x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before}).Raw()
	for i := range len(der) * 8 {
		bad := bytes.Clone(der)
		bad[i/8] ^= 1 << (i % 8)
		l, err := ParseCRL(bad)
		if err != nil {
			continue
		}
		if a, err := l.Answer(user.Certificate, ca.Certificate); err == nil && (a.Status != Revoked || !a.RevokedAt.Equal(before)) {
			t.Fatalf("bit %d: %+v", i, a)
		}
	}
}

// TestForgotten asks about a certificate that expired before the evidence was made.
func TestForgotten(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", func(c *x509.Certificate) { c.NotAfter = before.Add(-time.Hour) })
	cutoff := func(at time.Time) func(*x509.RevocationList) {
		return extension(oidExpiredCertsOnCRL, false, slices.Concat([]byte{24, 15}, []byte(at.Format("20060102150405Z")))...)
	}
	if a, err := lists(t, ca, nil).Answer(user.Certificate, ca.Certificate); err == nil {
		t.Errorf("silent list: %+v", a)
	}
	if a, err := lists(t, ca, cutoff(now)).Answer(user.Certificate, ca.Certificate); err == nil {
		t.Errorf("list that keeps younger ones: %+v", a)
	}
	if a, err := lists(t, ca, cutoff(now.AddDate(-1, 0, 0))).Answer(user.Certificate, ca.Certificate); err != nil || a.Status != Good {
		t.Errorf("list that keeps it: %+v, %v", a, err)
	}
	revoked := x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before.AddDate(0, -1, 0)}
	if a, err := lists(t, ca, nil, revoked).Answer(user.Certificate, ca.Certificate); err != nil || a.Status != Revoked {
		t.Errorf("list that names it: %+v, %v", a, err)
	}
}

func TestFresh(t *testing.T) {
	a := &Answer{ThisUpdate: before, NextUpdate: after}
	open := &Answer{ThisUpdate: before}
	for _, c := range []struct {
		answer *Answer
		at     time.Time
		want   bool
	}{
		{a, before.Add(-time.Hour), true}, {a, now, true}, {a, after, true}, {a, after.Add(time.Second), false},
		{open, before.Add(-time.Hour), true}, {open, now, true}, {open, now.Add(time.Hour), false},
	} {
		if got := c.answer.Fresh(c.at, 90*time.Minute); got != c.want {
			t.Errorf("at %v: %v", c.at, got)
		}
	}
}

func TestCheckerChooses(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	entry := func(reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before, ReasonCode: reason}
	}
	at := func(this, next time.Time) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = this, next }
	}
	good := lists(t, ca, nil)
	for _, c := range []struct {
		name string
		list []*CRL
		want Status
		says string
	}{
		{"nothing", nil, Unknown, "nothing is known"},
		{"good", []*CRL{good}, Good, ""},
		{"revoked beside a newer good", []*CRL{lists(t, ca, nil, entry(1)), lists(t, ca, at(now, after))}, Revoked, ""},
		{"suspended and lifted", []*CRL{lists(t, ca, nil, entry(6)), lists(t, ca, at(now, after))}, Good, ""},
		{"suspended since", []*CRL{good, lists(t, ca, at(now, after), entry(6))}, Suspended, ""},
		{"old", []*CRL{lists(t, ca, at(before.Add(-time.Hour), before))}, Unknown, "too old"},
		{"old and revoked", []*CRL{lists(t, ca, at(before.Add(-time.Hour), before), entry(1))}, Revoked, ""},
		{"of the future", []*CRL{lists(t, ca, at(now.Add(10*time.Minute), after))}, Unknown, "not yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := new(Checker).Check(t.Context(), Question{Certificate: user.Certificate, Issuer: ca.Certificate, At: now, Now: now, Embedded: Evidence{CRLs: c.list}})
			if c.says == "" && (err != nil || a.Status != c.want) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%+v, %v; want %v, %q", a, err, c.want, c.says)
			}
		})
	}
}

func TestResponderIsChecked(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	lasting := func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(1, 0, 0) }
	plain := issue(t, ca, "Responder", func(c *x509.Certificate) { responder(c); lasting(c) })
	vouched := issue(t, ca, "Vouched", func(c *x509.Certificate) { noCheck(c); lasting(c) })
	list := func(revoked ...x509.RevocationListEntry) *CRL {
		return lists(t, ca, func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = time.Now(), time.Now().Add(time.Hour) }, revoked...)
	}
	gone := x509.RevocationListEntry{SerialNumber: plain.SerialNumber, RevocationTime: before}
	for _, c := range []struct {
		name   string
		signer *party
		list   []*CRL
		says   string
	}{
		{"vouched for", vouched, nil, ""},
		{"nothing known", plain, nil, "its responder: nothing is known"},
		{"good", plain, []*CRL{list()}, ""},
		{"revoked", plain, []*CRL{list(gone)}, "its responder was revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := says(t, ca, c.signer, ocsp.Response{Status: ocsp.Good, SerialNumber: user.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)})
			q := Question{Certificate: user.Certificate, Issuer: ca.Certificate, At: time.Now(), Now: produced(), Embedded: Evidence{OCSP: []*OCSP{o}}}
			checker := &Checker{Given: Evidence{CRLs: c.list}}
			a, err := checker.Check(t.Context(), q)
			if c.says == "" && (err != nil || a.Status != Good) {
				t.Errorf("%+v, %v", a, err)
			}
			if c.says != "" && c.list == nil && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%+v, %v, want %q", a, err, c.says)
			}
			if c.list != nil && (err != nil || c.says != "" && a.Kind != KindCRL) {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// web serves what handlers say and counts.
func web(t *testing.T, handler func(http.ResponseWriter, *http.Request)) (url string, count *atomic.Int64) {
	count = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, count
}

func TestFetchOCSP(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	var asked *ocsp.Request
	url, count := web(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked, _ = ocsp.ParseRequest(body)
		_, _ = w.Write(saysDER(t, ca, ca, ocsp.Response{Status: ocsp.Good, SerialNumber: user.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}))
	})
	cache := &Cache{Dir: t.TempDir()}
	f := &Fetcher{Cache: cache}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			o, err := f.OCSP(context.Background(), url, user.Certificate, ca.Certificate)
			if err != nil {
				t.Error(err)
				return
			}
			if a, err := o.Answer(user.Certificate, ca.Certificate, nil); err != nil || a.Status != Good {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	all.Wait()
	if _, err := (&Fetcher{Cache: cache}).OCSP(t.Context(), url, user.Certificate, ca.Certificate); err != nil || count.Load() != 1 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
	key, err := keyBits(ca.Certificate)
	if err != nil || asked == nil || asked.SerialNumber.Cmp(user.SerialNumber) != 0 || !bytes.Equal(asked.IssuerKeyHash, digest(crypto.SHA1, key)) {
		t.Errorf("asked %+v", asked)
	}
	later := &Fetcher{Cache: cache, Now: func() time.Time { return time.Now().Add(2 * time.Hour) }}
	if _, err := later.OCSP(t.Context(), url, user.Certificate, ca.Certificate); err != nil || count.Load() != 2 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
}

func TestFetchFaults(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	for name, c := range map[string]struct {
		handler func(http.ResponseWriter, *http.Request)
		says    string
	}{
		"HTTP 500":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "HTTP 500"},
		"nothing":      {func(http.ResponseWriter, *http.Request) {}, "not an OCSP response"},
		"no end of it": {func(w http.ResponseWriter, _ *http.Request) { endless(w) }, "longer than"},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte{0x30})
		}, "the connection ended in the middle"},
		"redirect loop": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusTemporaryRedirect)
		}, "again and again"},
		"redirect to files": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusTemporaryRedirect)
		}, "not followed"},
		"redirect to the machine's cloud": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
		}, `redirects to "169.254.169.254", an address of the local network`},
		"silence":   {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() }, "no whole answer came within"},
		"try later": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0x30, 3, 0x0a, 1, 3}) }, "later"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := web(t, c.handler)
			f := &Fetcher{Timeout: 5 * time.Second}
			if name == "silence" {
				f.Timeout = 50 * time.Millisecond
			}
			o, err := f.OCSP(t.Context(), url, user.Certificate, ca.Certificate)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), url) {
				t.Errorf("%v, %v; want %q", o, err, c.says)
			}
		})
	}
	for _, at := range []string{"ldap://example.it/crl", "file:///etc/passwd", "://", ""} {
		if _, err := new(Fetcher).CRL(t.Context(), at); err == nil {
			t.Errorf("%q was fetched", at)
		}
	}
}

// A redirect from outside does not lead inside.
func TestInward(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"ocsp.example.it", "ocsp2.example.it", false}, {"ocsp.example.it", "93.184.216.34", false}, {"ocsp.example.it", "localhost", true},
		{"ocsp.example.it", "127.0.0.1", true}, {"ocsp.example.it", "10.1.2.3", true}, {"ocsp.example.it", "192.168.1.1", true},
		{"ocsp.example.it", "printer.local", true}, {"ocsp.example.it", "LOCALHOST.", true}, {"ocsp.example.it", "::1", true},
		{"ocsp.example.it", "fd00::1", true}, {"ocsp.example.it", "::ffff:127.0.0.1", true}, {"ocsp.example.it", "0.0.0.0", true},
		{"127.0.0.1", "127.0.0.1", false}, {"pki.azienda.local", "crl.azienda.local", false}, {"10.0.0.1", "10.0.0.2", false},
		{"127.0.0.1", "169.254.169.254", true}, {"10.0.0.1", "::ffff:169.254.169.254", true}, {"10.0.0.1", "fe80::1", true},
	} {
		if got := inward(c.from, c.to); got != c.want {
			t.Errorf("from %q to %q: %v", c.from, c.to, got)
		}
	}
}

func endless(w http.ResponseWriter) {
	for {
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
}

func TestCheckerFetches(t *testing.T) {
	ca := authority(t, "CA")
	var list []byte
	url, count := web(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(500)
			return
		}
		_, _ = w.Write(list)
	})
	user := issue(t, ca, "User", func(c *x509.Certificate) {
		c.OCSPServer, c.CRLDistributionPoints = []string{url}, []string{"ldap://example.it", url + "/crl"}
	})
	entry := x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before}
	list = lists(t, ca, nil, entry).Raw()
	q := Question{Certificate: user.Certificate, Issuer: ca.Certificate, At: now, Now: now}
	checker := &Checker{Fetcher: &Fetcher{Now: func() time.Time { return now }}}
	a, err := checker.Check(t.Context(), q)
	if err != nil || a.Status != Revoked || a.Kind != KindCRL || a.Source != url+"/crl" || count.Load() != 2 {
		t.Errorf("%+v, %v, %d requests", a, err, count.Load())
	}
	// What is at hand and is newer than the moment needs no network.
	q.At, q.Embedded.CRLs = before, []*CRL{lists(t, ca, nil)}
	if a, err := (&Checker{Fetcher: &Fetcher{}}).Check(t.Context(), q); err != nil || a.Status != Good || count.Load() != 2 {
		t.Errorf("%+v, %v, %d requests", a, err, count.Load())
	}
}

// TestProvenOnce has many lists at hand: only the newest good one that is proven has to be,
// and a suspension among them is found all the same.
func TestProvenOnce(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	list := func(minutes int, revoked ...x509.RevocationListEntry) *CRL {
		return lists(t, ca, func(l *x509.RevocationList) { l.ThisUpdate = before.Add(time.Duration(minutes) * time.Minute) }, revoked...)
	}
	entry := func(reason int, at time.Time) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: at, ReasonCode: reason}
	}
	many := []*CRL{list(3), list(9), list(1), list(7), lists(t, authority(t, "Other"), nil)}
	for _, c := range []struct {
		name   string
		list   []*CRL
		bad    int // how many of the newest are not proven
		want   Status
		minute int // of the answer
		asked  int
	}{
		{"good", many, 0, Good, 9, 1},
		{"the newest is not proven", many, 1, Good, 7, 2},
		{"none is proven", many, 4, Unknown, 0, 4},
		{"revoked", append([]*CRL{list(2, entry(1, before))}, many...), 0, Revoked, 2, 1},
		{"suspended, and revoked later", append([]*CRL{list(2, entry(6, before)), list(4, entry(1, after))}, many...), 0, Suspended, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			q := Question{Certificate: user.Certificate, Issuer: ca.Certificate, At: now, Now: now, Embedded: Evidence{CRLs: c.list}}
			q.Proven = func(*Answer) (time.Time, error) {
				if asked++; asked <= c.bad {
					return now, errors.New("not proven")
				}
				return now, nil
			}
			a, err := new(Checker).Check(context.Background(), q)
			if (err != nil) != (c.want == Unknown) || asked != c.asked {
				t.Fatalf("%+v, %v, asked %d times; want %v, %d", a, err, asked, c.want, c.asked)
			}
			if err == nil && (a.At(now) != c.want || !a.ThisUpdate.Equal(before.Add(time.Duration(c.minute)*time.Minute))) {
				t.Errorf("%+v; want %v of minute %d", a, c.want, c.minute)
			}
		})
	}
}

// TestUnknownError tells a few reasons and counts the rest.
func TestQuestionWithoutAll(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil).Certificate
	for _, q := range []Question{{}, {Certificate: user, At: now, Now: now}, {Certificate: user, Issuer: ca.Certificate, Now: now}, {Certificate: user, Issuer: ca.Certificate, At: now}} {
		if _, err := (&Checker{}).Check(t.Context(), q); err == nil || !strings.Contains(err.Error(), "is not set") {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestUnknownError(t *testing.T) {
	err := &UnknownError{Certificate: issue(t, nil, "User", nil).Certificate}
	for i := range 1000 {
		err.Tried = append(err.Tried, fmt.Errorf("reason %d", i/10))
	}
	text := err.Error()
	if len(text) > 300 || strings.Count(text, "reason 0") != 1 || !strings.Contains(text, "reason 3; and 960 more were tried") || len(err.Unwrap()) != 1000 {
		t.Errorf("%s", text)
	}
}
