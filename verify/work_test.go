// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

// TestWorkIsLimited: where each of many signers brings something to be compared with all of
// many certificates, the last ones are not judged, and are not valid.
func TestWorkIsLimited(t *testing.T) {
	ca := people.Must(t, pki.QualifiedCA).Certificate.Raw
	values, err := forge.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}, []asn1.RawValue{{FullBytes: ca}})
	if err != nil {
		t.Fatal(err)
	}
	for certificates, most := range map[int]int{10: 300, 1500: 200} {
		f, err := forge.Parse(p7m(t, "il contratto", false, signer(t, pki.Signer)))
		if err != nil {
			t.Fatal(err)
		}
		f.SetCertificates(bytes.Clone(f.Data.Certificates.Bytes), bytes.Repeat(ca, certificates))
		who := f.Data.Signers[0]
		who.Unsigned = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: values}
		f.Data.Signers = slices.Repeat([]forge.Signer{who}, 300)
		file, err := f.DER()
		if err != nil {
			t.Fatal(err)
		}
		r := check(t, file, root(t))
		judged := 0
		for _, s := range r.Signatures {
			switch {
			case s.Verdict == report.Valid:
				judged++
			case s.Verdict == report.Invalid || !strings.Contains(s.Reason, "not all are looked at"):
				t.Fatalf("%v: %s", s.Verdict, s.Reason)
			}
		}
		if judged < 100 || judged > most || (r.Verdict == report.Valid) != (judged == 300) {
			t.Errorf("%d certificates: %d signers are valid, and the file is %v", certificates, judged, r.Verdict)
		}
	}
}
