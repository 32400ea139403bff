// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify/report"
)

// judge gives one signer of a SignedData its verdict (ETSI EN 319 102-1,
// clause 5.3). The first thing that is wrong decides. The signature may rest on a
// digest besides its own.
func judge(sd *cms.SignedData, c *cms.Check, m *material, stamps []*stamp, o Options, besides ...crypto.Hash) *report.Signature {
	s := &report.Signature{
		Format:    "CAdES",
		BestTime:  o.at(),
		Integrity: integrity(c),
		Covers:    report.WholeFile,
	}
	describe(s, c)
	describeProfile(s, sd, c)
	leaveOpen(s, report.SigConstraintsFailure, "the signature could not be computed") // until something is known
	switch {
	case found(s, c, failures, fail), found(s, c, gaps, leaveOpen), s.Integrity != report.Intact:
		return s
	}
	signer := signer{certificate: c.Certificate, bound: c.Referenced}
	conclude(s, signer, m, stamps, o, append(besides, c.Signer.Hash())...)
	return s
}

// signer is whose signature it is.
type signer struct {
	certificate *x509.Certificate
	bound       bool // the signature covers it, or its digest: it is as old as the signature
}

// conclude judges a signature whose arithmetic is right: when it was made, as far as
// timestamps prove it, how strong its algorithms were then, and what the certificate was
// worth (ETSI EN 319 102-1, clauses 5.5 and 5.6).
func conclude(s *report.Signature, who signer, m *material, stamps []*stamp, o Options, digests ...crypto.Hash) {
	o.proven = o.proven.within()
	o.judgeStamps(stamps, m)
	s.Timestamps = own(stamps)
	sayBadStamps(s)
	if best := proven(stamps); best != nil && best.Time.Before(s.BestTime.Time) {
		s.BestTime = best
	}
	sayWrongClaim(s, who.certificate)
	if reason, ok := inOrder(stamps); !ok {
		leaveOpen(s, report.TimestampOrderFailure, reason)
		return
	}
	after := notBefore(stamps)
	if who.bound && s.BestTime.Source == report.FromTimestamp {
		o.proven.add(m.digest(who.certificate.Raw), s.BestTime.Time)
	}
	if weakAlgorithm(s, who.certificate, digests, after) || !trusted(s, who.certificate, m, o, after) || !maySign(s, who.certificate) {
		return
	}
	s.Verdict, s.Indication, s.SubIndication, s.Reason = report.Valid, report.TotalPassed, "", ""
}

// own leaves out the timestamps that are reported for what the signature stands in.
func own(all []*stamp) (list []*report.Timestamp) {
	for _, s := range all {
		if s.of == nil {
			list = append(list, s.answer)
		}
	}
	return list
}

// sayBadStamps warns of timestamps that prove nothing. They don't make a signature
// worse than it is without them: anybody could have put them there.
func sayBadStamps(s *report.Signature) {
	for _, t := range s.Timestamps {
		if t.Verdict != report.Valid {
			warn(s, "timestampProvesNothing", fmt.Sprintf("timestamp %s proves nothing: %s", t.ID, t.Reason))
		}
	}
}

// integrity is the arithmetic of a check and nothing else.
func integrity(c *cms.Check) report.Integrity {
	for _, p := range []cms.Problem{
		cms.DigestMismatch, cms.SignatureMismatch, cms.DigestAlgorithmDiffers,
		cms.AttributesRequired, cms.AttributesAsContent, cms.MessageDigestMissing,
	} {
		if c.Has(p) {
			return report.Broken
		}
	}
	if c.ValueMatches && c.ContentDigest != nil {
		return report.Intact
	}
	return report.IntegrityUnknown
}

// meaning is what a problem says of the whole signature.
type meaning struct {
	problem cms.Problem
	sub     report.SubIndication
}

// failures are the problems that make a signature invalid, in the order of
// EN 319 102-1: what the first one says is the reason.
//
// A certificate that isn't the one the signer bound to the signature is
// NO_SIGNING_CERTIFICATE_FOUND there, which would leave the verdict open. RFC
// 5035, section 5.4, is stricter and is followed: the signature is invalid.
var failures = []meaning{
	{cms.Malformed, report.FormatFailure},
	{cms.DigestMismatch, report.HashFailure},
	{cms.AttributesRequired, report.FormatFailure},
	{cms.AttributesAsContent, report.FormatFailure},
	{cms.SignatureMismatch, report.SigCryptoFailure},
	{cms.DigestAlgorithmDiffers, report.SigCryptoFailure},
	{cms.CertificateSwapped, report.NoSigningCertificateFound},
	{cms.ContentTypeMissing, report.FormatFailure},
	{cms.ContentTypeMismatch, report.FormatFailure},
	{cms.MessageDigestMissing, report.FormatFailure},
	{cms.AttributeInvalid, report.FormatFailure},
}

