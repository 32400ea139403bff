// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// certificateReference is the first ESSCertID or ESSCertIDv2 of a
// signing-certificate attribute: the one that must be the signer's (RFC 2634,
// section 5.4; RFC 5035, section 3).
type certificateReference struct {
	hash   crypto.Hash
	digest []byte
	serial *big.Int // nil when issuer and serial number are left out

	first *certificateReference // of the first version, where there are both; nil when not
}

// essCertID is ESSCertID, without the hash algorithm of its second version.
type essCertID struct {
	Digest       []byte
	IssuerSerial issuerSerial `asn1:"optional"`
}

// essCertIDv2 is ESSCertIDv2 with the optional hashAlgorithm present.
type essCertIDv2 struct {
	Hash         pkix.AlgorithmIdentifier
	Digest       []byte
	IssuerSerial issuerSerial `asn1:"optional"`
}

type issuerSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

// errReference marks a signing-certificate attribute that can't be read.
var errReference = errors.New("unreadable signing-certificate attribute")

// certificateReference reads the signing-certificate-v2 attribute and
// signing-certificate. Nil and no error means that the signer has neither.
func (s *SignerInfo) certificateReference() (*certificateReference, error) {
	second, err := s.referenceOf(oidSigningCertificateV2, 2)
	if err != nil {
		return nil, err
	}
	first, err := s.referenceOf(oidSigningCertificate, 1)
	if err != nil || second == nil {
		return first, err
	}
	second.first = first
	return second, nil
}

func (s *SignerInfo) referenceOf(attribute asn1.ObjectIdentifier, version int) (*certificateReference, error) {
	raw, err := s.signedAttribute(attribute)
	if err != nil || raw == nil {
		return nil, err
	}
	return parseReference(raw, version)
}

// parseReference reads SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE
// OF ESSCertID(v2), policies … OPTIONAL }.
func parseReference(raw []byte, version int) (*certificateReference, error) {
	outer, err := single(raw, tagSequence)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errReference, err)
	}
	list, _, err := nextValue(outer.body)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errReference, err)
	}
	first, _, err := nextValue(list.body)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errReference, err)
	}
	id, err := parseCertID(first, version)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errReference, err)
	}
	h := hashOf(id.Hash.Algorithm)
	if h == 0 {
		return nil, fmt.Errorf("%w: digest algorithm %v is unknown", errReference, id.Hash.Algorithm)
	}
	return &certificateReference{hash: h, digest: id.Digest, serial: id.IssuerSerial.Serial}, nil
}

// parseCertID reads either version; an absent hashAlgorithm is SHA-1 in the
// first and SHA-256 in the second.
func parseCertID(v value, version int) (essCertIDv2, error) {
	der, err := v.der()
	if err != nil {
		return essCertIDv2{}, err
	}
	parts, err := v.children(3)
	if err != nil {
		return essCertIDv2{}, err
	}
	if version == 2 && len(parts) > 0 && parts[0].id == tagSequence {
		var id essCertIDv2
		return id, unmarshal(der, &id)
	}
	var id essCertID
	if err := unmarshal(der, &id); err != nil {
		return essCertIDv2{}, err
	}
	oid := oidSHA1
	if version == 2 {
		oid = oidSHA256
	}
	return essCertIDv2{pkix.AlgorithmIdentifier{Algorithm: oid}, id.Digest, id.IssuerSerial}, nil
}

// agrees tells whether the serial number that may stand beside the digest is
// that of the certificate, and whether a reference of the other version names it as
// well. The issuer there is not compared: the digest covers it.
func (r *certificateReference) agrees(c *Certificate) bool {
	if r.first != nil && (!bytes.Equal(r.first.digest, digestOf(r.first.hash, c.Raw)) || !r.first.agrees(c)) {
		return false
	}
	return r.serial == nil || r.serial.Cmp(signedInteger(c.serial)) == 0
}

// signedInteger reads the contents octets of an INTEGER.
func signedInteger(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// signingCertificateV2 builds the attribute value for a certificate: digest
// with SHA-256, whose AlgorithmIdentifier is the default and must then be
// left out, with issuer and serial number (ETSI EN 319 122-1, clause 5.2.2.3).
func signingCertificateV2(c *x509.Certificate) []byte {
	h := crypto.SHA256.New()
	h.Write(c.Raw)
	directoryName := appendElement(nil, 0xa4, c.RawIssuer) // GeneralName, [4]
	serial := integer(c.SerialNumber)
	issuerSerial := sequence(appendElement(nil, tagSequence, directoryName), serial)
	certID := sequence(appendElement(nil, tagOctetString, h.Sum(nil)), issuerSerial)
	return sequence(sequence(certID))
}
