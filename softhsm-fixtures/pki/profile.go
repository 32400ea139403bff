// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
)

// The object identifiers of the extensions built here.
var (
	oidExtCertificatePolicies = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidExtKeyUsage            = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidExtQcStatements        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	oidExtOCSPNoCheck         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidEKUCodeSigning         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	oidEKUTimeStamping        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidUserNotice             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
)

// The certificate policies.
var (
	policyQCPNaturalQSCD = asn1.ObjectIdentifier{0, 4, 0, 194112, 1, 2}
	policyAgID           = asn1.ObjectIdentifier{1, 3, 76, 16, 6}
	policyCNS            = asn1.ObjectIdentifier{1, 3, 76, 16, 2, 1}
)

// The QcStatements of ETSI EN 319 412-5, section 4.
var (
	qcCompliance = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}
	qcRetention  = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 3}
	qcSSCD       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}
	qcPDS        = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 5}
	qcType       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}
	qcTypeESign  = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1}
)

// cnsNotice is the sentence the CNS profile prescribes, word for word.
const cnsNotice = "Identifies X.509 authentication certificates issued for the italian National Service Card (CNS) " +
	"project in according to the italian regulation"

// authority is the profile of a CA with at most pathLen CAs below it; -1
// means any number.
func authority(pathLen int) func(*x509.Certificate) error {
	return func(c *x509.Certificate) error {
		c.BasicConstraintsValid, c.IsCA = true, true
		c.MaxPathLen, c.MaxPathLenZero = pathLen, pathLen == 0
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		return nil
	}
}

// qualifiedProfile is that of a qualified certificate for electronic
// signatures whose key is in a QSCD: ETSI EN 319 412-2 with key usage type A,
// and the policy by which Italian providers declare AgID's recommendations.
func qualifiedProfile(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageContentCommitment
	return extend(c,
		extension{oidExtCertificatePolicies, false, []policy{{OID: policyQCPNaturalQSCD}, {OID: policyAgID}}},
		extension{oidExtQcStatements, false, qcStatements()},
	)
}

// cnsProfile is that of AgID's structure of the CNS authentication
// certificate: digitalSignature, and never nonRepudiation.
func cnsProfile(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	notice := []qualifier{{OID: oidUserNotice, Notice: userNotice{ExplicitText: cnsNotice}}}
	return extend(c, extension{oidExtCertificatePolicies, false, []policy{{OID: policyCNS, Qualifiers: notice}}})
}

// timestamping is the profile of a TSA: RFC 3161, section 2.3 wants the
// extended key usage critical and alone.
func timestamping(c *x509.Certificate) error { return timestampingAs(c, true, oidEKUTimeStamping) }

// timestampingNotCritical breaks that rule in one way, timestampingAndMore in
// another: its key may sign programs as well.
func timestampingNotCritical(c *x509.Certificate) error {
	return timestampingAs(c, false, oidEKUTimeStamping)
}

func timestampingAndMore(c *x509.Certificate) error {
	return timestampingAs(c, true, oidEKUTimeStamping, oidEKUCodeSigning)
}

func timestampingAs(c *x509.Certificate, critical bool, usages ...asn1.ObjectIdentifier) error {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	return extend(c, extension{oidExtKeyUsage, critical, usages})
}

// signing is the profile of a key that signs, and by no extended key usage may
// speak for the authority.
func signing(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	return nil
}

// ocspSigning is the profile of a delegated responder whose own revocation is
// not to be checked: RFC 6960, section 4.2.2.2.1.
func ocspSigning(c *x509.Certificate) error {
	if err := ocspSigningChecked(c); err != nil {
		return err
	}
	return extend(c, extension{oidExtOCSPNoCheck, false, asn1.NullRawValue})
}

// ocspSigningChecked is that of a delegated responder whose own revocation is
// to be checked.
func ocspSigningChecked(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	return nil
}

// crlSigning is the profile of an issuer of indirect revocation lists that is
// no CA: RFC 5280, sections 4.2.1.3 and 6.3.3.
func crlSigning(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageCRLSign
	return nil
}

// webServer is the profile of a TLS server on this machine.
func webServer(c *x509.Certificate) error {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	c.DNSNames = []string{"localhost"}
	c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return nil
}

// extension is a certificate extension before encoding.
type extension struct {
	oid      asn1.ObjectIdentifier
	critical bool
	value    any // encoded by encoding/asn1
}

func extend(c *x509.Certificate, extensions ...extension) error {
	for _, e := range extensions {
		der, err := asn1.Marshal(e.value)
		if err != nil {
			return err
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: e.oid, Critical: e.critical, Value: der})
	}
	return nil
}

// policy is PolicyInformation of RFC 5280, section 4.2.1.4.
type policy struct {
	OID        asn1.ObjectIdentifier
	Qualifiers []qualifier `asn1:"optional,omitempty"`
}

type qualifier struct {
	OID    asn1.ObjectIdentifier
	Notice userNotice
}

type userNotice struct {
	ExplicitText string `asn1:"utf8"`
}

// statement is QCStatement of RFC 3739, section 3.2.6, with its statementInfo;
// plainStatement has none.
type statement struct {
	OID  asn1.ObjectIdentifier
	Info any
}

type plainStatement struct {
	OID asn1.ObjectIdentifier
}

// location is PdsLocation of ETSI EN 319 412-5, section 4.3.4.
type location struct {
	URL      string `asn1:"ia5"`
	Language string `asn1:"printable"`
}

// qcStatements says: qualified, key in a QSCD, for electronic signatures,
// data kept for twenty years, and where the disclosure statement is.
func qcStatements() []any {
	return []any{
		plainStatement{qcCompliance},
		plainStatement{qcSSCD},
		statement{qcType, []asn1.ObjectIdentifier{qcTypeESign}},
		statement{qcRetention, 20},
		statement{qcPDS, []location{{nowhere + "/pds.pdf", "en"}}},
	}
}
