// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/x509"
	"slices"

	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
)

// raiseLevel names the level that the timestamps and revocation values of a B-B
// signature make it (ETSI EN 319 122-1, clause 6.1; EN 319 142-1, clause 6.1). B-LT is
// claimed when there are values about the signer's certificate and about those of the
// authorities that stamped the signature, B-LTA when an archive or document timestamp
// covers such values for all that it covers. The level says what is there, and not whether
// it is any good: that is the verdict's.
func raiseLevel(s *report.Signature, signer *x509.Certificate, stamps []*stamp, m *material) {
	good := slices.DeleteFunc(slices.Clone(stamps), func(t *stamp) bool {
		return !t.sound || t.kind == report.ContentTimestamp || t.kind == report.FileTimestamp
	})
	good = firstAndLast(good)
	stamped := slices.ContainsFunc(good, func(t *stamp) bool { return t.kind != report.ArchiveTimestamp })
	if s.Level != "B-B" || signer == nil || !stamped {
		return
	}
	m = m.clone()
	for _, t := range good {
		m.addToken(t.token)
	}
	switch {
	case !m.proves(signer, good, nil):
		s.Level = "B-T"
	case slices.ContainsFunc(good, func(t *stamp) bool { return t.archives(signer, good, m) }):
		s.Level = "B-LTA"
	default:
		s.Level = "B-LT"
	}
}

// maxLevelStamps is how many timestamps of a signature count for its level, half of them
// the first and half the last: each is compared with each.
const maxLevelStamps = 32

// firstAndLast leaves out what lies between: the first are those of the signature itself,
// and the last hold what all before them left in the file.
func firstAndLast(list []*stamp) []*stamp {
	if len(list) <= maxLevelStamps {
		return list
	}
	slices.SortStableFunc(list, func(a, b *stamp) int { return a.token.Info.Time.Compare(b.token.Info.Time) })
	return slices.Delete(list, maxLevelStamps/2, len(list)-maxLevelStamps/2)
}

// archives says whether a timestamp covers the values for all that it covers.
func (s *stamp) archives(signer *x509.Certificate, all []*stamp, m *material) bool {
	if s.kind == report.SignatureTimestamp {
		return false
	}
	covered := slices.DeleteFunc(slices.Clone(all), func(t *stamp) bool { return !s.covers(t) })
	return m.proves(signer, covered, s)
}

// proves says whether there are revocation values about a signer's certificate and about
// those of the authorities of its signature timestamps, or, when they have to be held by a
// timestamp, of all that are given. What such values would say can't be asked where a
// certificate names no place to ask.
func (m *material) proves(signer *x509.Certificate, stamps []*stamp, by *stamp) bool {
	wanted := []*x509.Certificate{signer}
	for _, t := range stamps {
		if t.authority != nil && (by != nil || t.kind == report.SignatureTimestamp) {
			wanted = append(wanted, t.authority)
		}
	}
	known := 0
	for _, c := range wanted {
		switch {
		case m.speaksOf(c, by):
			known++
		case len(c.OCSPServer)+len(c.CRLDistributionPoints) > 0, m.speaksOf(c, nil):
			return false
		}
	}
	return known > 0
}

// speaksOf says whether there is a value that claims to be about a certificate; with by,
// one that this timestamp holds.
func (m *material) speaksOf(c *x509.Certificate, by *stamp) bool {
	return slices.ContainsFunc(m.revocation.OCSP, func(o *revocation.OCSP) bool { return o.Names(c) && by.hasOf(m.digest(o.Raw)) }) ||
		slices.ContainsFunc(m.revocation.CRLs, func(l *revocation.CRL) bool { return l.Names(c) && by.hasOf(m.digest(l.Raw())) })
}

// hasOf says whether a timestamp covers a value; nil is any.
func (s *stamp) hasOf(d digest) bool {
	return s == nil || slices.Contains(s.holds, d) || s.of != nil && s.of.hasOf(d)
}
