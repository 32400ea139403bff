// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

// standing is what a certificate was worth at a moment.
type standing struct {
	sub      report.SubIndication // empty: everything is good
	reason   string
	trusted  bool // there is a chain to an anchor, all of it valid at the moment
	revoked  *revocation.Answer
	about    *report.Revocation // of the certificate itself; nil when nobody was asked
	warnings []report.Warning
}

// standing judges a certificate at a moment: its chain (RFC 5280, section 6.1), and
// whether any certificate of it was revoked (ETSI EN 319 102-1, clauses 5.2.6 and
// 5.2.7).
func (o Options) standing(c *x509.Certificate, m *material, at time.Time) standing {
	proven := o.proven.inhabited()
	q := asked{string(c.Raw), m, m.size(), proven, proven.version(), at.UnixNano()}
	return o.chains.remember(q, func() standing { return o.freshStanding(c, m, at) })
}

func (o Options) freshStanding(c *x509.Certificate, m *material, at time.Time) standing {
	if o.chains.exhausted() {
		return standing{sub: report.NoCertificateChainFound, reason: fmt.Sprintf("no chain was looked for: %d certificates of the file have none", maxFailedChains)}
	}
	if !o.work.allows(m.poolWork()) {
		return standing{sub: report.NoCertificateChainFound, reason: errWork.Error()}
	}
	chain := o.chain(c, m, at)
	switch chain.Status {
	case trust.Trusted:
		s := standing{trusted: true}
		o.checkPath(&s, chain.Path, m, at)
		return s
	case trust.OutOfBounds:
		return standing{sub: report.OutOfBoundsNoPOE, reason: chain.Reason}
	case trust.Violation:
		return standing{sub: report.ChainConstraintsFailure, reason: chain.Reason}
	}
	if o.Trust.Len() > 0 && len(m.certificates) > fewCertificates {
		o.chains.fail()
	}
	return standing{sub: report.NoCertificateChainFound, reason: chain.Reason}
}

// maxFailedChains is for how many certificates of a file with more than a few a chain is
// looked for in vain. With enough authorities of the same name in it, each takes hundreds
// of signatures.
const (
	maxFailedChains = 16
	fewCertificates = 64
)

// chains is what was found out about the certificates of a file, whose signers are often
// one and the same. Nil remembers nothing and has no limit.
type chains struct {
	known  map[asked]standing
	failed int // certificates without a chain
}

func newChains() *chains { return &chains{known: map[asked]standing{}} }

func (k *chains) fail() {
	if k != nil {
		k.failed++
	}
}

func (k *chains) exhausted() bool { return k != nil && k.failed >= maxFailedChains }

// asked is a question: what a certificate was worth at a moment, as far as the
// material of the file can tell and timestamps prove. Both only grow.
type asked struct {
	certificate string // raw
	material    *material
	size        int // of the material
	proven      *existence
	version     int // of what is proven
	at          int64
}

// remember answers again what was asked before.
func (k *chains) remember(q asked, find func() standing) standing {
	if k == nil || !q.material.shared {
		return find()
	}
	found, known := k.known[q]
	if !known {
		found = find()
		k.known[q] = found
	}
	return found
}

// chain looks for one with what is at hand, and then with the issuers that
// certificates say where to find.
func (o Options) chain(c *x509.Certificate, m *material, at time.Time) trust.Chain {
	chain := o.Trust.Chain(c, m.pool(), at)
	if chain.Status != trust.NoChain || o.Revocation == nil || o.Revocation.Fetcher == nil || o.Trust.Len() == 0 {
		return chain
	}
	const longest = 5 // certificates of a chain that are fetched
	for next := []*x509.Certificate{c}; len(next) > 0 && len(next) < longest && *o.fetches > 0; {
		*o.fetches--
		var found []*x509.Certificate
		_ = o.network.ask(o.ctx, func(ctx context.Context) (err error) {
			found, err = o.Revocation.Fetcher.Issuers(ctx, next[0])
			return err
		}) // what can't be fetched is as good as not named
		m.fetch(found)
		if next = found; len(found) > 0 {
			chain = o.Trust.Chain(c, m.pool(), at)
		}
		if chain.Status != trust.NoChain {
			break
		}
	}
	return chain
}

