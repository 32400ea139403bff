// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// OCSPConfig is how OCSP answers are made. With the zero value those about
// certificates of [pki.QualifiedCA] are signed by [pki.OCSPResponder], those of
// other authorities by these themselves, with SHA-256. Faults in the
// certificate of the responder concern those of QualifiedCA alone.
type OCSPConfig struct {
	Responder      *pki.Identity // who signs all answers
	Digest         crypto.Hash   // in the signature
	PSS            bool          // RSASSA-PSS, when the key is an RSA key
	ByName         bool          // name the responder, instead of its key
	NoCertificates bool          // leave out the certificate of the responder
	Age            time.Duration // how long thisUpdate is past; some clients refuse 0 when the clock runs
	Validity       time.Duration // from thisUpdate to nextUpdate; a day when 0
	NoNextUpdate   bool          // leave out nextUpdate
	ArchiveCutoff  time.Time     // RFC 6960, section 4.4.4; left out when zero
}

// The extensions of RFC 6960, section 4.4, and the type of a basic answer.
var (
	oidOCSPBasic         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPArchiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
)

// The structures of RFC 6960, sections 4.1.1 and 4.2.1.
type (
	ocspRequest struct {
		TBS       ocspTBS
		Signature asn1.RawValue `asn1:"optional,explicit,tag:0"`
	}
	ocspTBS struct {
		Version    int           `asn1:"optional,explicit,tag:0"`
		Requestor  asn1.RawValue `asn1:"optional,explicit,tag:1"`
		List       []ocspQuery
		Extensions []pkix.Extension `asn1:"optional,explicit,tag:2"`
	}
	ocspQuery struct {
		ID         certID
		Extensions []pkix.Extension `asn1:"optional,explicit,tag:0"`
	}
	certID struct {
		Hash       pkix.AlgorithmIdentifier
		IssuerName []byte
		IssuerKey  []byte
		Serial     *big.Int
	}
	ocspResponse struct {
		Status asn1.Enumerated
		Bytes  responseBytes `asn1:"optional,explicit,tag:0"`
	}
	responseBytes struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}
	basicResponse struct {
		TBS          asn1.RawValue
		Algorithm    pkix.AlgorithmIdentifier
		Signature    asn1.BitString
		Certificates []asn1.RawValue `asn1:"optional,explicit,tag:0"`
	}
	responseData struct {
		Responder  asn1.RawValue
		ProducedAt asn1.RawValue
		Responses  []singleResponse
		Extensions []pkix.Extension `asn1:"optional,explicit,tag:1"`
	}
	singleResponse struct {
		ID         certID
		Status     asn1.RawValue
		ThisUpdate asn1.RawValue
		NextUpdate asn1.RawValue    `asn1:"optional"`
		Extensions []pkix.Extension `asn1:"optional,explicit,tag:1"`
	}
)

// The statuses of an OCSPResponse that are no success.
const (
	statusMalformed    asn1.Enumerated = 1
	statusInternal     asn1.Enumerated = 2
	statusTryLater     asn1.Enumerated = 3
	statusSigRequired  asn1.Enumerated = 5
	statusUnauthorized asn1.Enumerated = 6
)

// statusOf is the status that a fault gives. It is never written to.
var statusOf = map[Fault]asn1.Enumerated{
	Malformed: statusMalformed, InternalError: statusInternal, TryLater: statusTryLater,
	SigRequired: statusSigRequired, Unauthorized: statusUnauthorized,
}

// noAnswer is an OCSPResponse that answers nothing.
func noAnswer(status asn1.Enumerated) ([]byte, error) {
	return asn1.Marshal(struct{ Status asn1.Enumerated }{status})
}

// status answers an OCSPRequest about certificates of one authority.
func (s *Server) status(q request) ([]byte, error) {
	if status, ok := statusOf[q.fault]; ok {
		return noAnswer(status)
	}
	var query ocspRequest
	if err := unmarshal(q.query, &query); err != nil || len(query.TBS.List) == 0 {
		return noAnswer(statusMalformed)
	}
	issuer, err := s.asked(q.issuer, query.TBS.List)
	if err != nil {
		return nil, err
	}
	if issuer == "" {
		return noAnswer(statusUnauthorized)
	}
	basic, err := s.basicResponse(q, query.TBS, issuer)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(ocspResponse{Bytes: responseBytes{oidOCSPBasic, basic}})
}

