// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// TSAConfig is how time stamps are made. The zero value makes them with the key
// of [pki.TSA] and SHA-256, for SHA-256, SHA-384 and SHA-512 imprints.
type TSAConfig struct {
	Signer          *pki.Identity           // who signs them
	Digest          crypto.Hash             // in the signature
	PSS             bool                    // RSASSA-PSS, when the key is an RSA key
	ESSCertIDv1     bool                    // SigningCertificate (SHA-1) and not SigningCertificateV2
	NoCertificates  bool                    // none in the token, even when asked for
	Policy          asn1.ObjectIdentifier   // the policy of who asks for none; [DefaultPolicy] when nil
	Policies        []asn1.ObjectIdentifier // others that may be asked for
	Imprints        []crypto.Hash           // the hash algorithms that are accepted
	Accuracy        time.Duration           // to the microsecond; left out when 0
	Ordering        bool                    // what the field ordering says
	Named           bool                    // the tsa field is there
	GrantedWithMods bool                    // status of those that are granted
	Refusal         *Refusal                // none is granted
	User, Password  string                  // asked for by basic authentication, unless both are empty
}

// DefaultPolicy is the policy of the time stamps, one of no meaning.
func DefaultPolicy() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1} }

// Status is a PKIStatus of RFC 3161, section 2.4.2.
type Status int

// The statuses.
const (
	Granted                Status = 0
	GrantedWithMods        Status = 1
	Rejection              Status = 2
	Waiting                Status = 3
	RevocationWarning      Status = 4
	RevocationNotification Status = 5
)

// Failure is a PKIFailureInfo of RFC 3161, section 2.4.2.
type Failure int

// The failures; NoFailure, the zero value, leaves failInfo out, and BadAlg is
// therefore not its bit 0 but -1.
const (
	NoFailure           Failure = 0
	BadAlg              Failure = -1
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	AddInfoNotAvailable Failure = 17
	SystemFailure       Failure = 25
)

// Refusal is an answer without a time stamp. Its error text is what it says.
type Refusal struct {
	Status  Status // Rejection when 0
	Failure Failure
	Says    string // statusString, left out when empty
}

// Error implements the error interface.
func (r *Refusal) Error() string { return r.Says }

// The structures of RFC 3161, sections 2.4.1 and 2.4.2.
type (
	timeStampReq struct {
		Version        int
		MessageImprint messageImprint
		ReqPolicy      asn1.ObjectIdentifier `asn1:"optional"`
		Nonce          *big.Int              `asn1:"optional"`
		CertReq        bool                  `asn1:"optional"`
		Extensions     []pkix.Extension      `asn1:"optional,tag:0"`
	}
	messageImprint struct {
		HashAlgorithm pkix.AlgorithmIdentifier
		HashedMessage []byte
	}
	timeStampResp struct {
		Status pkiStatusInfo
		Token  asn1.RawValue `asn1:"optional"`
	}
	pkiStatusInfo struct {
		Status       int
		StatusString asn1.RawValue  `asn1:"optional"` // PKIFreeText
		FailInfo     asn1.BitString `asn1:"optional"`
	}
	tstInfo struct {
		Version        int
		Policy         asn1.ObjectIdentifier
		MessageImprint messageImprint
		SerialNumber   *big.Int
		GenTime        asn1.RawValue
		Accuracy       accuracy      `asn1:"optional"`
		Ordering       bool          `asn1:"optional"`
		Nonce          *big.Int      `asn1:"optional"`
		TSA            asn1.RawValue `asn1:"optional"`
	}
	accuracy struct {
		Seconds int64 `asn1:"optional"`
		Millis  int64 `asn1:"optional,tag:0"`
		Micros  int64 `asn1:"optional,tag:1"`
	}
)

// timestamp answers a TimeStampReq.
func (s *Server) timestamp(q request) ([]byte, error) {
	var query timeStampReq
	if err := unmarshal(q.query, &query); err != nil {
		return (&Refusal{Failure: BadDataFormat, Says: "no TimeStampReq: " + err.Error()}).der()
	}
	refusal := q.config.TSA.Refusal
	if q.fault == Rejected {
		refusal = &Refusal{Failure: SystemFailure, Says: "the authority is being repaired"}
	}
	if refusal == nil {
		refusal = q.config.TSA.check(query)
	}
	if refusal != nil {
		return refusal.der()
	}
	token, err := s.token(q, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.issued++
	s.mu.Unlock()
	status := pkiStatusInfo{}
	if q.config.TSA.GrantedWithMods {
		status.Status = int(GrantedWithMods)
	}
	return asn1.Marshal(timeStampResp{Status: status, Token: asn1.RawValue{FullBytes: token}})
}

// check says why a request can't be granted; nil when it can.
func (c TSAConfig) check(query timeStampReq) *Refusal {
	hash := hashOf(query.MessageImprint.HashAlgorithm.Algorithm)
	switch {
	case query.Version != 1:
		return &Refusal{Failure: BadRequest, Says: "the version is not 1"}
	case hash == 0 || !slices.Contains(c.imprints(), hash):
		return &Refusal{Failure: BadAlg, Says: "the hash algorithm is not accepted"}
	case len(query.MessageImprint.HashedMessage) != hash.Size():
		return &Refusal{Failure: BadDataFormat, Says: "the imprint is not as long as the hash algorithm makes it"}
	case query.ReqPolicy != nil && !slices.ContainsFunc(append(c.Policies, c.policy()), query.ReqPolicy.Equal):
		return &Refusal{Failure: UnacceptedPolicy, Says: "the policy is not accepted"}
	case len(query.Extensions) > 0:
		return &Refusal{Failure: UnacceptedExtension, Says: "no extension is accepted"}
	}
	return nil
}

func (c TSAConfig) imprints() []crypto.Hash {
	if c.Imprints == nil {
		return []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}
	}
	return c.Imprints
}

