// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package softhsm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

const pin = "123456"

// open initialises the module for the rest of the test.
func open(t *testing.T, h *softhsm.HSM) *pkcs11.Ctx {
	t.Helper()
	ctx := pkcs11.New(h.Module())
	if ctx == nil {
		t.Fatalf("%s does not load", h.Module())
	}
	if err := ctx.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx.Finalize()
		ctx.Destroy()
	})
	return ctx
}

// labels returns the labels of the initialised tokens, sorted.
func labels(t *testing.T, ctx *pkcs11.Ctx) []string {
	t.Helper()
	var found []string
	for _, info := range tokens(t, ctx) {
		found = append(found, info.Label)
	}
	slices.Sort(found)
	return found
}

func tokens(t *testing.T, ctx *pkcs11.Ctx) map[uint]pkcs11.TokenInfo {
	t.Helper()
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	found := map[uint]pkcs11.TokenInfo{}
	for _, slot := range slots {
		info, err := ctx.GetTokenInfo(slot)
		if err != nil {
			t.Fatal(err)
		}
		if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
			found[slot] = info
		}
	}
	return found
}

// login opens a read-only session on the token with this serial number.
func login(t *testing.T, ctx *pkcs11.Ctx, serial string) pkcs11.SessionHandle {
	t.Helper()
	for slot, info := range tokens(t, ctx) {
		if info.SerialNumber != serial {
			continue
		}
		session, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			t.Fatal(err)
		}
		if err := ctx.Login(session, pkcs11.CKU_USER, pin); err != nil {
			t.Fatal(err)
		}
		return session
	}
	t.Fatalf("no token has the serial number %q", serial)
	return 0
}

// find returns the objects of a class with this CKA_ID.
func find(t *testing.T, ctx *pkcs11.Ctx, session pkcs11.SessionHandle, class uint, id string) []pkcs11.ObjectHandle {
	t.Helper()
	err := ctx.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class),
		pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(id)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ctx.FindObjectsFinal(session)
	found, _, err := ctx.FindObjects(session, 10)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStandardKit(t *testing.T) {
	p := pki.New(time.Now())
	h := softhsm.Standard(t, p)
	ctx := open(t, h)
	if got := labels(t, ctx); !slices.Equal(got, []string{softhsm.StandardLabel}) {
		t.Fatalf("tokens are %q", got)
	}
	var session pkcs11.SessionHandle
	for _, info := range tokens(t, ctx) {
		session = login(t, ctx, info.SerialNumber)
	}
	for id, want := range map[string]*x509.Certificate{
		"DS0": p.Must(t, pki.Signer).Certificate, "CNS0": p.Must(t, pki.CNS).Certificate, "CA0": p.Must(t, pki.QualifiedCA).Certificate,
	} {
		found := find(t, ctx, session, pkcs11.CKO_CERTIFICATE, id)
		if len(found) != 1 {
			t.Fatalf("%s has %d certificates", id, len(found))
		}
		value, err := ctx.GetAttributeValue(session, found[0], []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err != nil || !bytes.Equal(value[0].Value, want.Raw) {
			t.Errorf("%s is another certificate, or none: %v", id, err)
		}
	}
	for id, want := range map[string]int{"DS0": 1, "CNS0": 1, "CA0": 0} {
		if got := len(find(t, ctx, session, pkcs11.CKO_PRIVATE_KEY, id)); got != want {
			t.Errorf("%s has %d private keys, want %d", id, got, want)
		}
	}
}

// verify checks a raw signature by the private key that was imported.
func verify(public crypto.PublicKey, digest, signature []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, 0, digest, signature) == nil
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		return ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}
	return false
}

func TestImportedKeysSign(t *testing.T) {
	p := pki.New(time.Now())
	mechanism := map[pki.Name]uint{
		pki.Signer: pkcs11.CKM_RSA_PKCS, pki.SignerRSA3072: pkcs11.CKM_RSA_PKCS,
		pki.SignerP256: pkcs11.CKM_ECDSA, pki.SignerP384: pkcs11.CKM_ECDSA, pki.SignerP521: pkcs11.CKM_ECDSA,
	}
	digest := sha256.Sum256([]byte("contract"))
	for name, m := range mechanism {
		t.Run(string(name), func(t *testing.T) {
			h := softhsm.New(t)
			identity := p.Must(t, name)
			serial, err := h.AddToken("Firma", pin, softhsm.Object{ID: []byte("k"), Label: "k", Key: identity.Key, Certificate: identity.Certificate})
			if err != nil {
				t.Fatal(err)
			}
			ctx := open(t, h)
			session := login(t, ctx, serial)
			if len(find(t, ctx, session, pkcs11.CKO_PUBLIC_KEY, "k")) != 1 {
				t.Error("the public key is not there once")
			}
			key := find(t, ctx, session, pkcs11.CKO_PRIVATE_KEY, "k")
			if len(key) != 1 {
				t.Fatalf("%d private keys", len(key))
			}
			if err := ctx.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(m, nil)}, key[0]); err != nil {
				t.Fatal(err)
			}
			signature, err := ctx.Sign(session, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			if !verify(identity.Key.Public(), digest[:], signature) {
				t.Error("the signature is not by the imported key")
			}
		})
	}
}

