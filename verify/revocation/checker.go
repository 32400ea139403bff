// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/cns"
)

// Evidence is what is at hand about any number of certificates.
type Evidence struct {
	OCSP []*OCSP
	CRLs []*CRL
}

// About returns what of the evidence claims to speak of a certificate, and the lists of its
// issuer, which may speak of a responder as well.
func (e Evidence) About(certificate *x509.Certificate) (about Evidence) {
	for _, o := range e.OCSP {
		if o.Names(certificate) {
			about.OCSP = append(about.OCSP, o)
		}
	}
	for _, l := range e.CRLs {
		if l.Names(certificate) {
			about.CRLs = append(about.CRLs, l)
		}
	}
	return about
}

// Checker finds out about certificates. Its zero value knows nothing but what comes
// with a question. It may be shared between goroutines.
type Checker struct {
	Given   Evidence      // what the user has
	Fetcher *Fetcher      // nil: no network
	Grace   time.Duration // for answers that don't say when newer ones are due; 0: 24 hours
}

// Question asks about one certificate at one moment.
type Question struct {
	Certificate *x509.Certificate // REQUIRED
	Issuer      *x509.Certificate // REQUIRED: whose key signed the certificate; its own chain is the caller's to check
	At          time.Time         // REQUIRED: the moment that the answer is to hold for
	Now         time.Time         // REQUIRED: the caller's clock; evidence from after it is not believed

	Embedded Evidence            // what stands beside the certificate, in a signed file
	Others   []*x509.Certificate // where a responder's certificate may be

	// Proven returns when an answer is proven to have been there, or why whoever issued
	// the certificate can't be relied on for it, an [*UnprovenError] if that is known: a key
	// that ended, or that was stolen, signs whatever its holder likes, with any date. Nil:
	// all answers are of Now, and the issuer is good.
	Proven func(*Answer) (time.Time, error)
}

// proven is Proven with its default.
func (q Question) proven(a *Answer) (time.Time, error) {
	if q.Proven == nil {
		return q.Now, nil
	}
	return q.Proven(a)
}

// The Source of answers by evidence that was Embedded, and by that of [Checker.Given].
const (
	InFile = "in the file"
	Given  = "given"
)

// UnprovenError is an answer that counts for nothing because it is not proven to have
// been there when its signer could still be relied on.
type UnprovenError struct{ Err error }

func (e *UnprovenError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnprovenError) Unwrap() error { return e.Err }

// UnknownError says that nothing is known of a certificate at a moment, and what
// was tried.
type UnknownError struct {
	Certificate *x509.Certificate
	Tried       []error
}

// maxTold is how many of the things that were tried are told: a file may hold thousands
// that are of no use, and each of them may tell what was tried for its issuer.
const maxTold = 4

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("nothing is known of whether the certificate of %q is revoked", cns.DistinguishedName(e.Certificate.Subject))
	var told []string
	for i, err := range e.Tried {
		reason := err.Error()
		if slices.Contains(told, reason) {
			continue
		}
		if len(told) == maxTold {
			return text + fmt.Sprintf("; and %d more were tried", len(e.Tried)-i)
		}
		told = append(told, reason)
		text += "; " + reason
	}
	return text
}

// Unwrap returns what was tried.
func (e *UnknownError) Unwrap() []error { return e.Tried }

// clockSkew is how far a responder's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// defaultGrace is how long an answer without a next update is fresh.
const defaultGrace = 24 * time.Hour

// Check returns the answer that holds for the moment: of several the newest, but a
// revocation, which is for ever, before anything else, and of several of these the
// earliest. A suspension at the moment that ended in a revocation was never lifted, and is
// the answer too. The network is asked only if what is at hand is older than the moment,
// or is a suspension, which may have been lifted since; if it has nothing newer either,
// an answer at hand that is still fresh is enough. The error is an [*UnknownError] when
// there is none. An answer by which the certificate was good counts only if it is proven to
// be from when its signer could be relied on, see [Question]; else it is an
// [*UnprovenError] among what was tried.
func (c *Checker) Check(ctx context.Context, q Question) (*Answer, error) {
	if q.Certificate == nil || q.Issuer == nil || q.At.IsZero() || q.Now.IsZero() {
		return nil, errors.New("looking for revocation: Question.Certificate, Issuer, At or Now is not set")
	}
	return c.check(ctx, q, 0)
}

