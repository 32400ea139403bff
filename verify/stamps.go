// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/report"
)

// stamp is a timestamp found in a file, with the facts about it.
type stamp struct {
	kind  report.TimestampKind
	token *timestamp.Token // nil: it can't be read
	err   error            // why it says nothing of what it is found with
	wraps [][]byte         // tokens of other timestamps that it covers too
	holds []digest         // certificates and revocation values that it covers
	of    *stamp           // itself, when it was found, with what it holds beside this
	sound bool             // nothing is wrong with it itself, whoever made it

	authority *x509.Certificate // who made it, once it was judged
	answer    *report.Timestamp
}

// newStamp reads a token and compares it with what it has to be of: imprint
// returns that digest.
func newStamp(kind report.TimestampKind, raw []byte, imprint func(crypto.Hash) ([]byte, error)) *stamp {
	s := &stamp{kind: kind}
	if s.token, s.err = timestamp.Parse(raw); s.err != nil {
		return s
	}
	h := s.token.Info.Hash
	if h == 0 {
		s.err = fmt.Errorf("its digest algorithm %v is not known", s.token.Info.HashAlgorithm)
		return s
	}
	digest, err := imprint(h)
	switch {
	case err != nil:
		s.err = err
	case !s.token.CoversDigest(digest):
		s.err = errImprint
	}
	return s
}

var errImprint = errors.New("it is of something else: what it covers was changed, or it belongs to another file")

// cmsStamps finds the timestamps of a signer of a SignedData.
func (o Options) cmsStamps(sd *cms.SignedData, info *cms.SignerInfo) []*stamp {
	var list []*stamp
	for _, t := range info.Timestamps() {
		units := stampWork + len(list) // each is compared with each
		if t.Kind == cms.ArchiveTimestamp {
			units += keptBytes(sd, info) / unitBytes
		}
		if !o.work.allows(units) {
			return append(list, &stamp{kind: report.SignatureTimestamp, err: errWork})
		}
		list = append(list, cmsStamp(sd, info, t))
	}
	return list
}

// keptBytes is how much an archive timestamp has to be compared with.
func keptBytes(sd *cms.SignedData, info *cms.SignerInfo) (total int) {
	for _, c := range sd.Certificates {
		total += len(c.Raw)
	}
	for _, l := range sd.CRLs {
		total += len(l)
	}
	for _, a := range info.UnsignedAttributes {
		total += len(a.Raw)
	}
	return total
}

// stampHashes returns the digests of the content that timestamps need and that were not
// computed, as far as the first ones tell.
func stampHashes(sd *cms.SignedData) (missing []crypto.Hash) {
	left := maxWork / stampWork
	for _, info := range sd.Signers {
		for _, t := range info.Timestamps() {
			if t.Kind != cms.ContentTimestamp && t.Kind != cms.ArchiveTimestamp {
				continue
			}
			if left--; left < 0 {
				return missing
			}
			token, err := timestamp.Parse(t.Token)
			if err == nil && token.Info.Hash != 0 && sd.ContentDigest(token.Info.Hash) == nil && !slices.Contains(missing, token.Info.Hash) {
				missing = append(missing, token.Info.Hash)
			}
		}
	}
	return missing
}

func cmsStamp(sd *cms.SignedData, info *cms.SignerInfo, t cms.Timestamp) *stamp {
	switch t.Kind {
	case cms.ContentTimestamp:
		return newStamp(report.ContentTimestamp, t.Token, func(h crypto.Hash) ([]byte, error) {
			if digest := sd.ContentDigest(h); digest != nil {
				return digest, nil
			}
			return nil, fmt.Errorf("the digest %v of the content was not computed", h)
		})
	case cms.SignatureTimestamp:
		return newStamp(report.SignatureTimestamp, t.Token, func(h crypto.Hash) ([]byte, error) { return digestOf(h, info.Signature), nil })
	case cms.ArchiveTimestamp:
		return archiveStamp(sd, info, t)
	}
	s := newStamp(report.ArchiveTimestamp, t.Token, func(crypto.Hash) ([]byte, error) { return nil, nil })
	s.err = errors.New("it is of a form that is no longer in use (archive-time-stamp before version 3) and was not checked")
	return s
}

func archiveStamp(sd *cms.SignedData, info *cms.SignerInfo, t cms.Timestamp) *stamp {
	archive, err := sd.Archive(info, t.Token)
	s := newStamp(report.ArchiveTimestamp, t.Token, func(h crypto.Hash) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return sd.ArchiveDigest(info, archive.Index, h)
	})
	if s.err == nil {
		s.wraps, s.holds = archive.Attributes, archiveDigests(info, archive)
	}
	return s
}

