// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/sign/cms"
)

// signer finds out who signed a response, and whether they may (RFC 6960, section
// 4.2.2.2): the issuer of the certificate that was asked about, or one to whom that
// very issuer gave a certificate for signing OCSP responses.
func (o *OCSP) signer(issuer *x509.Certificate, others []*x509.Certificate) (*x509.Certificate, error) {
	if err := strongEnough(o.algorithm); err != nil {
		return nil, fmt.Errorf("OCSP response: %w", err)
	}
	var reason error
	for _, c := range slices.Concat([]*x509.Certificate{issuer}, o.Certificates, others) {
		if !o.names(c) {
			continue
		}
		if reason = o.signedBy(c, issuer); reason == nil {
			return c, nil
		}
	}
	if reason == nil {
		reason = errors.New("OCSP response: the certificate of its responder is not there")
	}
	return nil, reason
}

// signing is a certificate that may be the responder's, and the issuer that it would
// answer for.
type signing struct{ by, of *x509.Certificate }

// maxSignings is how many results are remembered for a response.
const maxSignings = 64

// signedBy says why a response was not signed by a certificate, or why that may not answer
// for an issuer. That is found out once: a signature that is renewed every day has
// hundreds of time stamps, and each is asked about among the responses for all of them.
func (o *OCSP) signedBy(c, issuer *x509.Certificate) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err, known := o.checked[signing{c, issuer}]
	if known {
		return err
	}
	if err = o.algorithm.Verify(c.PublicKey, o.signed, o.signature); err != nil {
		err = fmt.Errorf("OCSP response: %w", err)
	} else if err = o.mayRespond(c, issuer); err != nil {
		err = fmt.Errorf("OCSP responder %q: %w", cns.DistinguishedName(c.Subject), err)
	}
	if o.checked == nil || len(o.checked) == maxSignings {
		o.checked = map[signing]error{}
	}
	o.checked[signing{c, issuer}] = err
	return err
}

// names says whether the response names a certificate as its responder's.
func (o *OCSP) names(c *x509.Certificate) bool {
	if o.name != nil {
		return bytes.Equal(o.name, c.RawSubject)
	}
	key, err := keyBits(c)
	return err == nil && bytes.Equal(o.keyHash, digest(crypto.SHA1, key))
}

func (o *OCSP) mayRespond(c, issuer *x509.Certificate) error {
	if sameKey(c, issuer) && bytes.Equal(c.RawSubject, issuer.RawSubject) {
		return nil
	}
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) || c.CheckSignatureFrom(issuer) != nil {
		return errors.New("its certificate is not from the issuer of the certificate it speaks of")
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return errors.New("its certificate is not for signing OCSP responses")
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return errors.New("the key of its certificate may not sign")
	}
	if len(c.UnhandledCriticalExtensions) > 0 {
		return fmt.Errorf("its certificate has the critical extension %v, which is not known", c.UnhandledCriticalExtensions[0])
	}
	if o.ProducedAt.Before(c.NotBefore) || o.ProducedAt.After(c.NotAfter) {
		return fmt.Errorf("its certificate was not valid on %s, when it answered", day(o.ProducedAt))
	}
	return nil
}

// Delegated says whether an answer is signed by a responder, whose certificate has an
// end of its own, and not by the issuer itself.
func (a *Answer) Delegated(issuer *x509.Certificate) bool {
	return a.Signer != nil && !sameKey(a.Signer, issuer)
}

// NeedsCheck says whether the signer of an answer is a responder whose own
// certificate may have been revoked: neither the issuer itself, nor one that the issuer
// vouches for as long as it lives (id-pkix-ocsp-nocheck, RFC 6960, section 4.2.2.2.1).
func (a *Answer) NeedsCheck(issuer *x509.Certificate) bool {
	if !a.Delegated(issuer) {
		return false
	}
	for _, e := range a.Signer.Extensions {
		if e.Id.Equal(oidNoCheck) {
			return false
		}
	}
	return true
}

func sameKey(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// strongEnough refuses digests that others can forge: a forged "good" is worth more
// than a forged signature.
func strongEnough(a cms.AlgorithmIdentifier) error {
	switch h := a.Digest(); h {
	case crypto.MD5, crypto.SHA1:
		return fmt.Errorf("it is signed over %v, which can be forged", h)
	}
	return nil
}
