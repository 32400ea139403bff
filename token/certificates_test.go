// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// TestLongCertificate has a certificate longer than the room that attributes have
// at first, beside one that is not.
func TestLongCertificate(t *testing.T) {
	short := object(t, "DS0", pki.Signer)
	long := short
	long.ID, long.Label, long.Certificate = []byte("LONG"), "LONG", longCertificate(t, short)
	each(t, []tokenOf{{"Firma", rightPIN, []softhsm.Object{short, long}}}, func(t *testing.T, m *Module) {
		got, err := tokensOf(t, m)[0].Certificates(t.Context())
		if err != nil || len(got) != 2 {
			t.Fatalf("%d certificates, %v", len(got), err)
		}
		for _, c := range got {
			want := map[string][]byte{"DS0": short.Certificate.Raw, "LONG": long.Certificate.Raw}[c.Label]
			if !bytes.Equal(c.Raw, want) || string(c.ID) != c.Label || c.X509 == nil {
				t.Errorf("%s: CKA_ID %q, %d bytes, want %d; %v", c.Label, c.ID, len(c.Raw), len(want), c.ParseError)
			}
		}
	})
}

// longCertificate is one for the key of o with a thousand names.
func longCertificate(t *testing.T, o softhsm.Object) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	for i := range 1000 {
		template.DNSNames = append(template.DNSNames, fmt.Sprintf("%d.example.it", i))
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, o.Certificate.PublicKey, o.Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil || len(raw) < 2*4096 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	return c
}
