// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
)

// keyKind is a kind of key the description can ask for.
type keyKind int

const (
	rsa2048 keyKind = iota + 1
	rsa3072
	rsa4096
	p256
	p384
	p521
	edwards25519
)

// keys holds the key of each name for the life of the process. It is the one
// piece of state PKIs share, so that a test binary that makes fifty of them
// makes each RSA key once. A key says nothing about certificates: sharing it
// changes no outcome.
var keys sync.Map // Name to func() (crypto.Signer, error)

// keyOf returns the key of name, making it the first time.
func keyOf(name Name, kind keyKind) (crypto.Signer, error) {
	once, _ := keys.LoadOrStore(name, sync.OnceValues(func() (crypto.Signer, error) { return newKey(kind) }))
	return once.(func() (crypto.Signer, error))()
}

func newKey(kind keyKind) (crypto.Signer, error) {
	switch kind {
	case rsa2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case rsa3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case rsa4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case p256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case p384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case p521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case edwards25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("making key: unknown kind %d", kind)
}
