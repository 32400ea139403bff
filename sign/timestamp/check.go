// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// Problem is one thing that is not as it should be with a token, beside what is
// wrong with its signature.
type Problem int

// The problems.
const (
	_ Problem = iota

	SignerMissing          // nobody signed it
	SeveralSigners         // more than the authority signed it (RFC 3161, section 2.4.2)
	UsageMissing           // the certificate isn't for time-stamping (RFC 3161, section 2.3)
	UsageNotCritical       // the extended key usage isn't marked critical
	UsageNotAlone          // the certificate is for other things too
	TimeOutsideCertificate // genTime is before or after the certificate's validity
	NameDiffers            // tsa names somebody else than the certificate does
	FieldsContradict       // a field that no signature covers is not what it must be (RFC 5652, section 5)
	HashUnknown            // the imprint's digest isn't known here
	ExtensionUnknown       // a critical extension that isn't known here
)

// Finding is a problem and what exactly was found.
type Finding struct {
	Problem Problem
	Detail  string // a sentence for a person
}

// Check is what can be said of a token without knowing whom to trust.
type Check struct {
	Signature *cms.Check // the facts about the authority's signature; nil without a signer
	Findings  []Finding  // what is wrong beside the signature
}

// Has tells whether a problem was found.
func (c *Check) Has(p Problem) bool { return c.Find(p) != nil }

// Find returns the finding for a problem, or nil.
func (c *Check) Find(p Problem) *Finding {
	for i := range c.Findings {
		if c.Findings[i].Problem == p {
			return &c.Findings[i]
		}
	}
	return nil
}

// Err returns nil when nothing was found wrong, with the signature or beside it;
// else a [*CheckError] with the first thing that was.
func (c *Check) Err() error {
	if c.Signature != nil && len(c.Signature.Findings) > 0 {
		return &CheckError{c, c.Signature.Findings[0].Detail}
	}
	if len(c.Findings) > 0 {
		return &CheckError{c, c.Findings[0].Detail}
	}
	return nil
}

// CheckError says what is wrong with a token.
type CheckError struct {
	Check  *Check
	Detail string // the first thing that is wrong
}

// Error implements error.
func (e *CheckError) Error() string { return "the time-stamp token is not good: " + e.Detail }

func (c *Check) add(p Problem, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{p, fmt.Sprintf(format, args...)})
}

// Check states the facts about a token: those of [cms.SignedData.Check] on its
// signature, with the certificate that the ESSCertID or ESSCertIDv2 names (RFC
// 5816), and on the certificate those of RFC 3161, section 2.3. The certificate is
// looked for in the token, then among those given.
//
// It doesn't compare the imprint (see [Token.Covers]), doesn't judge algorithms,
// and doesn't ask for chain or revocation.
func (t *Token) Check(certificates ...*x509.Certificate) *Check {
	c := &Check{}
	sd := t.with(certificates)
	switch n := len(sd.Signers); n {
	case 0:
		c.add(SignerMissing, "nobody signed it")
		return c
	case 1:
	default:
		c.add(SeveralSigners, "it has %d signatures, and must have that of the authority alone", n)
	}
	c.Signature = sd.Check(sd.Signers[0])
	if certificate := c.Signature.Certificate; certificate != nil {
		c.checkUsage(certificate)
		c.checkTime(t.Info.Time, certificate)
		c.checkName(t.Info.TSA, certificate)
	}
	c.checkUnsigned(sd)
	c.checkInfo(t.Info)
	return c
}

// checkUnsigned looks at the fields that no signature covers: they follow from what
// it does cover, so that one that doesn't was changed.
func (c *Check) checkUnsigned(sd *cms.SignedData) {
	s := sd.Signers[0]
	version := 1
	if s.SubjectKeyID != nil {
		version = 3
	}
	digest := func(a cms.AlgorithmIdentifier) bool { return a.OID.Equal(s.DigestAlgorithm.OID) && plain(a) }
	switch {
	case sd.Version != signedDataVersion(sd):
		c.add(FieldsContradict, "the version of the SignedData is %d, and must be %d", sd.Version, signedDataVersion(sd))
	case s.Err == nil && s.Version != version:
		c.add(FieldsContradict, "the version of the SignerInfo is %d, and must be %d", s.Version, version)
	case !slices.ContainsFunc(sd.DigestAlgorithms, digest):
		c.add(FieldsContradict, "digestAlgorithms doesn't list the signer's")
	case !plain(s.DigestAlgorithm), !plain(s.SignatureAlgorithm):
		c.add(FieldsContradict, "an algorithm has parameters that don't belong to it")
	}
}

