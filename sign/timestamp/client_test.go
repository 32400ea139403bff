// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// query is a TimeStampReq as a server reads it.
type query struct {
	Version int
	Imprint imprint
	Policy  asn1.ObjectIdentifier `asn1:"optional"`
	Nonce   *big.Int              `asn1:"optional"`
	CertReq bool                  `asn1:"optional"`
}

// server is a time-stamp authority that answers as its function says, and counts.
type server struct {
	*httptest.Server
	asked atomic.Int64
}

func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, q query)) *server {
	s := &server{}
	s.Server = httptest.NewServer(s.handler(answer))
	t.Cleanup(s.Close)
	return s
}

func (s *server) handler(answer func(w http.ResponseWriter, r *http.Request, q query)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		var q query
		if _, err := asn1.Unmarshal(body, &q); err != nil || q.Version != 1 || !q.CertReq || r.Method != http.MethodPost ||
			r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "bad query", http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		answer(w, r, q)
	})
}

// stamps answers with a token as s makes it, after edits of what was asked.
func stamps(s *stamper, edit func(*query)) func(http.ResponseWriter, *http.Request, query) {
	return func(w http.ResponseWriter, _ *http.Request, q query) {
		if edit != nil {
			edit(&q)
		}
		asked := *s
		if q.Policy != nil {
			asked.edit = func(i *tstInfo) {
				i.Policy = q.Policy
				if s.edit != nil {
					s.edit(i)
				}
			}
		}
		_, _ = w.Write(response(s.t, 0, asked.token(cms.DigestAlgorithm(q.Imprint.Algorithm.Algorithm), q.Imprint.Digest, q.Nonce)))
	}
}

func transport(t *testing.T) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func stamp(t *testing.T, c *timestamp.Client) (*timestamp.Token, error) {
	t.Helper()
	digests, err := c.Digest(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return c.Stamp(t.Context(), digests)
}

func TestStamp(t *testing.T) {
	for _, h := range []crypto.Hash{0, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		s := serve(t, stamps(newStamper(t), nil))
		c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL, Hash: h}}}
		token, err := stamp(t, c)
		if err != nil {
			t.Fatal(err)
		}
		if covers, err := token.Covers(bytes.NewReader(document)); err != nil || !covers || s.asked.Load() != 1 {
			t.Errorf("%v: covers %v, %v, asked %d times", h, covers, err, s.asked.Load())
		}
		if nonce := token.Info.Nonce; nonce == nil || nonce.BitLen() != 64 {
			t.Errorf("%v: the nonce is %v", h, nonce)
		}
	}
}

// TestStampRefuses has a row for each answer that must not be taken, nor asked for
// again: the next authority would be paid a second time.
func TestStampRefuses(t *testing.T) {
	with := func(edit func(*stamper)) func(http.ResponseWriter, *http.Request, query) {
		s := newStamper(t)
		edit(s)
		return stamps(s, nil)
	}
	raw := func(body []byte) func(http.ResponseWriter, *http.Request, query) {
		return func(w http.ResponseWriter, _ *http.Request, _ query) { _, _ = w.Write(body) }
	}
	other := newStamper(t).over([]byte("un altro documento"))
	for _, c := range []struct {
		name, want string
		answer     func(http.ResponseWriter, *http.Request, query)
	}{
		{"another nonce", "nonce", stamps(newStamper(t), func(q *query) { q.Nonce.Add(q.Nonce, big.NewInt(1)) })},
		{"no nonce", "nonce", stamps(newStamper(t), func(q *query) { q.Nonce = nil })},
		{"another imprint", "messageImprint", stamps(newStamper(t), func(q *query) { q.Imprint.Digest[0] ^= 1 })},
		{"another policy", "policy", stamps(newStamper(t), func(q *query) { q.Policy = asn1.ObjectIdentifier{1, 2, 3} })},
		{"another's token", "messageImprint", raw(response(t, 0, other))},
		{"a signer's certificate", "not for time-stamping", with(func(s *stamper) {
			s.identity = testPKI.Must(t, pki.Signer)
			s.named = s.identity.Certificate
		})},
		{"no ESSCertID", "signing-certificate", with(func(s *stamper) { s.ess = nil })},
		{"no certificate", "certificate", with(func(s *stamper) { s.bare = true })},
		{"a time too far ahead", "ahead of the clock here, which says 2026-11-22T10:30:00Z", with(func(s *stamper) { s.edit = at("20261122103501.001Z", 1) })},
		{"a time too far behind", "its time is 2026-11-21T10:30:00Z, 24h0m0s behind the clock here", with(func(s *stamper) { s.edit = at("20261121103000Z", 1) })},
		{"waiting", "waiting", raw(response(t, 3, nil))},
		{"a web page", "text/html", func(w http.ResponseWriter, _ *http.Request, _ query) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}},
		{"nothing", "0 octets", raw(nil)},
		{"half an answer", "", raw(response(t, 0, other)[:900])},
		{"an endless answer", "longer than", func(w http.ResponseWriter, _ *http.Request, _ query) {
			_, _ = w.Write([]byte{0x30})
			_, _ = io.CopyN(w, neverending{}, 8<<20)
		}},
		{"a broken connection", "", func(http.ResponseWriter, *http.Request, query) { panic(http.ErrAbortHandler) }},
		{"less than announced", "in the middle of the answer", func(w http.ResponseWriter, _ *http.Request, _ query) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte{0x30})
		}},
		{"a gateway's 504", "504", func(w http.ResponseWriter, _ *http.Request, _ query) { w.WriteHeader(504) }},
		{"silence", "no whole answer came within", func(_ http.ResponseWriter, r *http.Request, _ query) {
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad, good := serve(t, c.answer), serve(t, stamps(newStamper(t), nil))
			client := &timestamp.Client{
				Now: clock, Transport: transport(t), Timeout: 2 * time.Second,
				Authorities: []timestamp.Authority{{URL: bad.URL, Policy: testPolicy}, {URL: good.URL}},
			}
			_, err := stamp(t, client)
			var failed *timestamp.StampError
			if !errors.As(err, &failed) || !failed.MayBeSpent() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want a StampError that says %q", err, c.want)
			}
			if bad.asked.Load() != 1 || good.asked.Load() != 0 {
				t.Errorf("asked %d and %d times", bad.asked.Load(), good.asked.Load())
			}
		})
	}
}

