// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

func mustDecrypter(t *testing.T, token *Token, c *Certificate, p *prompt) *Decrypter {
	t.Helper()
	d, err := token.Decrypter(t.Context(), c, p.ask, LoginOptions{})
	if discreet(t, err) != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		p.wiped(t)
	})
	return d
}

// pkcs1 pads and encrypts as RFC 8017, section 7.2.1, with nothing from crypto/rsa
// but the arithmetic. Faults may be made in the block.
func pkcs1(t *testing.T, public *rsa.PublicKey, message []byte, damage func(block []byte)) []byte {
	t.Helper()
	block := make([]byte, public.Size())
	block[1] = 2
	padding := block[2 : len(block)-len(message)-1]
	for i := range padding {
		padding[i] = byte(i%255) + 1
	}
	copy(block[len(block)-len(message):], message)
	if damage != nil {
		damage(block)
	}
	c := encryptRaw(public, block)
	return c
}

func oaep(t *testing.T, public *rsa.PublicKey, message []byte, o *rsa.OAEPOptions) []byte {
	t.Helper()
	c, err := rsa.EncryptOAEPWithOptions(rand.Reader, public, message, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDecrypter(t *testing.T) {
	message := []byte("0123456789abcdef0123456789abcdef")
	cases := []struct {
		name string
		opts crypto.DecrypterOpts
	}{
		{"PKCS #1 v1.5", nil},
		{"PKCS #1 v1.5 by options", pkcs1Options(0)},
		{"session key", pkcs1Options(len(message))},
		{"OAEP SHA-1", &rsa.OAEPOptions{Hash: crypto.SHA1}},
		{"OAEP SHA-256", &rsa.OAEPOptions{Hash: crypto.SHA256}},
		{"OAEP SHA-256, mask by SHA-1", &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}},
		{"OAEP SHA-512, label", &rsa.OAEPOptions{Hash: crypto.SHA512, Label: []byte("label")}},
	}
	always := object(t, "always", pki.CNS)
	always.AlwaysAuthenticate = true
	each(t, []tokenOf{{"Firma", rightPIN, []softhsm.Object{object(t, "DS0", pki.Signer), always}}}, func(t *testing.T, m *Module) {
		for _, c := range cases {
			for _, id := range []string{"DS0", "always"} {
				t.Run(c.name+" "+id, func(t *testing.T) {
					token, certificate := find(t, m, "Firma", id)
					p := &prompt{pin: rightPIN}
					d := mustDecrypter(t, token, certificate, p)
					public := d.Public().(*rsa.PublicKey)
					ciphertext := pkcs1(t, public, message, nil)
					if o, ok := c.opts.(*rsa.OAEPOptions); ok {
						ciphertext = oaep(t, public, message, o)
					}
					for range 2 {
						got, err := d.Decrypt(nil, ciphertext, c.opts)
						if discreet(t, err) != nil || !bytes.Equal(got, message) {
							t.Fatalf("%q, %v", got, err)
						}
					}
					if len(p.asked) != 1 {
						t.Errorf("asked %d times", len(p.asked))
					}
				})
			}
		}
	})
}

// TestDecrypterLadder takes the padding away on the host.
func TestDecrypterLadder(t *testing.T) {
	message := []byte("content key")
	cases := []struct {
		name    string
		refused []uint
		opts    crypto.DecrypterOpts
		want    []string
	}{
		{"PKCS #1 v1.5", []uint{1}, nil, []string{"0x1", "0x3", "0x3"}},
		{"OAEP", []uint{9}, &rsa.OAEPOptions{Hash: crypto.SHA256, Label: []byte("x")}, []string{"0x9", "0x3", "0x3"}},
		{"session key", nil, pkcs1Options(len(message)), []string{"0x3", "0x3"}},
		{"session key without raw RSA", []uint{3}, pkcs1Options(len(message)), []string{"0x3", "0x1", "0x1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(firma(t))
			token, certificate := find(t, f.open(t), "Firma", "DS0")
			d := mustDecrypter(t, token, certificate, &prompt{pin: rightPIN})
			f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, c.refused...)
			public := d.Public().(*rsa.PublicKey)
			ciphertext := pkcs1(t, public, message, nil)
			if o, ok := c.opts.(*rsa.OAEPOptions); ok {
				ciphertext = oaep(t, public, message, o)
			}
			for range 2 {
				got, err := d.Decrypt(rand.Reader, ciphertext, c.opts)
				if err != nil || !bytes.Equal(got, message) {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if got := inits(f); !slices.Equal(got, c.want) {
				t.Errorf("mechanisms %q, want %q", got, c.want)
			}
		})
	}
}

// TestDecrypterBadPadding damages ciphertexts: an error, or a random key where the
// length of the key is known, on every rung.
func TestDecrypterBadPadding(t *testing.T) {
	message := []byte("0123456789abcdef")
	damages := map[string]func([]byte){
		"first byte":      func(b []byte) { b[0] = 1 },
		"block type":      func(b []byte) { b[1] = 1 },
		"no end":          func(b []byte) { b[len(b)-17] = 1 },
		"padding of zero": func(b []byte) { b[5] = 0 },
	}
	for name, damage := range damages {
		for _, refused := range []uint{0, cryptoki.CKM_RSA_PKCS, cryptoki.CKM_RSA_X_509} {
			t.Run(fmt.Sprintf("%s %#x", name, refused), func(t *testing.T) {
				f := newFake(firma(t))
				token, certificate := find(t, f.open(t), "Firma", "DS0")
				d := mustDecrypter(t, token, certificate, &prompt{pin: rightPIN})
				f.Script = tokentest.Refuse(cryptoki.CKR_MECHANISM_INVALID, refused)
				ciphertext := pkcs1(t, d.Public().(*rsa.PublicKey), message, damage)
				if got, err := d.Decrypt(nil, ciphertext, nil); name != "no end" && !errors.Is(err, rsa.ErrDecryption) {
					t.Errorf("%q, %v", got, err)
				}
				random := bytes.NewReader([]byte("random random key of sixteen"))
				got, err := d.Decrypt(random, ciphertext, pkcs1Options(len(message)))
				if err != nil || string(got) != "random random ke" {
					t.Errorf("session key %q, %v", got, err)
				}
			})
		}
	}
}

// TestDecrypterWrongLength gives a session key of another length.
func TestDecrypterWrongLength(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		token, certificate := find(t, m, "Firma", "DS0")
		d := mustDecrypter(t, token, certificate, &prompt{pin: rightPIN})
		ciphertext := pkcs1(t, d.Public().(*rsa.PublicKey), []byte("twelve bytes"), nil)
		got, err := d.Decrypt(bytes.NewReader([]byte("random random key of sixteen")), ciphertext, pkcs1Options(16))
		if err != nil || string(got) != "random random ke" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestDecrypterRefuses(t *testing.T) {
	f := newFake(tokenOf{"Firma", rightPIN, []softhsm.Object{object(t, "DS0", pki.Signer), object(t, "p256", pki.SignerP256)}})
	m := f.open(t)
	token, certificate := find(t, m, "Firma", "DS0")
	_, ec := find(t, m, "Firma", "p256")
	if _, err := token.Decrypter(t.Context(), ec, nil, LoginOptions{}); err == nil || !strings.Contains(err.Error(), "ECDSA do not decrypt") {
		t.Errorf("error %v", err)
	}
	if _, err := token.Decrypter(t.Context(), nil, nil, LoginOptions{}); err == nil {
		t.Error("no certificate")
	}
	d := mustDecrypter(t, token, certificate, &prompt{pin: rightPIN})
	ciphertext := pkcs1(t, d.Public().(*rsa.PublicKey), []byte("x"), nil)
	cases := []struct {
		name       string
		ciphertext []byte
		opts       crypto.DecrypterOpts
		want       string
	}{
		{"short", ciphertext[:255], nil, "255 bytes instead of 256"},
		{"unknown options", ciphertext, "x", "options of type string"},
		{"OAEP without a hash", ciphertext, &rsa.OAEPOptions{}, "not supported"},
		{"OAEP with MD5", ciphertext, &rsa.OAEPOptions{Hash: crypto.MD5}, "not supported"},
		{"OAEP of PKCS #1", ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA256}, "decryption error"},
		{"session key too long", ciphertext, pkcs1Options(246), "holds no session key"},
	}
	for _, c := range cases {
		if _, err := d.Decrypt(nil, c.ciphertext, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	f.Script = f.PullOut(0, "C_Decrypt", 1)
	if _, err := d.Decrypt(nil, ciphertext, pkcs1Options(16)); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed: %v", err)
	}
}

// TestUnpadOAEP damages each part of a block.
func TestUnpadOAEP(t *testing.T) {
	key := issuer().Must(t, pki.Signer).Key.(*rsa.PrivateKey)
	o := &rsa.OAEPOptions{Hash: crypto.SHA256}
	ciphertext := oaep(t, &key.PublicKey, []byte("message"), o)
	block := func() []byte { return decryptRaw(key, ciphertext) }
	if got, err := unpadOAEP(block(), crypto.SHA256, crypto.SHA256, nil); err != nil || string(got) != "message" {
		t.Fatalf("%q, %v", got, err)
	}
	for i := range block() {
		damaged := block()
		damaged[i] ^= 0x10
		if got, err := unpadOAEP(damaged, crypto.SHA256, crypto.SHA256, nil); err == nil && string(got) == "message" {
			t.Errorf("byte %d changed: %q", i, got)
		}
	}
	if _, err := unpadOAEP(block(), crypto.SHA256, crypto.SHA256, []byte("other")); !errors.Is(err, rsa.ErrDecryption) {
		t.Errorf("another label: %v", err)
	}
	if _, err := unpadOAEP(make([]byte, 64), crypto.SHA256, crypto.SHA256, nil); err == nil {
		t.Error("a short block")
	}
}
