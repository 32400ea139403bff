// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/revocation"
)

// digest names a certificate or a revocation value.
type digest = [sha256.Size]byte

// existence is what good timestamps prove of certificates and revocation values: since
// when each is there (the set of POEs of ETSI EN 319 102-1, clause 5.6.2.3). What is not
// in it is proven to be there now and no sooner, whatever date it bears.
type existence struct {
	outer  *existence // what was proven before; may be nil
	since  map[digest]time.Time
	learnt int // how often since changed
	relied map[reliance]error
}

// reliance is the question whether a certificate could be relied on at a moment.
type reliance struct {
	by          *material
	certificate string
	at          time.Time
}

// within returns one that knows what e knows, and learns by itself.
func (e *existence) within() *existence {
	return &existence{outer: e, since: map[digest]time.Time{}, relied: map[reliance]error{}}
}

// learn adds what a timestamp proves.
func (e *existence) learn(s *stamp) {
	if !s.proves() {
		return
	}
	at := s.latest()
	for _, d := range s.holds {
		e.add(d, at)
	}
}

func (e *existence) add(d digest, at time.Time) {
	if known, ok := e.since[d]; !ok || at.Before(known) {
		e.since[d] = at
		e.learnt++
		clear(e.relied)
	}
}

// version grows with everything that e learns.
func (e *existence) version() (n int) {
	for ; e != nil; e = e.outer {
		n += e.learnt
	}
	return n
}

// inhabited is e without the layers at its end in which nothing is proven.
func (e *existence) inhabited() *existence {
	for e != nil && len(e.since) == 0 {
		e = e.outer
	}
	return e
}

// empty says whether nothing is proven.
func (e *existence) empty() bool { return e.inhabited() == nil }

// find returns since when something is proven to be there, or the moment given if that
// is earlier or nothing is proven.
func (e *existence) find(d digest, otherwise time.Time) time.Time {
	for ; e != nil; e = e.outer {
		if at, ok := e.since[d]; ok && at.Before(otherwise) {
			otherwise = at
		}
	}
	return otherwise
}

// digestsOf names what stands somewhere. OCSP responses are named with their envelope, as
// answers have them.
func digestsOf(certificates []*cms.Certificate, r cms.Revocation) (list []digest) {
	for _, c := range certificates {
		list = append(list, sha256.Sum256(c.Raw))
	}
	for _, der := range r.CRLs {
		list = append(list, sha256.Sum256(der))
	}
	for _, der := range r.OCSP {
		list = append(list, sha256.Sum256(der))
	}
	for _, der := range r.Basic {
		if o, err := revocation.ParseBasicOCSP(der); err == nil {
			list = append(list, sha256.Sum256(o.Raw))
		}
	}
	return list
}

// tokenDigests names what stands in a timestamp token.
func tokenDigests(t *timestamp.Token) []digest { return signedDataDigests(t.SignedData) }

// signedDataDigests names what stands in a SignedData, as helpers of its signers.
func signedDataDigests(sd *cms.SignedData) []digest {
	list := digestsOf(sd.Certificates, sd.Revocation())
	for _, s := range sd.Signers {
		list = append(list, digestsOf(s.CertificateValues(), s.Revocation())...)
	}
	return list
}

// archiveDigests names what an archive timestamp covers, as far as its index names it.
func archiveDigests(info *cms.SignerInfo, a *cms.Archive) []digest {
	var bag []*cms.Certificate
	for _, der := range a.Certificates {
		bag = append(bag, &cms.Certificate{Raw: der})
	}
	list := digestsOf(bag, (&cms.SignedData{CRLs: a.CRLs}).Revocation())
	covered := coveredAttributes(info, a)
	list = append(list, digestsOf(covered.CertificateValues(), covered.Revocation())...)
	for _, t := range covered.Timestamps() {
		if token, err := timestamp.Parse(t.Token); err == nil {
			list = append(list, tokenDigests(token)...)
		}
	}
	return list
}

// coveredAttributes is a signer with those unsigned attributes alone that an archive
// timestamp covers.
func coveredAttributes(info *cms.SignerInfo, a *cms.Archive) *cms.SignerInfo {
	named := map[string]bool{}
	for _, value := range a.Attributes {
		named[string(value)] = true
	}
	covered := &cms.SignerInfo{}
	for _, attribute := range info.UnsignedAttributes {
		kept := cms.Attribute{Type: attribute.Type}
		for _, value := range attribute.Values {
			if named[string(value)] {
				kept.Values = append(kept.Values, value)
			}
		}
		covered.UnsignedAttributes = append(covered.UnsignedAttributes, kept)
	}
	return covered
}

