// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pectoken/pectoken/cns"
)

// maxCRL bounds a revocation list in bytes. The largest of Italian issuers have
// some 30 MB.
const maxCRL = 96 << 20

var (
	oidDeltaIndicator    = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidExpiredCertsOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}
)

// CRL is a certificate revocation list. What it says is unproven until [CRL.Answer]
// has checked who signed it.
type CRL struct {
	list   *x509.RevocationList
	points distributionPoint
	cutoff time.Time
	unfit  error // why it can't be used for anything

	mu      sync.Mutex
	checked map[string]error // whether an issuer, by its certificate, signed it
}

// distributionPoint is an IssuingDistributionPoint (RFC 5280, section 5.2.5).
type distributionPoint struct {
	present     bool
	names       []string // URIs of the fullName
	named       bool     // it has a name, of whatever kind
	onlyUser    bool
	onlyCA      bool
	onlyReasons bool
	indirect    bool
	onlyAttribs bool
}

// ParseCRL reads a CertificateList in DER, or in PEM.
func ParseCRL(data []byte) (*CRL, error) {
	if len(data) > maxCRL {
		return nil, fmt.Errorf("reading CRL: %d bytes, more than %d", len(data), maxCRL)
	}
	if block, _ := pem.Decode(data); block != nil && strings.HasSuffix(block.Type, "CRL") {
		data = block.Bytes
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fmt.Errorf("reading CRL: %w", err)
	}
	c := &CRL{list: list}
	for _, e := range list.Extensions {
		if c.unfit = c.extension(e.Id, e.Critical, e.Value); c.unfit != nil {
			break
		}
	}
	return c, nil
}

// Raw returns the CertificateList in DER.
func (c *CRL) Raw() []byte { return c.list.Raw }

// extension reads one of the list's. The error says why the list is of no use.
func (c *CRL) extension(id asn1.ObjectIdentifier, critical bool, value []byte) error {
	switch {
	case id.Equal(oidDeltaIndicator):
		return errors.New("it is a delta CRL, which says only what changed, and is not used")
	case id.Equal(oidDistributionPoint):
		point, ok := parsePoint(value)
		if !ok {
			return errors.New("its issuing distribution point can't be read")
		}
		c.points = point
		switch {
		case point.indirect:
			return errors.New("it is an indirect CRL, of certificates of other issuers, and is not used")
		case point.onlyReasons:
			return errors.New("it lists revocations for some reasons only, and is not used")
		case point.onlyAttribs:
			return errors.New("it is for attribute certificates only")
		}
	case id.Equal(oidExpiredCertsOnCRL):
		in := cryptobyte.String(value)
		_ = in.ReadASN1GeneralizedTime(&c.cutoff) // unreadable is as good as absent
	case critical && !knownCritical(id):
		return fmt.Errorf("it has the critical extension %v, which is not known", id)
	}
	return nil
}

// knownCritical are the extensions that change nothing about what a list means.
func knownCritical(id asn1.ObjectIdentifier) bool {
	return id.Equal(asn1.ObjectIdentifier{2, 5, 29, 20}) || id.Equal(asn1.ObjectIdentifier{2, 5, 29, 35})
}

func parsePoint(value []byte) (p distributionPoint, ok bool) {
	p.present = true
	in := cryptobyte.String(value)
	var list, name cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() ||
		!list.ReadOptionalASN1(&name, &p.named, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return p, false
	}
	if p.named {
		p.names = pointURIs(name)
	}
	ok = optionalTrue(&list, 1, &p.onlyUser) && optionalTrue(&list, 2, &p.onlyCA) &&
		list.ReadOptionalASN1(&name, &p.onlyReasons, cbasn1.Tag(3).ContextSpecific()) &&
		optionalTrue(&list, 4, &p.indirect) && optionalTrue(&list, 5, &p.onlyAttribs) && list.Empty()
	return p, ok
}

// optionalTrue reads an implicitly tagged BOOLEAN that is false by default.
func optionalTrue(in *cryptobyte.String, tag uint8, out *bool) bool {
	var value cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&value, &present, cbasn1.Tag(tag).ContextSpecific()) {
		return false
	}
	*out = present && len(value) == 1 && value[0] != 0
	return !present || len(value) == 1
}

// pointURIs returns the URIs of a DistributionPointName's fullName.
func pointURIs(in cryptobyte.String) (uris []string) {
	var names, name cryptobyte.String
	if !in.ReadASN1(&names, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return nil
	}
	for !names.Empty() {
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			return uris
		}
		if tag == cbasn1.Tag(6).ContextSpecific() {
			uris = append(uris, string(name))
		}
	}
	return uris
}

// Names says whether the list claims to be of a certificate's issuer. It proves nothing.
func (c *CRL) Names(certificate *x509.Certificate) bool {
	return bytes.Equal(c.list.RawIssuer, certificate.RawIssuer)
}