func digestOf(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// around returns s as one that covers these timestamps too, because it covers all that
// they are in, and whatever else is named. What it holds itself was learnt before.
func (s *stamp) around(inner []*stamp, held []digest) *stamp {
	covering := *s
	covering.of, covering.wraps, covering.holds = s, slices.Clone(s.wraps), slices.Clone(held)
	for _, t := range inner {
		if t.token != nil {
			covering.wraps = append(covering.wraps, t.token.Raw)
			covering.holds = append(covering.holds, tokenDigests(t.token)...)
		}
	}
	return &covering
}

// within adds to the timestamps of a signature those of the files that it stands in, which
// cover all that is in it.
func (o Options) within(own []*stamp, m *material) []*stamp {
	if len(o.outer) == 0 {
		return own
	}
	if !o.work.allows(m.size() * len(o.outer) / unitSteps) {
		return append(own, &stamp{kind: report.FileTimestamp, err: errWork})
	}
	all, held := own, m.all()
	for _, s := range o.outer {
		if s.kind == report.ArchiveTimestamp {
			all = append(all, s.around(own, s.holds)) // of the file it holds what its index names
		} else {
			all = append(all, s.around(own, held))
		}
	}
	return all
}

// archiving returns the archive timestamps that cover a counter-signature.
func archiving(stamps []*stamp, counter *cms.SignerInfo) (list []*stamp) {
	for _, s := range stamps {
		covers := func(value []byte) bool { return bytes.Equal(value, counter.Raw) }
		if s.kind == report.ArchiveTimestamp && s.err == nil && slices.ContainsFunc(s.wraps, covers) {
			list = append(list, s)
		}
	}
	return list
}

// covers says whether s covers another timestamp.
func (s *stamp) covers(other *stamp) bool {
	if s.err != nil || other.token == nil {
		return false
	}
	for _, raw := range s.wraps {
		if bytes.Equal(raw, other.token.Raw) {
			return true
		}
	}
	return false
}

// judgeStamps judges timestamps, the latest one first: each at the time when those that
// cover it prove that it was there (ETSI EN 319 102-1, clause 5.6.2.4), others at the
// moment of the verdict. What each proves is added to what is known to be there. Where a
// timestamp stands in its file says nothing: attributes may be in any order.
func (o Options) judgeStamps(stamps []*stamp, m *material) []*report.Timestamp {
	for _, s := range stamps {
		if s.answer != nil { // judged before, with the rest of the document
			o.proven.learn(s)
		}
	}
	for _, s := range latestFirst(stamps) {
		if s.answer != nil {
			continue
		}
		at := o.at().Time
		for _, other := range stamps {
			if other.proves() && other.covers(s) && other.latest().Before(at) {
				at = other.latest()
			}
		}
		s.judge(o, m, at)
		o.proven.learn(s)
	}
	var answers []*report.Timestamp
	for i, s := range stamps {
		if s.answer.ID == "" {
			s.answer.ID = fmt.Sprintf("T%d", i+1)
		}
		answers = append(answers, s.answer)
	}
	return answers
}

// latestFirst sorts timestamps so that each comes after those that cover it. Of those of
// one second the one that covers more is the later one.
func latestFirst(stamps []*stamp) []*stamp {
	sorted := slices.Clone(stamps)
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, func(a, b *stamp) int {
		return cmp.Or(b.time().Compare(a.time()), cmp.Compare(len(b.wraps), len(a.wraps)))
	})
	return sorted
}

// time is what the token states, zero for one that can't be read.
func (s *stamp) time() time.Time {
	if s.token == nil {
		return time.Time{}
	}
	return s.token.Info.Time
}

// accuracy is by how much the authority says that its clock may be off, either way; not at
// all where it doesn't say (RFC 3161, section 2.4.2).
func (s *stamp) accuracy() time.Duration {
	if s.token == nil || s.token.Info.Accuracy == nil {
		return 0
	}
	return *s.token.Info.Accuracy
}

// latest is the latest that a timestamp may have been made. It proves that what it covers
// was there by then, and not sooner.
func (s *stamp) latest() time.Time { return s.time().Add(s.accuracy()).UTC() }

// earliest is the earliest that it may have been made. What covers it was made after that.
func (s *stamp) earliest() time.Time { return s.time().Add(-s.accuracy()).UTC() }

// proves says whether a timestamp is proof of what it covers.
func (s *stamp) proves() bool { return s.answer != nil && s.answer.Verdict == report.Valid }

