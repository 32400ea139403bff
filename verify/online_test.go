// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
)

// impatient waits for no service longer than half a second.
func impatient(o verify.Options) verify.Options {
	now := o.Now
	o.Revocation = &revocation.Checker{Fetcher: &revocation.Fetcher{
		Now: func() time.Time { return now }, Timeout: 500 * time.Millisecond,
	}}
	return o
}

// TestFaultyResponders: with a responder that does anything wrong, and no list to fall
// back to, a signature is not valid, and with a list it is judged by that one. What does
// no harm is named.
func TestFaultyResponders(t *testing.T) {
	harmless := []authority.Fault{authority.MissingNonce, authority.WrongMediaType}
	for _, fault := range authority.Faults(authority.OCSP) {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.revoke(pki.SignerP384, time.Hour)
			good, revoked := w.signed(pki.SignerP256), w.signed(pki.SignerP384)
			fail := func(service authority.Service, fault authority.Fault) {
				if err := w.Fail(service, fault); err != nil {
					t.Fatal(err)
				}
			}
			o := w.after(2 * time.Hour)
			fail(authority.OCSP, fault)
			s := valid.compare(t, check(t, good, impatient(o)))
			byList := s.Revocation.Kind == "crl"
			if byList == slices.Contains(harmless, fault) {
				t.Errorf("good by %s", s.Revocation.Kind)
			}
			openFor(report.RevokedNoPOE).compare(t, check(t, revoked, impatient(o)))

			fail(authority.CRL, authority.HTTP404)
			if r := check(t, revoked, impatient(o)); r.Verdict == report.Valid {
				t.Error("a revoked one is valid")
			}
			if byList {
				openFor(report.TryLater).compare(t, check(t, good, impatient(o)))
			}
		})
	}
}

// TestFaultyLists is the same for lists, where nobody responds.
func TestFaultyLists(t *testing.T) {
	harmless := []authority.Fault{authority.WrongMediaType, authority.TrailingData} // what the list says is signed all the same
	for _, fault := range authority.Faults(authority.CRL) {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.revoke(pki.SignerP384, time.Hour)
			good, revoked := w.signed(pki.SignerP256), w.signed(pki.SignerP384)
			o := w.after(2 * time.Hour)
			for service, what := range map[authority.Service]authority.Fault{authority.OCSP: authority.HTTP500, authority.CRL: fault} {
				if err := w.Fail(service, what); err != nil {
					t.Fatal(err)
				}
			}
			if r := check(t, revoked, impatient(o)); r.Verdict == report.Valid {
				t.Error("a revoked one is valid")
			}
			want := openFor(report.TryLater)
			if slices.Contains(harmless, fault) {
				want = valid
			}
			want.compare(t, check(t, good, impatient(o)))
		})
	}
}

// Evidence that is given has to be of the right time and by the right issuer, as that
// which is fetched.
func TestGivenEvidence(t *testing.T) {
	w := newWorld(t)
	file := w.signed(pki.SignerP256)
	given := func(o verify.Options, lists [][]byte) verify.Options {
		o = offline(o)
		for _, der := range lists {
			l, err := revocation.ParseCRL(der)
			if err != nil {
				t.Fatal(err)
			}
			o.Revocation.Given.CRLs = append(o.Revocation.Given.CRLs, l)
		}
		return o
	}
	now, later := w.lists(time.Hour), w.lists(48*time.Hour)
	if err := w.Fail(authority.CRL, authority.OtherCA); err != nil {
		t.Fatal(err)
	}
	others := w.lists(time.Hour)
	for name, c := range map[string]struct {
		o    verify.Options
		want want
	}{
		"good":                           {given(w.after(2*time.Hour), now), valid},
		"after its next update":          {given(w.after(8*24*time.Hour), now), openFor(report.TryLater)},
		"from the future":                {given(w.after(2*time.Hour), later), openFor(report.TryLater)},
		"by another CA of the same name": {given(w.after(2*time.Hour), others), openFor(report.TryLater)},
		"of the issuer's CA only":        {given(w.after(2*time.Hour), now[1:]), openFor(report.TryLater)},
		"of the issuer only":             {given(w.after(2*time.Hour), now[:1]), openFor(report.TryLater)},
	} {
		t.Run(name, func(t *testing.T) { c.want.compare(t, check(t, file, c.o)) })
	}
}

// Whoever makes a file can name any number of places to ask for issuers: few are.
func TestFewIssuersAreFetched(t *testing.T) {
	var asked atomic.Int64
	nobody := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	defer nobody.Close()
	w := newWorld(t)
	key := w.Must(t, pki.AltSigner).Key
	var signers []cms.Signer
	for i := range 30 {
		id, err := w.IssueCustom(pki.AltQualifiedCA, key, func(c *x509.Certificate) {
			c.IssuingCertificateURL = nil
			for n := range 10 {
				c.IssuingCertificateURL = append(c.IssuingCertificateURL, fmt.Sprintf("%s/%d-%d.cer", nobody.URL, i, n))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, cms.Signer{Key: key, Certificate: id.Certificate, SigningTime: moment})
	}
	r := check(t, p7m(t, "il contratto", false, signers...), w.after(time.Hour))
	if len(r.Signatures) != 30 || r.Verdict != report.Indeterminate {
		t.Errorf("%d signatures, %v", len(r.Signatures), r.Verdict)
	}
	if n := asked.Load(); n == 0 || n > 64 {
		t.Errorf("%d requests", n)
	}
}

// Whoever makes a file can name any number of places that never answer: all of them together
// are waited for no longer than one file may take.
func TestNetworkTime(t *testing.T) {
	var asked atomic.Int64
	end := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-end
	}))
	defer silent.Close()
	defer close(end)
	w := newWorld(t)
	key := w.Must(t, pki.SignerP256).Key
	var signers []cms.Signer
	for i := range 30 {
		id, err := w.IssueCustom(pki.QualifiedCA, key, func(c *x509.Certificate) {
			c.SerialNumber = big.NewInt(int64(i + 1))
			c.OCSPServer, c.CRLDistributionPoints = []string{fmt.Sprintf("%s/ocsp%d", silent.URL, i)}, []string{fmt.Sprintf("%s/%d.crl", silent.URL, i)}
		})
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, cms.Signer{Key: key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment})
	}
	o := w.after(time.Hour)
	o.Revocation.Fetcher.Timeout, o.NetworkTime = time.Minute, 300*time.Millisecond
	r := check(t, p7m(t, "il contratto", false, signers...), o)
	for _, s := range r.Signatures {
		if s.Verdict != report.Indeterminate || s.SubIndication != report.TryLater || !strings.Contains(s.Reason, "300ms") {
			t.Fatalf("%s: %v, %s: %s", s.ID, s.Verdict, s.SubIndication, s.Reason)
		}
	}
	if n := asked.Load(); n == 0 || n > 3 {
		t.Errorf("%d requests", n)
	}
}

// A chain whose middle is not in the file is completed from where the certificate says.
func TestIssuerIsFetched(t *testing.T) {
	w := newWorld(t)
	signer := w.signer(pki.SignerP256)
	signer.Chain = nil
	file := p7m(t, "il contratto", false, signer)
	valid.compare(t, check(t, file, w.after(time.Hour)))
	openFor(report.NoCertificateChainFound).compare(t, check(t, file, offline(w.after(time.Hour))))
}

func TestCollectorWithoutClock(t *testing.T) {
	if _, err := new(verify.Collector).ValidationData(t.Context(), nil, nil, moment); err == nil {
		t.Error("collected without a clock, and without anybody to ask")
	}
}
