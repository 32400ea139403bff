// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"
)

// When an algorithm could no longer be relied on. What was signed before, and proven
// to be, stands. After ETSI TS 119 312 V1.5.1 (2024) and SOG-IS Agreed Cryptographic
// Mechanisms 1.3 (2023), which name what is good now, and the dates of their
// predecessors (ETSI TS 102 176-1) for what no longer is.
var (
	digestEnds = map[crypto.Hash]time.Time{
		crypto.MD5:  date(2005, time.January, 1),
		crypto.SHA1: date(2012, time.January, 1),
	}
	rsaEnds = []keyEnd{
		{1024, date(2002, time.January, 1)},
		{1536, date(2011, time.January, 1)},
		{1900, date(2017, time.January, 1)},
	}
	curveEnds = []keyEnd{{256, date(2017, time.January, 1)}}
)

// keyEnd is when keys of less than so many bits could no longer be relied on: bits of the
// modulus, or of the field of the curve.
type keyEnd struct {
	below int
	ends  time.Time
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// weakness says what of an algorithm could not be relied on at a moment, empty if
// everything could.
func weakness(h crypto.Hash, certificate *x509.Certificate, at time.Time) string {
	if ends, known := digestEnds[h]; known && !at.Before(ends) {
		return fmt.Sprintf("the digest %v can be forged (not relied on since %s)", h, ends.Format(time.DateOnly))
	}
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		return tooShort("RSA", key.N.BitLen(), rsaEnds, at)
	case *ecdsa.PublicKey:
		return tooShort("elliptic curve", key.Curve.Params().BitSize, curveEnds, at)
	}
	return ""
}

func tooShort(kind string, bits int, ends []keyEnd, at time.Time) string {
	for _, limit := range ends {
		if bits < limit.below && !at.Before(limit.ends) {
			return fmt.Sprintf("a key (%s) of %d bits is too short (not relied on since %s)", kind, bits, limit.ends.Format(time.DateOnly))
		}
	}
	return ""
}
