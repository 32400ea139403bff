// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package softhsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"
)

// template lists the attributes of an object.
type template []*pkcs11.Attribute

func (t *template) set(attribute uint, value any) {
	*t = append(*t, pkcs11.NewAttribute(attribute, value))
}

// store writes the certificate and the key objects of o.
func store(ctx *pkcs11.Ctx, session pkcs11.SessionHandle, o Object) error {
	var templates []template
	if o.Certificate != nil {
		t, err := o.certificate()
		if err != nil {
			return err
		}
		templates = append(templates, t)
	}
	if o.Key != nil {
		public, private, err := o.keys()
		if err != nil {
			return err
		}
		templates = append(templates, private)
		if !o.NoPublicKey {
			templates = append(templates, public)
		}
	}
	for _, t := range templates {
		if _, err := ctx.CreateObject(session, t); err != nil {
			return fmt.Errorf("creating object: %w", err)
		}
	}
	return nil
}

// object starts the template of an object of a class.
func (o Object) object(class uint, private bool) template {
	var t template
	t.set(pkcs11.CKA_CLASS, class)
	t.set(pkcs11.CKA_TOKEN, true)
	t.set(pkcs11.CKA_PRIVATE, private)
	t.set(pkcs11.CKA_ID, o.ID)
	t.set(pkcs11.CKA_LABEL, o.Label)
	return t
}

func (o Object) certificate() (template, error) {
	serial, err := asn1.Marshal(o.Certificate.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("encoding serial number: %w", err)
	}
	t := o.object(pkcs11.CKO_CERTIFICATE, false)
	t.set(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509)
	t.set(pkcs11.CKA_SUBJECT, o.Certificate.RawSubject)
	t.set(pkcs11.CKA_ISSUER, o.Certificate.RawIssuer)
	t.set(pkcs11.CKA_SERIAL_NUMBER, serial)
	t.set(pkcs11.CKA_VALUE, o.Certificate.Raw)
	return t, nil
}

// keys describes the key pair: a private key that can sign and not leave the
// token, and its public key.
func (o Object) keys() (public, private template, err error) {
	public = o.object(pkcs11.CKO_PUBLIC_KEY, false)
	public.set(pkcs11.CKA_VERIFY, true)
	private = o.object(pkcs11.CKO_PRIVATE_KEY, true)
	private.set(pkcs11.CKA_SENSITIVE, true)
	private.set(pkcs11.CKA_EXTRACTABLE, false)
	private.set(pkcs11.CKA_SIGN, true)
	private.set(pkcs11.CKA_ALWAYS_AUTHENTICATE, o.AlwaysAuthenticate)
	switch key := o.Key.(type) {
	case *rsa.PrivateKey:
		setRSA(&public, &private, key)
	case *ecdsa.PrivateKey:
		err = setECDSA(&public, &private, key)
	default:
		err = fmt.Errorf("importing key: %T is neither RSA nor ECDSA", o.Key)
	}
	return public, private, err
}

func setRSA(public, private *template, key *rsa.PrivateKey) {
	exponent := big.NewInt(int64(key.E)).Bytes()
	for _, t := range []*template{public, private} {
		t.set(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA)
		t.set(pkcs11.CKA_MODULUS, key.N.Bytes())
		t.set(pkcs11.CKA_PUBLIC_EXPONENT, exponent)
	}
	public.set(pkcs11.CKA_ENCRYPT, true)
	private.set(pkcs11.CKA_DECRYPT, true)
	private.set(pkcs11.CKA_PRIVATE_EXPONENT, key.D.Bytes())
	private.set(pkcs11.CKA_PRIME_1, key.Primes[0].Bytes())
	private.set(pkcs11.CKA_PRIME_2, key.Primes[1].Bytes())
	private.set(pkcs11.CKA_EXPONENT_1, key.Precomputed.Dp.Bytes())
	private.set(pkcs11.CKA_EXPONENT_2, key.Precomputed.Dq.Bytes())
	private.set(pkcs11.CKA_COEFFICIENT, key.Precomputed.Qinv.Bytes())
}

func setECDSA(public, private *template, key *ecdsa.PrivateKey) error {
	curve, point, err := ecParameters(key.Public())
	if err != nil {
		return err
	}
	scalar, err := key.Bytes()
	if err != nil {
		return fmt.Errorf("encoding key: %w", err)
	}
	for _, t := range []*template{public, private} {
		t.set(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC)
		t.set(pkcs11.CKA_EC_PARAMS, curve)
	}
	public.set(pkcs11.CKA_EC_POINT, point)
	private.set(pkcs11.CKA_VALUE, scalar)
	return nil
}

// ecParameters returns CKA_EC_PARAMS and CKA_EC_POINT: the DER of the curve's
// object identifier, and the point inside an OCTET STRING. Both stand in the
// SubjectPublicKeyInfo, RFC 5480, section 2.
func ecParameters(public crypto.PublicKey) (curve, point []byte, err error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding public key: %w", err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, nil, fmt.Errorf("reading public key: %w", err)
	}
	point, err = asn1.Marshal(info.Key.Bytes)
	return info.Algorithm.Parameters.FullBytes, point, err
}
