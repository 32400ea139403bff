// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"crypto/rsa"
	"math/big"
)

// References of the keys in commands.
const (
	refKey          = 0x01
	refSignatureKey = 0x10
)

// key is a private key, and the PIN that it wants proven.
type key struct {
	private *rsa.PrivateKey
	pin     *secret
}

// raw computes m^d mod n (RFC 8017, section 5.2.1, with the Chinese remainder
// theorem). A block that is not below n is refused. It takes no care to hide the
// key from who measures time: it is a test's.
func (k *key) raw(block []byte) ([]byte, status) {
	m := new(big.Int).SetBytes(block)
	if m.Cmp(k.private.N) >= 0 {
		return nil, statusWrongData
	}
	crt := k.private.Precomputed
	p, q := k.private.Primes[0], k.private.Primes[1]
	m1 := new(big.Int).Exp(m, crt.Dp, p)
	m2 := new(big.Int).Exp(m, crt.Dq, q)
	h := m1.Sub(m1, m2)
	h.Mul(h, crt.Qinv).Mod(h, p)
	s := h.Mul(h, q).Add(h, m2)
	return s.FillBytes(make([]byte, k.private.Size())), statusOK
}

// environment is what MANAGE SECURITY ENVIRONMENT chose.
type environment struct {
	use byte // P2 of the command: what for
	key *key
}

// The uses of an environment (ISO 7816-4, table 55).
const (
	useSignature = 0xB6
	useDecipher  = 0xB8
)

// manage is MANAGE SECURITY ENVIRONMENT. RESTORE (P1 F3) forgets the choice,
// SET (P1 F1) names a key by the reference in tag 83.
func (c *Card) manage(cmd command) status {
	switch {
	case cmd.p1 == 0xF3:
		c.environment = environment{}
		return statusOK
	case cmd.p1 != 0xF1 && cmd.p1 != 0x41:
		return statusWrongParameters
	case cmd.p2 != useSignature && cmd.p2 != useDecipher:
		return statusWrongParameters
	case len(cmd.data) != 3 || cmd.data[0] != 0x83 || cmd.data[1] != 1:
		return statusWrongData
	}
	k := c.keys[cmd.data[2]]
	if k == nil {
		return statusReferenceNotFound
	}
	c.environment = environment{use: cmd.p2, key: k}
	return statusOK
}

// operate is PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE (9E 9A) of a
// whole padded block, and DECIPHER (80 86), whose block has a byte before it that
// says that the padding is not the card's affair.
func (c *Card) operate(cmd command) ([]byte, status) {
	use, block := byte(useSignature), cmd.data
	switch {
	case cmd.p1 == 0x9E && cmd.p2 == 0x9A:
	case cmd.p1 == 0x80 && cmd.p2 == 0x86 && len(block) > 0:
		use, block = useDecipher, block[1:]
	default:
		return nil, statusWrongParameters
	}
	k := c.environment.key
	switch {
	case k == nil || c.environment.use != use:
		return nil, statusConditionsNotMet
	case !k.pin.proven:
		return nil, statusSecurityNotMet
	case len(block) != k.private.Size():
		return nil, statusWrongLength
	}
	result, s := k.raw(block)
	if s == statusOK {
		c.count(use)
	}
	return result, s
}

func (c *Card) count(use byte) {
	if use == useSignature {
		c.signatures++
	} else {
		c.decipherments++
	}
}
