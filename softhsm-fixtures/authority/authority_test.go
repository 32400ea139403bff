// SPDX-License-Identifier: Apache-2.0

package authority_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var now = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func oids(texts ...string) []asn1.ObjectIdentifier {
	var list []asn1.ObjectIdentifier
	for _, text := range texts {
		var oid asn1.ObjectIdentifier
		for arc := range strings.SplitSeq(text, ".") {
			n, err := strconv.Atoi(arc)
			if err != nil {
				panic(err)
			}
			oid = append(oid, n)
		}
		list = append(list, oid)
	}
	return list
}

func fail(t *testing.T, s *authority.Server, service authority.Service, fault authority.Fault) {
	t.Helper()
	if err := s.Fail(service, fault); err != nil {
		t.Fatal(err)
	}
}

// post sends a request to a service.
func post(t *testing.T, client *http.Client, s *authority.Server, service authority.Service, query []byte) (*http.Response, error) {
	t.Helper()
	types := map[authority.Service]string{authority.TSA: "application/timestamp-query", authority.OCSP: "application/ocsp-request"}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(service), bytes.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", types[service])
	return client.Do(r)
}

// send is post for what has to be answered.
func send(t *testing.T, s *authority.Server, service authority.Service, query []byte) []byte {
	t.Helper()
	response, err := post(t, http.DefaultClient, s, service, query)
	return body(t, response, err)
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	return body(t, response, err)
}

func body(t *testing.T, response *http.Response, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", response.Status, err, content)
	}
	return content
}

