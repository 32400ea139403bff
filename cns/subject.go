// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"unicode"
)

var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname      = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidGivenName    = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidPseudonym    = asn1.ObjectIdentifier{2, 5, 4, 65}
)

// absent is what older certificates write for no organization.
const absent = "non presente"

// Subject is who a certificate is for, in words fit to be shown: characters that
// cannot be printed are taken out. Fields that the certificate does not have are
// empty.
type Subject struct {
	Name          string // given name and surname, or the best there is instead
	CodiceFiscale string // as CodiceFiscale finds it
	Organization  string
	Country       string // two letters
}

// SubjectOf reads the subject of a certificate. The name is, in this order, given
// name and surname, the pseudonym, the common name, the codice fiscale, the
// organization.
func SubjectOf(c *x509.Certificate) Subject {
	code, _ := CodiceFiscale(c)
	s := Subject{CodiceFiscale: code, Organization: first(c, oidOrganization), Country: first(c, oidCountry)}
	if strings.EqualFold(s.Organization, absent) {
		s.Organization = ""
	}
	cn := first(c, oidCommonName)
	if _, err := ParseCommonName(cn); err == nil {
		cn = "" // a card number and a hash are not for people
	}
	fullName := strings.TrimSpace(first(c, oidGivenName) + " " + first(c, oidSurname))
	for _, name := range []string{fullName, first(c, oidPseudonym), cn, code, s.Organization} {
		if s.Name = name; name != "" {
			break
		}
	}
	return s
}

// CodiceFiscale finds the codice fiscale in a certificate's subject, in
// capitals: in a serialNumber TINIT-… (EN 319 412-1, section 5.1.3), or IT:… of
// older certificates, or in front of the common name of a CNS certificate. One that
// [ParseCodiceFiscale] refuses is not found.
func CodiceFiscale(c *x509.Certificate) (string, bool) {
	if c == nil {
		return "", false
	}
	for _, serial := range values(c, oidSerialNumber) {
		for _, prefix := range []string{"TINIT-", "IT:"} {
			code, ok := strings.CutPrefix(serial, prefix)
			if parsed, err := ParseCodiceFiscale(code); ok && err == nil {
				return parsed.Code, true
			}
		}
	}
	for _, cn := range values(c, oidCommonName) {
		if name, err := ParseCommonName(cn); err == nil {
			return name.CodiceFiscale, true
		}
	}
	return "", false
}

// first returns the first value of an attribute, cleaned, or "".
func first(c *x509.Certificate, oid asn1.ObjectIdentifier) string {
	for _, v := range values(c, oid) {
		if v = printable(v); v != "" {
			return v
		}
	}
	return ""
}

// values returns an attribute's values in the subject, as they are written.
func values(c *x509.Certificate, oid asn1.ObjectIdentifier) []string {
	var list []string
	if c == nil {
		return nil
	}
	for _, name := range c.Subject.Names {
		if v, ok := name.Value.(string); ok && name.Type.Equal(oid) {
			list = append(list, v)
		}
	}
	return list
}

// printable takes out what could play with a terminal, such as control characters
// and those that turn the direction of writing.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}
