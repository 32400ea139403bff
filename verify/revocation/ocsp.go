// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pectoken/pectoken/sign/cms"
)

// Limits of an OCSP response: no real one comes near.
const (
	maxOCSP         = 1 << 20 // bytes
	maxSingles      = 1000
	maxOCSPCerts    = 20
	maxSerialLength = 64 // bytes
)

// ResponseError is an OCSP response that carries no answer (RFC 6960, section
// 4.2.1): the responder refused, or could not.
type ResponseError struct{ Status int }

var responseWords = map[int]string{
	1: "it found the request malformed", 2: "it has an internal error", 3: "it says to try later",
	5: "it wants the request signed", 6: "it does not answer us (unauthorized)",
}

func (e *ResponseError) Error() string {
	if words, ok := responseWords[e.Status]; ok {
		return "the OCSP responder does not answer: " + words
	}
	return fmt.Sprintf("the OCSP responder does not answer: status %d", e.Status)
}

// OCSP is a basic OCSP response (RFC 6960, section 4.2.1). What it says is unproven
// until [OCSP.Answer] has checked who signed it.
type OCSP struct {
	Raw          []byte // the whole OCSPResponse
	ProducedAt   time.Time
	Nonce        []byte // the octets of the extension; nil without
	Certificates []*x509.Certificate

	name, keyHash []byte // of the responder; one of them
	singles       []single
	signed        []byte // tbsResponseData
	algorithm     cms.AlgorithmIdentifier
	signature     []byte
	critical      asn1.ObjectIdentifier // an extension that is critical and not known

	mu      sync.Mutex
	checked map[signing]error
}

// single is a SingleResponse.
type single struct {
	hash              crypto.Hash // 0 if not known
	nameHash, keyHash []byte
	serial            *big.Int
	Answer
	critical asn1.ObjectIdentifier
}

var (
	oidBasicResponse = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNonce         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidNoCheck       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidArchiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidSHA1          = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

var errOCSP = errors.New("not an OCSP response in DER")

// ParseOCSP reads an OCSPResponse. The error is a [*ResponseError] when the
// responder gave none of its answers.
func ParseOCSP(der []byte) (*OCSP, error) {
	if len(der) > maxOCSP {
		return nil, fmt.Errorf("reading OCSP response: %d bytes, more than %d", len(der), maxOCSP)
	}
	basic, err := basicResponse(der)
	if err == nil {
		var o *OCSP
		if o, err = parseBasic(basic); err == nil {
			o.Raw = bytes.Clone(der)
			return o, nil
		}
	}
	return nil, fmt.Errorf("reading OCSP response: %w", err)
}

// ParseBasicOCSP reads a BasicOCSPResponse, as CAdES and CMS keep them without
// their envelope (RFC 5126, section 6.3.3). Raw is the whole OCSPResponse.
func ParseBasicOCSP(der []byte) (*OCSP, error) {
	if len(der) > maxOCSP {
		return nil, fmt.Errorf("reading OCSP response: %d bytes, more than %d", len(der), maxOCSP)
	}
	o, err := parseBasic(der)
	if err != nil {
		return nil, fmt.Errorf("reading OCSP response: %w", err)
	}
	o.Raw, err = envelope(der)
	return o, err
}

// envelope puts a BasicOCSPResponse into a successful OCSPResponse.
func envelope(basic []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasicResponse)
				b.AddASN1OctetString(basic)
			})
		})
	})
	return b.Bytes()
}

// Basic returns the BasicOCSPResponse inside, as CAdES keeps it.
func (o *OCSP) Basic() []byte {
	basic, err := basicResponse(o.Raw)
	if err != nil {
		return nil
	}
	return basic
}