// at has a stamper state a time, and an accuracy in seconds.
func at(time string, accuracy byte) func(*tstInfo) {
	return func(i *tstInfo) {
		i.Time = generalized(time)
		i.Accuracy = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: []byte{2, 1, accuracy}}
	}
}

// TestStampClock: an authority's time may differ from that of the client by the
// tolerance and its accuracy, from when it was asked to when it has answered.
func TestStampClock(t *testing.T) {
	for _, c := range []struct {
		time  string
		after time.Duration // that the answer comes after the question
		good  bool
	}{
		{"20261122103501Z", 0, true}, {"20261122103502Z", 0, false},
		{"20261122102459Z", 0, true}, {"20261122102458Z", 0, false},
		{"20261122103502Z", time.Second, true}, {"20261122102458Z", time.Hour, false},
		{"20261122102459Z", time.Hour, true}, {"20261122113502Z", time.Hour, false},
	} {
		s := newStamper(t)
		s.edit = at(c.time, 1)
		answer := stamps(s, nil)
		var passed atomic.Int64
		server := serve(t, func(w http.ResponseWriter, r *http.Request, q query) {
			passed.Store(int64(c.after))
			answer(w, r, q)
		})
		client := &timestamp.Client{
			Transport: transport(t), Authorities: []timestamp.Authority{{URL: server.URL}},
			Now: func() time.Time { return now.Add(time.Duration(passed.Load())) },
		}
		_, err := stamp(t, client)
		var off *timestamp.ClockError
		if errors.As(err, &off) == c.good || (err == nil) != c.good {
			t.Errorf("%s, answered after %v: %v", c.time, c.after, err)
		}
	}
}

// Without a clock of its own a client goes by that of the system.
func TestStampSystemClock(t *testing.T) {
	s, at := newStamper(t), time.Now().Add(time.Hour)
	s.identity = pki.New(at).Must(t, pki.TSA)
	s.named = s.identity.Certificate
	s.edit = func(i *tstInfo) { i.Time = generalized(at.UTC().Format("20060102150405Z")) }
	server := serve(t, stamps(s, nil))
	var off *timestamp.ClockError
	if _, err := stamp(t, &timestamp.Client{Transport: transport(t), Authorities: []timestamp.Authority{{URL: server.URL}}}); !errors.As(err, &off) || time.Since(off.Clock) > time.Minute*10 {
		t.Errorf("%v, want a ClockError of now", err)
	}
}

type neverending struct{}

