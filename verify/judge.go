// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// judge gives one signer of a SignedData its verdict (ETSI EN 319 102-1,
// clause 5.3). The first thing that is wrong decides. The signature may rest on a
// digest besides its own.
func judge(sd *cms.SignedData, c *cms.Check, o Options, besides ...crypto.Hash) *report.Signature {
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
	conclude(s, c.Certificate, sd.CertPool(), o, append(besides, c.Signer.Hash())...)
	return s
}

// conclude judges a signature whose arithmetic is right by the strength of that
// arithmetic and by who signed.
func conclude(s *report.Signature, signer *x509.Certificate, others *x509.CertPool, o Options, digests ...crypto.Hash) {
	if !weakAlgorithm(s, signer, digests) && trusted(s, signer, others, o) {
		s.Verdict, s.Indication, s.SubIndication, s.Reason = report.Valid, report.TotalPassed, "", ""
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

// weakAlgorithm stops at algorithms that others can break today: MD5, SHA-1,
// and RSA below 1900 bits (SOG-IS agreed cryptographic mechanisms 1.3). When
// they were still good can only be told with a timestamp.
func weakAlgorithm(s *report.Signature, signer *x509.Certificate, digests []crypto.Hash) bool {
	reason := ""
	for _, h := range digests {
		if h == crypto.MD5 || h == crypto.SHA1 {
			reason = fmt.Sprintf("the digest %v can be forged", h)
		}
	}
	if key, ok := signer.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 1900 {
		reason = fmt.Sprintf("an RSA key of %d bits is too short", key.N.BitLen())
	}
	if reason == "" {
		return false
	}
	leaveOpen(s, report.CryptoConstraintsFailure, reason)
	return true
}

// trusted looks for a chain and fills in what it says.
func trusted(s *report.Signature, signer *x509.Certificate, others *x509.CertPool, o Options) bool {
	chain := o.Trust.Chain(signer, others, o.at().Time)
	s.Trusted = chain.Status == trust.Trusted
	switch chain.Status {
	case trust.Trusted:
		warn(s, "revocationNotChecked", "whether the certificate was revoked or suspended was not checked")
		return maySign(s, signer)
	case trust.OutOfBounds:
		leaveOpen(s, report.OutOfBoundsNoPOE, chain.Reason)
	case trust.Violation:
		leaveOpen(s, report.ChainConstraintsFailure, chain.Reason)
	default:
		leaveOpen(s, report.NoCertificateChainFound, chain.Reason)
	}
	return false
}

// maySign checks that the key may sign: a keyUsage extension must allow
// digital signatures or content commitment (RFC 5280, section 4.2.1.3).
func maySign(s *report.Signature, c *x509.Certificate) bool {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage != 0 && c.KeyUsage&signs == 0 {
		leaveOpen(s, report.ChainConstraintsFailure, "the certificate does not allow its key to sign documents")
		return false
	}
	return true
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
