// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
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

// maxCRLHead bounds what a list has beside its entries, in bytes: it is taken apart, and
// many times larger then.
const maxCRLHead = 64 << 10

var (
	oidDeltaIndicator    = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidExpiredCertsOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}
)

// CRL is a certificate revocation list. What it says is unproven until [CRL.Answer]
// has checked who signed it.
type CRL struct {
	list   *x509.RevocationList // without its entries and extensions
	issuer string               // its name, for a person
	points distributionPoint
	cutoff time.Time
	unfit  error // why it can't be used for anything

	mu      sync.Mutex
	entries entries
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

// ParseCRL reads a CertificateList in DER, or in PEM, which the CRL keeps as it is: data
// must not change afterwards. A list of which any part can't be read is an error.
func ParseCRL(data []byte) (*CRL, error) {
	if len(data) > maxCRL {
		return nil, fmt.Errorf("reading CRL: %d bytes, more than %d", len(data), maxCRL)
	}
	if block, _ := pem.Decode(data); block != nil && strings.HasSuffix(block.Type, "CRL") {
		data = block.Bytes
	}
	c, err := parseCRL(data)
	if err != nil {
		return nil, fmt.Errorf("reading CRL: %w", err)
	}
	return c, nil
}

func parseCRL(der []byte) (*CRL, error) {
	parts, ok := divide(der)
	if !ok {
		return nil, errors.New("it is no CertificateList in DER")
	}
	list, err := parts.head()
	if err != nil {
		return nil, err
	}
	c := &CRL{list: list, issuer: cns.DistinguishedName(list.Issuer)}
	if c.entries, c.unfit, err = readEntries(parts.entries); err != nil {
		return nil, err
	}
	for _, e := range list.Extensions {
		if c.unfit == nil {
			c.unfit = c.extension(e.Id, e.Critical, e.Value)
		}
	}
	list.Extensions, list.Issuer = nil, pkix.Name{} // large, and said
	return c, nil
}

// crlParts is a CertificateList (RFC 5280, section 5.1) cut where its entries begin and
// end. All of it but entries is with tags and lengths.
type crlParts struct {
	all, tbs  cryptobyte.String
	before    cryptobyte.String // the fields of tbs up to the entries
	entries   cryptobyte.String // what is in revokedCertificates
	after     cryptobyte.String // crlExtensions, or nothing
	signature cryptobyte.String // the fields after tbs
}

// divide cuts a list. What is after it is left, as files may end in a line break.
func divide(der []byte) (p crlParts, ok bool) {
	in := cryptobyte.String(der)
	var list, tbs, field cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadASN1Element(&p.all, cbasn1.SEQUENCE) {
		return p, false
	}
	whole := p.all
	if !whole.ReadASN1(&list, cbasn1.SEQUENCE) || !list.ReadASN1Element(&p.tbs, cbasn1.SEQUENCE) {
		return p, false
	}
	p.signature, whole = list, p.tbs
	if !whole.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return p, false
	}
	fields := tbs
	for range 4 { // version, signature, issuer, thisUpdate
		if !tbs.ReadAnyASN1Element(&field, &tag) {
			return p, false
		}
	}
	if tbs.PeekASN1Tag(cbasn1.UTCTime) || tbs.PeekASN1Tag(cbasn1.GeneralizedTime) {
		if !tbs.ReadAnyASN1Element(&field, &tag) {
			return p, false
		}
	}
	p.before = fields[:len(fields)-len(tbs)]
	if !tbs.ReadOptionalASN1(&p.entries, nil, cbasn1.SEQUENCE) {
		return p, false
	}
	p.after = tbs
	return p, tbs.Empty() || tbs.SkipASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) && tbs.Empty()
}

// head reads the list without its entries, of which the reader of package x509 makes
// twenty times their size. Its signature remains the one over all of them.
func (p crlParts) head() (*x509.RevocationList, error) {
	if size := len(p.before) + len(p.after) + len(p.signature); size > maxCRLHead {
		return nil, fmt.Errorf("%d bytes beside its entries, more than %d", size, maxCRLHead)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(p.before)
			b.AddBytes(p.after)
		})
		b.AddBytes(p.signature)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	list.Raw, list.RawTBSRevocationList = p.all, p.tbs
	return list, nil
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
	if err := c.speaksOf(certificate, issuer); err != nil {
		return nil, fmt.Errorf("CRL of %q: %w", c.issuer, err)
	}
	a := &Answer{
		Status: Good, Kind: KindCRL, ProducedAt: c.list.ThisUpdate, ThisUpdate: c.list.ThisUpdate, NextUpdate: c.list.NextUpdate,
		Cutoff: c.cutoff, Signer: issuer, Raw: c.list.Raw,
	}
	c.look(a, certificate)
	return a.settled(certificate)
}

// speaksOf says why the list is none of a certificate, or of no use.
func (c *CRL) speaksOf(certificate, issuer *x509.Certificate) error {
	switch {
	case c.unfit != nil:
		return c.unfit
	case !c.Names(certificate) || !bytes.Equal(c.list.RawIssuer, issuer.RawSubject):
		return ErrOtherCertificate
	case len(c.list.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.list.AuthorityKeyId, issuer.SubjectKeyId):
		return fmt.Errorf("%w: it is of another key of that issuer", ErrOtherCertificate)
	}
	if err := c.covers(certificate); err != nil {
		return err
	}
	if a := c.list.SignatureAlgorithm; a == x509.SHA1WithRSA || a == x509.ECDSAWithSHA1 {
		return errors.New("it is signed over SHA-1, which can be forged")
	}
	return c.signedBy(issuer)
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

// look finds the certificate's entries. If there are several the worst is believed, since
// the earliest moment.
func (c *CRL) look(a *Answer, certificate *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.of(certificate.SerialNumber, func(e entry) {
		at, _ := e.revokedAt()
		if a.Status == Good || at.Before(a.RevokedAt) {
			a.RevokedAt = at
		}
		reason, _, _ := e.readExtensions()
		switch {
		case reason != certificateHold && a.Status != Revoked:
			a.Status, a.Reason = Revoked, reason
		case a.Status == Good:
			a.Status, a.Reason = Suspended, reason
		}
	})
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
