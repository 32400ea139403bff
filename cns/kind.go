// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"slices"
	"strings"
)

// Kind is what a certificate of an Italian card is for.
type Kind uint8

// Kinds of certificates.
const (
	KindUnknown        Kind = iota // no certificate was looked at
	QualifiedSignature             // claims to be qualified, for signatures of a natural person
	CNS                            // authentication with a Carta Nazionale dei Servizi
	CNSLike                        // built like a CNS certificate, but not one
	CIE                            // authentication with an electronic identity card
	Other                          // anything else
)

// String returns the word of the JSON form: unknown, qualifiedSignature, cns,
// cnsLike, cie or other.
func (k Kind) String() string {
	words := [...]string{"unknown", "qualifiedSignature", "cns", "cnsLike", "cie", "other"}
	if int(k) >= len(words) {
		return words[KindUnknown]
	}
	return words[k]
}

// MarshalText returns what String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Certificate policies.
const (
	policyCNS    = "1.3.76.16.2.1" // AgID, profile of the CNS authentication certificate
	policyCIE    = "1.3.76.47.4"   // CIE 3.0, authentication
	policyQCPn   = "0.4.0.194112.1.0"
	policyQCPnQ  = "0.4.0.194112.1.2" // with the key on a qualified device
	policyQCPOld = "0.4.0.1456.1.2"   // before eIDAS, ETSI TS 101 456: QCP public
	policyQCPSS  = "0.4.0.1456.1.1"   // the same, with a secure device
	policyQCPl   = "0.4.0.194112.1.1" // for legal persons: seals
	policyQCPlQ  = "0.4.0.194112.1.3"
)

// regionalPolicies stand for the CNS policy on cards of Lombardy (CRS/SISS).
var regionalPolicies = []string{"1.3.159.6.1.3.2.10", "1.3.76.12.1.1.10.2.2.10"}

// Classify says what a certificate is for, and by which marks: one short phrase
// each, those that are missing included.
//
// A CNS certificate has, by AgID's profile, the CNS policy, the key usage
// digitalSignature without nonRepudiation, and clientAuth among its extended
// usages. What has only part of that, or only the subject's form, is CNSLike: a
// certificate that the certifier issues in its own name, where a CNS is given out
// by a public administration, which the subject names. The reasons say what the
// subject names, and the policy decides: services ask for that. A certificate for
// qualified signatures has nonRepudiation and a statement or policy of a
// qualified certificate for natural persons (EN 319 412-5, EN 319 411-2).
//
// The answer is the certificate's own claim; see the package comment.
func Classify(c *x509.Certificate) (Kind, []string) {
	if c == nil {
		return KindUnknown, nil
	}
	m := marksOf(c)
	switch {
	case c.IsCA:
		return Other, []string{"a certification authority"}
	case m.nonRepudiation:
		return m.signature()
	case m.cie && m.digitalSignature:
		return CIE, []string{"policy of the CIE (" + policyCIE + ")"}
	case m.digitalSignature && (m.cnsPolicy != "" || m.cnsName):
		return m.authentication()
	}
	return Other, []string{"neither the key usage nonRepudiation nor the marks of a CNS or CIE"}
}

// marks are the properties of a certificate that tell its kind.
type marks struct {
	nonRepudiation, digitalSignature, clientAuth bool

	cie       bool
	cnsPolicy string // which one, empty if none
	cnsName   bool   // common name of the CNS's form
	statement qcStatements
	policy    string // of a qualified certificate for natural persons, empty if none
	legal     string // of one for legal persons, empty if none
	more      bool   // key usages beside nonRepudiation and digitalSignature
	office    string // organization or unit in the subject, empty if none
	certifier bool   // the office is the issuer
}

func marksOf(c *x509.Certificate) marks {
	m := marks{
		nonRepudiation:   c.KeyUsage&x509.KeyUsageContentCommitment != 0,
		digitalSignature: c.KeyUsage&x509.KeyUsageDigitalSignature != 0,
		clientAuth:       slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth),
		statement:        readQCStatements(c),
		more:             c.KeyUsage&^(x509.KeyUsageContentCommitment|x509.KeyUsageDigitalSignature) != 0,
	}
	m.office, m.certifier = officeOf(c)
	if _, err := ParseCommonName(c.Subject.CommonName); err == nil {
		m.cnsName = true
	}
	m.readPolicies(c)
	return m
}