// plain tells whether an algorithm has the parameters that those of tokens have:
// none, NULL, or, for RSASSA-PSS, a SEQUENCE.
func plain(a cms.AlgorithmIdentifier) bool {
	return len(a.Parameters) == 0 || bytes.Equal(a.Parameters, []byte{5, 0}) || a.Parameters[0] == 0x30
}

// signedDataVersion is the version that RFC 5652, section 5.1, gives a token: 3,
// because its content isn't id-data, unless it holds certificates or revocation
// data of newer kinds.
func signedDataVersion(sd *cms.SignedData) int {
	version := 3
	for _, certificate := range sd.Certificates {
		switch certificate.Raw[0] {
		case 0xa2: // v2AttrCert
			version = max(version, 4)
		case 0xa3: // other
			version = 5
		}
	}
	for _, revocation := range sd.CRLs {
		if revocation[0] == 0xa1 { // other, such as an OCSP response
			version = 5
		}
	}
	return version
}

// with returns the SignedData of the token, with further certificates if there
// are any.
func (t *Token) with(certificates []*x509.Certificate) *cms.SignedData {
	if len(certificates) == 0 {
		return t.SignedData
	}
	sd, _, err := read(t.Raw, certificates)
	if err != nil { // it was read before
		return t.SignedData
	}
	return sd
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// checkUsage follows RFC 3161, section 2.3: the extended key usage is critical and
// only id-kp-timeStamping.
func (c *Check) checkUsage(certificate *x509.Certificate) {
	stamping := 0
	for _, usage := range certificate.ExtKeyUsage {
		if usage == x509.ExtKeyUsageTimeStamping {
			stamping++
		}
	}
	if stamping == 0 {
		c.add(UsageMissing, "the certificate is not for time-stamping")
		return
	}
	if others := len(certificate.ExtKeyUsage) + len(certificate.UnknownExtKeyUsage) - stamping; others > 0 {
		c.add(UsageNotAlone, "the certificate is for other things than time-stamping too")
	}
	for _, e := range certificate.Extensions {
		if e.Id.Equal(oidExtKeyUsage) && !e.Critical {
			c.add(UsageNotCritical, "the extended key usage of the certificate is not marked critical")
		}
	}
}

func (c *Check) checkTime(at time.Time, certificate *x509.Certificate) {
	if at.Before(certificate.NotBefore) || at.After(certificate.NotAfter) {
		c.add(TimeOutsideCertificate, "it states %s, and the certificate is valid from %s to %s",
			at.Format(time.RFC3339), certificate.NotBefore.UTC().Format(time.RFC3339), certificate.NotAfter.UTC().Format(time.RFC3339))
	}
}

// checkName compares tsa with the names in the certificate (RFC 3161, section
// 2.4.2).
func (c *Check) checkName(tsa []byte, certificate *x509.Certificate) {
	if tsa == nil || isDirectoryName(tsa, certificate.RawSubject) || isAlternativeName(tsa, certificate) {
		return
	}
	c.add(NameDiffers, "it names another authority than its certificate does")
}

// isDirectoryName tells whether a GeneralName is the directoryName, [4], of a
// subject, be its strings of other types.
func isDirectoryName(name, subject []byte) bool {
	f, err := constructed(name, asn1.ClassContextSpecific, 4)
	if err != nil {
		return false
	}
	if bytes.Equal(f.rest, subject) {
		return true
	}
	var a, b pkix.RDNSequence
	restA, errA := asn1.Unmarshal(f.rest, &a)
	restB, errB := asn1.Unmarshal(subject, &b)
	return errA == nil && errB == nil && len(restA)+len(restB) == 0 && a.String() == b.String()
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

func isAlternativeName(name []byte, certificate *x509.Certificate) bool {
	for _, e := range certificate.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		names, err := sequence(e.Value)
		for err == nil && len(names.rest) > 0 {
			var other asn1.RawValue
			if other, err = names.element(); err == nil && bytes.Equal(other.FullBytes, name) {
				return true
			}
		}
	}
	return false
}

// oidQCStatements is the extension that ETSI EN 319 422, clause 9.1, has a
// qualified authority state in: known, whether critical or not.
var oidQCStatements = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}

func (c *Check) checkInfo(i *Info) {
	if i.Hash == 0 {
		c.add(HashUnknown, "the digest algorithm %v of the imprint is not known", i.HashAlgorithm)
	}
	for _, e := range i.Extensions {
		if e.Critical && !e.Id.Equal(oidQCStatements) {
			c.add(ExtensionUnknown, "it has the critical extension %v, which is not known", e.Id)
			return
		}
	}
}