// asked is the authority whose certificates a request is about; empty when it is
// none, or more than one, or not the one that the address is of.
func (s *Server) asked(only pki.Name, list []ocspQuery) (pki.Name, error) {
	for _, name := range pki.Authorities() {
		if only != "" && only != name {
			continue
		}
		authority, err := s.pki.Issue(name)
		if err != nil {
			return "", err
		}
		others := slices.ContainsFunc(list, func(query ocspQuery) bool { return !query.ID.isOf(authority.Certificate) })
		if !others {
			return name, nil
		}
	}
	return "", nil
}

// isOf says whether an identifier is of a certificate of the issuer.
func (i certID) isOf(issuer *x509.Certificate) bool {
	hash := hashOf(i.Hash.Algorithm)
	if hash == 0 {
		return false
	}
	name, key := issuerHashes(hash, issuer)
	return bytes.Equal(i.IssuerName, name) && bytes.Equal(i.IssuerKey, key)
}

// issuerHashes are the digests of the name and of the key of an issuer: of the
// latter without its algorithm.
func issuerHashes(hash crypto.Hash, issuer *x509.Certificate) (name, key []byte) {
	return sum(hash, issuer.RawSubject), sum(hash, publicKeyBits(issuer))
}

// publicKeyBits are the octets of the BIT STRING subjectPublicKey.
func publicKeyBits(c *x509.Certificate) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if err := unmarshal(c.RawSubjectPublicKeyInfo, &info); err != nil {
		panic(err) // crypto/x509 has read it already
	}
	return info.Key.RightAlign()
}

// responderOf is who signs instead of the responder with a fault. It is never
// written to.
var responderOf = map[Fault]pki.Name{
	NoEKU: pki.OCSPNoEKU, Expired: pki.OCSPExpired, Revoked: pki.OCSPRevoked, OtherCA: pki.OCSPOtherCA,
}

// responder is who signs answers about certificates of an issuer.
func (s *Server) responder(q request, issuer pki.Name) (*pki.Identity, error) {
	if issuer == pki.QualifiedCA {
		return s.identity(q.config.OCSP.Responder, responderOf[q.fault], pki.OCSPResponder)
	}
	return s.identity(q.config.OCSP.Responder, "", issuer)
}

// basicResponse makes the signed part of an answer.
func (s *Server) basicResponse(q request, query ocspTBS, issuer pki.Name) ([]byte, error) {
	responder, err := s.responder(q, issuer)
	if err != nil {
		return nil, err
	}
	data := responseData{Responder: responderID(responder, q.config.OCSP.ByName), ProducedAt: wholeSecond(q.now)}
	for _, asked := range query.List {
		single, err := s.single(q, issuer, asked.ID)
		if err != nil {
			return nil, err
		}
		data.Responses = append(data.Responses, single)
	}
	if data.Extensions, err = nonceOf(query, q.fault); err != nil {
		return nil, err
	}
	tbs, err := encode(data)
	if err != nil {
		return nil, err
	}
	algorithm, value, err := signer{
		identity: responder, hash: q.config.OCSP.Digest, pss: q.config.OCSP.PSS, flip: q.fault == FlippedBit,
	}.sign(tbs.FullBytes)
	if err != nil {
		return nil, err
	}
	basic := basicResponse{TBS: tbs, Algorithm: algorithm, Signature: asn1.BitString{Bytes: value, BitLength: 8 * len(value)}}
	if !q.config.OCSP.NoCertificates && responder.Name != issuer {
		basic.Certificates = []asn1.RawValue{{FullBytes: responder.Certificate.Raw}}
	}
	return asn1.Marshal(basic)
}

