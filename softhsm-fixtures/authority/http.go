// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// maxQuery bounds a request, in octets; one that means something is far shorter.
const maxQuery = 1 << 20

// request is a request with what the server was set to when it came.
type request struct {
	service  Service
	issuer   pki.Name // empty where the address names none
	delta    bool     // a delta list is asked for
	query    []byte   // what was sent
	now      time.Time
	config   Config
	fault    Fault
	register register
}

// answer is a body with its media type.
type answer struct {
	mediaType string
	body      []byte
}

// serve answers one request. It does without http.ServeMux, which redirects
// addresses that have two slashes in a row, as base64 can.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	q, ok := route(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.take(&q)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if len(q.query) == 0 {
		q.query = body
	}
	if !s.wait(r.Context(), q.config.Delay) || s.interfere(w, r, q) {
		return
	}
	if refused := refuse(w, r, q); refused {
		return
	}
	a, err := s.answer(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.deliver(w, r, q.fault, a)
}

// route says what an address is of.
func route(path string) (q request, ok bool) {
	service, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	q.service = Service(service)
	switch q.service {
	case TSA:
		return q, rest == ""
	case OCSP:
		issuer, encoded, _ := strings.Cut(rest, "/")
		q.issuer = pki.Name(issuer)
		var err error
		q.query, err = base64.StdEncoding.DecodeString(encoded) // RFC 6960, appendix A.1
		return q, err == nil
	case CRL:
		name, ok := strings.CutSuffix(rest, ".crl")
		name, q.delta = strings.CutSuffix(name, "-delta")
		q.issuer = pki.Name(name)
		return q, ok && isAuthority(q.issuer)
	case CA:
		name, ok := strings.CutSuffix(rest, ".cer")
		q.issuer = pki.Name(name)
		return q, ok && isAuthority(q.issuer)
	}
	return q, false
}

// take counts a request and notes what the server is set to.
func (s *Server) take(q *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[q.service]++
	q.now = s.clock().UTC()
	q.config = s.config
	q.fault = s.faults[q.service]
	q.register = s.register.clone()
}

// refuse turns away who uses a service wrongly, and says whether it did.
func refuse(w http.ResponseWriter, r *http.Request, q request) bool {
	get, post := q.service != TSA, q.service == TSA || q.service == OCSP
	switch {
	case !(get && r.Method == http.MethodGet || post && r.Method == http.MethodPost):
		http.Error(w, "wrong method", http.StatusMethodNotAllowed)
	case r.Method == http.MethodPost && r.Header.Get("Content-Type") != queryType(q.service):
		http.Error(w, "want "+queryType(q.service), http.StatusUnsupportedMediaType)
	case q.service == TSA && !authenticated(r, q.config.TSA):
		unauthorized(w)
	default:
		return false
	}
	return true
}

// queryType is the media type of requests: RFC 3161, section 3.4, and RFC
// 6960, appendix A.1.
func queryType(service Service) string {
	if service == TSA {
		return "application/timestamp-query"
	}
	return "application/ocsp-request"
}

// authenticated says whether who asks gave the user name and the password.
func authenticated(r *http.Request, c TSAConfig) bool {
	if c.User == "" && c.Password == "" {
		return true
	}
	user, password, _ := r.BasicAuth()
	return subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(c.User+"\x00"+c.Password)) == 1
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="authority"`)
	http.Error(w, "who are you", http.StatusUnauthorized)
}

// interfere does what goes wrong before there is an answer, and says whether
// anything did.
func (s *Server) interfere(w http.ResponseWriter, r *http.Request, q request) bool {
	redirect := func(to string) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) }
	switch q.fault {
	case Hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler) // or an empty answer would be sent
	case HTTP401:
		unauthorized(w)
	case HTTP404:
		http.NotFound(w, r)
	case HTTP500:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case RedirectLoop:
		hop, _ := strconv.Atoi(r.URL.Query().Get("hop")) // 0 at first
		redirect(r.URL.Path + "?hop=" + strconv.Itoa(hop+1))
	case RedirectFile:
		redirect("file:///etc/hostname")
	case RedirectPrivate:
		redirect("http://169.254.169.254/latest/meta-data/")
	default:
		return false
	}
	return true
}

// answer makes the answer of a service.
func (s *Server) answer(q request) (answer, error) {
	var a answer
	var err error
	switch q.service {
	case TSA:
		a.mediaType = "application/timestamp-reply"
		a.body, err = s.timestamp(q)
	case OCSP:
		a.mediaType = "application/ocsp-response"
		a.body, err = s.status(q)
	case CRL:
		a.mediaType = "application/pkix-crl"
		a.body, err = s.revocationList(q)
	case CA:
		a.mediaType = "application/pkix-cert"
		a.body, err = s.issuerCertificate(q)
	}
	return a, err
}

// deliver sends an answer, or what the fault makes of it.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, fault Fault, a answer) {
	switch fault {
	case WrongMediaType:
		a.mediaType = "text/html"
	case CutAnswer:
		a.body = a.body[:len(a.body)/2]
	case EmptyAnswer:
		a.body = nil
	case Garbage:
		a.body = []byte(strings.Repeat("not what was asked for\n", 50))
	case TrailingData:
		a.body = append(a.body, 0x05, 0x00)
	}
	w.Header().Set("Content-Type", a.mediaType)
	if fault == Endless {
		s.pour(w, r)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	switch fault {
	case HalfAnswer:
		w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush() // fails when the client left
		panic(http.ErrAbortHandler)               // closes the connection
	case Slow:
		s.drip(w, r, a.body)
	default:
		w.Write(a.body) // a client that left wants no answer
	}
}

// drip sends a body an octet at a time.
func (s *Server) drip(w http.ResponseWriter, r *http.Request, body []byte) {
	const pause = 100 * time.Millisecond
	flow := http.NewResponseController(w)
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil || flow.Flush() != nil || !s.wait(r.Context(), pause) {
			return
		}
	}
}

// pour sends a header that promises 4 GiB, and zeros until the client leaves.
func (s *Server) pour(w http.ResponseWriter, r *http.Request) {
	chunk := make([]byte, 32<<10)
	copy(chunk, []byte{0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF})
	for s.wait(r.Context(), 0) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		clear(chunk)
	}
}
