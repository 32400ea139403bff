// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
)

// standard is what the standard security handler needs to turn a password into
// the file encryption key, ISO 32000-2, 7.6.4.
type standard struct {
	revision        int64
	keyLen          int    // bytes
	o, u            []byte // 32 bytes, 48 from revision 5 on
	oe, ue, perms   []byte // from revision 5 on: 32, 32 and 16 bytes
	permissions     int32
	id              []byte // first part of /ID
	encryptMetadata bool
}

// passwordPad fills passwords up to 32 bytes, ISO 32000-2, algorithm 2.
const passwordPad = "\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08" +
	"\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a"

// Lengths of the values in the encryption dictionary.
const (
	shortHash = 32
	longHash  = 48 // a hash and two salts of 8 bytes
	permsLen  = 16
)

// open returns the key that password opens the file with, nil for none, and
// whether it is the owner's.
func (s *standard) open(password string) (key []byte, owner bool) {
	for _, p := range passwordForms(s.revision, password) {
		if key, owner := s.openWith(p); key != nil {
			return key, owner
		}
	}
	return nil, false
}

// openWith tries the bytes of a password.
func (s *standard) openWith(password []byte) (key []byte, owner bool) {
	if s.revision >= 5 {
		return s.openLong(password)
	}
	if key := s.userKey(s.ownersView(password)); key != nil {
		return key, true
	}
	return s.userKey(password), false
}

// padPassword makes a password 32 bytes long.
func padPassword(password []byte) []byte {
	return append(bytes.Clone(password), passwordPad...)[:shortHash]
}

// userKey makes the key of a user password, nil when it is not the right one:
// algorithms 2, 4, 5 and 6.
func (s *standard) userKey(password []byte) []byte {
	h := md5.New()
	h.Write(padPassword(password))
	h.Write(s.o)
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(s.permissions)))
	h.Write(s.id)
	if s.revision >= 4 && !s.encryptMetadata {
		h.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := s.stretched(h.Sum(nil))
	if proof := s.userProof(key); subtle.ConstantTimeCompare(proof, s.u[:len(proof)]) != 1 {
		return nil
	}
	return key
}

// stretched is the key out of a first hash.
func (s *standard) stretched(sum []byte) []byte {
	if s.revision >= 3 {
		for range 50 {
			again := md5.Sum(sum[:s.keyLen])
			sum = again[:]
		}
	}
	return sum[:s.keyLen]
}

// userProof is what /U begins with when key is right.
func (s *standard) userProof(key []byte) []byte {
	if s.revision == 2 {
		return rc4ed(key, []byte(passwordPad))
	}
	sum := md5.Sum(append([]byte(passwordPad), s.id...))
	proof := sum[:]
	for i := range 20 {
		proof = rc4ed(xored(key, byte(i)), proof)
	}
	return proof
}

// ownersView is the user password that the owner password leads to, algorithm 7.
func (s *standard) ownersView(password []byte) []byte {
	sum := md5.Sum(padPassword(password))
	digest := sum[:]
	if s.revision >= 3 {
		for range 50 {
			again := md5.Sum(digest)
			digest = again[:]
		}
	}
	key := digest[:s.keyLen]
	if s.revision == 2 {
		return rc4ed(key, s.o)
	}
	user := s.o
	for i := 19; i >= 0; i-- {
		user = rc4ed(xored(key, byte(i)), user)
	}
	return user
}

// rc4ed encrypts or decrypts; key has 1 to 256 bytes.
func rc4ed(key, data []byte) []byte {
	out := make([]byte, len(data))
	if c, err := rc4.NewCipher(key); err == nil {
		c.XORKeyStream(out, data)
	}
	return out
}

func xored(key []byte, with byte) []byte {
	out := bytes.Clone(key)
	for i := range out {
		out[i] ^= with
	}
	return out
}

// openLong opens with a password of revision 5 or 6, algorithm 2.A.
func (s *standard) openLong(password []byte) (key []byte, owner bool) {
	if key := s.unwrap(password, s.o, s.u, s.oe); key != nil {
		return key, true
	}
	return s.unwrap(password, s.u, nil, s.ue), false
}

// unwrap takes the file key out of wrapped, nil when verifier, a hash, a
// validation salt and a key salt, does not know the password.
func (s *standard) unwrap(password, verifier, user, wrapped []byte) []byte {
	hash, validation, salt := verifier[:32], verifier[32:40], verifier[40:48]
	if subtle.ConstantTimeCompare(s.hash(password, validation, user), hash) != 1 {
		return nil
	}
	block, err := aes.NewCipher(s.hash(password, salt, user))
	if err != nil {
		return nil
	}
	key := make([]byte, len(wrapped))
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(key, wrapped)
	return key
}

// hash is algorithm 2.B; in revision 5 only its first step.
func (s *standard) hash(password, salt, user []byte) []byte {
	sum := sha256.Sum256(bytes.Join([][]byte{password, salt, user}, nil))
	k := sum[:]
	if s.revision == 5 {
		return k
	}
	for round := 1; ; round++ {
		e := hardened(password, k, user)
		k = nextHash(e)
		if round >= 64 && int(e[len(e)-1]) <= round-32 {
			return k[:32]
		}
	}
}

// hardened encrypts 64 copies of what it is given with k.
func hardened(password, k, user []byte) []byte {
	e := bytes.Repeat(bytes.Join([][]byte{password, k, user}, nil), 64)
	if block, err := aes.NewCipher(k[:16]); err == nil {
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
	}
	return e
}

// nextHash hashes e with the function that the remainder of its first 16 bytes
// by 3 names. 256 leaves 1, so the sum of the digits has the same remainder.
func nextHash(e []byte) []byte {
	sum := 0
	for _, b := range e[:16] {
		sum += int(b)
	}
	switch sum % 3 {
	case 0:
		k := sha256.Sum256(e)
		return k[:]
	case 1:
		k := sha512.Sum384(e)
		return k[:]
	}
	k := sha512.Sum512(e)
	return k[:]
}

// allowed returns the permissions, ISO 32000-2, table 22. From revision 5 on
// /Perms repeats /P under the key, algorithm 13; what it denies is denied.
func (s *standard) allowed(key []byte) int32 {
	if s.revision < 5 {
		return s.permissions
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return 0
	}
	perms := make([]byte, permsLen)
	block.Decrypt(perms, s.perms)
	if string(perms[9:12]) != "adb" {
		return 0
	}
	return s.permissions & int32(binary.LittleEndian.Uint32(perms))
}
