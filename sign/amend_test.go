// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func TestAddAndCounterSign(t *testing.T) {
	second := options(t)
	verdi := people.Must(t, pki.SecondSigner)
	second.Signer = cms.Signer{Key: verdi.Key, Certificate: verdi.Certificate, Chain: verdi.Chain}
	for _, detached := range []bool{false, true} {
		first := options(t)
		first.Detached = detached
		existing := sign.Existing{File: section(signed(t, []byte("atto"), first))}
		if detached {
			existing.Content = section([]byte("atto"))
		}
		var both, countered bytes.Buffer
		if err := sign.AddSigner(context.Background(), &both, existing, second); err != nil {
			t.Fatal(err)
		}
		if err := sign.CounterSign(context.Background(), &countered, sign.Existing{File: section(both.Bytes())}, 1, second); err != nil {
			t.Fatal(err)
		}
		sd, err := cms.Read(&countered, cms.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(sd.Signers) != 2 || len(sd.Signers[0].CounterSignatures()) != 0 || len(sd.Signers[1].CounterSignatures()) != 1 {
			t.Errorf("detached %v: %d signers", detached, len(sd.Signers))
		}
		c := sd.CheckCounter(sd.Signers[1], sd.Signers[1].CounterSignatures()[0])
		if !c.ValueMatches || len(c.Findings) > 0 || !c.SigningTime.Equal(moment) {
			t.Errorf("counter-signature: %v", c.Findings)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stopped := sign.Existing{File: section(signed(t, []byte("atto"), options(t)))}
	if err := sign.AddSigner(ctx, io.Discard, stopped, second); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := sign.CounterSign(context.Background(), io.Discard, stopped, 0, sign.Options{Signer: second.Signer}); err == nil {
		t.Error("signed without a time")
	}
}