// maxDepth is how far responders are checked: the responder of a responder must be one
// that needs no check.
const maxDepth = 2

func (c *Checker) check(ctx context.Context, q Question, depth int) (*Answer, error) {
	s := &search{checker: c, question: q, depth: depth}
	s.read(q.Embedded, InFile)
	s.read(c.Given, Given)
	s.weigh(ctx)
	if best := s.best(); best != nil && best.At(q.At) != Suspended && (best.Status == Revoked || !best.ThisUpdate.Before(q.At)) {
		return best, nil
	}
	if c.Fetcher != nil && depth < maxDepth {
		s.fetch(ctx)
	}
	if best := s.best(); best != nil {
		return best, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("looking for revocation: %w", err)
	}
	return nil, &UnknownError{Certificate: q.Certificate, Tried: s.tried}
}

// search is one question being answered.
type search struct {
	checker  *Checker
	question Question
	depth    int
	atHand   []*Answer // what the evidence at hand says
	answers  []*Answer // what may be believed
	tried    []error
}

// best returns the answer to believe, nil if there is none.
func (s *search) best() (best *Answer) {
	for _, a := range s.answers {
		if best == nil || a.outweighs(best) {
			best = a
		}
	}
	if best == nil || best.Status != Revoked || best.At(s.question.At) == Revoked {
		return best
	}
	for _, a := range s.answers { // revoked later, after a suspension that was never lifted
		if a.At(s.question.At) == Suspended {
			return a
		}
	}
	return best
}

// outweighs says which of two answers is believed.
func (a *Answer) outweighs(other *Answer) bool {
	switch {
	case a.Status == Revoked && other.Status == Revoked:
		return a.RevokedAt.Before(other.RevokedAt)
	case a.Status == Revoked || other.Status == Revoked:
		return a.Status == Revoked
	case a.ThisUpdate.Equal(other.ThisUpdate):
		return a.Status == Suspended && other.Status != Suspended
	}
	return a.ThisUpdate.After(other.ThisUpdate)
}

// read finds out what evidence at hand says. A file may bring hundreds of lists of other
// issuers.
func (s *search) read(e Evidence, source string) {
	q := s.question
	for _, o := range e.OCSP {
		a, err := o.Answer(q.Certificate, q.Issuer, q.Others)
		s.keep(a, err, source)
	}
	for _, l := range e.CRLs {
		if l.Names(q.Certificate) {
			a, err := l.Answer(q.Certificate, q.Issuer)
			s.keep(a, err, source)
		}
	}
}

func (s *search) keep(a *Answer, err error, source string) {
	if err != nil {
		s.refuse(err, source)
		return
	}
	a.Source = source
	s.atHand = append(s.atHand, a)
}

// weigh looks which answers at hand may be believed, what outweighs the others first.
// Whether a good one is proven leads to the issuer's own evidence and on, and is not asked
// of those that an accepted one outweighs: with as many lists as archive timestamps, of
// which each is judged, that would take the third power of their number.
func (s *search) weigh(ctx context.Context) {
	slices.SortStableFunc(s.atHand, func(a, b *Answer) int {
		switch {
		case a.outweighs(b):
			return -1
		case b.outweighs(a):
			return 1
		}
		return 0
	})
	var good bool
	for _, a := range s.atHand {
		isGood := a.At(s.question.At) == Good
		if isGood && good {
			continue
		}
		accepted := s.add(ctx, a, nil, a.Source)
		good = good || isGood && accepted
	}
}

