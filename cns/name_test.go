// SPDX-License-Identifier: Apache-2.0

package cns_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/pectoken/pectoken/cns"
)

func TestDistinguishedName(t *testing.T) {
	name := pkix.Name{Names: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: "IT"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 4}, Value: "ROSSI"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "VATIT-1, 2"},
		{Type: asn1.ObjectIdentifier{1, 2, 3}, Value: "#x\u202ey\n"},
	}}
	const want = `1.2.3=\#xy,organizationIdentifier=VATIT-1\, 2,SN=ROSSI,C=IT`
	if got := cns.DistinguishedName(name); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
