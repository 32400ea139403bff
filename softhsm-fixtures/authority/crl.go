// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// CRLConfig is how revocation lists are made. With the zero value they are
// complete, without issuing distribution point, and signed by the authority.
type CRLConfig struct {
	Number   int64         // that of the first list; 1 when 0. Each change of status adds one
	Age      time.Duration // how long thisUpdate is past
	Validity time.Duration // from thisUpdate to nextUpdate; a week when 0
	PSS      bool          // RSASSA-PSS, when the key is an RSA key
	// Scope is the issuing distribution point; left out when nil.
	Scope *Scope
	// Delta leaves the complete list as it was at the start, pointing to a
	// delta list with what changed since (RFC 5280, sections 5.2.4 and 5.2.6).
	// Delta lists are there without it too.
	Delta bool
	// Indirect has [pki.CRLIssuer] issue the lists, with each entry naming
	// the authority (RFC 5280, section 5.3.3).
	Indirect bool
	// ExpiredCertsOn is since when expired certificates stay on the list
	// (X.509, expiredCertsOnCRL); left out when zero.
	ExpiredCertsOn time.Time
	// UnknownExtension adds a critical extension that nobody knows.
	UnknownExtension bool
}

// Scope is an issuing distribution point: RFC 5280, section 5.2.5.
type Scope struct {
	URL            string // distributionPoint, left out when empty
	UserCerts      bool   // onlyContainsUserCerts
	CACerts        bool   // onlyContainsCACerts
	AttributeCerts bool   // onlyContainsAttributeCerts
	Reasons        []Reason
}

// The extensions of revocation lists and of their entries.
var (
	oidDeltaCRLIndicator = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistPoint  = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidFreshestCRL       = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidExpiredCertsOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}
	oidOfNobody          = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}
)

// The structures of RFC 5280, sections 4.2.1.13 and 5.2.5.
type (
	distributionPoint struct {
		Name asn1.RawValue
	}
	issuingDistributionPoint struct {
		Name           asn1.RawValue  `asn1:"optional"`
		UserCerts      bool           `asn1:"optional,tag:1"`
		CACerts        bool           `asn1:"optional,tag:2"`
		Reasons        asn1.BitString `asn1:"optional,tag:3"`
		Indirect       bool           `asn1:"optional,tag:4"`
		AttributeCerts bool           `asn1:"optional,tag:5"`
	}
)

// revocationList makes the list of an authority, complete or delta.
func (s *Server) revocationList(q request) ([]byte, error) {
	c := q.config.CRL
	rec := s.record(q.register, q.issuer)
	issuer, err := s.listIssuer(q)
	if err != nil {
		return nil, err
	}
	first, changes, entries := max(c.Number, 1), rec.changes, rec.after(rec.changes)
	switch {
	case q.delta:
		entries = rec.delta()
	case c.Delta:
		changes, entries = 0, rec.after(0)
	}
	template := &x509.RevocationList{Number: big.NewInt(first + int64(changes))}
	template.ThisUpdate, template.NextUpdate = period(q, c.Age, c.Validity, 7*24*time.Hour)
	if _, ok := issuer.Key.Public().(*rsa.PublicKey); ok && c.PSS {
		template.SignatureAlgorithm = x509.SHA256WithRSAPSS
	}
	if template.ExtraExtensions, err = s.listExtensions(q, first); err != nil {
		return nil, err
	}
	if template.RevokedCertificateEntries, err = s.listEntries(q, entries); err != nil {
		return nil, err
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer.Certificate, issuer.Key)
	if err == nil && q.fault == FlippedBit {
		der[len(der)-1] ^= 1 // the signature value comes last
	}
	return der, err
}

// listIssuer is who signs a list.
func (s *Server) listIssuer(q request) (*pki.Identity, error) {
	switch {
	case q.fault == OtherCA:
		return s.pki.Issue(impostor(q.issuer))
	case q.config.CRL.Indirect:
		return s.pki.Issue(pki.CRLIssuer)
	}
	return s.pki.Issue(q.issuer)
}