// responderID names a responder by its name, or by the SHA-1 of its key.
func responderID(responder *pki.Identity, byName bool) asn1.RawValue {
	if byName {
		return tagged(1, responder.Certificate.RawSubject)
	}
	key, err := asn1.Marshal(sum(crypto.SHA1, publicKeyBits(responder.Certificate)))
	if err != nil {
		panic(err) // of octets nothing can be wrong
	}
	return tagged(2, key)
}

// nonceOf is the extension that sends the nonce back, as a fault has it.
func nonceOf(query ocspTBS, fault Fault) ([]pkix.Extension, error) {
	i := slices.IndexFunc(query.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidOCSPNonce) })
	if i < 0 || fault == MissingNonce {
		return nil, nil
	}
	nonce := pkix.Extension{Id: oidOCSPNonce, Value: query.Extensions[i].Value}
	if fault == WrongNonce {
		other, err := asn1.Marshal(sum(crypto.SHA256, nonce.Value))
		if err != nil {
			return nil, err
		}
		nonce.Value = other
	}
	return []pkix.Extension{nonce}, nil
}

// single is the answer about one certificate.
func (s *Server) single(q request, issuer pki.Name, id certID) (singleResponse, error) {
	rec := s.record(q.register, issuer)
	single := singleResponse{ID: id}
	var err error
	if single.Status, err = rec.status(id.Serial); err != nil {
		return single, err
	}
	switch q.fault {
	case WrongSerial:
		single.ID.Serial = new(big.Int).Add(id.Serial, big.NewInt(1))
	case OtherIssuer:
		if single.ID, err = s.otherIssuer(issuer, id); err != nil {
			return single, err
		}
	}
	return single, single.date(q)
}

// status is the CertStatus of a serial number.
func (r *record) status(serial *big.Int) (asn1.RawValue, error) {
	if slices.ContainsFunc(r.unknown, func(n *big.Int) bool { return n.Cmp(serial) == 0 }) {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2}, nil
	}
	e := r.current(serial)
	if e == nil {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0}, nil
	}
	at, err := asn1.Marshal(wholeSecond(e.at))
	if err != nil || e.reason == Unspecified { // which is better left out: RFC 5280, section 5.3.1
		return tagged(1, at), err
	}
	reason, err := asn1.MarshalWithParams(asn1.Enumerated(e.reason), "explicit,tag:0")
	return tagged(1, at, reason), err
}

// otherIssuer is an identifier with the serial number of id, and another issuer.
func (s *Server) otherIssuer(issuer pki.Name, id certID) (certID, error) {
	name := pki.CNSCA
	if issuer == name {
		name = pki.QualifiedCA
	}
	other, err := s.pki.Issue(name)
	if err != nil {
		return id, err
	}
	id.IssuerName, id.IssuerKey = issuerHashes(hashOf(id.Hash.Algorithm), other.Certificate)
	return id, nil
}

// date fills in the times of an answer and what else is configured.
func (r *singleResponse) date(q request) error {
	c := q.config.OCSP
	this, next := period(q, c.Age, c.Validity, 24*time.Hour)
	r.ThisUpdate = wholeSecond(this)
	if !c.NoNextUpdate {
		der, err := asn1.Marshal(wholeSecond(next))
		if err != nil {
			return err
		}
		r.NextUpdate = tagged(0, der)
	}
	if !c.ArchiveCutoff.IsZero() {
		der, err := asn1.Marshal(wholeSecond(c.ArchiveCutoff))
		if err != nil {
			return err
		}
		r.Extensions = []pkix.Extension{{Id: oidOCSPArchiveCutoff, Value: der}}
	}
	return nil
}

// period is from thisUpdate to nextUpdate, where the fault puts it.
func period(q request, age, validity, usual time.Duration) (this, next time.Time) {
	if validity == 0 {
		validity = usual
	}
	const day = 24 * time.Hour
	switch this = q.now.Add(-age); q.fault {
	case Stale:
		this = this.Add(-validity - day)
	case Future:
		this = this.Add(day)
	}
	return this, this.Add(validity)
}

// wholeSecond is a GeneralizedTime as RFC 5280, section 4.1.2.5.2 wants it.
func wholeSecond(t time.Time) asn1.RawValue { return generalizedTime(t.Truncate(time.Second)) }