// checkPath looks at each certificate of a chain but its anchor, which nobody can revoke
// for us: whether it was revoked, whether its key was long enough, and whether it is
// proven to be from when its issuer could be relied on. What is wrong with an issuer is the
// reason why something below it is not proven, and is told instead.
func (o Options) checkPath(s *standing, path []*x509.Certificate, m *material, at time.Time) {
	if o.Revocation == nil {
		s.warn("revocationNotChecked", "whether the certificate was revoked or suspended was not checked")
	}
	for i := 0; i+1 < len(path) && (s.sub == "" || s.sub == report.NoPOE); i++ {
		if o.Revocation != nil {
			o.checkOne(s, path, i, m, at)
		}
		if reason := weakness(0, path[i], at); i > 0 && reason != "" && (s.sub == "" || s.sub == report.NoPOE) {
			s.sub, s.reason = report.CryptoConstraintsFailure, fmt.Sprintf("%s: %s", member(path[i], i), reason)
		}
		if since := o.certificateSince(path[i], m); since.After(at) && s.sub == "" {
			if err := o.stood(path[i+1:], m, since); err != nil {
				s.unproven(fmt.Errorf("%s: %w", member(path[i], i), err))
			}
		}
	}
}

// member says in words which certificate of a chain it is.
func member(c *x509.Certificate, i int) string {
	if i == 0 {
		return "the certificate"
	}
	return fmt.Sprintf("the certificate %q in the chain", cns.DistinguishedName(c.Subject))
}

// checkOne asks about one certificate of a chain.
func (o Options) checkOne(s *standing, path []*x509.Certificate, i int, m *material, at time.Time) {
	c := path[i]
	answer, err := o.ask(c, path[i+1:], m, at)
	if i == 0 {
		s.about = describeRevocation(answer)
	}
	if err != nil {
		s.unknown(c, err)
		return
	}
	who := member(c, i)
	switch answer.At(at) {
	case revocation.Good:
		if answer.Status == revocation.Revoked {
			s.warn("revokedLater", fmt.Sprintf("%s was revoked on %s, after the signature was made", who, answer.RevokedAt.UTC().Format(time.RFC3339)))
		}
	case revocation.Revoked:
		s.sub, s.revoked = report.RevokedNoPOE, answer
		if i > 0 {
			s.sub = report.RevokedCANoPOE
		}
		s.reason = fmt.Sprintf("%s was revoked on %s (%s)", who, answer.RevokedAt.UTC().Format(time.RFC3339), answer.Reason)
	case revocation.Suspended:
		s.sub, s.revoked = report.TryLater, answer
		s.reason = fmt.Sprintf("%s is suspended since %s: what was signed since counts only if the suspension is lifted (CAD, art. 24, 4-bis)",
			who, answer.RevokedAt.UTC().Format(time.RFC3339))
	default:
		s.sub, s.reason = report.TryLater, "the responder does not know "+who
	}
}

// describeRevocation is the report on an answer; nil is that there is none.
func describeRevocation(a *revocation.Answer) *report.Revocation {
	if a == nil {
		return &report.Revocation{Status: report.RevocationUnknown}
	}
	r := &report.Revocation{
		Status: report.RevocationStatus(a.Status.String()), Kind: string(a.Kind), Source: a.Source,
		ThisUpdate: a.ThisUpdate.UTC(), NextUpdate: a.NextUpdate.UTC(),
	}
	if a.Status == revocation.Revoked || a.Status == revocation.Suspended {
		r.RevokedAt, r.Reason = a.RevokedAt.UTC(), a.Reason.String()
	}
	return r
}

// unknown is for a certificate of which nothing was found out. One that names no place
// to ask never can be, which is said; where there is one, it has to be asked.
func (s *standing) unknown(c *x509.Certificate, err error) {
	if unaskable(c, err) {
		s.warn("revocationUnknown", fmt.Sprintf("whether the certificate of %q was revoked can't be found out: it names no place to ask", cns.DistinguishedName(c.Subject)))
		return
	}
	s.unproven(err)
}

// unaskable says whether nothing is known of a certificate because it names no place to
// ask.
func unaskable(c *x509.Certificate, err error) bool {
	var nothing *revocation.UnknownError
	return errors.As(err, &nothing) && nothing.Certificate == c && len(nothing.Tried) == 0 && len(c.OCSPServer) == 0 && len(c.CRLDistributionPoints) == 0
}

// unproven is for what is not proven: to be from when it counted, or at all.
func (s *standing) unproven(err error) {
	if s.sub != "" {
		return
	}
	s.sub, s.reason = report.TryLater, err.Error()
	if errors.As(err, new(*revocation.UnprovenError)) {
		s.sub = report.NoPOE
	}
}

func (s *standing) warn(code, message string) {
	s.warnings = append(s.warnings, report.Warning{Code: code, Message: message})
}