func (c TSAConfig) policy() asn1.ObjectIdentifier {
	if c.Policy == nil {
		return DefaultPolicy()
	}
	return c.Policy
}

// der is the TimeStampResp that says so.
func (r *Refusal) der() ([]byte, error) {
	info := pkiStatusInfo{Status: int(r.Status)}
	if r.Status == Granted {
		info.Status = int(Rejection)
	}
	if r.Says != "" {
		text, err := asn1.MarshalWithParams(r.Says, "utf8")
		if err != nil {
			return nil, err
		}
		info.StatusString = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: text}
	}
	if r.Failure != NoFailure {
		info.FailInfo = namedBits(max(0, int(r.Failure)))
	}
	return asn1.Marshal(timeStampResp{Status: info})
}

// namedBits is a named bit list with these bits, in DER: without trailing zeros.
func namedBits(bits ...int) asn1.BitString {
	last := slices.Max(bits)
	list := asn1.BitString{Bytes: make([]byte, last/8+1), BitLength: last + 1}
	for _, bit := range bits {
		list.Bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	return list
}

// tsaOf is who signs instead of the TSA with a fault. It is never written to.
var tsaOf = map[Fault]pki.Name{
	NoEKU: pki.TSANoEKU, NotCriticalEKU: pki.TSANotCriticalEKU, ExtraEKU: pki.TSAExtraEKU,
	Expired: pki.TSAExpired, Revoked: pki.TSARevoked, OtherCA: pki.AltTSA,
}

// token makes the TimeStampToken.
func (s *Server) token(q request, query timeStampReq) ([]byte, error) {
	identity, err := s.identity(q.config.TSA.Signer, tsaOf[q.fault], pki.TSA)
	if err != nil {
		return nil, err
	}
	info, err := newTSTInfo(q, query, identity)
	if err != nil {
		return nil, err
	}
	content, err := asn1.Marshal(info)
	if err != nil {
		return nil, err
	}
	m := message{
		contentType: oidTSTInfo,
		content:     content,
		signer: signer{
			identity: identity, hash: q.config.TSA.Digest, pss: q.config.TSA.PSS, flip: q.fault == FlippedBit,
		},
		certificates: query.CertReq && !q.config.TSA.NoCertificates,
		version1:     q.config.TSA.ESSCertIDv1,
		named:        identity.Certificate,
	}
	switch q.fault {
	case WrongContent:
		m.contentType = oidData
	case MissingCertID:
		m.named = nil
	case WrongCertID:
		m.named, err = s.otherTSA(identity)
	}
	if err != nil {
		return nil, err
	}
	return m.der()
}

// newTSTInfo is what the time stamp says.
func newTSTInfo(q request, query timeStampReq, identity *pki.Identity) (tstInfo, error) {
	c := q.config.TSA
	serial, err := randomNumber()
	if err != nil {
		return tstInfo{}, err
	}
	info := tstInfo{
		Version: 1, Policy: c.policy(), MessageImprint: query.MessageImprint, SerialNumber: serial,
		GenTime: generalizedTime(q.now), Accuracy: newAccuracy(c.Accuracy), Ordering: c.Ordering, Nonce: query.Nonce,
	}
	if query.ReqPolicy != nil {
		info.Policy = query.ReqPolicy
	}
	if c.Named {
		info.TSA = tagged(0, identityName(identity)) // GeneralName: directoryName is [4]
	}
	return info, info.spoil(q)
}

// identityName is the subject as a directoryName of GeneralName.
func identityName(identity *pki.Identity) []byte {
	der, err := asn1.Marshal(tagged(4, identity.Certificate.RawSubject))
	if err != nil {
		panic(err) // of octets nothing can be wrong
	}
	return der
}

// spoil puts into the time stamp what a fault makes wrong in it.
func (i *tstInfo) spoil(q request) error {
	var err error
	switch q.fault {
	case WrongNonce:
		i.Nonce, err = randomNumber()
	case MissingNonce:
		i.Nonce = nil
	case WrongImprint:
		i.MessageImprint.HashedMessage = slices.Clone(i.MessageImprint.HashedMessage)
		i.MessageImprint.HashedMessage[0] ^= 1
	case WrongHash:
		i.MessageImprint = otherHash(i.MessageImprint)
	case WrongPolicy:
		i.Policy = append(slices.Clone(i.Policy), 666)
	case Future:
		i.GenTime = generalizedTime(q.now.Add(24 * time.Hour))
	}
	return err
}

// otherHash is an imprint by another algorithm than that of m.
func otherHash(m messageImprint) messageImprint {
	other := crypto.SHA512
	if hashOf(m.HashAlgorithm.Algorithm) == other {
		other = crypto.SHA256
	}
	return messageImprint{
		HashAlgorithm: pkix.AlgorithmIdentifier{Algorithm: digestOIDs[other], Parameters: asn1.NullRawValue},
		HashedMessage: sum(other, m.HashedMessage),
	}
}

func newAccuracy(d time.Duration) accuracy {
	return accuracy{
		Seconds: int64(d / time.Second),
		Millis:  int64(d % time.Second / time.Millisecond),
		Micros:  int64(d % time.Millisecond / time.Microsecond),
	}
}

// identity is who signs: as a fault has it, or else as configured, or else usual.
func (s *Server) identity(configured *pki.Identity, byFault, usual pki.Name) (*pki.Identity, error) {
	switch {
	case byFault != "":
		return s.pki.Issue(byFault)
	case configured != nil:
		return configured, nil
	}
	return s.pki.Issue(usual)
}
