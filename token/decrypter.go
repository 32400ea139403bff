// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Decrypter is the private RSA key of a certificate on a token. It implements
// [crypto.Decrypter]. Close it after use. It may be used by several goroutines, as a
// [Signer] may.
type Decrypter struct{ *privateKey }

var _ crypto.Decrypter = (*Decrypter)(nil)

var decrypting = operation{cryptoki.Module.DecryptInit, cryptoki.Module.Decrypt}

// Decrypter logs in to the token, unless this process already is, and returns the
// private key of a certificate listed by [Token.Certificates]. It asks for a PIN as
// [Token.Signer] does. Whether the certificate says that its key is for encryption is
// not looked at. Keys other than RSA are an error.
func (t *Token) Decrypter(ctx context.Context, c *Certificate, ask PINPrompt, o LoginOptions) (*Decrypter, error) {
	k, err := t.decryptionKey(ctx, login{token: t, certificate: c, ask: ask, options: o})
	if err != nil {
		return nil, fmt.Errorf("opening key on token %q: %w", t.Label, err)
	}
	return &Decrypter{k}, nil
}

func (t *Token) decryptionKey(ctx context.Context, l login) (*privateKey, error) {
	if err := l.certificate.usable(); err != nil {
		return nil, err
	}
	if _, ok := l.certificate.X509.PublicKey.(*rsa.PublicKey); !ok {
		return nil, fmt.Errorf("keys of kind %s do not decrypt", l.certificate.X509.PublicKeyAlgorithm)
	}
	return t.openKey(ctx, l, PINUseDecryption)
}

// Decrypt decrypts with RSA (RFC 8017, section 7): with OAEP if opts is an
// [*rsa.OAEPOptions], with PKCS #1 v1.5 if it is nil or an
// [*rsa.PKCS1v15DecryptOptions]. If the token refuses the mechanism for the key, or
// the hash of OAEP, it does the arithmetic alone (CKM_RSA_X_509), and the padding is
// taken away here, in constant time.
//
// A ciphertext that does not decrypt is [rsa.ErrDecryption], if the token says so. To
// tell this to whoever sent it helps to decrypt without the key. With a SessionKeyLen,
// therefore, a random key of that length is returned instead, from random or, if that
// is nil, crypto/rand; tokens that do raw RSA do not learn either whether the padding
// was right.
func (d *Decrypter) Decrypt(random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	plain, err := d.decrypt(random, ciphertext, opts)
	if err != nil {
		return nil, fmt.Errorf("decrypting with token %q: %w", d.token.Label, err)
	}
	return plain, nil
}

func (d *Decrypter) decrypt(random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	size := d.certificate.PublicKey.(*rsa.PublicKey).Size()
	if len(ciphertext) != size {
		return nil, fmt.Errorf("%w: the ciphertext has %d bytes instead of %d", rsa.ErrDecryption, len(ciphertext), size)
	}
	switch o := opts.(type) {
	case nil:
		return d.unpadded(ciphertext, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS}, unpadPKCS1)
	case *rsa.OAEPOptions:
		return d.oaep(ciphertext, o)
	//lint:ignore SA1019 PKCS #1 v1.5 is what most senders still encrypt with
	case *rsa.PKCS1v15DecryptOptions:
		if o.SessionKeyLen == 0 {
			return d.decrypt(random, ciphertext, nil)
		}
		return d.sessionKey(random, ciphertext, o.SessionKeyLen)
	}
	return nil, fmt.Errorf("options of type %T are not supported", opts)
}

// unpadded decrypts with a mechanism that takes the padding away, or raw.
func (d *Decrypter) unpadded(ciphertext []byte, m cryptoki.Mechanism, unpad func(block []byte) ([]byte, error)) ([]byte, error) {
	plain, err := d.run(decrypting, []attempt{
		{rungPadding, m, ciphertext, len(ciphertext), asItIs},
		{rungRaw, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_X_509}, ciphertext, len(ciphertext), whole(len(ciphertext), unpad)},
	})
	if isCode(err, badPadding...) {
		return nil, fmt.Errorf("%w: %w", rsa.ErrDecryption, err)
	}
	return plain, err
}

func (d *Decrypter) oaep(ciphertext []byte, o *rsa.OAEPOptions) ([]byte, error) {
	mask := o.MGFHash
	if mask == 0 {
		mask = o.Hash
	}
	if hashes[o.Hash].mechanism == 0 || hashes[mask].mechanism == 0 {
		return nil, fmt.Errorf("OAEP with %v and a mask by %v is not supported", o.Hash, mask)
	}
	m := cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS_OAEP, OAEP: &cryptoki.OAEP{
		Hash: hashes[o.Hash].mechanism, MGF: hashes[mask].mgf, Label: o.Label,
	}}
	return d.unpadded(ciphertext, m, func(block []byte) ([]byte, error) { return unpadOAEP(block, o.Hash, mask, o.Label) })
}

