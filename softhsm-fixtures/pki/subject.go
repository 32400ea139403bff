// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/sha1"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
)

// attribute is one element of a distinguished name, in the order of the name.
type attribute struct {
	oid   asn1.ObjectIdentifier
	value string
}

var (
	oidCommonName       = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname          = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidSerialNumber     = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry          = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization     = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidUnit             = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidGivenName        = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidDNQualifier      = asn1.ObjectIdentifier{2, 5, 4, 46}
	oidOrganizationIden = asn1.ObjectIdentifier{2, 5, 4, 97} // X.520, as ETSI EN 319 412-1, 5.1.4 uses it
)

// person is the name of a natural person by ETSI EN 319 412-2, section 4.2.4,
// with the codice fiscale in the form of EN 319 412-1, section 5.1.3.
func person(givenName, surname, codiceFiscale, qualifier string) []attribute {
	return []attribute{
		{oidCountry, "IT"},
		{oidSurname, surname},
		{oidGivenName, givenName},
		{oidSerialNumber, "TINIT-" + codiceFiscale},
		{oidCommonName, givenName + " " + surname},
		{oidDNQualifier, qualifier},
	}
}

// organisation is the name of a legal person by ETSI EN 319 412-3, section
// 4.2.1. The VAT number has a right check digit and was never assigned.
func organisation(name, unit, commonName string) []attribute {
	return []attribute{
		{oidCountry, "IT"},
		{oidOrganization, name},
		{oidOrganizationIden, "VATIT-00000000000"},
		{oidUnit, unit},
		{oidCommonName, commonName},
	}
}

// cnsHolder is the subject of a CNS certificate: the common name binds the
// codice fiscale, the number of the card and the personal data stored in it.
func cnsHolder() []attribute {
	return []attribute{
		{oidCountry, "IT"},
		{oidOrganization, "Regione Esempio"},
		{oidUnit, "Servizi ai cittadini"},
		{oidCommonName, cnsCommonName()},
	}
}

// CardID is the number of the card CNS belongs to.
const CardID = "6090000000000001"

// cnsCommonName hashes the whole file of personal data, padding included.
func cnsCommonName() string {
	digest := sha1.Sum(PersonalData()) // SHA-1 is what the CNS profile prescribes
	return "RSSMRA80A01H501U/" + CardID + "." + base64.StdEncoding.EncodeToString(digest[:])
}

// pkixName turns attributes into the form crypto/x509 encodes, keeping their
// order.
func pkixName(attributes []attribute) pkix.Name {
	var name pkix.Name
	for _, a := range attributes {
		name.ExtraNames = append(name.ExtraNames, pkix.AttributeTypeAndValue{Type: a.oid, Value: a.value})
	}
	return name
}