// query is a TimeStampReq for SHA-256 with a nonce, certificates asked for.
func query(t *testing.T, change func(*request)) []byte {
	t.Helper()
	r := request{Version: 1, Imprint: imprint{algorithm{oids("2.16.840.1.101.3.4.2.1")[0], asn1.NullRawValue}, make([]byte, 32)}, Nonce: 4711, Certificates: true}
	if change != nil {
		change(&r)
	}
	der, err := asn1.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

type (
	request struct {
		Version      int
		Imprint      imprint
		Policy       asn1.ObjectIdentifier `asn1:"optional"`
		Nonce        int                   `asn1:"optional"`
		Certificates bool                  `asn1:"optional"`
		Extensions   []extension           `asn1:"optional,tag:0"`
	}
	imprint struct {
		Algorithm algorithm
		Digest    []byte
	}
	algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	extension struct {
		OID   asn1.ObjectIdentifier
		Value []byte
	}
	response struct {
		Status struct {
			Status  int
			Says    []string       `asn1:"optional,utf8"`
			Failure asn1.BitString `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
)

func parse(t *testing.T, der []byte) response {
	t.Helper()
	var r response
	if rest, err := asn1.Unmarshal(der, &r); err != nil || len(rest) > 0 {
		t.Fatalf("%d octets left, %v", len(rest), err)
	}
	return r
}

func TestRefusals(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	maintenance := &authority.Refusal{Status: authority.Waiting, Failure: authority.TimeNotAvailable, Says: "wait"}
	for _, c := range []struct {
		name    string
		query   []byte
		refusal *authority.Refusal
		status  authority.Status
		bit     int // of failInfo
	}{
		{"no request", []byte("hello"), nil, authority.Rejection, 5},
		{"version", query(t, func(r *request) { r.Version = 2 }), nil, authority.Rejection, 2},
		{"algorithm", query(t, func(r *request) { r.Imprint.Algorithm.OID = oids("1.3.14.3.2.26")[0] }), nil, authority.Rejection, 0},
		{"length", query(t, func(r *request) { r.Imprint.Digest = make([]byte, 20) }), nil, authority.Rejection, 5},
		{"policy", query(t, func(r *request) { r.Policy = oids("1.2.3")[0] }), nil, authority.Rejection, 15},
		{"extension", query(t, func(r *request) { r.Extensions = []extension{{oids("1.2.3")[0], nil}} }), nil, authority.Rejection, 16},
		{"as configured", query(t, nil), maintenance, authority.Waiting, 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Configure(func(all *authority.Config) { all.TSA.Refusal = c.refusal })
			r := parse(t, send(t, s, authority.TSA, c.query))
			if r.Status.Status != int(c.status) || r.Status.Failure.At(c.bit) != 1 || r.Status.Failure.BitLength != c.bit+1 || len(r.Status.Says) != 1 {
				t.Errorf("the status is %+v", r.Status)
			}
			if len(r.Token.FullBytes) > 0 {
				t.Error("there is a token")
			}
		})
	}
	if n := s.Issued(); n != 0 {
		t.Errorf("%d time stamps were made", n)
	}
	if n := s.Count(authority.TSA); n != 7 {
		t.Errorf("%d requests were counted", n)
	}
}

func TestIssuedAndCounted(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	for range 3 {
		send(t, s, authority.TSA, query(t, nil))
	}
	get(t, s.URL(authority.CA)+"/root.cer")
	got := []int{s.Issued(), s.Count(authority.TSA), s.Count(authority.OCSP), s.Count(authority.CRL), s.Count(authority.CA)}
	if want := []int{3, 3, 0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestTime(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	if token := send(t, s, authority.TSA, query(t, nil)); !bytes.Contains(token, []byte("20261120093000Z")) {
		t.Error("the time stamp is not of the time of the PKI")
	}
	s.SetTime(time.Date(2031, 1, 2, 3, 4, 5, 250e6, time.FixedZone("CET", 3600)))
	if token := send(t, s, authority.TSA, query(t, nil)); !bytes.Contains(token, []byte("20310102020405.25Z")) {
		t.Error("the time stamp is not of the time that was set")
	}
}

// What shows in the octets of a time stamp, and openssl does not look at.
func TestQuietFaults(t *testing.T) {
	p := pki.New(now)
	s := authority.Start(t, p, authority.Options{})
	revoked := p.Must(t, pki.TSARevoked).Certificate
	for fault, shows := range map[authority.Fault][]byte{
		authority.WrongPolicy: {0x2B, 6, 1, 4, 1, 0x86, 0x8D, 0x1F, 1, 0x85, 0x1A}, // the default one, and 666
		authority.Future:      []byte("20261121093000Z"),
		authority.Revoked:     revoked.Raw,
	} {
		for _, set := range []authority.Fault{"", fault} {
			fail(t, s, authority.TSA, set)
			if found := bytes.Contains(send(t, s, authority.TSA, query(t, nil)), shows); found != (set == fault) {
				t.Errorf("with %q set, what %s does shows %t", set, fault, found)
			}
		}
	}
	list, _ := lists(t, s, pki.QualifiedCA)
	if got := reason(list, revoked); got != int(authority.KeyCompromise) {
		t.Errorf("the list says %d of the revoked TSA", got)
	}
}

func TestBasicAuthentication(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	s.Configure(func(c *authority.Config) { c.TSA.User, c.TSA.Password = "rossi", "marche" })
	for _, c := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"rossi", "wrong", 401}, {"verdi", "marche", 401}, {"rossi", "marche", 200}} {
		r, err := http.NewRequest(http.MethodPost, s.URL(authority.TSA), bytes.NewReader(query(t, nil)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/timestamp-query")
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if asked := response.Header.Get("WWW-Authenticate") != ""; response.StatusCode != c.status || asked != (c.status == 401) {
			t.Errorf("%s, %s: %s, asked %t", c.user, c.password, response.Status, asked)
		}
	}
}

func TestTLS(t *testing.T) {
	p := pki.New(now)
	s := authority.Start(t, p, authority.Options{TLS: true, Clients: pki.CNSCA})
	roots := x509.NewCertPool()
	roots.AddCert(p.Must(t, pki.Root).Certificate)
	client := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: roots, Certificates: certificates, Time: p.Now,
		}}}
	}
	if !strings.HasPrefix(s.URL(authority.TSA), "https://") || !strings.HasPrefix(s.URL(authority.CRL), "http://") {
		t.Errorf("the TSA is at %s, the lists at %s", s.URL(authority.TSA), s.URL(authority.CRL))
	}
	if _, err := post(t, client(), s, authority.TSA, query(t, nil)); err == nil {
		t.Error("it serves who has no certificate")
	}
	cns := p.Must(t, pki.CNS)
	response, err := post(t, client(tls.Certificate{Certificate: [][]byte{cns.Certificate.Raw}, PrivateKey: cns.Key}), s, authority.TSA, query(t, nil))
	if r := parse(t, body(t, response, err)); r.Status.Status != 0 {
		t.Errorf("the status is %d", r.Status.Status)
	}
}

// Every fault of any service that shows in how the answer comes.
func TestDelivery(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	impatient := &http.Client{
		Timeout:       500 * time.Millisecond,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	whole := send(t, s, authority.TSA, query(t, nil))
	try := func(t *testing.T, fault authority.Fault) (*http.Response, []byte, error) {
		fail(t, s, authority.TSA, fault)
		response, err := post(t, impatient, s, authority.TSA, query(t, nil))
		if err != nil {
			return nil, nil, err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		return response, content, err
	}
	for fault, want := range map[authority.Fault]error{authority.Hang: nil, authority.Slow: nil, authority.HalfAnswer: io.ErrUnexpectedEOF} {
		t.Run(string(fault), func(t *testing.T) {
			_, content, err := try(t, fault)
			var late interface{ Timeout() bool }
			if want == nil && (!errors.As(err, &late) || !late.Timeout()) || !errors.Is(err, want) && want != nil || len(content) > len(whole)*2/3 {
				t.Errorf("%d octets came, %v", len(content), err)
			}
		})
	}
	for fault, status := range map[authority.Fault]int{authority.HTTP401: 401, authority.HTTP404: 404, authority.HTTP500: 500} {
		t.Run(string(fault), func(t *testing.T) {
			if response, _, err := try(t, fault); err != nil || response.StatusCode != status {
				t.Errorf("%v, %v", response, err)
			}
		})
	}
	for fault, to := range map[authority.Fault]string{
		authority.RedirectLoop: "/tsa?hop=1", authority.RedirectFile: "file:///etc/hostname", authority.RedirectPrivate: "http://169.254.169.254/latest/meta-data/",
	} {
		t.Run(string(fault), func(t *testing.T) {
			if response, _, err := try(t, fault); err != nil || response.StatusCode != 307 || response.Header.Get("Location") != to {
				t.Errorf("%v, %v", response, err)
			}
		})
	}
	for fault, right := range map[authority.Fault]func(*http.Response, []byte) bool{
		authority.WrongMediaType: func(r *http.Response, b []byte) bool {
			return r.Header.Get("Content-Type") == "text/html" && b[0] == 0x30
		},
		authority.CutAnswer:    func(_ *http.Response, b []byte) bool { return len(b) > 100 && len(b) < len(whole)*2/3 },
		authority.EmptyAnswer:  func(_ *http.Response, b []byte) bool { return len(b) == 0 },
		authority.Garbage:      func(_ *http.Response, b []byte) bool { return len(b) > 1000 && b[0] == 'n' },
		authority.TrailingData: func(_ *http.Response, b []byte) bool { return bytes.HasSuffix(b, []byte{5, 0}) },
		authority.Endless: func(r *http.Response, b []byte) bool {
			return len(b) == 1<<20 && r.ContentLength < 0 && b[0] == 0x30
		},
	} {
		t.Run(string(fault), func(t *testing.T) {
			response, content, err := try(t, fault)
			if err != nil || response.StatusCode != 200 || !right(response, content) {
				t.Errorf("%v, %v, %d octets", response, err, len(content))
			}
		})
	}
	t.Run("none any more", func(t *testing.T) {
		if _, content, err := try(t, ""); err != nil || parse(t, content).Status.Status != 0 {
			t.Error(err)
		}
	})
	t.Run("the other services", func(t *testing.T) {
		fail(t, s, authority.TSA, authority.HTTP500)
		get(t, s.URL(authority.CRL)+"/root.crl")
	})
}

// Close does not wait for an answer that never ends.
func TestCloseWhileHanging(t *testing.T) {
	s, err := authority.Open(pki.New(now), authority.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fail(t, s, authority.TSA, authority.Hang)
	ended := make(chan error)
	go func() {
		_, err := post(t, http.DefaultClient, s, authority.TSA, query(t, nil))
		ended <- err
	}()
	for s.Count(authority.TSA) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("there was an answer")
	}
}

func TestEveryFaultCanBeSet(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	for _, service := range authority.Services() {
		if !slices.Contains(authority.Faults(service), authority.HTTP500) {
			t.Errorf("%s: %v", service, authority.Faults(service))
		}
		for _, fault := range authority.Faults(service) {
			fail(t, s, service, fault)
		}
	}
	if err := s.Fail(authority.CRL, authority.WrongNonce); err == nil || !strings.Contains(err.Error(), "http-500") {
		t.Errorf("a list without a nonce: %v", err)
	}
	if err := s.Fail("mail", authority.HTTP500); err == nil {
		t.Error("there is no such service")
	}
}

// lists returns the complete and the delta list of an authority.
func lists(t *testing.T, s *authority.Server, issuer pki.Name) (complete, delta *x509.RevocationList) {
	t.Helper()
	for _, l := range []struct {
		to   **x509.RevocationList
		name string
	}{{&complete, ".crl"}, {&delta, "-delta.crl"}} {
		var err error
		if *l.to, err = x509.ParseRevocationList(get(t, s.URL(authority.CRL)+"/"+string(issuer)+l.name)); err != nil {
			t.Fatal(err)
		}
	}
	return complete, delta
}

// reason is what a list says of a certificate; -1 when nothing.
func reason(list *x509.RevocationList, c *x509.Certificate) int {
	for _, e := range list.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
			return e.ReasonCode
		}
	}
	return -1
}

// A certificate is suspended, lifted, suspended again and revoked; the lists
// are those of RFC 5280, sections 5.2.3 and 5.2.4.
func TestHistory(t *testing.T) {
	p := pki.New(now)
	s := authority.Start(t, p, authority.Options{})
	c := p.Must(t, pki.SignerP256).Certificate
	for i, step := range []struct {
		do                       func() error
		complete, delta, entries int
	}{
		{func() error { return nil }, -1, -1, 0},
		{func() error { return s.Suspend(c, now) }, 6, 6, 1},
		{func() error { return s.Lift(c) }, -1, 8, 1},
		{func() error { return s.Suspend(c, now) }, 6, 6, 1},
		{func() error { return s.Revoke(c, now, authority.CessationOfOperation) }, 5, 5, 1},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		complete, delta := lists(t, s, pki.QualifiedCA)
		if reason(complete, c) != step.complete || reason(delta, c) != step.delta || len(delta.RevokedCertificateEntries) != step.entries {
			t.Errorf("step %d: complete %d, delta %d, %d entries", i, reason(complete, c), reason(delta, c), len(delta.RevokedCertificateEntries))
		}
		if want := int64(1 + i); complete.Number.Int64() != want || delta.Number.Int64() != want {
			t.Errorf("step %d: numbers %d and %d", i, complete.Number, delta.Number)
		}
	}
	s.Configure(func(all *authority.Config) { all.CRL.Delta = true })
	complete, _ := lists(t, s, pki.QualifiedCA)
	if reason(complete, c) != -1 || complete.Number.Int64() != 1 {
		t.Errorf("with deltas: reason %d, number %d", reason(complete, c), complete.Number)
	}
	for name, err := range map[string]error{
		"revoked twice":       s.Revoke(c, now, authority.Superseded),
		"lifted when revoked": s.Lift(c),
		"never suspended":     s.Lift(p.Must(t, pki.Signer).Certificate),
		"of nobody":           s.Disown(&x509.Certificate{}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIssuerCertificates(t *testing.T) {
	p := pki.New(now)
	s := authority.Start(t, p, authority.Options{})
	signer := p.Must(t, pki.Signer).Certificate
	ca := func() *x509.Certificate {
		c, err := x509.ParseCertificate(get(t, signer.IssuingCertificateURL[0]))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := signer.CheckSignatureFrom(ca()); err != nil {
		t.Error(err)
	}
	fail(t, s, authority.CA, authority.OtherCA)
	if other := ca(); !bytes.Equal(other.RawSubject, signer.RawIssuer) || signer.CheckSignatureFrom(other) == nil {
		t.Error("the impostor has another name, or the key")
	}
	fail(t, s, authority.CA, authority.FlippedBit)
	if root := p.Must(t, pki.Root).Certificate; ca().CheckSignatureFrom(root) == nil {
		t.Error("the signature is good")
	}
}

// An OCSP request in the address, with what base64 has that addresses treat
// specially.
func TestOCSPByGet(t *testing.T) {
	p := pki.New(now)
	s := authority.Start(t, p, authority.Options{})
	// A request without certificates: whatever it is, the answer says malformed.
	for _, octets := range [][]byte{{0xFF, 0xFF, 0xFF}, {0xFB, 0xEF, 0xBE}, {0x30, 0}} {
		encoded := url.PathEscape(base64.StdEncoding.EncodeToString(octets))
		if got := get(t, s.URL(authority.OCSP)+"/qualified-ca/"+encoded); !bytes.Equal(got, []byte{0x30, 3, 0x0A, 1, 1}) {
			t.Errorf("%X: the answer is %X", octets, got)
		}
	}
}

func TestWrongAddressesAndMethods(t *testing.T) {
	s := authority.Start(t, pki.New(now), authority.Options{})
	base := strings.TrimSuffix(s.URL(authority.CA), "/ca")
	for address, status := range map[string]int{
		"/": 404, "/mail": 404, "/crl/nobody.crl": 404, "/ca/signer.cer": 404, "/ca/root": 404, "/crl/root.cer": 404,
		"/ocsp/root/***": 404, "/tsa/x": 404, "/tsa": 405,
	} {
		response, err := http.Get(base + address)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %s", address, response.Status)
		}
	}
	response, err := http.Post(s.URL(authority.TSA), "text/plain", bytes.NewReader(query(t, nil)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 415 {
		t.Errorf("a wrong media type: %s", response.Status)
	}
}

func TestOpen(t *testing.T) {
	p := pki.New(now)
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:0"} {
		if _, err := authority.Open(p, authority.Options{Listen: address}); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", address, err)
		}
	}
	p.Must(t, pki.SignerP256)
	if _, err := authority.Open(p, authority.Options{}); err == nil || !strings.Contains(err.Error(), "before issuing") {
		t.Errorf("after issuing: %v", err)
	}
	second := authority.Start(t, p, authority.Options{Unpublished: true})
	if r := parse(t, send(t, second, authority.TSA, query(t, nil))); r.Status.Status != 0 {
		t.Errorf("the second server says %d", r.Status.Status)
	}
}
