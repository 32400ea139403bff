// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
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
	rsaEnds = []struct {
		below int // bits of the modulus
		ends  time.Time
	}{
		{1024, date(2002, time.January, 1)},
		{1536, date(2011, time.January, 1)},
		{1900, date(2017, time.January, 1)},
	}
)

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// weakness says what of an algorithm could not be relied on at a moment, empty if
// everything could.
func weakness(h crypto.Hash, certificate *x509.Certificate, at time.Time) string {
	if ends, known := digestEnds[h]; known && !at.Before(ends) {
		return fmt.Sprintf("the digest %v can be forged (not relied on since %s)", h, ends.Format(time.DateOnly))
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return ""
	}
	for _, limit := range rsaEnds {
		if bits := key.N.BitLen(); bits < limit.below && !at.Before(limit.ends) {
			return fmt.Sprintf("an RSA key of %d bits is too short (not relied on since %s)", bits, limit.ends.Format(time.DateOnly))
		}
	}
	return ""
}
