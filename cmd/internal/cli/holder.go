// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"github.com/pectoken/pectoken/cns"
)

// nameOf is the holder of a certificate, in words fit for a message.
func nameOf(c *x509.Certificate) string {
	if name := cns.SubjectOf(c).Name; name != "" {
		return clip(name, 80)
	}
	return "somebody without a name"
}

// kindText says what a certificate is for.
func kindText(k cns.Kind) string {
	switch k {
	case cns.QualifiedSignature:
		return "qualified signature"
	case cns.CNS:
		return "CNS"
	case cns.CNSLike:
		return "CNS-like"
	case cns.CIE:
		return "CIE"
	}
	return "other"
}

// authenticates says whether certificates of a kind are for logging in.
func authenticates(k cns.Kind) bool { return k == cns.CNS || k == cns.CNSLike || k == cns.CIE }

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
