// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Fetcher gets evidence and certificates over HTTP, from where certificates say
// that they are. It asks each place once at a time however many want to know, keeps what
// it got for as long as that is valid, and takes no more bytes than such things have.
// Redirects from elsewhere to this machine or its network are not followed; what a name
// stands for is not looked up.
// It may be shared between goroutines.
type Fetcher struct {
	Client  *http.Client     // nil: one with the proxy of the environment
	Cache   *Cache           // between runs of the program; nil: none
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // of one request; 0: 10 seconds

	mu      sync.Mutex
	running map[string]*flight
}

// flight is a request that is under way, or was made.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

const (
	defaultTimeout = 10 * time.Second
	maxRedirects   = 3
	maxPlaces      = 4         // for the same thing; those that a certificate names beyond are not asked
	maxIssuer      = 256 << 10 // bytes of a certificate, or of a PKCS#7 of some
	cachedOCSP     = time.Hour // OCSP answers are kept no longer, whatever they say
)

// FetchError is a request that failed.
type FetchError struct {
	URL string
	Err error
}

func (e *FetchError) Error() string { return fmt.Sprintf("asking %s: %v", e.URL, e.Err) }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// OCSP asks a responder about a certificate (RFC 6960, appendix A.1), with a nonce
// (RFC 8954). A responder that answers with another nonce is not believed; one that
// answers without is, as those that prepare their answers do so.
func (f *Fetcher) OCSP(ctx context.Context, at string, certificate, issuer *x509.Certificate) (*OCSP, error) {
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	id, err := certID(certificate, issuer)
	if err != nil {
		return nil, err
	}
	request, err := ocspRequest(id, nonce)
	if err != nil {
		return nil, err
	}
	return once(ctx, f, "ocsp "+at+" "+hex.EncodeToString(id), at, func(ctx context.Context) (*OCSP, error) {
		key := cacheKey("ocsp", at, id)
		if o, err := ParseOCSP(f.Cache.get(key)); err == nil && f.current(o) {
			return o, nil
		}
		answer, err := f.do(ctx, http.MethodPost, at, "application/ocsp-request", request, maxOCSP)
		if err != nil {
			return nil, err
		}
		o, err := ParseOCSP(answer)
		if err != nil {
			return nil, err
		}
		if o.Nonce != nil && !bytes.Equal(o.Nonce, nonce) {
			return nil, errors.New("the OCSP response has another nonce than the request: it answers somebody else")
		}
		if f.current(o) {
			f.Cache.put(key, answer)
		}
		return o, nil
	})
}

// current says whether what an answer says is worth keeping.
func (f *Fetcher) current(o *OCSP) bool {
	now := f.now()
	for _, s := range o.singles {
		if s.NextUpdate.IsZero() || now.After(s.NextUpdate) || now.After(o.ProducedAt.Add(cachedOCSP)) {
			return false
		}
	}
	return len(o.singles) > 0
}

// CRL fetches a revocation list.
func (f *Fetcher) CRL(ctx context.Context, at string) (*CRL, error) {
	return once(ctx, f, "crl "+at, at, func(ctx context.Context) (*CRL, error) {
		key := cacheKey("crl", at, nil)
		if l, err := ParseCRL(f.Cache.get(key)); err == nil && f.now().Before(l.list.NextUpdate) {
			return l, nil
		}
		answer, err := f.do(ctx, http.MethodGet, at, "", nil, maxCRL)
		if err != nil {
			return nil, err
		}
		l, err := ParseCRL(answer)
		if err == nil && f.now().Before(l.list.NextUpdate) {
			f.Cache.put(key, answer)
		}
		return l, err
	})
}

// Issuers fetches the certificates that a certificate says its issuer has (AIA,
// caIssuers, RFC 5280, section 4.2.2.1): one in DER. They are helpers and never
// trusted.
func (f *Fetcher) Issuers(ctx context.Context, certificate *x509.Certificate) (list []*x509.Certificate, err error) {
	for _, at := range first(certificate.IssuingCertificateURL) {
		c, failed := once(ctx, f, "issuer "+at, at, func(ctx context.Context) (*x509.Certificate, error) {
			key := cacheKey("issuer", at, nil)
			if c, err := x509.ParseCertificate(f.Cache.get(key)); err == nil && f.now().Before(c.NotAfter) {
				return c, nil
			}
			answer, err := f.do(ctx, http.MethodGet, at, "", nil, maxIssuer)
			if err != nil {
				return nil, err
			}
			c, err := x509.ParseCertificate(answer)
			if err == nil {
				f.Cache.put(key, answer)
			}
			return c, err
		})
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		list = append(list, c)
	}
	return list, err
}

