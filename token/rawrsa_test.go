// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rsa"
	"math/big"
)

// pkcs1Options are rsa.PKCS1v15DecryptOptions, which are deprecated and in use.
func pkcs1Options(length int) any {
	//lint:ignore SA1019 what is tested is what most senders encrypt with
	return &rsa.PKCS1v15DecryptOptions{SessionKeyLen: length}
}

func encryptRaw(public *rsa.PublicKey, block []byte) []byte {
	c := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(public.E)), public.N)
	return c.FillBytes(make([]byte, public.Size()))
}

func decryptRaw(key *rsa.PrivateKey, ciphertext []byte) []byte {
	m := new(big.Int).Exp(new(big.Int).SetBytes(ciphertext), key.D, key.N)
	return m.FillBytes(make([]byte, key.Size()))
}