// certificateSince is when a certificate is proven to be there. Whoever gives
// [Options.Time] says that the file was there then.
func (o Options) certificateSince(c *x509.Certificate, m *material) time.Time {
	at := o.Now
	if !o.Time.IsZero() && o.Time.Before(at) && !slices.ContainsFunc(m.fetched, c.Equal) {
		at = o.Time
	}
	if o.proven.empty() {
		return at
	}
	return o.proven.find(m.digest(c.Raw), at)
}

// answerSince is when an answer is proven to be there, and the certificate of its
// responder. With [Options.Time] evidence at hand that bears no later date is taken to have
// been there then too.
func (o Options) answerSince(a *revocation.Answer, issuer *x509.Certificate, m *material) time.Time {
	at := o.Now
	atHand := a.Source == revocation.InFile || a.Source == revocation.Given
	if atHand && !o.Time.IsZero() && o.Time.Before(at) && !a.ProducedAt.After(o.Time) {
		at = o.Time
	}
	if o.proven.empty() {
		return at
	}
	at = o.proven.find(m.digest(a.Raw), at)
	if a.Delegated(issuer) && !bytes.Contains(a.Raw, a.Signer.Raw) {
		at = latest(at, o.certificateSince(a.Signer, m)) // the answer does not hold it
	}
	return at
}

// stood says why an issuer could not be relied on at a moment for what it had signed by
// then, nil if it could. Path is its certificate and those above it, the anchor last. A key
// whose certificate ended, or was revoked, or that became too short, may be in anybody's
// hands, and then what it signs proves nothing (ETSI EN 319 102-1, clause 5.6.2.2: from the
// anchor down, what each step rests on has to be proven older than the end of the one
// above). The error is a [*revocation.UnprovenError] unless nothing could be found out.
func (o Options) stood(path []*x509.Certificate, m *material, at time.Time) error {
	q := reliance{m, string(path[0].Raw), at}
	if err, known := o.proven.relied[q]; known {
		return err
	}
	err := o.lookWhetherStood(path, m, at)
	o.proven.relied[q] = err
	return err
}

func (o Options) lookWhetherStood(path []*x509.Certificate, m *material, at time.Time) error {
	issuer := path[0]
	who := cns.DistinguishedName(issuer.Subject)
	if at.After(issuer.NotAfter) {
		return unproven("the certificate of its issuer %q ended on %s, and it is proven to be there only since %s", who, day(issuer.NotAfter), day(at))
	}
	if len(path) == 1 {
		return nil
	}
	if reason := weakness(0, issuer, at); reason != "" {
		return unproven("its issuer %q: %s, and it is proven to be there only since %s", who, reason, day(at))
	}
	if o.Revocation != nil {
		answer, err := o.ask(issuer, path[1:], m, at)
		switch {
		case err != nil && unaskable(issuer, err):
		case err != nil:
			return fmt.Errorf("its issuer: %w", err)
		case answer.At(at) != revocation.Good:
			return unproven("its issuer %q was %s on %s, and it is proven to be there only since %s", who, answer.Status, day(answer.RevokedAt), day(at))
		}
	}
	return o.stood(path[1:], m, latest(at, o.certificateSince(issuer, m)))
}

// weakResponder says why the key of a responder could not be relied on at a moment, nil if
// it could. That of an issuer is looked at with its chain.
func weakResponder(a *revocation.Answer, issuer *x509.Certificate, at time.Time) error {
	if !a.Delegated(issuer) {
		return nil
	}
	if reason := weakness(0, a.Signer, at); reason != "" {
		return unproven("its responder %q: %s, and it is proven to be there only since %s", cns.DistinguishedName(a.Signer.Subject), reason, day(at))
	}
	return nil
}

func unproven(format string, values ...any) error {
	return &revocation.UnprovenError{Err: fmt.Errorf(format, values...)}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ask looks for what is known of a certificate as of a moment. Above it are its issuer's,
// the anchor last.
func (o Options) ask(c *x509.Certificate, above []*x509.Certificate, m *material, at time.Time) (answer *revocation.Answer, err error) {
	about := m.revocation.About(c)
	if !o.work.allows(m.size()/unitSteps + len(about.CRLs) + len(about.OCSP)*(1+len(m.certificates)/unitNames)) {
		return nil, errWork
	}
	err = o.network.ask(o.ctx, func(ctx context.Context) (err error) {
		answer, err = o.Revocation.Check(ctx, revocation.Question{
			Certificate: c, Issuer: above[0], At: at, Now: o.Now, Embedded: about, Others: m.certificates,
			Proven: func(a *revocation.Answer) (time.Time, error) {
				since := o.answerSince(a, above[0], m)
				if err := weakResponder(a, above[0], since); err != nil {
					return since, err
				}
				return since, o.stood(above, m, since)
			},
		})
		return err
	})
	return answer, err
}
