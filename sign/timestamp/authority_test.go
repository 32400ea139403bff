// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// The test PKI, with a clock that stands still.
var (
	now     = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	testPKI = pki.New(now)
)

// Object identifiers that tests write.
var (
	oidTST           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigned        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidESS1          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidESS2          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256WithRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSAPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	testPolicy       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
)

// clock stands still when the stampers state the time.
func clock() time.Time { return now }

type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

// tstInfo is a TSTInfo to be encoded. The order of its fields is that of RFC 3161.
type tstInfo struct {
	Version    int
	Policy     asn1.ObjectIdentifier
	Imprint    imprint
	Serial     *big.Int
	Time       asn1.RawValue
	Accuracy   asn1.RawValue `asn1:"optional"`
	Ordering   bool          `asn1:"optional"`
	Nonce      *big.Int      `asn1:"optional"`
	TSA        asn1.RawValue `asn1:"optional"`
	Extensions asn1.RawValue `asn1:"optional"`
}

// stamper makes tokens, right and wrong ones.
type stamper struct {
	tail     []byte // after the TSTInfo, in the content
	t        testing.TB
	identity *pki.Identity

	ess         asn1.ObjectIdentifier // which signing-certificate attribute; nil: none
	named       *x509.Certificate     // the one that it names
	pss         bool
	bare        bool // no certificates in the token
	twice       bool // two signers
	contentType asn1.ObjectIdentifier
	edit        func(*tstInfo)
}

func newStamper(t testing.TB) *stamper {
	id := testPKI.Must(t, pki.TSA)
	return &stamper{t: t, identity: id, ess: oidESS2, named: id.Certificate, contentType: oidTST}
}

func generalized(text string) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(text)}
}

// info is what the stamper states about a digest.
func (s *stamper) info(h crypto.Hash, digest []byte, nonce *big.Int) tstInfo {
	i := tstInfo{
		Version: 1, Policy: testPolicy, Serial: big.NewInt(4711), Time: generalized("20261122103000.25Z"), Nonce: nonce,
		Imprint: imprint{pkix.AlgorithmIdentifier{Algorithm: cms.DigestIdentifier(h)}, digest},
	}
	if s.edit != nil {
		s.edit(&i)
	}
	return i
}

// over makes a token over content with SHA-256.
func (s *stamper) over(content []byte) []byte {
	sum := sha256.Sum256(content)
	return s.token(crypto.SHA256, sum[:], nil)
}

func (s *stamper) token(h crypto.Hash, digest []byte, nonce *big.Int) []byte {
	content := append(der(s.t, s.info(h, digest, nonce)), s.tail...)
	signer := s.signerInfo(content)
	signers := signer
	if s.twice {
		signers = append(bytes.Clone(signer), signer...)
	}
	var certificates asn1.RawValue
	if !s.bare {
		certificates = asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: s.identity.Certificate.Raw}
	}
	algorithm := der(s.t, pkix.AlgorithmIdentifier{Algorithm: cms.DigestIdentifier(crypto.SHA256)})
	signed := der(s.t, struct {
		Version      int
		Algorithms   asn1.RawValue
		Encap        encap
		Certificates asn1.RawValue `asn1:"optional"`
		Signers      asn1.RawValue
	}{3, set(algorithm), encap{s.contentType, content}, certificates, set(signers)})
	return der(s.t, struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSigned, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: signed}})
}

type encap struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"explicit,tag:0"`
}

func (s *stamper) signerInfo(content []byte) []byte {
	sum := sha256.Sum256(content)
	attributes := [][]byte{
		attribute(s.t, oidContentType, der(s.t, s.contentType)),
		attribute(s.t, oidMessageDigest, der(s.t, sum[:])),
	}
	if s.ess != nil {
		attributes = append(attributes, attribute(s.t, s.ess, s.certID()))
	}
	signed := bytes.Join(attributes, nil) // in DER order: each is longer than the one before
	toSign := der(s.t, set(signed))
	algorithm, options := pkix.AlgorithmIdentifier{Algorithm: oidSHA256WithRSA, Parameters: asn1.NullRawValue}, crypto.SignerOpts(crypto.SHA256)
	if s.pss {
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidRSAPSS, Parameters: asn1.RawValue{FullBytes: pssParameters(s.t)}}
		options = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
	}
	digest := sha256.Sum256(toSign)
	value, err := s.identity.Key.Sign(rand.Reader, digest[:], options)
	if err != nil {
		s.t.Fatal(err)
	}
	c := s.identity.Certificate
	return der(s.t, struct {
		Version   int
		Signer    struct{ Issuer, Serial asn1.RawValue }
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Value     []byte
	}{
		1, struct{ Issuer, Serial asn1.RawValue }{asn1.RawValue{FullBytes: c.RawIssuer}, asn1.RawValue{FullBytes: der(s.t, c.SerialNumber)}},
		pkix.AlgorithmIdentifier{Algorithm: cms.DigestIdentifier(crypto.SHA256)},
		asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: signed}, algorithm, value,
	})
}

// certID is a SigningCertificate or SigningCertificateV2 with the digest alone.
func (s *stamper) certID() []byte {
	sum := sha256.Sum256(s.named.Raw)
	digest := sum[:]
	if s.ess.Equal(oidESS1) {
		old := sha1.Sum(s.named.Raw)
		digest = old[:]
	}
	type id struct{ Digest []byte }
	return der(s.t, struct{ List []id }{[]id{{digest}}})
}

func pssParameters(t testing.TB) []byte {
	hash := der(t, pkix.AlgorithmIdentifier{Algorithm: cms.DigestIdentifier(crypto.SHA256), Parameters: asn1.NullRawValue})
	mask := der(t, pkix.AlgorithmIdentifier{Algorithm: oidMGF1, Parameters: asn1.RawValue{FullBytes: hash}})
	return der(t, struct {
		Hash asn1.RawValue
		MGF  asn1.RawValue
		Salt int `asn1:"explicit,tag:2"`
	}{
		asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: hash},
		asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: mask}, 32,
	})
}

func attribute(t testing.TB, kind asn1.ObjectIdentifier, value []byte) []byte {
	return der(t, struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}{kind, set(value)})
}

func set(contents []byte) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: contents}
}

func der(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// response puts a token into a TimeStampResp with this status.
func response(t testing.TB, status int, token []byte) []byte {
	r := struct {
		Info  struct{ Status int }
		Token asn1.RawValue `asn1:"optional"`
	}{Info: struct{ Status int }{status}}
	if token != nil {
		r.Token = asn1.RawValue{FullBytes: token}
	}
	return der(t, r)
}
