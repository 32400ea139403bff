// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// saltLength returns a signature algorithm that says another length of the salt.
func saltLength(t *testing.T, n int) asn1.RawValue {
	t.Helper()
	hash := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}
	type mask struct {
		Algorithm asn1.ObjectIdentifier
		Hash      pkix.AlgorithmIdentifier
	}
	der, err := asn1.Marshal(struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters any
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
		MGF  mask                     `asn1:"explicit,tag:1"`
		Salt int                      `asn1:"explicit,tag:2"`
	}{hash, mask{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}, hash}, n}})
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: der}
}

// TestSaltLengthLies: the parameters of RSASSA-PSS are signed by nobody, and
// crypto/rsa takes a length of 0 for any and is led astray by the largest ones.
func TestSaltLengthLies(t *testing.T) {
	who := signer(t, pki.Signer)
	who.PSS = true
	for _, salt := range []int{-1, 0, 1, 31, 32, 33, 222, 223, math.MaxInt32, math.MaxInt - 40, math.MaxInt} {
		t.Run(fmt.Sprint(salt), func(t *testing.T) {
			f, err := forge.Parse(sign(t, []byte("vero"), false, who))
			if err != nil {
				t.Fatal(err)
			}
			f.Data.Signers[0].SignatureAlgorithm = saltLength(t, salt)
			sd, _ := read(t, must(t)(f.DER()))
			if c := sd.Check(sd.Signers[0]); c.ValueMatches != (salt == 32) || c.Has(cms.SignatureMismatch) == (salt == 32) && salt >= 0 {
				t.Errorf("value matches %v: %v", c.ValueMatches, c.Findings)
			}
		})
	}
}