// once runs a request that nobody else is running, and hands the result to all who
// want it, now and later.
func once[T any](ctx context.Context, f *Fetcher, key, at string, request func(context.Context) (T, error)) (value T, err error) {
	f.mu.Lock()
	run, known := f.running[key]
	if !known {
		run = &flight{done: make(chan struct{})}
		if f.running == nil {
			f.running = map[string]*flight{}
		}
		f.running[key] = run
	}
	f.mu.Unlock()
	if !known {
		run.value, run.err = request(ctx)
		if run.err != nil && ctx.Err() != nil { // given up, not answered: the next one asks again
			f.mu.Lock()
			delete(f.running, key)
			f.mu.Unlock()
		}
		close(run.done)
	}
	select {
	case <-run.done:
	case <-ctx.Done():
		return value, &FetchError{at, ctx.Err()}
	}
	if run.err != nil {
		return value, &FetchError{at, run.err}
	}
	return run.value.(T), nil
}

func (f *Fetcher) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

func (f *Fetcher) client() *http.Client {
	var c http.Client
	if f.Client != nil {
		c = *f.Client
	}
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("it redirects again and again")
		}
		if inward(via[0].URL.Hostname(), r.URL.Hostname()) {
			return fmt.Errorf("it redirects to %q, an address of the local network, which is not followed", r.URL.Hostname())
		}
		return webOnly(r.URL)
	}
	return &c
}

// inward says whether a redirect leads from elsewhere to this machine or its network, as
// far as names tell: somebody outside would have a request made inside. Certificates of a
// company name places of its own, and those may redirect to each other; nobody has a reason
// to redirect to a link-local address, where the machines of a cloud keep their secrets.
func inward(from, to string) bool {
	a, _ := netip.ParseAddr(to)
	return from != to && isLocal(to) && (!isLocal(from) || a.Unmap().IsLinkLocalUnicast())
}

func isLocal(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	a, err := netip.ParseAddr(name)
	if err != nil {
		return name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".local")
	}
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
}

func webOnly(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("a URL of scheme %q is not followed, only http and https", u.Scheme)
	}
	return nil
}

// do makes a request and returns the body of a good answer.
func (f *Fetcher) do(ctx context.Context, method, at, contentType string, body []byte, limit int64) ([]byte, error) {
	timeout := f.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := webOnly(request.URL); err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := f.client().Do(request)
	if err != nil {
		return nil, broken(ctx, timeout, plain(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers HTTP %s", response.Status)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, broken(ctx, timeout, err)
	case int64(len(answer)) > limit:
		return nil, fmt.Errorf("its answer is longer than %d bytes", limit)
	}
	return answer, nil
}

// broken says why an answer did not come, or not to its end.
func broken(ctx context.Context, timeout time.Duration, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return &lostError{fmt.Sprintf("no whole answer came within %v", timeout), err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &lostError{"the connection ended in the middle of its answer", err}
	}
	return err
}

// lostError says in words what err says in those of a program.
type lostError struct {
	says string
	err  error
}

func (e *lostError) Error() string { return e.says }
func (e *lostError) Unwrap() error { return e.err }

// plain drops the URL from an error of package http: the caller names it.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// certID writes a CertID (RFC 6960, section 4.1.1). It uses SHA-1, which every
// responder knows and which nothing depends on here: the answer is matched by name, key
// and number.
func certID(certificate, issuer *x509.Certificate) ([]byte, error) {
	key, err := keyBits(issuer)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidSHA1)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest(crypto.SHA1, certificate.RawIssuer))
		b.AddASN1OctetString(digest(crypto.SHA1, key))
		b.AddASN1BigInt(certificate.SerialNumber)
	})
	return b.Bytes()
}

// ocspRequest writes an OCSPRequest with one question.
func ocspRequest(id, nonce []byte) ([]byte, error) {
	extensions, err := asn1.Marshal([]struct {
		ID    asn1.ObjectIdentifier
		Value []byte
	}{{oidNonce, append([]byte{asn1.TagOctetString, byte(len(nonce))}, nonce...)}})
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(id) })
			})
			b.AddASN1(cbasn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(extensions) })
		})
	})
	return b.Bytes()
}

// first returns the places that are asked.
func first(places []string) []string { return places[:min(len(places), maxPlaces)] }

func cacheKey(kind, at string, id []byte) string {
	sum := sha256.Sum256(append([]byte(kind+"\x00"+at+"\x00"), id...))
	return kind + "-" + hex.EncodeToString(sum[:16])
}