// Answer returns what the list says of a certificate, after checking that the issuer
// of the certificate signed it and that it is a list of such certificates. Whether
// the answer is recent enough is not looked at here.
func (c *CRL) Answer(certificate, issuer *x509.Certificate) (*Answer, error) {
	switch {
	case c.unfit != nil:
		return nil, fmt.Errorf("CRL of %q: %w", cns.DistinguishedName(c.list.Issuer), c.unfit)
	case !bytes.Equal(c.list.RawIssuer, certificate.RawIssuer) || !bytes.Equal(c.list.RawIssuer, issuer.RawSubject):
		return nil, fmt.Errorf("CRL of %q: %w", cns.DistinguishedName(c.list.Issuer), ErrOtherCertificate)
	case len(c.list.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.list.AuthorityKeyId, issuer.SubjectKeyId):
		return nil, fmt.Errorf("CRL of %q: %w: it is of another key of that issuer", cns.DistinguishedName(c.list.Issuer), ErrOtherCertificate)
	}
	if err := c.covers(certificate); err != nil {
		return nil, fmt.Errorf("CRL of %q: %w", cns.DistinguishedName(c.list.Issuer), err)
	}
	if a := c.list.SignatureAlgorithm; a == x509.SHA1WithRSA || a == x509.ECDSAWithSHA1 {
		return nil, fmt.Errorf("CRL of %q: it is signed over SHA-1, which can be forged", cns.DistinguishedName(c.list.Issuer))
	}
	if err := c.signedBy(issuer); err != nil {
		return nil, fmt.Errorf("CRL of %q: %w", cns.DistinguishedName(c.list.Issuer), err)
	}
	a := &Answer{
		Status: Good, Kind: KindCRL, ProducedAt: c.list.ThisUpdate, ThisUpdate: c.list.ThisUpdate, NextUpdate: c.list.NextUpdate,
		Cutoff: c.cutoff, Signer: issuer, Raw: c.list.Raw,
	}
	if err := c.look(a, certificate); err != nil {
		return nil, fmt.Errorf("CRL of %q: %w", cns.DistinguishedName(c.list.Issuer), err)
	}
	return a.settled(certificate)
}

// signedBy checks the signature, once for each issuer: a file may have a thousand
// signers, and the list tens of megabytes.
func (c *CRL) signedBy(issuer *x509.Certificate) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err, known := c.checked[string(issuer.Raw)]
	if !known {
		if c.checked == nil {
			c.checked = map[string]error{}
		}
		err = c.list.CheckSignatureFrom(issuer)
		c.checked[string(issuer.Raw)] = err
	}
	return err
}

// look finds the certificate's entry.
func (c *CRL) look(a *Answer, certificate *x509.Certificate) error {
	for i := range c.list.RevokedCertificateEntries {
		e := &c.list.RevokedCertificateEntries[i]
		if e.SerialNumber.Cmp(certificate.SerialNumber) != 0 {
			continue
		}
		for _, x := range e.Extensions {
			if x.Id.Equal(oidCertificateIssuer) {
				return errors.New("an entry is of another issuer, and the list does not say that it is indirect")
			}
		}
		a.Status, a.RevokedAt, a.Reason = Revoked, e.RevocationTime, Reason(e.ReasonCode)
		if a.Reason == certificateHold {
			a.Status = Suspended
		}
	}
	return nil
}

// covers says whether a list with an issuing distribution point is one of those
// that the certificate is listed in (RFC 5280, section 6.3.3, step b).
func (c *CRL) covers(certificate *x509.Certificate) error {
	p := c.points
	switch {
	case !p.present:
		return nil
	case p.onlyUser && certificate.IsCA:
		return fmt.Errorf("%w: it lists no certificates of CAs", ErrOtherCertificate)
	case p.onlyCA && !certificate.IsCA:
		return fmt.Errorf("%w: it lists certificates of CAs only", ErrOtherCertificate)
	case p.named && !slices.ContainsFunc(p.names, func(name string) bool {
		return slices.ContainsFunc(certificate.CRLDistributionPoints, func(other string) bool { return sameURI(name, other) })
	}):
		return fmt.Errorf("%w: it is another part of the issuer's lists", ErrOtherCertificate)
	}
	return nil
}

// sameURI compares scheme and host without regard to case (RFC 5280, section 7.4).
func sameURI(a, b string) bool {
	if a == b {
		return true
	}
	x, err := url.Parse(a)
	y, other := url.Parse(b)
	if err != nil || other != nil {
		return false
	}
	return strings.EqualFold(x.Scheme, y.Scheme) && strings.EqualFold(x.Host, y.Host) && x.Path == y.Path && x.RawQuery == y.RawQuery && x.Opaque == y.Opaque
}