func basicResponse(der []byte) ([]byte, error) {
	in, response, body := cryptobyte.String(der), cryptobyte.String(nil), cryptobyte.String(nil)
	var status int
	var present bool
	if !in.ReadASN1(&response, cbasn1.SEQUENCE) || !in.Empty() || !response.ReadASN1Enum(&status) ||
		!response.ReadOptionalASN1(&body, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) || !response.Empty() {
		return nil, errOCSP
	}
	if status != 0 {
		return nil, &ResponseError{status}
	}
	var kind asn1.ObjectIdentifier
	var basic, typed cryptobyte.String
	if !present || !body.ReadASN1(&typed, cbasn1.SEQUENCE) || !body.Empty() || !typed.ReadASN1ObjectIdentifier(&kind) ||
		!typed.ReadASN1(&basic, cbasn1.OCTET_STRING) || !typed.Empty() {
		return nil, errOCSP
	}
	if !kind.Equal(oidBasicResponse) {
		return nil, fmt.Errorf("a response of type %v, which is not known", kind)
	}
	return basic, nil
}

func parseBasic(der []byte) (*OCSP, error) {
	o := &OCSP{}
	in := cryptobyte.String(der)
	var basic, signed, certificates cryptobyte.String
	var present bool
	if !in.ReadASN1(&basic, cbasn1.SEQUENCE) || !in.Empty() || !basic.ReadASN1Element(&signed, cbasn1.SEQUENCE) ||
		!readAlgorithm(&basic, &o.algorithm) || !basic.ReadASN1BitStringAsBytes(&o.signature) ||
		!basic.ReadOptionalASN1(&certificates, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) || !basic.Empty() {
		return nil, errOCSP
	}
	o.signed = signed
	if present {
		if err := o.readCertificates(certificates); err != nil {
			return nil, err
		}
	}
	return o, o.readData(signed)
}

// readCertificates keeps those that Go can parse: another one can't be the
// responder's.
func (o *OCSP) readCertificates(in cryptobyte.String) error {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return errOCSP
	}
	for n := 0; !list.Empty(); n++ {
		var raw cryptobyte.String
		if !list.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return errOCSP
		}
		if n == maxOCSPCerts {
			return fmt.Errorf("it has more than %d certificates", maxOCSPCerts)
		}
		if c, err := x509.ParseCertificate(raw); err == nil {
			o.Certificates = append(o.Certificates, c)
		}
	}
	return nil
}

// readData reads a ResponseData.
func (o *OCSP) readData(in cryptobyte.String) error {
	var data, list cryptobyte.String
	if !in.ReadASN1(&data, cbasn1.SEQUENCE) || !data.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!o.readResponder(&data) || !data.ReadASN1GeneralizedTime(&o.ProducedAt) || !data.ReadASN1(&list, cbasn1.SEQUENCE) {
		return errOCSP
	}
	for !list.Empty() {
		s, err := readSingle(&list)
		if err != nil {
			return err
		}
		if len(o.singles) == maxSingles {
			return fmt.Errorf("it has more than %d answers", maxSingles)
		}
		o.singles = append(o.singles, s)
	}
	return readExtensions(&data, 1, func(id asn1.ObjectIdentifier, critical bool, value []byte) {
		switch {
		case id.Equal(oidNonce):
			o.Nonce = nonceOctets(value)
		case critical:
			o.critical = id
		}
	})
}

// nonceOctets takes a nonce out of its OCTET STRING. Some responders leave that
// away (RFC 8954).
func nonceOctets(value []byte) []byte {
	in, out := cryptobyte.String(value), cryptobyte.String(nil)
	if in.ReadASN1(&out, cbasn1.OCTET_STRING) && in.Empty() {
		return out
	}
	return value
}

// readResponder reads a ResponderID.
func (o *OCSP) readResponder(data *cryptobyte.String) bool {
	var byName, byKey, key cryptobyte.String
	var isName, isKey bool
	if !data.ReadOptionalASN1(&byName, &isName, cbasn1.Tag(1).ContextSpecific().Constructed()) ||
		!data.ReadOptionalASN1(&byKey, &isKey, cbasn1.Tag(2).ContextSpecific().Constructed()) || isName == isKey {
		return false
	}
	if isName {
		o.name = byName
		return true
	}
	if !byKey.ReadASN1(&key, cbasn1.OCTET_STRING) || !byKey.Empty() {
		return false
	}
	o.keyHash = key
	return true
}