func (neverending) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestStampGivesWay has a row for each failure after which the next authority is
// asked, because the first has certainly not served.
func TestStampGivesWay(t *testing.T) {
	code := func(n int) func(http.ResponseWriter, *http.Request, query) {
		return func(w http.ResponseWriter, _ *http.Request, _ query) { w.WriteHeader(n) }
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	untrusted.Config.ErrorLog = nil
	for name, address := range map[string]string{
		"HTTP 401": serve(t, code(401)).URL, "HTTP 500": serve(t, code(500)).URL, "HTTP 503": serve(t, code(503)).URL,
		"rejection":        serve(t, func(w http.ResponseWriter, _ *http.Request, _ query) { _, _ = w.Write(response(t, 2, nil)) }).URL,
		"nobody there":     "http://" + closed.Addr().String(),
		"no such name":     "http://tsa.invalid/",
		"a TLS impostor":   untrusted.URL,
		"no address":       "ftp://127.0.0.1/",
		"a password in it": "http://user:geheim@127.0.0.1/",
	} {
		good := serve(t, stamps(newStamper(t), nil))
		c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: address}, {URL: good.URL}}}
		if _, err := stamp(t, c); err != nil || good.asked.Load() != 1 {
			t.Errorf("%s: %v, the second authority was asked %d times", name, err, good.asked.Load())
		}
		c.Authorities = c.Authorities[:1]
		_, err := stamp(t, c)
		var failed *timestamp.StampError
		if !errors.As(err, &failed) || failed.MayBeSpent() || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want a StampError, nothing spent, no password", name, err)
		}
	}
}

// TestRedirect follows none, and sends the password nowhere else.
func TestRedirect(t *testing.T) {
	target := serve(t, stamps(newStamper(t), nil))
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, _ query) { http.Redirect(w, r, target.URL, code) })
		c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL, User: "u", Password: "p"}}}
		_, err := stamp(t, c)
		var answer *timestamp.HTTPError
		if !errors.As(err, &answer) || answer.Status != code || answer.Location != target.URL {
			t.Errorf("HTTP %d: %v", code, err)
		}
	}
	if target.asked.Load() != 0 {
		t.Errorf("the target was asked %d times", target.asked.Load())
	}
}

func TestBasicAuthentication(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q query) {
		if user, password, ok := r.BasicAuth(); !ok || user != "lotto" || password != "segreto" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		stamps(newStamper(t), nil)(w, r, q)
	})
	a := timestamp.Authority{URL: s.URL, User: "lotto", Password: "segreto"}
	if _, err := stamp(t, &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{a}}); err != nil {
		t.Error(err)
	}
	if !a.SendsPasswordInClear() {
		t.Error("a password over http is not noticed")
	}
	a.Password = "sbagliato"
	_, err := stamp(t, &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{a}})
	if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "sbagliato") {
		t.Errorf("a wrong password gives %v", err)
	}
}

// TestClientCertificate asks an authority that wants a certificate in TLS.
func TestClientCertificate(t *testing.T) {
	s := &server{}
	s.Server = httptest.NewUnstartedServer(s.handler(stamps(newStamper(t), nil)))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	id := testPKI.Must(t, pki.SignerP256)
	own := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{id.Certificate.Raw}, PrivateKey: id.Key}},
	}}
	defer own.CloseIdleConnections()
	c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL, Transport: own}}}
	if _, err := stamp(t, c); err != nil {
		t.Error(err)
	}
}

func TestWithoutTransport(t *testing.T) {
	s := serve(t, stamps(newStamper(t), nil))
	if _, err := stamp(t, &timestamp.Client{Now: clock, Authorities: []timestamp.Authority{{URL: s.URL}}}); err != nil {
		t.Error(err)
	}
}

// TestProxy sends the request through a proxy.
func TestProxy(t *testing.T) {
	authority := serve(t, stamps(newStamper(t), nil))
	var through atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		r.RequestURI = ""
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer answer.Body.Close()
		_, _ = io.Copy(w, answer.Body)
	}))
	defer proxy.Close()
	tr := transport(t)
	tr.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL.Parse(proxy.URL) }
	c := &timestamp.Client{Now: clock, Transport: tr, Authorities: []timestamp.Authority{{URL: authority.URL}}}
	if _, err := stamp(t, c); err != nil || through.Load() != 1 {
		t.Errorf("%v, %d requests through the proxy", err, through.Load())
	}
}

// TestConcurrentStamps has as many requests reach the authority as were asked for.
func TestConcurrentStamps(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q query) { stamps(newStamper(t), nil)(w, r, q) })
	c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL}}}
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			digests, err := c.Digest(strings.NewReader(fmt.Sprint(n)))
			if err == nil {
				_, err = c.Stamp(context.Background(), digests)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.asked.Load() != 40 {
		t.Errorf("asked %d times", s.asked.Load())
	}
}

// TestInterrupted stops at once when the caller does.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request, _ query) {
		cancel()
		<-r.Context().Done()
	})
	c := &timestamp.Client{Now: clock, Transport: transport(t), Authorities: []timestamp.Authority{{URL: s.URL}, {URL: s.URL}}}
	digests, err := c.Digest(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Stamp(ctx, digests)
	var failed *timestamp.StampError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || !failed.MayBeSpent() || s.asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, s.asked.Load())
	}
}
