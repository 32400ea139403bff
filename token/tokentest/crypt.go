// SPDX-License-Identifier: Apache-2.0

package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // the hashes of the mechanisms
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"math/big"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// SignInit is C_SignInit.
func (m *Module) SignInit(handle uint, mechanism cryptoki.Mechanism, key uint) error {
	return m.begin("C_SignInit", handle, mechanism, key)
}

// DecryptInit is C_DecryptInit.
func (m *Module) DecryptInit(handle uint, mechanism cryptoki.Mechanism, key uint) error {
	return m.begin("C_DecryptInit", handle, mechanism, key)
}

func (m *Module) begin(call string, handle uint, mechanism cryptoki.Mechanism, key uint) error {
	s, done, err := m.in(fmt.Sprintf("%s %#x", call, mechanism.Kind), handle)
	defer done()
	if err != nil {
		return err
	}
	if s.operation != nil {
		return cryptoki.RV(cryptoki.CKR_OPERATION_ACTIVE)
	}
	s.operation, s.key, s.authenticated = &mechanism, s.token.Objects[key-1], false
	return nil
}

// Sign is C_Sign.
func (m *Module) Sign(handle uint, data []byte, _ int) ([]byte, error) {
	return m.finish("C_Sign", handle, data, sign)
}

// Decrypt is C_Decrypt.
func (m *Module) Decrypt(handle uint, data []byte, _ int) ([]byte, error) {
	return m.finish("C_Decrypt", handle, data, decrypt)
}

type operation func(cryptoki.Mechanism, crypto.Signer, []byte) ([]byte, error)

func (m *Module) finish(call string, handle uint, data []byte, do operation) ([]byte, error) {
	s, done, err := m.in(call, handle)
	if err == nil && s.operation == nil {
		err = cryptoki.RV(cryptoki.CKR_OPERATION_NOT_INITIALIZED)
	}
	if err != nil {
		done()
		return nil, err
	}
	mechanism, key, authenticated := *s.operation, *s.key, s.authenticated
	s.operation = nil
	done() // the arithmetic runs beside other calls
	if always := key.Attributes[cryptoki.CKA_ALWAYS_AUTHENTICATE]; len(always) == 1 && always[0] != 0 && !authenticated {
		return nil, cryptoki.RV(cryptoki.CKR_USER_NOT_LOGGED_IN)
	}
	return do(mechanism, key.Key, data)
}

// EndOperations ends the signatures and decryptions under way, as a module does that
// answers an error: for scripts that do.
func (m *Module) EndOperations() {
	for _, s := range m.sessions {
		s.operation = nil
	}
}

// hashes tells the mechanisms of each hash function.
var hashes = map[crypto.Hash]struct{ hash, mgf, pkcs1, pss, ecdsa uint }{
	crypto.SHA1:   {cryptoki.CKM_SHA_1, cryptoki.CKG_MGF1_SHA1, cryptoki.CKM_SHA1_RSA_PKCS, cryptoki.CKM_SHA1_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA1},
	crypto.SHA256: {cryptoki.CKM_SHA256, cryptoki.CKG_MGF1_SHA256, cryptoki.CKM_SHA256_RSA_PKCS, cryptoki.CKM_SHA256_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA256},
	crypto.SHA384: {cryptoki.CKM_SHA384, cryptoki.CKG_MGF1_SHA384, cryptoki.CKM_SHA384_RSA_PKCS, cryptoki.CKM_SHA384_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA384},
	crypto.SHA512: {cryptoki.CKM_SHA512, cryptoki.CKG_MGF1_SHA512, cryptoki.CKM_SHA512_RSA_PKCS, cryptoki.CKM_SHA512_RSA_PKCS_PSS, cryptoki.CKM_ECDSA_SHA512},
}

// sign does what the mechanism says, with Go's own cryptography.
func sign(m cryptoki.Mechanism, key crypto.Signer, data []byte) ([]byte, error) {
	switch m.Kind {
	case cryptoki.CKM_RSA_PKCS:
		return rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), 0, data)
	case cryptoki.CKM_RSA_X_509:
		return rawRSA(key.(*rsa.PrivateKey), data), nil
	case cryptoki.CKM_RSA_PKCS_PSS:
		return signPSS(m.PSS, key, data)
	case cryptoki.CKM_ECDSA:
		return signECDSA(key.(*ecdsa.PrivateKey), data)
	}
	return signMessage(m, key, data)
}

// signMessage does the mechanisms that hash on the card.
func signMessage(m cryptoki.Mechanism, key crypto.Signer, message []byte) ([]byte, error) {
	for h, is := range hashes {
		digest := func() []byte { w := h.New(); w.Write(message); return w.Sum(nil) }
		switch m.Kind {
		case is.pkcs1:
			return rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), h, digest())
		case is.pss:
			return signPSS(m.PSS, key, digest())
		case is.ecdsa:
			return signECDSA(key.(*ecdsa.PrivateKey), digest())
		}
	}
	return nil, cryptoki.RV(cryptoki.CKR_MECHANISM_INVALID)
}

// rawRSA returns the number without leading zeros, as some cards do.
func rawRSA(key *rsa.PrivateKey, data []byte) []byte {
	return new(big.Int).Exp(new(big.Int).SetBytes(data), key.D, key.N).Bytes()
}

func signPSS(p *cryptoki.PSS, key crypto.Signer, digest []byte) ([]byte, error) {
	for h, is := range hashes {
		if is.hash == p.Hash && is.mgf == p.MGF {
			return rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), h, digest, &rsa.PSSOptions{SaltLength: int(p.Salt)})
		}
	}
	return nil, cryptoki.RV(cryptoki.CKR_MECHANISM_PARAM_INVALID)
}

func signECDSA(key *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	size := (key.Params().N.BitLen() + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}

func decrypt(m cryptoki.Mechanism, key crypto.Signer, data []byte) ([]byte, error) {
	k := key.(*rsa.PrivateKey)
	var plain []byte
	var err error
	switch m.Kind {
	case cryptoki.CKM_RSA_X_509:
		return rawRSA(k, data), nil
	case cryptoki.CKM_RSA_PKCS:
		plain, err = k.Decrypt(nil, data, nil) // PKCS #1 v1.5
	case cryptoki.CKM_RSA_PKCS_OAEP:
		plain, err = k.Decrypt(nil, data, &rsa.OAEPOptions{Hash: hashOf(m.OAEP.Hash, 0), MGFHash: hashOf(0, m.OAEP.MGF), Label: m.OAEP.Label})
	default:
		return nil, cryptoki.RV(cryptoki.CKR_MECHANISM_INVALID)
	}
	if err != nil {
		return nil, cryptoki.RV(cryptoki.CKR_ENCRYPTED_DATA_INVALID)
	}
	return plain, nil
}

// hashOf returns the hash with a number as a mechanism or as a mask function.
func hashOf(mechanism, mgf uint) crypto.Hash {
	for h, is := range hashes {
		if is.hash == mechanism || is.mgf == mgf {
			return h
		}
	}
	return 0
}
