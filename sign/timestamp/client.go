// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// Authority is a time-stamp authority and how to ask it.
type Authority struct {
	URL      string                // REQUIRED: http or https, without user and password
	User     string                // of HTTP Basic authentication; empty for none
	Password string                // sent to this URL only
	Policy   asn1.ObjectIdentifier // to ask for; nil leaves it to the authority
	Hash     crypto.Hash           // SHA-256, SHA-384 or SHA-512; zero means SHA-256

	// Transport is used in place of the client's, for a certificate of its own.
	Transport http.RoundTripper
}

func (a Authority) hash() crypto.Hash { return cmp.Or(a.Hash, crypto.SHA256) }

// Check says what is wrong with the settings, nothing when they can be used.
func (a Authority) Check() error {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil:
		return errors.New("the address of the time-stamp authority is not a URL") // which may hold a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("the address of a time-stamp authority begins with https:// or http://, unlike %q", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("user and password don't belong into the address %q", u.Redacted())
	case !canAsk(a.hash()):
		return fmt.Errorf("%w: %v", ErrHash, a.Hash)
	}
	return nil
}

// SendsPasswordInClear tells whether everybody on the way could read the password.
func (a Authority) SendsPasswordInClear() bool {
	u, err := url.Parse(a.URL)
	return err == nil && u.Scheme == "http" && a.User != ""
}

// Client asks authorities for time stamps.
//
// A stamp costs money, so a request is never sent again once it may have been
// served. An authority that can't be reached, or that refuses, gives way to the
// next. One that was asked and then said nothing, or gave an answer that is not
// good, ends the attempt.
//
// Redirects are not followed: that would be sending the request again. A client
// may be used by several goroutines.
type Client struct {
	Transport   http.RoundTripper // nil: http.DefaultTransport, with the proxy of the environment
	Authorities []Authority       // REQUIRED: in the order in which they are asked
	Timeout     time.Duration     // for each authority; zero means 30 seconds
	Rand        io.Reader         // for nonces; nil means crypto/rand
	Now         func() time.Time  // the clock that answers are held against; nil means time.Now

	// Certificates are looked among for that of an authority that doesn't send it.
	Certificates []*x509.Certificate
}

// DefaultTimeout is how long an authority may take for an answer.
const DefaultTimeout = 30 * time.Second

// ClockTolerance is how far the time that an authority states may be from that of
// the client, beside the accuracy that it states.
const ClockTolerance = 5 * time.Minute

// maxResponse is the most octets of an answer. A token with its certificates has
// some thousand.
const maxResponse = 1 << 20

// Digests are digests of what is to be stamped, one for each of
// [Client.Hashes].
type Digests map[crypto.Hash][]byte

// Hashes returns the digests that the authorities are asked with.
func (c *Client) Hashes() []crypto.Hash {
	var list []crypto.Hash
	seen := map[crypto.Hash]bool{}
	for _, a := range c.Authorities {
		if h := a.hash(); !seen[h] {
			seen[h] = true
			list = append(list, h)
		}
	}
	return list
}

// Digest reads content to its end and returns its digests for [Client.Stamp].
func (c *Client) Digest(content io.Reader) (Digests, error) { return digestAll(c.Hashes(), content) }

func digestAll(hashes []crypto.Hash, content io.Reader) (Digests, error) {
	d := newDigester(hashes)
	if _, err := io.Copy(d, content); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	return d.sums(), nil
}

// Stamp asks the authorities, one after the other, for a time stamp over what has
// these digests.
//
// The token it returns is the answer to this very request: imprint, nonce, policy,
// signature, ESSCertID, key usage and time are as they should be ([Request.Answers],
// [Token.Check]), and it was made between question and answer by the client's clock
// too, give or take [ClockTolerance]. Whether to trust the authority is not looked at.
//
// The error is a [*StampError].
func (c *Client) Stamp(ctx context.Context, digests Digests) (*Token, error) {
	failed := &StampError{}
	for _, a := range c.Authorities {
		t, attempt := c.ask(ctx, a, digests[a.hash()])
		if attempt == nil {
			return t, nil
		}
		failed.Attempts = append(failed.Attempts, attempt)
		if attempt.MayBeSpent || ctx.Err() != nil {
			break
		}
	}
	return nil, failed
}