// judge gives a timestamp its verdict as of a moment (ETSI EN 319 102-1, clause 5.4).
func (s *stamp) judge(o Options, m *material, at time.Time) {
	s.answer = &report.Timestamp{Kind: s.kind, Verdict: report.Indeterminate, Integrity: report.IntegrityUnknown}
	switch {
	case errors.Is(s.err, errOtherEvidence), errors.Is(s.err, errWork):
		s.open(report.SigConstraintsFailure, s.err.Error())
		return
	case s.token == nil:
		s.fail(report.FormatFailure, fmt.Sprintf("it can't be read: %v", s.err))
		return
	}
	s.describe()
	if !o.work.allows(len(m.certificates)) {
		s.open(report.SigConstraintsFailure, errWork.Error())
		return
	}
	own := m.clone()
	own.addToken(s.token)
	check := s.token.Check(own.certificates...)
	if check.Signature != nil && check.Signature.Certificate != nil {
		s.authority = check.Signature.Certificate
		s.answer.Authority = cns.DistinguishedName(check.Signature.Certificate.Subject)
	}
	switch {
	case check.Signature != nil && integrity(check.Signature) == report.Broken:
		s.fail(report.SigCryptoFailure, "its own signature is broken")
	case errors.Is(s.err, errImprint), errors.Is(s.err, errAnother):
		s.fail(report.HashFailure, s.err.Error())
	case errors.As(s.err, new(*brokenError)):
		s.fail(report.FormatFailure, s.err.Error())
	case errors.As(s.err, new(*missingError)):
		s.open(report.SignedDataNotFound, s.err.Error())
	case s.err != nil:
		s.open(report.SigConstraintsFailure, s.err.Error())
	case check.Err() != nil:
		s.open(report.SigConstraintsFailure, check.Err().Error())
	default:
		s.sound, s.answer.Integrity = true, report.Intact
		s.judgeAuthority(o, check.Signature, own, at)
	}
}

// judgeAuthority asks whether the authority could be relied on at a moment.
func (s *stamp) judgeAuthority(o Options, c *cms.Check, m *material, at time.Time) {
	for _, h := range []crypto.Hash{c.Signer.Hash(), s.token.Info.Hash} {
		if reason := weakness(h, c.Certificate, at); reason != "" {
			s.open(report.CryptoConstraintsFailure, reason)
			return
		}
	}
	o.proven.add(m.digest(c.Certificate.Raw), at)  // the ESSCertID names it
	found := o.freshStanding(c.Certificate, m, at) // the material is of this token alone
	s.answer.Warnings = found.warnings
	switch {
	case found.sub != "":
		s.open(found.sub, "the authority's certificate: "+found.reason)
	case s.answer.Time.After(o.Now.Add(clockSkew)):
		s.open(report.SigConstraintsFailure, "its time is not yet")
	default:
		s.answer.Verdict = report.Valid
	}
}

// clockSkew is how far an authority's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// describe fills in what the token says of itself.
func (s *stamp) describe() {
	info := s.token.Info
	s.answer.Time, s.answer.Serial = info.Time.UTC(), fmt.Sprintf("%X", info.SerialNumber)
	s.answer.Accuracy = s.accuracy().Seconds()
	if info.Policy != nil {
		s.answer.Policy = info.Policy.String()
	}
}

func (s *stamp) fail(sub report.SubIndication, reason string) {
	s.answer.Verdict, s.answer.SubIndication, s.answer.Reason = report.Invalid, sub, reason
	s.answer.Integrity = report.Broken
}

func (s *stamp) open(sub report.SubIndication, reason string) {
	s.answer.Verdict, s.answer.SubIndication, s.answer.Reason = report.Indeterminate, sub, reason
}

// proven returns the earliest time by which a signature is proven to have existed,
// nil without a good timestamp.
func proven(stamps []*stamp) *report.BestTime {
	var best *report.BestTime
	for _, s := range stamps {
		if s.kind == report.ContentTimestamp || !s.proves() {
			continue
		}
		if best == nil || s.latest().Before(best.Time) {
			best = &report.BestTime{Time: s.latest(), Source: report.FromTimestamp}
		}
	}
	return best
}

// notBefore returns the earliest that the last content timestamp may have been made: the
// signature was made after it. Zero without one.
func notBefore(stamps []*stamp) (latest time.Time) {
	for _, s := range stamps {
		if s.kind == report.ContentTimestamp && s.proves() && s.earliest().After(latest) {
			latest = s.earliest()
		}
	}
	return latest
}

// inOrder checks that no timestamp is older than what it covers (ETSI EN 319 102-1,
// clause 5.5.4, step 3). Where they differ by less than both clocks may be off together
// their order is not known, and not wrong (RFC 3161, section 2.4.2).
func inOrder(stamps []*stamp) (string, bool) {
	earliest := notBefore(stamps)
	for _, s := range stamps {
		if s.kind != report.ContentTimestamp && s.proves() && s.latest().Before(earliest) {
			return fmt.Sprintf("the timestamp of %s is older than the timestamp of the content, %s, which was there before", day(s.answer.Time), day(earliest)), false
		}
		for _, other := range stamps {
			if s.proves() && other.proves() && s.covers(other) && s.latest().Before(other.earliest()) {
				return fmt.Sprintf("the timestamp of %s covers one that is newer, of %s", day(s.answer.Time), day(other.answer.Time)), false
			}
		}
	}
	return "", true
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
