// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var (
	oidData                 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// message is a SignedData with one signer, as RFC 3161, section 2.4.2 wants it.
type message struct {
	contentType  asn1.ObjectIdentifier
	content      []byte
	signer       signer
	certificates bool              // those of the signer and its issuers are included
	version1     bool              // SigningCertificate and not SigningCertificateV2
	named        *x509.Certificate // what that names; the attribute is left out when nil
}

// The structures of RFC 5652, section 5.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      encapsulated
		Certificates asn1.RawValue `asn1:"optional"`
		Signers      []signerInfo  `asn1:"set"`
	}
	encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	signerInfo struct {
		Version            int
		ID                 issuerAndSerial
		Digest             pkix.AlgorithmIdentifier
		Signed             asn1.RawValue
		SignatureAlgorithm pkix.AlgorithmIdentifier
		Value              []byte
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values []any `asn1:"set"`
	}
)

// der writes the message.
func (m message) der() ([]byte, error) {
	set, err := m.attributes()
	if err != nil {
		return nil, err
	}
	algorithm, value, err := m.signer.sign(set)
	if err != nil {
		return nil, err
	}
	// The attributes are signed as a SET OF and sent with an implicit [0].
	var signed asn1.RawValue
	if err := unmarshal(set, &signed); err != nil {
		return nil, err
	}
	certificate := m.signer.identity.Certificate
	digest := pkix.AlgorithmIdentifier{Algorithm: digestOIDs[m.signer.digest()]}
	data := signedData{
		Version: 3, // because the content is not id-data
		Digests: []pkix.AlgorithmIdentifier{digest},
		Content: encapsulated{m.contentType, m.content},
		Signers: []signerInfo{{
			Version:            1,
			ID:                 issuerAndSerial{asn1.RawValue{FullBytes: certificate.RawIssuer}, certificate.SerialNumber},
			Digest:             digest,
			Signed:             tagged(0, signed.Bytes),
			SignatureAlgorithm: algorithm,
			Value:              value,
		}},
	}
	if m.certificates {
		data.Certificates = certificateSet(m.signer.identity)
	}
	return asn1.Marshal(contentInfo{oidSignedData, data})
}

// certificateSet is the [0] with the certificates of an identity, sorted as DER
// sorts a SET OF.
func certificateSet(identity *pki.Identity) asn1.RawValue {
	ders := [][]byte{identity.Certificate.Raw}
	for _, c := range identity.Chain {
		ders = append(ders, c.Raw)
	}
	slices.SortFunc(ders, slices.Compare)
	return tagged(0, ders...)
}

// attributes is the SET OF signed attributes.
func (m message) attributes() ([]byte, error) {
	attributes := []attribute{
		{oidContentType, []any{m.contentType}},
		{oidMessageDigest, []any{sum(m.signer.digest(), m.content)}},
	}
	if m.named != nil {
		attributes = append(attributes, signingCertificate(m.named, m.version1))
	}
	return asn1.MarshalWithParams(attributes, "set")
}

// signingCertificate is the SigningCertificate (RFC 2634, section 5.4) or the
// SigningCertificateV2 (RFC 5035, section 3) that names a certificate by
// its digest: SHA-1, or SHA-256, which is the default and so left out.
func signingCertificate(c *x509.Certificate, version1 bool) attribute {
	oid, hash := oidSigningCertificateV2, crypto.SHA256
	if version1 {
		oid, hash = oidSigningCertificate, crypto.SHA1
	}
	type certID struct{ Hash []byte }
	return attribute{oid, []any{struct{ Certs []certID }{[]certID{{sum(hash, c.Raw)}}}}}
}

// otherTSA is the certificate of a TSA that is not identity's.
func (s *Server) otherTSA(identity *pki.Identity) (*x509.Certificate, error) {
	name := pki.TSA
	if identity.Name == name {
		name = pki.TSAP256
	}
	other, err := s.pki.Issue(name)
	if err != nil {
		return nil, err
	}
	return other.Certificate, nil
}