func (m *marks) readPolicies(c *x509.Certificate) {
	for _, policy := range c.Policies {
		switch p := policy.String(); {
		case p == policyCIE:
			m.cie = true
		case p == policyCNS || slices.Contains(regionalPolicies, p):
			m.cnsPolicy = p
		case p == policyQCPn || p == policyQCPnQ || p == policyQCPOld || p == policyQCPSS:
			m.policy = p
		case p == policyQCPl || p == policyQCPlQ:
			m.legal = p
		}
	}
}

// officeOf returns who gave the card out: the subject's unit, which the profile
// of the CNS wants, or its organization; and whether that is the issuer itself.
func officeOf(c *x509.Certificate) (office string, isIssuer bool) {
	own := slices.Concat(c.Subject.OrganizationalUnit, c.Subject.Organization)
	issuers := slices.Concat(c.Issuer.Organization, c.Issuer.OrganizationalUnit)
	for _, name := range own {
		if name = printable(name); name == "" || strings.EqualFold(name, absent) {
			continue
		}
		same := slices.ContainsFunc(issuers, func(i string) bool { return strings.EqualFold(printable(i), name) })
		if office == "" {
			office = name
		}
		isIssuer = isIssuer || same
	}
	return office, isIssuer
}

// signature decides about a certificate with nonRepudiation.
func (m marks) signature() (Kind, []string) {
	reasons := []string{"key usage nonRepudiation"}
	if m.digitalSignature {
		reasons = append(reasons, "also digitalSignature, which a qualified signature certificate should not have")
	}
	if m.more {
		reasons = append(reasons, "key usages that a qualified signature certificate should not have")
	}
	if m.statement.malformed {
		reasons = append(reasons, "its QcStatements cannot be read")
	}
	if m.statement.compliance {
		reasons = append(reasons, "statement of a qualified certificate (QcCompliance)")
	}
	if m.statement.device {
		reasons = append(reasons, "statement of a key on a qualified device (QcSSCD)")
	}
	if m.policy != "" {
		reasons = append(reasons, "policy of a qualified certificate for natural persons ("+m.policy+")")
	}
	switch {
	case m.statement.notForSignatures():
		return Other, append(reasons, "for seals or web sites, by its QcType")
	case m.legal != "" && m.policy == "":
		return Other, append(reasons, "for seals, by a policy for legal persons ("+m.legal+")")
	case m.statement.compliance || m.policy != "":
		return QualifiedSignature, reasons
	}
	return Other, append(reasons, "nothing says that it is qualified")
}

// authentication decides between a CNS certificate and one that is like it.
func (m marks) authentication() (Kind, []string) {
	reasons := []string{"key usage digitalSignature without nonRepudiation"}
	kind := CNS
	if m.cnsPolicy != "" {
		reasons = append(reasons, "policy of the CNS ("+m.cnsPolicy+")")
	} else {
		kind, reasons = CNSLike, append(reasons, "no policy of the CNS ("+policyCNS+")")
	}
	if m.clientAuth {
		reasons = append(reasons, "extended key usage clientAuth")
	} else {
		kind, reasons = CNSLike, append(reasons, "no extended key usage clientAuth")
	}
	if m.cnsName {
		reasons = append(reasons, "common name of the CNS's form")
	} else {
		reasons = append(reasons, "common name of another form than the CNS's")
	}
	return kind, append(reasons, m.givenOut())
}

// givenOut says who gave the card out. A region may well be the certifier of its
// own CNS, so that it is the certifier itself is said of what is no CNS alone.
func (m marks) givenOut() string {
	switch {
	case m.office == "":
		return "no administration in the subject"
	case m.certifier && m.cnsPolicy == "":
		return "given out by the certifier itself (" + m.office + ")"
	}
	return "given out by " + m.office
}
