// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"encoding/asn1"
)

var (
	oidQCStatements = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3} // RFC 3739, section 3.2.6
	oidQcCompliance = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}       // EN 319 412-5, section 4.2.1
	oidQcSSCD       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}       // section 4.2.2
	oidQcType       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}       // section 4.2.3
	oidQcTypeESign  = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1}
)

// qcStatements is what we use of the extension of that name.
type qcStatements struct {
	malformed  bool
	compliance bool
	device     bool
	types      []asn1.ObjectIdentifier // empty if not said
}

// notForSignatures says whether the types leave signatures out. Without types a
// certificate is for signatures (EN 319 412-5, section 4.2.3).
func (q qcStatements) notForSignatures() bool {
	for _, t := range q.types {
		if t.Equal(oidQcTypeESign) {
			return false
		}
	}
	return len(q.types) > 0
}

// readQCStatements reads the extension. Nothing is taken from one that is
// malformed anywhere.
func readQCStatements(c *x509.Certificate) qcStatements {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidQCStatements) {
			continue
		}
		q, ok := parseQCStatements(e.Value)
		if !ok {
			return qcStatements{malformed: true}
		}
		return q
	}
	return qcStatements{}
}

// parseQCStatements parses QCStatements ::= SEQUENCE OF SEQUENCE { statementId
// OBJECT IDENTIFIER, statementInfo ANY OPTIONAL } of RFC 3739, appendix A.
func parseQCStatements(der []byte) (q qcStatements, ok bool) {
	var statements []struct {
		ID   asn1.ObjectIdentifier
		Info asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(der, &statements); err != nil || len(rest) > 0 {
		return q, false
	}
	for _, s := range statements {
		switch {
		case s.ID.Equal(oidQcCompliance):
			q.compliance = true
		case s.ID.Equal(oidQcSSCD):
			q.device = true
		case s.ID.Equal(oidQcType):
			if rest, err := asn1.Unmarshal(s.Info.FullBytes, &q.types); err != nil || len(rest) > 0 {
				return q, false
			}
		}
	}
	return q, true
}