// sessionKey decrypts a key of known length, or returns a random one, with no
// difference that shows. Raw RSA comes first here: a token that takes the padding
// away says whether it was right.
func (d *Decrypter) sessionKey(random io.Reader, ciphertext []byte, length int) ([]byte, error) {
	size := len(ciphertext)
	if length < 0 || length > size-11 {
		return nil, fmt.Errorf("a key of %d bits holds no session key of %d bytes", 8*size, length)
	}
	if random == nil {
		random = rand.Reader
	}
	key := make([]byte, length)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	_, err := d.run(decrypting, []attempt{
		{rungRaw, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_X_509}, ciphertext, size, whole(size, func(block []byte) ([]byte, error) {
			copySessionKey(key, block)
			return nil, nil
		})},
		{rungPadding, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS}, ciphertext, size, func(plain []byte) ([]byte, error) {
			if len(plain) == length {
				copy(key, plain)
			}
			return nil, nil
		}},
	})
	// SoftHSM and others answer CKR_GENERAL_ERROR to a wrong padding.
	if err != nil && !isCode(err, badPadding...) && !isCode(err, cryptoki.CKR_GENERAL_ERROR, cryptoki.CKR_FUNCTION_FAILED) {
		return nil, err
	}
	return key, nil
}

// badPadding are the answers of C_Decrypt to a ciphertext that does not decrypt.
var badPadding = []Code{
	cryptoki.CKR_ENCRYPTED_DATA_INVALID, cryptoki.CKR_ENCRYPTED_DATA_LEN_RANGE, cryptoki.CKR_DATA_INVALID, cryptoki.CKR_DATA_LEN_RANGE,
}

func asItIs(plain []byte) ([]byte, error) { return plain, nil }

// whole gives a block its leading zeros back, which some tokens drop.
func whole(size int, unpad func(block []byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(raw []byte) ([]byte, error) {
		if len(raw) > size {
			return nil, errors.New("the token returned more than a block")
		}
		block := make([]byte, size)
		copy(block[size-len(raw):], raw)
		return unpad(block)
	}
}

// copySessionKey copies the message of a block of RFC 8017, section 7.2.1, to key if
// the padding is right and the message as long as key, in constant time.
func copySessionKey(key, block []byte) {
	end := len(block) - len(key) - 1
	right := subtle.ConstantTimeByteEq(block[0], 0) & subtle.ConstantTimeByteEq(block[1], 2) & subtle.ConstantTimeByteEq(block[end], 0)
	for _, b := range block[2:end] {
		right &= 1 - subtle.ConstantTimeByteEq(b, 0)
	}
	subtle.ConstantTimeCopy(right, key, block[end+1:])
}

// unpadPKCS1 returns the message of a block of RFC 8017, section 7.2.2.
func unpadPKCS1(block []byte) ([]byte, error) {
	right := subtle.ConstantTimeByteEq(block[0], 0) & subtle.ConstantTimeByteEq(block[1], 2)
	found, at := first(block[2:], 0)
	right &= found & subtle.ConstantTimeLessOrEq(8, at) // at least eight bytes of padding
	if right != 1 {
		return nil, rsa.ErrDecryption
	}
	return block[2+at+1:], nil
}

// unpadOAEP is EME-OAEP decoding of RFC 8017, section 7.1.2.
func unpadOAEP(block []byte, h, mask crypto.Hash, label []byte) ([]byte, error) {
	if len(block) < 2*h.Size()+2 {
		return nil, fmt.Errorf("the key of %d bits is too short for OAEP with %v", 8*len(block), h)
	}
	seed, data := block[1:1+h.Size()], block[1+h.Size():]
	applyMGF1(seed, data, mask)
	applyMGF1(data, seed, mask)
	hasher := h.New()
	hasher.Write(label)
	right := subtle.ConstantTimeByteEq(block[0], 0) & subtle.ConstantTimeCompare(data[:h.Size()], hasher.Sum(nil))
	rest := data[h.Size():]
	found, at := first(rest, 1)
	clean := 1
	for i, b := range rest {
		before := 1 - subtle.ConstantTimeLessOrEq(at, i)
		clean &= 1 - before&(1-subtle.ConstantTimeByteEq(b, 0))
	}
	if right&found&clean != 1 {
		return nil, rsa.ErrDecryption
	}
	return rest[at+1:], nil
}

// first looks for the first byte that is b, in constant time.
func first(data []byte, b byte) (found, at int) {
	for i, d := range data {
		here := subtle.ConstantTimeByteEq(d, b) & (1 - found)
		at = subtle.ConstantTimeSelect(here, i, at)
		found |= here
	}
	return found, at
}