// add keeps an answer that may be believed, or why another may not.
func (s *search) add(ctx context.Context, a *Answer, err error, source string) (accepted bool) {
	if err == nil {
		a.Source = source
		err = s.unfit(ctx, a)
	}
	if err != nil {
		s.refuse(err, source)
		return false
	}
	s.answers = append(s.answers, a)
	return true
}

// refuse keeps why something is not believed, unless it is of another certificate.
func (s *search) refuse(err error, source string) {
	if !errors.Is(err, ErrOtherCertificate) {
		s.tried = append(s.tried, fmt.Errorf("%s: %w", source, err))
	}
}

// unfit says why an answer can't be believed.
func (s *search) unfit(ctx context.Context, a *Answer) error {
	q, grace := s.question, s.checker.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	latest := q.Now.Add(clockSkew)
	switch {
	case a.Status == Unknown:
		return errors.New("the responder does not know the certificate")
	case a.ThisUpdate.After(latest) || a.ProducedAt.After(latest):
		return fmt.Errorf("%s is of %s, which is not yet", a.Kind, day(a.ThisUpdate))
	case a.Status != Revoked && !a.Fresh(q.At, grace):
		return fmt.Errorf("%s of %s is too old for %s", a.Kind, day(a.ThisUpdate), day(q.At))
	case a.At(q.At) != Good: // bad news needs no proof: nobody gains by making it up
		return s.checkResponder(ctx, a, a.ProducedAt)
	}
	return s.unproven(ctx, a)
}

// unproven says why a good answer is not proven to be from when its signer could be
// relied on. That it says so itself is no proof.
func (s *search) unproven(ctx context.Context, a *Answer) error {
	at, err := s.question.proven(a)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", a.Kind, day(a.ThisUpdate), err)
	}
	if !a.Delegated(s.question.Issuer) {
		return nil
	}
	if at.After(a.Signer.NotAfter) {
		return &UnprovenError{fmt.Errorf("%s of %s: it is proven on %s, after the certificate of its responder ended", a.Kind, day(a.ThisUpdate), day(at))}
	}
	return s.checkResponder(ctx, a, at)
}

// checkResponder finds out whether the responder's own certificate was revoked at a
// moment.
func (s *search) checkResponder(ctx context.Context, a *Answer, at time.Time) error {
	if !a.NeedsCheck(s.question.Issuer) {
		return nil
	}
	if s.depth+1 >= maxDepth {
		return errors.New("the certificate of its responder may be revoked, and finding out leads to the next responder")
	}
	q := s.question
	q.Certificate, q.At = a.Signer, at
	q.Embedded.OCSP = nil // a responder does not speak for itself
	r, err := s.checker.check(ctx, q, s.depth+1)
	if err != nil {
		return fmt.Errorf("its responder: %w", err)
	}
	if status := r.At(at); status != Good {
		return &UnprovenError{fmt.Errorf("the certificate of its responder was %s on %s, and the answer is not proven to be older", status, day(r.RevokedAt))}
	}
	return nil
}

// fetch asks the network, OCSP first: it is smaller, and newer.
func (s *search) fetch(ctx context.Context) {
	q, f := s.question, s.checker.Fetcher
	if !slices.Contains([]int{0, 1}, s.depth) {
		return
	}
	for _, at := range first(q.Certificate.OCSPServer) {
		o, err := f.OCSP(ctx, at, q.Certificate, q.Issuer)
		if err != nil {
			s.tried = append(s.tried, err)
			continue
		}
		a, err := o.Answer(q.Certificate, q.Issuer, q.Others)
		if s.add(ctx, a, err, at) {
			return
		}
		if err != nil {
			s.tried = append(s.tried, fmt.Errorf("%s: %w", at, err))
		}
	}
	for _, at := range first(q.Certificate.CRLDistributionPoints) {
		l, err := f.CRL(ctx, at)
		if err != nil {
			s.tried = append(s.tried, err)
			continue
		}
		a, err := l.Answer(q.Certificate, q.Issuer)
		if s.add(ctx, a, err, at) {
			return
		}
	}
}