func TestAlwaysAuthenticateIsEnforced(t *testing.T) {
	for _, name := range []pki.Name{pki.Signer, pki.SignerP256} {
		t.Run(string(name), func(t *testing.T) {
			h := softhsm.New(t)
			identity := pki.New(time.Now()).Must(t, name)
			serial, err := h.AddToken("Firma", pin, softhsm.Object{ID: []byte("k"), Key: identity.Key, AlwaysAuthenticate: true, NoPublicKey: true})
			if err != nil {
				t.Fatal(err)
			}
			ctx := open(t, h)
			session := login(t, ctx, serial)
			if len(find(t, ctx, session, pkcs11.CKO_PUBLIC_KEY, "k")) != 0 || len(find(t, ctx, session, pkcs11.CKO_CERTIFICATE, "k")) != 0 {
				t.Error("there is a public key or a certificate nobody asked for")
			}
			key := find(t, ctx, session, pkcs11.CKO_PRIVATE_KEY, "k")[0]
			mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil)}
			if name == pki.SignerP256 {
				mechanism = []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}
			}
			if err := ctx.SignInit(session, mechanism, key); err != nil {
				t.Fatal(err)
			}
			if _, err := ctx.Sign(session, make([]byte, 32)); !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_NOT_LOGGED_IN)) {
				t.Errorf("signing without the PIN: %v", err)
			}
			if err := ctx.SignInit(session, mechanism, key); err != nil {
				t.Fatal(err)
			}
			if err := ctx.Login(session, pkcs11.CKU_CONTEXT_SPECIFIC, pin); err != nil {
				t.Fatal(err)
			}
			if _, err := ctx.Sign(session, make([]byte, 32)); err != nil {
				t.Errorf("signing with the PIN: %v", err)
			}
		})
	}
}

func TestTokensOfOneLabelAndWithoutObjects(t *testing.T) {
	h := softhsm.New(t)
	one, err := h.AddToken("Firma", pin)
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.AddToken("Firma", pin)
	if err != nil {
		t.Fatal(err)
	}
	if one == two || one == "" {
		t.Errorf("serial numbers are %q and %q", one, two)
	}
	ctx := open(t, h)
	if got := labels(t, ctx); !slices.Equal(got, []string{"Firma", "Firma"}) {
		t.Errorf("tokens are %q", got)
	}
	session := login(t, ctx, one)
	if len(find(t, ctx, session, pkcs11.CKO_CERTIFICATE, "")) != 0 {
		t.Error("the empty token has a certificate")
	}
}

func TestAddTokenWhileModuleIsOpen(t *testing.T) {
	h := softhsm.New(t)
	ctx := open(t, h)
	if _, err := h.AddToken("Firma", pin); err == nil || !strings.Contains(err.Error(), "the module is open") {
		t.Errorf("error is %v", err)
	}
	if got := labels(t, ctx); len(got) != 0 {
		t.Errorf("tokens are %q", got)
	}
}

func TestUnsupportedKey(t *testing.T) {
	h := softhsm.New(t)
	identity := pki.New(time.Now()).Must(t, pki.SignerEd25519)
	_, err := h.AddToken("Firma", pin, softhsm.Object{Label: "k", Key: identity.Key})
	if err == nil || !strings.Contains(err.Error(), "neither RSA nor ECDSA") {
		t.Errorf("error is %v", err)
	}
	if err != nil && strings.Contains(err.Error(), pin) {
		t.Error("the error tells the PIN")
	}
}

func TestEnvironmentIsLeftAsItWas(t *testing.T) {
	h := softhsm.New(t)
	t.Setenv("SOFTHSM2_CONF", "elsewhere")
	if _, err := h.AddToken("Firma", pin); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("SOFTHSM2_CONF"); got != "elsewhere" {
		t.Errorf("SOFTHSM2_CONF is %q", got)
	}
	if !strings.HasSuffix(h.Env(), "/softhsm2.conf") || !strings.HasPrefix(h.Env(), "SOFTHSM2_CONF=/") {
		t.Errorf("Env is %q", h.Env())
	}
}