// readSingle reads a SingleResponse.
func readSingle(list *cryptobyte.String) (s single, err error) {
	var in, id, next cryptobyte.String
	var hasNext bool
	var algorithm cms.AlgorithmIdentifier
	s.serial = new(big.Int)
	s.Kind = KindOCSP
	if !list.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1(&id, cbasn1.SEQUENCE) || !readAlgorithm(&id, &algorithm) ||
		!id.ReadASN1Bytes(&s.nameHash, cbasn1.OCTET_STRING) || !id.ReadASN1Bytes(&s.keyHash, cbasn1.OCTET_STRING) ||
		len(id) > maxSerialLength || !id.ReadASN1Integer(s.serial) || !id.Empty() ||
		!s.readStatus(&in) || !in.ReadASN1GeneralizedTime(&s.ThisUpdate) ||
		!in.ReadOptionalASN1(&next, &hasNext, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		hasNext && (!next.ReadASN1GeneralizedTime(&s.NextUpdate) || !next.Empty()) {
		return s, errOCSP
	}
	s.hash = hashOf(algorithm.OID)
	return s, readExtensions(&in, 1, func(id asn1.ObjectIdentifier, critical bool, value []byte) {
		cutoff := cryptobyte.String(value)
		switch {
		case id.Equal(oidArchiveCutoff) && cutoff.ReadASN1GeneralizedTime(&s.Cutoff):
		case critical:
			s.critical = id
		}
	})
}

// readStatus reads a CertStatus.
func (s *single) readStatus(in *cryptobyte.String) bool {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&value, &tag) {
		return false
	}
	switch tag {
	case cbasn1.Tag(0).ContextSpecific():
		s.Status = Good
		return value.Empty()
	case cbasn1.Tag(1).ContextSpecific().Constructed():
		return s.readRevoked(value)
	case cbasn1.Tag(2).ContextSpecific():
		s.Status = Unknown
		return value.Empty()
	}
	return false
}

// readRevoked reads a RevokedInfo.
func (s *single) readRevoked(in cryptobyte.String) bool {
	var reason cryptobyte.String
	var present bool
	var code int
	if !in.ReadASN1GeneralizedTime(&s.RevokedAt) || !in.ReadOptionalASN1(&reason, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		present && (!reason.ReadASN1Enum(&code) || !reason.Empty()) || !in.Empty() {
		return false
	}
	s.Status, s.Reason = Revoked, Reason(code)
	if s.Reason == certificateHold {
		s.Status = Suspended
	}
	return true
}

// readAlgorithm reads an AlgorithmIdentifier.
func readAlgorithm(in *cryptobyte.String, a *cms.AlgorithmIdentifier) bool {
	var sequence cryptobyte.String
	if !in.ReadASN1(&sequence, cbasn1.SEQUENCE) || !sequence.ReadASN1ObjectIdentifier(&a.OID) {
		return false
	}
	if len(sequence) > 0 {
		a.Parameters = bytes.Clone(sequence)
	}
	return true
}

// readExtensions reads Extensions under a context tag, if they are there; nothing
// may follow.
func readExtensions(in *cryptobyte.String, tag uint8, each func(id asn1.ObjectIdentifier, critical bool, value []byte)) error {
	var tagged, list cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&tagged, &present, cbasn1.Tag(tag).ContextSpecific().Constructed()) || !in.Empty() {
		return errOCSP
	}
	if !present {
		return nil
	}
	if !tagged.ReadASN1(&list, cbasn1.SEQUENCE) || !tagged.Empty() {
		return errOCSP
	}
	for !list.Empty() {
		var one cryptobyte.String
		var id asn1.ObjectIdentifier
		var critical bool
		var value []byte
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) || one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) ||
			!one.ReadASN1Bytes(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return errOCSP
		}
		each(id, critical, value)
	}
	return nil
}

func hashOf(id asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case id.Equal(oidSHA1):
		return crypto.SHA1
	case id.Equal(oidSHA256):
		return crypto.SHA256
	case id.Equal(oidSHA384):
		return crypto.SHA384
	case id.Equal(oidSHA512):
		return crypto.SHA512
	}
	return 0
}

