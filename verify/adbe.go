// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"hash"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/verify/report"
)

// The two kinds of PDF signature that PDF 2.0 deprecates. What they rest on is
// SHA-1 most of the time, so that an intact one is indeterminate at best.

// judgeDigestSigned judges adbe.pkcs7.sha1: the content of the CMS is the SHA-1
// digest of the signed bytes (ISO 32000-1, 12.8.3.3.1).
func judgeDigestSigned(sig *pdf.Signature, proof *pdfProof, o Options) (*report.Signature, error) {
	sd, err := readCMS(io.NewSectionReader(bytes.NewReader(sig.Contents), 0, int64(len(sig.Contents))))
	if err != nil {
		return malformedPDF(o, fmt.Sprintf("the signature value can't be read: %v", err)), nil
	}
	if problem := notDigestSigned(sd); problem != "" {
		return malformedPDF(o, problem), nil
	}
	digest := sha1.New()
	if _, err := io.Copy(digest, sig.SignedBytes()); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	s := proof.judge(sd, sig, o, crypto.SHA1)
	if !bytes.Equal(digest.Sum(nil), sd.ContentStart()) {
		fail(s, report.HashFailure, "the document does not have the SHA-1 digest that was signed")
		s.Integrity = report.Broken
	}
	return s, nil
}

// notDigestSigned says why a SignedData can't be the signature of a digest.
func notDigestSigned(sd *cms.SignedData) string {
	switch {
	case !sd.Attached:
		return "the signature does not carry the SHA-1 digest of the document"
	case !sd.ContentType.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}):
		return fmt.Sprintf("the signature carries content of the type %v in place of a digest, which is data", sd.ContentType)
	case sd.ContentSize != sha1.Size:
		return fmt.Sprintf("the signature carries %d bytes in place of a SHA-1 digest", sd.ContentSize)
	}
	return notOneSigner(sd)
}

// pkcs1Digests are those that a value of adbe.x509.rsa_sha1 can be over; in
// spite of the name it is not SHA-1 alone (ISO 32000-1, table 257).
var pkcs1Digests = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}

// judgePKCS1 judges adbe.x509.rsa_sha1: the value is a PKCS #1 v1.5 signature of
// the signed bytes in an OCTET STRING, the certificates stand in /Cert (ISO
// 32000-1, 12.8.3.2). Nothing that the signer may have said is in the value; the
// certificate is bound to it only as one of the signed bytes.
func judgePKCS1(sig *pdf.Signature, proof *pdfProof, o Options) (*report.Signature, error) {
	var value []byte
	if rest, err := asn1.Unmarshal(sig.Contents, &value); err != nil || len(rest) > 0 {
		return malformedPDF(o, "the signature value is no OCTET STRING"), nil
	}
	s := &report.Signature{Format: "PDF", BestTime: o.at()}
	certificate, m := pkcs1Certificates(sig)
	if certificate == nil {
		leaveOpen(s, report.NoSigningCertificateFound, "no certificate of the signer that can be read stands in /Cert")
		return s, nil
	}
	s.Certificate, s.Signer = DescribeCertificate(certificate), describeSigner(certificate)
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 1024 || key.N.BitLen() > 16384 { // what crypto/rsa computes
		leaveOpen(s, report.CryptoConstraintsFailure, "the key of the certificate is not one of RSA, of 1024 to 16384 bits")
		return s, nil
	}
	h, err := matchPKCS1(key, value, sig.SignedBytes())
	if err != nil {
		return nil, err
	}
	if h == 0 {
		fail(s, report.SigCryptoFailure, "the signature value does not match the document and the key of the certificate")
		s.Integrity = report.Broken
		return s, nil
	}
	s.Algorithm = fmt.Sprintf("RSA-%d with %v", key.N.BitLen(), h)
	s.Integrity = report.Intact
	stamps := proof.after(sig, nil, m.all())
	m.add(proof.m)
	conclude(s, signer{certificate: certificate, bound: true}, m, o.within(stamps, m), o, h)
	return s, nil
}

// pkcs1Certificates reads /Cert: the signer's certificate first, nil when Go
// can't read it.
func pkcs1Certificates(sig *pdf.Signature) (signer *x509.Certificate, m *material) {
	m = &material{}
	for i, der := range sig.Certificates {
		c := &cms.Certificate{Raw: der}
		if i > 0 {
			m.addCertificates([]*cms.Certificate{c})
		} else if x, err := c.X509(); err == nil {
			signer = x
		}
	}
	return signer, m
}

// matchPKCS1 returns the digest with which value is a signature of content, 0
// for none. The error is one of reading.
func matchPKCS1(key *rsa.PublicKey, value []byte, content io.Reader) (crypto.Hash, error) {
	var sums []hash.Hash
	var all []io.Writer
	for _, h := range pkcs1Digests {
		sums = append(sums, h.New())
		all = append(all, sums[len(sums)-1])
	}
	if _, err := io.Copy(io.MultiWriter(all...), content); err != nil {
		return 0, fmt.Errorf("reading content: %w", err)
	}
	for i, h := range pkcs1Digests {
		if rsa.VerifyPKCS1v15(key, h, sums[i].Sum(nil), value) == nil {
			return h, nil
		}
	}
	return 0, nil
}
