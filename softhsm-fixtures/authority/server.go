// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// Service is one of the services of a server.
type Service string

// The services.
const (
	TSA  Service = "tsa"  // time stamps, by POST to /tsa
	OCSP Service = "ocsp" // by POST to /ocsp or /ocsp/ISSUER, or GET below the latter
	CRL  Service = "crl"  // /crl/ISSUER.crl and /crl/ISSUER-delta.crl
	CA   Service = "ca"   // /ca/ISSUER.cer, in DER
)

// Services returns all services.
func Services() []Service { return []Service{TSA, OCSP, CRL, CA} }

// Options are what a server starts with. The zero value is good.
type Options struct {
	// Listen is where to listen, on the loopback; "127.0.0.1:0" when empty.
	Listen string
	// Clock gives the time of the services. Without one it stands still at
	// the time of the PKI.
	Clock func() time.Time
	// TLS adds an address for https, with the certificate of
	// [pki.WebServer], and makes it that of the TSA. The addresses in
	// certificates stay http, as is usual.
	TLS bool
	// Clients is the authority by which a client must have a certificate to
	// connect by TLS; any client may when it is empty.
	Clients pki.Name
	// Unpublished leaves alone what certificates say of where the services
	// are: for a second server of one PKI.
	Unpublished bool
}

// Server runs the services of the authorities of a PKI.
type Server struct {
	pki    *pki.PKI
	http   *http.Server
	base   string        // http://HOST:PORT
	secure string        // https://HOST:PORT, empty without TLS
	closed chan struct{} // closed by Close
	once   sync.Once     // for closing closed

	mu       sync.Mutex // guards what follows
	clock    func() time.Time
	config   Config
	faults   map[Service]Fault
	requests map[Service]int
	issued   int // time stamps
	register register
}

// Config is how the services are set up. The zero value is good.
type Config struct {
	Delay time.Duration // before every answer
	TSA   TSAConfig
	OCSP  OCSPConfig
	CRL   CRLConfig
}

// Start is Open for tests: it fails t instead of returning an error, and
// closes the server with the test.
func Start(t testing.TB, p *pki.PKI, o Options) *Server {
	t.Helper()
	s, err := Open(p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Open starts the services of the authorities of p, and has p say in its
// certificates where they are. Unless o says otherwise it is an error when p
// issued certificates before, because those say something else.
func Open(p *pki.PKI, o Options) (*Server, error) {
	s := &Server{
		pki:      p,
		closed:   make(chan struct{}),
		clock:    o.Clock,
		faults:   map[Service]Fault{},
		requests: map[Service]int{},
		register: register{},
	}
	if s.clock == nil {
		s.clock = p.Now
	}
	// What goes wrong with a connection is what the tests are after: no log.
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: log.New(io.Discard, "", 0)}
	if err := s.open(o); err != nil {
		return nil, fmt.Errorf("starting authority: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Server) open(o Options) error {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	address, err := s.listen(o.Listen, nil)
	if err != nil {
		return err
	}
	s.base = "http://" + address
	if !o.Unpublished {
		if err := s.pki.Publish(s.base); err != nil {
			return err
		}
	}
	if !o.TLS {
		return nil
	}
	config, err := s.tlsConfig(o.Clients)
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return err
	}
	address, err = s.listen(net.JoinHostPort(host, "0"), config)
	s.secure = "https://" + address
	return err
}

// listen serves on an address, with TLS if there is a configuration for it,
// and returns the address with its port.
func (s *Server) listen(address string, config *tls.Config) (string, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return "", err
	}
	if !resolved.IP.IsLoopback() {
		return "", fmt.Errorf("listening on %s: not an address of the loopback, such as 127.0.0.1:0", address)
	}
	listener, err := net.ListenTCP("tcp", resolved)
	if err != nil {
		return "", err
	}
	bound := listener.Addr().String()
	if config != nil {
		go s.http.Serve(tls.NewListener(listener, config)) // ends with Close
		return bound, nil
	}
	go s.http.Serve(listener)
	return bound, nil
}

func (s *Server) tlsConfig(clients pki.Name) (*tls.Config, error) {
	server, err := s.pki.Issue(pki.WebServer)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Certificate.Raw}, PrivateKey: server.Key}},
		Time:         s.now,
	}
	if clients == "" {
		return config, nil
	}
	issuer, err := s.pki.Issue(clients)
	if err != nil {
		return nil, err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = x509.NewCertPool()
	config.ClientCAs.AddCert(issuer.Certificate)
	return config, nil
}

// Close ends the services and every answer under way.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.http.Close()
}

// URL returns the address of a service: where to send a time-stamp or OCSP
// request, or the folder of the revocation lists and issuer certificates.
func (s *Server) URL(service Service) string {
	if service == TSA && s.secure != "" {
		return s.secure + "/" + string(service)
	}
	return s.base + "/" + string(service)
}

// SetTime stops the clock of the services at a time.
func (s *Server) SetTime(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = func() time.Time { return at }
}

// now is the time of the services, in UTC.
func (s *Server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock().UTC()
}

// Configure has change edit how the services are set up, for the requests that
// come after it. The identities and slices it puts there must not be changed
// later on.
func (s *Server) Configure(change func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Count returns how many requests came to a service, those included that were
// answered with an error or not at all.
func (s *Server) Count(service Service) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[service]
}

// Issued returns how many time stamps were made. One that a fault damaged
// or kept from arriving counts.
func (s *Server) Issued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

// wait waits and says whether the client still does.
func (s *Server) wait(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.closed:
		return false
	case <-timer.C:
		return true
	}
}