// ErrOtherCertificate is returned for evidence that says nothing of the
// certificate that was asked about.
var ErrOtherCertificate = errors.New("it does not speak of this certificate")

// Answer returns what the response says of a certificate, after checking that the
// issuer or a responder of its signed it. Others are certificates that may be the
// responder's, beside those in the response. A responder whose own certificate may
// be revoked is for the caller to check: see [NeedsCheck].
//
// The certificate is found by the digests of its issuer's name and key and by its
// serial number, never by the number alone. Of several answers about it in one response
// the worst is believed. Whether the answer is recent enough is not looked at here.
func (o *OCSP) Answer(certificate, issuer *x509.Certificate, others []*x509.Certificate) (*Answer, error) {
	if o.critical != nil {
		return nil, fmt.Errorf("the OCSP response has the critical extension %v, which is not known", o.critical)
	}
	s := o.worst(certificate, issuer)
	if s == nil {
		return nil, fmt.Errorf("OCSP response: %w", ErrOtherCertificate)
	}
	if s.critical != nil {
		return nil, fmt.Errorf("the OCSP response has the critical extension %v, which is not known", s.critical)
	}
	signer, err := o.signer(issuer, others)
	if err != nil {
		return nil, err
	}
	a := s.Answer
	a.ProducedAt, a.Raw, a.Signer = o.ProducedAt, o.Raw, signer
	return a.settled(certificate)
}

// worst returns the worst of the answers about a certificate, nil if there is none. One
// with a critical extension that is not known may say anything.
func (o *OCSP) worst(certificate, issuer *x509.Certificate) (found *single) {
	for i := range o.singles {
		s := &o.singles[i]
		if s.about(certificate, issuer) && (found == nil || s.critical != nil || found.critical == nil && s.worse(&found.Answer)) {
			found = s
		}
	}
	return found
}

// worse says whether an answer is worse news than another.
func (a *Answer) worse(other *Answer) bool {
	badness := map[Status]int{Good: 0, Unknown: 1, Suspended: 2, Revoked: 3}
	if a.Status == other.Status {
		return a.RevokedAt.Before(other.RevokedAt)
	}
	return badness[a.Status] > badness[other.Status]
}

// settled applies what holds for every kind of evidence.
func (a *Answer) settled(certificate *x509.Certificate) (*Answer, error) {
	if !a.NextUpdate.IsZero() && a.NextUpdate.Before(a.ThisUpdate) {
		return nil, errors.New("the next update is before this one")
	}
	if !a.speaks(certificate) {
		return nil, fmt.Errorf("it was made on %s, after the certificate expired, and does not say that it still knows of such certificates", day(a.ThisUpdate))
	}
	return a, nil
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// about says whether a CertID names a certificate (RFC 6960, section 4.1.1).
func (s *single) about(certificate, issuer *x509.Certificate) bool {
	if s.hash == 0 || s.serial.Cmp(certificate.SerialNumber) != 0 {
		return false
	}
	key, err := keyBits(issuer)
	return err == nil && bytes.Equal(s.nameHash, digest(s.hash, certificate.RawIssuer)) && bytes.Equal(s.keyHash, digest(s.hash, key))
}

// Names says whether the response claims to speak of a certificate, without knowing its
// issuer. It proves nothing.
func (o *OCSP) Names(certificate *x509.Certificate) bool {
	return slices.ContainsFunc(o.singles, func(s single) bool {
		return s.hash != 0 && s.serial.Cmp(certificate.SerialNumber) == 0 && bytes.Equal(s.nameHash, digest(s.hash, certificate.RawIssuer))
	})
}

func digest(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// keyBits returns the content of a certificate's subjectPublicKey.
func keyBits(c *x509.Certificate) ([]byte, error) {
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var info, algorithm cryptobyte.String
	var bits []byte
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !info.ReadASN1BitStringAsBytes(&bits) {
		return nil, fmt.Errorf("reading the public key of %q", c.Subject)
	}
	return bits, nil
}