// StampError says why there is no time stamp, for each authority that was asked.
type StampError struct{ Attempts []*AuthorityError }

// Error implements error.
func (e *StampError) Error() string {
	if len(e.Attempts) == 0 {
		return "getting time stamp: no authority is named"
	}
	text := "getting time stamp"
	for i, a := range e.Attempts {
		if i > 0 {
			text += "; then"
		}
		text += " from " + a.Error()
	}
	return text
}

// Unwrap returns the errors of the authorities.
func (e *StampError) Unwrap() []error {
	list := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		list[i] = a
	}
	return list
}

// MayBeSpent tells whether a stamp may have been used up for nothing.
func (e *StampError) MayBeSpent() bool {
	for _, a := range e.Attempts {
		if a.MayBeSpent {
			return true
		}
	}
	return false
}

// AuthorityError says why an authority gave no time stamp.
type AuthorityError struct {
	URL        string
	MayBeSpent bool  // the request may have been served, and a stamp used up
	Err        error // [*HTTPError], [*StatusError], [*AnswerError], [*CheckError], [*ClockError], of the network, or others
}

// Error implements error.
func (e *AuthorityError) Error() string {
	text := fmt.Sprintf("%s: %v", e.URL, e.Err)
	if e.MayBeSpent {
		text += " (a time stamp may have been used up)"
	}
	return text
}

// Unwrap returns the cause.
func (e *AuthorityError) Unwrap() error { return e.Err }

// HTTPError is an answer that is not 200.
type HTTPError struct {
	Status   int
	Location string // where a redirect points
}

// Error implements error.
func (e *HTTPError) Error() string {
	switch {
	case e.Location != "":
		return fmt.Sprintf("it answers HTTP %d and points to %q, which is not followed: name that address if you trust it", e.Status, e.Location)
	case e.Status == http.StatusUnauthorized:
		return "it answers HTTP 401: user or password are missing or wrong"
	}
	return fmt.Sprintf("it answers HTTP %d %s", e.Status, http.StatusText(e.Status))
}

// ask asks one authority, once.
func (c *Client) ask(ctx context.Context, a Authority, digest []byte) (*Token, *AuthorityError) {
	unsent := func(err error) (*Token, *AuthorityError) { return nil, &AuthorityError{URL: redacted(a.URL), Err: err} }
	if err := a.Check(); err != nil {
		return unsent(err)
	}
	nonce, err := newNonce(cmp.Or[io.Reader](c.Rand, rand.Reader))
	if err != nil {
		return unsent(err)
	}
	query := &Request{Hash: a.hash(), Digest: digest, Policy: a.Policy, Nonce: nonce}
	body, err := query.Encode()
	if err != nil {
		return unsent(err)
	}
	asked := c.now()
	answer, failed := c.post(ctx, a, body)
	if failed != nil {
		return nil, failed
	}
	t, err := c.accept(query, answer)
	if err == nil {
		err = inTime(t.Info, asked, c.now())
	}
	if err != nil {
		var status *StatusError
		refused := errors.As(err, &status) && status.Status != Waiting
		return nil, &AuthorityError{a.URL, !refused, err}
	}
	return t, nil
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// inTime makes sure that a stamp was made between question and answer. One of
// another time would be refused later, by whoever verifies it.
func inTime(i *Info, asked, answered time.Time) error {
	tolerance := ClockTolerance
	if i.Accuracy != nil {
		tolerance += *i.Accuracy
	}
	// Without their monotonic readings, as genTime has none.
	asked, answered = asked.Round(0), answered.Round(0)
	switch {
	case i.Time.Before(asked.Add(-tolerance)):
		return &ClockError{Stated: i.Time, Clock: asked}
	case i.Time.After(answered.Add(tolerance)):
		return &ClockError{Stated: i.Time, Clock: answered}
	}
	return nil
}

// ClockError is a stamp with a time that isn't that of the client. It can't be told
// from here whose clock is wrong.
type ClockError struct {
	Stated time.Time // genTime
	Clock  time.Time // of the client, when it asked or was answered
}

// Error implements error.
func (e *ClockError) Error() string {
	off, side := e.Stated.Sub(e.Clock), "ahead of"
	if off < 0 {
		off, side = -off, "behind"
	}
	return fmt.Sprintf("its time is %s, %v %s the clock here, which says %s: set that clock if it is wrong, or else ask another authority",
		e.Stated.UTC().Format(time.RFC3339), off.Round(time.Second), side, e.Clock.UTC().Format(time.RFC3339))
}

// accept reads an answer and makes sure that it is one to this request.
func (c *Client) accept(query *Request, answer []byte) (*Token, error) {
	r, err := ParseResponse(answer)
	if err != nil {
		return nil, err
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if err := query.Answers(r.Token); err != nil {
		return nil, err
	}
	return r.Token, r.Token.Check(c.Certificates...).Err()
}

func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that is no URL"
	}
	return u.Redacted()
}

