// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// Problem is one thing that is not as it should be with a signer.
type Problem int

// The problems. Those of the first group mean that the signature is broken,
// those of the second that something could not be computed, those of the
// third that a signature with correct arithmetic contradicts itself, those of
// the last that it is less than a CAdES signature.
const (
	_ Problem = iota

	DigestMismatch    // the content doesn't have the digest in the message-digest attribute
	SignatureMismatch // the value doesn't match the key of the signer's certificate
	CertificateSwapped

	Malformed              // the SignerInfo can't be parsed
	ContentMissing         // detached, and its content wasn't digested
	CertificateMissing     // no certificate here is the signer's
	CertificateUnreadable  // the signer's certificate is here, but Go can't parse it
	AlgorithmUnsupported   // digest, signature algorithm or key type isn't known here
	ReferenceUnreadable    // signing-certificate attribute malformed or with an unknown digest
	ContentTypeMissing     // signed attributes without content-type (RFC 5652, section 5.3)
	ContentTypeMismatch    // content-type attribute and eContentType differ (RFC 5652, section 11.1)
	MessageDigestMissing   // signed attributes without message-digest
	AttributesRequired     // no signed attributes though the content isn't id-data (RFC 5652, section 5.3)
	AttributesAsContent    // the content is a set of signed attributes: see below
	AttributeInvalid       // an attribute that must be single stands twice, has no or several values, or can't be read
	DigestAlgorithmDiffers // digestAlgorithm isn't the digest of the signature (RFC 8933, RFC 6211)

	ReferenceMissing // no signing-certificate attribute: the certificate isn't protected
	AttributesAbsent // no signed attributes: plain CMS
)

// Finding is a problem and what exactly was found.
type Finding struct {
	Problem Problem
	Detail  string // a sentence for a person
}

// AttributeOrder says which encoding of the signed attributes the signature
// value is over.
type AttributeOrder int

// The orders. OrderStored is wrong by RFC 5652, section 5.4, but met.
const (
	OrderUnknown AttributeOrder = iota // no signed attributes, or the value matches in neither
	OrderDER                           // the DER encoding, as RFC 5652 asks
	OrderStored                        // the octets as they stand in the file, which are not DER
)