// impostor is an authority that is not the one of a name, and poses as it if
// there is one that does.
func impostor(name pki.Name) pki.Name {
	switch name {
	case pki.Root:
		return pki.AltRoot
	case pki.QualifiedCA:
		return pki.AltQualifiedCA
	}
	return pki.QualifiedCA
}

// listExtensions are those of a list besides its number and the key of its
// issuer.
func (s *Server) listExtensions(q request, first int64) ([]pkix.Extension, error) {
	c := q.config.CRL
	var extensions []pkix.Extension
	var failed error
	add := func(oid asn1.ObjectIdentifier, critical bool, value any) {
		der, err := asn1.Marshal(value)
		if err != nil {
			failed = err
		}
		extensions = append(extensions, pkix.Extension{Id: oid, Critical: critical, Value: der})
	}
	if q.delta {
		add(oidDeltaCRLIndicator, true, big.NewInt(first))
	}
	if c.Scope != nil || c.Indirect {
		add(oidIssuingDistPoint, true, c.issuingDistributionPoint())
	}
	if c.Delta && !q.delta {
		add(oidFreshestCRL, false, []distributionPoint{{pointAt(s.URL(CRL) + "/" + string(q.issuer) + "-delta.crl")}})
	}
	if !c.ExpiredCertsOn.IsZero() {
		add(oidExpiredCertsOnCRL, false, wholeSecond(c.ExpiredCertsOn))
	}
	if c.UnknownExtension {
		add(oidOfNobody, true, "unknown")
	}
	return extensions, failed
}

func (c CRLConfig) issuingDistributionPoint() issuingDistributionPoint {
	point := issuingDistributionPoint{Indirect: c.Indirect}
	if c.Scope == nil {
		return point
	}
	point.UserCerts, point.CACerts, point.AttributeCerts = c.Scope.UserCerts, c.Scope.CACerts, c.Scope.AttributeCerts
	if c.Scope.URL != "" {
		point.Name = pointAt(c.Scope.URL)
	}
	if len(c.Scope.Reasons) > 0 {
		point.Reasons = reasonFlags(c.Scope.Reasons)
	}
	return point
}

// pointAt is the [0] with a DistributionPointName that is a URI.
func pointAt(url string) asn1.RawValue {
	name, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(url)})
	if err != nil {
		panic(err) // of octets nothing can be wrong
	}
	full, err := asn1.Marshal(tagged(0, name))
	if err != nil {
		panic(err) // likewise
	}
	return tagged(0, full)
}

// reasonFlags are ReasonFlags, whose bits are numbered as reasons but for the
// last two (RFC 5280, section 4.2.1.13).
func reasonFlags(reasons []Reason) asn1.BitString {
	var bits []int
	for _, r := range reasons {
		if r >= PrivilegeWithdrawn {
			r -= 2
		}
		bits = append(bits, int(r))
	}
	return namedBits(bits...)
}

// listEntries are the entries of a list.
func (s *Server) listEntries(q request, entries []entry) ([]x509.RevocationListEntry, error) {
	var extensions []pkix.Extension
	if q.config.CRL.Indirect {
		issuer, err := s.pki.Issue(q.issuer)
		if err != nil {
			return nil, err
		}
		names, err := asn1.Marshal([]asn1.RawValue{{FullBytes: identityName(issuer)}})
		if err != nil {
			return nil, err
		}
		extensions = []pkix.Extension{{Id: oidCertificateIssuer, Critical: true, Value: names}}
	}
	listed := make([]x509.RevocationListEntry, len(entries))
	for i, e := range entries {
		listed[i] = x509.RevocationListEntry{
			SerialNumber: e.serial, RevocationTime: e.at, ReasonCode: int(e.reason), ExtraExtensions: extensions,
		}
	}
	return listed, nil
}

// issuerCertificate is the certificate of an authority, in DER.
func (s *Server) issuerCertificate(q request) ([]byte, error) {
	name := q.issuer
	if q.fault == OtherCA {
		name = impostor(name)
	}
	authority, err := s.pki.Issue(name)
	if err != nil {
		return nil, err
	}
	der := bytes.Clone(authority.Certificate.Raw)
	if q.fault == FlippedBit {
		der[len(der)-1] ^= 1 // the signature value comes last
	}
	return der, nil
}