// gaps are the problems that leave a verdict open.
var gaps = []meaning{
	{cms.ContentMissing, report.SignedDataNotFound},
	{cms.CertificateMissing, report.NoSigningCertificateFound},
	{cms.CertificateUnreadable, report.NoSigningCertificateFound},
	{cms.AlgorithmUnsupported, report.CryptoConstraintsFailure},
	{cms.ReferenceUnreadable, report.SigConstraintsFailure},
}

// found applies the first meaning whose problem a check found.
func found(s *report.Signature, c *cms.Check, meanings []meaning, apply func(*report.Signature, report.SubIndication, string)) bool {
	for _, m := range meanings {
		if f := c.Find(m.problem); f != nil {
			apply(s, m.sub, f.Detail)
			return true
		}
	}
	return false
}

// sayWrongClaim warns of a signing time that can't be true. It proves nothing either way, and
// people read it.
func sayWrongClaim(s *report.Signature, signer *x509.Certificate) {
	if s.ClaimedTime == nil {
		return
	}
	claimed := *s.ClaimedTime
	switch best := s.BestTime; {
	case claimed.After(best.Time.Add(clockSkew)):
		warn(s, "claimedTimeWrong", fmt.Sprintf("the signer claims to have signed on %s, and the signature was there on %s", day(claimed), day(best.Time)))
	case claimed.Before(signer.NotBefore):
		warn(s, "claimedTimeWrong", fmt.Sprintf("the signer claims to have signed on %s, before the certificate was valid", day(claimed)))
	case claimed.After(signer.NotAfter):
		warn(s, "claimedTimeWrong", fmt.Sprintf("the signer claims to have signed on %s, when the certificate had expired", day(claimed)))
	}
}

// weakAlgorithm stops at algorithms that could not be relied on any more at the time
// of the verdict. If the signature was proven to be made after that there is nothing
// left to prove.
func weakAlgorithm(s *report.Signature, signer *x509.Certificate, digests []crypto.Hash, after time.Time) bool {
	for _, h := range digests {
		if reason := weakness(h, signer, s.BestTime.Time); reason != "" {
			sub := report.CryptoConstraintsNoPOE
			if weakness(h, signer, after) != "" {
				sub = report.CryptoConstraintsFailure
			}
			leaveOpen(s, sub, reason)
			return true
		}
	}
	return false
}

// trusted asks what the certificate was worth at the time of the verdict, and fills
// in the answer. After is when the signature was not yet made.
func trusted(s *report.Signature, signer *x509.Certificate, m *material, o Options, after time.Time) bool {
	at := s.BestTime.Time
	found := o.standing(signer, m, at)
	s.Trusted, s.Revocation = found.trusted, found.about
	s.Warnings = append(s.Warnings, found.warnings...)
	switch {
	case found.sub == "":
		return true
	case found.sub == report.OutOfBoundsNoPOE && s.BestTime.Source == report.FromTimestamp && at.Before(signer.NotBefore):
		fail(s, report.NotYetValid, fmt.Sprintf("the signature was there on %s, before its certificate was valid", day(at)))
	case found.sub == report.OutOfBoundsNoPOE && after.After(signer.NotAfter):
		fail(s, report.Expired, fmt.Sprintf("the signature was made after %s, when its certificate had expired", day(after)))
	case found.sub == report.RevokedNoPOE && !after.Before(found.revoked.RevokedAt):
		fail(s, report.Revoked, fmt.Sprintf("the signature was made after %s, when its certificate was revoked", day(after)))
	default:
		leaveOpen(s, found.sub, found.reason)
	}
	return false
}

// maySign checks that the key may sign documents: a keyUsage extension must allow
// digital signatures or content commitment (RFC 5280, section 4.2.1.3), and an
// extKeyUsage extension something else than what machines sign (section 4.2.1.12). There
// is no one purpose for documents: cards have clientAuth or emailProtection.
func maySign(s *report.Signature, c *x509.Certificate) bool {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage != 0 && c.KeyUsage&signs == 0 || forMachines(c) {
		leaveOpen(s, report.ChainConstraintsFailure, "the certificate does not allow its key to sign documents")
		return false
	}
	return true
}

// forMachines tells a certificate for web servers, time stamps or OCSP answers and
// nothing else.
func forMachines(c *x509.Certificate) bool {
	for _, usage := range c.ExtKeyUsage {
		switch usage {
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning:
		default:
			return false
		}
	}
	return len(c.ExtKeyUsage) > 0 && len(c.UnknownExtKeyUsage) == 0
}

func fail(s *report.Signature, sub report.SubIndication, reason string) {
	s.Verdict, s.Indication, s.SubIndication, s.Reason = report.Invalid, report.TotalFailed, sub, reason
}

func leaveOpen(s *report.Signature, sub report.SubIndication, reason string) {
	s.Verdict, s.Indication, s.SubIndication, s.Reason = report.Indeterminate, report.IndicationIndeterminate, sub, reason
}

func warn(s *report.Signature, code, message string) {
	s.Warnings = append(s.Warnings, report.Warning{Code: code, Message: message})
}