// Check is what can be said of one signer without knowing whom to trust.
type Check struct {
	Signer      *SignerInfo
	Raw         *Certificate      // the signer's certificate; nil when it isn't here
	Certificate *x509.Certificate // the same, parsed; nil when Go can't

	ContentDigest []byte    // computed over the content; nil when it isn't here
	SigningTime   time.Time // claimed by the signer; zero without the attribute
	Referenced    bool      // a signing-certificate attribute names this certificate
	ValueMatches  bool      // the arithmetic of the signature value succeeded
	Order         AttributeOrder
	Findings      []Finding
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

func (c *Check) add(p Problem, format string, args ...any) {
	if !c.Has(p) {
		c.Findings = append(c.Findings, Finding{p, fmt.Sprintf(format, args...)})
	}
}

// subject is what a signer signed: the content, or the signature value of
// another signer (RFC 5652, section 11.4).
type subject struct {
	digest   func(crypto.Hash) []byte // nil result: not computed
	kind     asn1.ObjectIdentifier    // eContentType; nil for a signature value
	disguise func() bool              // it is a set of signed attributes
}

func (sd *SignedData) content() subject {
	return subject{
		digest:   func(h crypto.Hash) []byte { return sd.digests[h] },
		kind:     sd.ContentType,
		disguise: func() bool { return sd.opening.isAttributes() },
	}
}

func (s *SignerInfo) value() subject {
	return subject{
		digest:   func(h crypto.Hash) []byte { return digestOf(h, s.Signature) },
		disguise: func() bool { return isAttributes(s.Signature, int64(len(s.Signature))) },
	}
}

// Check states the facts about one signer of sd. For a detached signature
// call [SignedData.DigestContent] first. For the counter-signatures of s, ask
// [SignedData.CheckCounter].
//
// It follows RFC 5652, sections 5.4 and 5.6, with the comparison of the
// signing-certificate attribute (RFC 5035, section 5) and of the algorithms
// (RFC 8933). It doesn't judge the strength of an algorithm, the certificate's
// validity, key usage or chain, and it doesn't look at unsigned attributes.
func (sd *SignedData) Check(s *SignerInfo) *Check { return sd.check(s, sd.content()) }

// CheckCounter states the facts about a counter-signature, one of those that
// [SignerInfo.CounterSignatures] lists for signed: it is over the signature
// value of signed and says nothing on whether that is good.
func (sd *SignedData) CheckCounter(signed, counter *SignerInfo) *Check {
	return sd.check(counter, signed.value())
}

func (sd *SignedData) check(s *SignerInfo, what subject) *Check {
	c := &Check{Signer: s}
	if s.Err != nil {
		c.add(Malformed, "%v", s.Err)
		return c
	}
	c.findCertificate(sd)
	c.checkContent(what)
	c.checkAttributes(what)
	c.checkAlgorithms()
	c.checkValue(sd, what)
	return c
}

// findCertificate looks for the signer's certificate: the one that the sid
// names and the signing-certificate attribute refers to.
//
// A file may hold several that the sid names, an evil twin beside the true
// one; the reference decides between them. One that the reference doesn't
// match has been swapped: RFC 5035, section 5.4, then has the signature
// considered invalid.
func (c *Check) findCertificate(sd *SignedData) {
	reference, err := c.Signer.certificateReference()
	if err != nil {
		c.add(ReferenceUnreadable, "%v", err)
	} else if reference == nil {
		c.add(ReferenceMissing, "no signing-certificate attribute protects the certificate against replacement")
	}
	named, referenced := sd.index().candidates(c.Signer, reference)
	switch {
	case referenced != nil && referenced.named(c.Signer):
		c.use(referenced)
		c.Referenced = reference.hash != crypto.MD5
		if !c.Referenced {
			c.add(ReferenceMissing, "the signing-certificate attribute uses MD5, which protects nothing")
		}
	case referenced != nil:
		c.use(referenced)
		c.add(CertificateSwapped, "the signer identifier and the signing-certificate attribute name different certificates")
	case named != nil:
		c.use(named)
		if reference != nil {
			c.add(CertificateSwapped, "the certificate is not the one that the signer bound to the signature")
		}
	default:
		c.strangers(sd)
	}
}

// strangers handles a file without the signer's certificate. Without any
// other end-entity certificate it was left out, as CMS allows. With one that
// belongs to no signer it was put in the place of the right one.
func (c *Check) strangers(sd *SignedData) {
	c.add(CertificateMissing, "the certificate of the signer is not in the file")
	if stranger := sd.index().stranger; stranger != nil {
		c.use(stranger)
		c.add(CertificateSwapped, "the file holds the certificate of somebody who didn't sign it, and not the signer's")
	}
}

func (c *Check) use(certificate *Certificate) {
	c.Raw = certificate
	x, err := certificate.X509()
	if err != nil {
		c.add(CertificateUnreadable, "the signer's certificate can't be read: %v", err)
		return
	}
	c.Certificate = x
}

// checkContent compares the digest of the content with the message-digest
// attribute (RFC 5652, section 11.2).
func (c *Check) checkContent(what subject) {
	h := c.Signer.Hash()
	if h == 0 {
		c.unknownDigest()
		return
	}
	c.ContentDigest = what.digest(h)
	if c.ContentDigest == nil {
		c.add(ContentMissing, "the signed content is not here")
		return
	}
	want, err := c.Signer.messageDigest()
	if err == nil && want != nil && !bytes.Equal(want, c.ContentDigest) {
		c.add(DigestMismatch, "the content is not what was signed: its %v digest differs", h)
	}
}

// unknownDigest tells a digest this package doesn't know from an identifier
// that names no digest but a signature algorithm, which some signers write.
func (c *Check) unknownDigest() {
	id := c.Signer.DigestAlgorithm.OID
	for _, a := range signatureAlgorithms {
		if a.oid.Equal(id) {
			c.add(DigestAlgorithmDiffers, "digestAlgorithm %v is a signature algorithm and no digest", id)
			return
		}
	}
	c.add(AlgorithmUnsupported, "digest algorithm %v is unknown", id)
}

// messageDigest returns the value of the message-digest attribute, or nil.
func (s *SignerInfo) messageDigest() ([]byte, error) {
	raw, err := s.signedAttribute(oidMessageDigest)
	if err != nil || raw == nil {
		return nil, err
	}
	v, _, err := nextValue(raw)
	if err != nil {
		return nil, err
	}
	return octets(v)
}

// checkAttributes checks that the signed attributes are there and tell the
// truth about the content.
func (c *Check) checkAttributes(what subject) {
	if c.Signer.SignedAttributes == nil {
		c.checkBareContent(what)
		return
	}
	digest, err := c.Signer.messageDigest()
	if err != nil {
		c.add(AttributeInvalid, "message-digest: %v", err)
	} else if digest == nil {
		c.add(MessageDigestMissing, "the signed attributes hold no digest of the content")
	}
	c.checkContentType(what)
	c.checkSigningTime()
	c.checkProtection()
}

// checkContentType compares the content-type attribute with what was signed.
// A counter-signature has none: a signature value is no typed content.
func (c *Check) checkContentType(what subject) {
	raw, err := c.Signer.signedAttribute(oidContentType)
	if what.kind == nil && err == nil {
		return
	}
	if err != nil {
		c.add(AttributeInvalid, "content-type: %v", err)
		return
	}
	if raw == nil {
		c.add(ContentTypeMissing, "the signed attributes don't say what type the content has")
		return
	}
	oid, err := parseOID(raw)
	if err != nil {
		c.add(AttributeInvalid, "content-type: %v", err)
	} else if !oid.Equal(what.kind) {
		c.add(ContentTypeMismatch, "the signer signed content of type %v, the file says it is %v", oid, what.kind)
	}
}

func (c *Check) checkSigningTime() {
	raw, err := c.Signer.signedAttribute(oidSigningTime)
	if err == nil && raw != nil {
		err = unmarshal(raw, &c.SigningTime)
	}
	if err != nil {
		c.add(AttributeInvalid, "signing-time: %v", err)
	}
}

// checkBareContent looks at a signature straight over its content. It is
// allowed for id-data only, and opens the way to an old trick: the DER of
// somebody's signed attributes is presented as a document, which their
// signature value then matches.
func (c *Check) checkBareContent(what subject) {
	c.add(AttributesAbsent, "no signed attributes")
	if what.kind != nil && !what.kind.Equal(oidData) {
		c.add(AttributesRequired, "content of type %v can't be signed without signed attributes", what.kind)
	}
	if what.disguise() {
		c.add(AttributesAsContent, "the content is the signed attributes of another signature, presented as a document")
	}
}

// openingSize is how much of the content is kept to recognise signed
// attributes. They can be larger, with revocation lists among them.
const openingSize = 64 << 10

func (p *prefix) isAttributes() bool { return isAttributes(p.kept, p.size) }

// isAttributes tells whether what was signed, of which this is the start, is a
// SET and nothing else, with a message-digest or content-type in it as far as
// can be seen. It doesn't take the attributes apart: whoever signed them may
// have written them in a way that is not understood here.
func isAttributes(start []byte, size int64) bool {
	r := bytes.NewReader(start)
	h, err := readHeader(r)
	if err != nil || h.id != tagSet {
		return false
	}
	if h.length != indefinite && size-h.length != int64(len(start)-r.Len()) {
		return false
	}
	return int64(len(start)) < size || bytes.Contains(start, oid(oidMessageDigest)) || bytes.Contains(start, oid(oidContentType))
}

// checkAlgorithms compares the digest of the content with that of the
// signature: RFC 8933 wants one and the same.
func (c *Check) checkAlgorithms() {
	m, err := c.Signer.method()
	if err != nil {
		return // checkValue says so
	}
	h := c.Signer.Hash()
	if h != 0 && m.hash != h {
		c.add(DigestAlgorithmDiffers, "the content is digested with %v, the signature is made with %v", h, m.hash)
	}
}

// checkProtection compares the algorithms with the CMSAlgorithmProtection
// attribute, when there is one (RFC 6211, section 3).
func (c *Check) checkProtection() {
	raw, err := c.Signer.signedAttribute(oidAlgorithmProtection)
	if err != nil {
		c.add(AttributeInvalid, "CMSAlgorithmProtection: %v", err)
		return
	}
	if raw == nil {
		return
	}
	digest, signature, err := parseProtection(raw)
	if err != nil {
		c.add(AttributeInvalid, "CMSAlgorithmProtection: %v", err)
	} else if !digest.Equal(c.Signer.DigestAlgorithm.OID) || !signature.Equal(c.Signer.SignatureAlgorithm.OID) {
		c.add(DigestAlgorithmDiffers, "the algorithms are not those that the signer protected")
	}
}

// parseProtection reads CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm,
// signatureAlgorithm [1] OPTIONAL, … }.
func parseProtection(raw []byte) (digest, signature asn1.ObjectIdentifier, err error) {
	seq, err := single(raw, tagSequence)
	if err != nil {
		return nil, nil, err
	}
	parts, err := seq.children(3)
	if err != nil {
		return nil, nil, err
	}
	if len(parts) != 2 || parts[1].id != tagContext1 {
		return nil, nil, errors.New("no digest and signature algorithm")
	}
	d, err := parseAlgorithm(parts[0].raw)
	if err != nil {
		return nil, nil, err
	}
	s, err := parseAlgorithm(appendElement(nil, tagSequence, parts[1].body))
	return d.OID, s.OID, err
}

// checkValue checks the signature value against the certificate's key.
func (c *Check) checkValue(sd *SignedData, what subject) {
	if c.Certificate == nil {
		return
	}
	if isLarge(c.Certificate.PublicKey) && sd.largeKeys.Add(1) > maxLargeKeys {
		c.add(AlgorithmUnsupported, "more than %d signatures by RSA keys over 4096 bits, or with large exponents, are not checked", maxLargeKeys)
		return
	}
	m, err := c.Signer.method()
	if err != nil {
		c.add(AlgorithmUnsupported, "%v", err)
		return
	}
	err = c.tryOrders(what, m)
	switch {
	case err == nil:
		c.ValueMatches = true
	case errors.Is(err, errUnsupported):
		c.add(AlgorithmUnsupported, "%v", err)
	default:
		c.add(SignatureMismatch, "%v", err)
	}
}

// tryOrders verifies over the DER encoding of the signed attributes, then
// over what stands in the file.
func (c *Check) tryOrders(what subject, m method) error {
	s := c.Signer
	if s.SignedAttributes == nil {
		digest := what.digest(m.hash)
		if digest == nil {
			return fmt.Errorf("no digest to verify with: %w", errUnsupported)
		}
		return m.verify(c.Certificate.PublicKey, digest, nil, s.Signature)
	}
	err := m.verify(c.Certificate.PublicKey, digestOf(m.hash, s.attrsDER), s.attrsDER, s.Signature)
	if err == nil {
		c.Order = OrderDER
		return nil
	}
	if bytes.Equal(s.attrsDER, s.attrsRaw) {
		return err
	}
	if m.verify(c.Certificate.PublicKey, digestOf(m.hash, s.attrsRaw), s.attrsRaw, s.Signature) == nil {
		c.Order = OrderStored
		return nil
	}
	return err
}

func digestOf(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