// post sends a request and returns the answer (RFC 3161, section 3.4).
func (c *Client) post(ctx context.Context, a Authority, body []byte) ([]byte, *AuthorityError) {
	limit := cmp.Or(c.Timeout, DefaultTimeout)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var sent sending
	request, err := http.NewRequestWithContext(sent.watch(limited), http.MethodPost, a.URL, bytes.NewReader(body))
	if err != nil {
		return nil, &AuthorityError{URL: redacted(a.URL), Err: err}
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	request.Header.Set("Accept", "application/timestamp-reply")
	if a.User != "" {
		request.SetBasicAuth(a.User, a.Password)
	}
	response, err := c.transport(a).RoundTrip(request)
	if err != nil {
		return nil, &AuthorityError{a.URL, sent.maybe(), broken(ctx, limit, err)}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &AuthorityError{a.URL, behindGateway(response.StatusCode), &HTTPError{response.StatusCode, response.Header.Get("Location")}}
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, &AuthorityError{a.URL, true, broken(ctx, limit, err)}
	case len(answer) > maxResponse:
		return nil, &AuthorityError{a.URL, true, fmt.Errorf("the answer is longer than %d KiB", maxResponse>>10)}
	case len(answer) == 0 || answer[0] != 0x30:
		return nil, &AuthorityError{a.URL, true, fmt.Errorf("the answer is no time stamp, but %q of %d octets", response.Header.Get("Content-Type"), len(answer))}
	}
	return answer, nil
}

// broken says why an answer did not come, or not to its end.
func broken(ctx context.Context, limit time.Duration, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return &lostError{fmt.Sprintf("no whole answer came within %v", limit), err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &lostError{"the connection ended in the middle of the answer", err}
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

// behindGateway tells whether an HTTP status comes from a server in between, which
// doesn't know what became of the request.
func behindGateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusGatewayTimeout || status < 300
}

func (c *Client) transport(a Authority) http.RoundTripper {
	if a.Transport != nil {
		return a.Transport
	}
	if c.Transport != nil {
		return c.Transport
	}
	return http.DefaultTransport
}

// sending watches whether a request may have left.
type sending struct{ looked, connected atomic.Bool }

func (s *sending) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { s.looked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.connected.Store(true) },
	})
}

// maybe is false only when there never was a connection: no address, nobody there,
// no TLS. A transport that doesn't tell is not believed.
func (s *sending) maybe() bool { return s.connected.Load() || !s.looked.Load() }
