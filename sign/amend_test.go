// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"testing"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
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

// TestAddAtLevelT: the new signature gets the one time stamp, and what was there keeps its
// octets.
func TestAddAtLevelT(t *testing.T) {
	w := newWorld(t)
	first := signed(t, []byte("atto"), w.options(t, sign.LevelB))
	before, err := cms.Read(bytes.NewReader(first), cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(t, sign.LevelT)
	existing := sign.Existing{File: section(first)}
	for name, add := range map[string]func(io.Writer, sign.Options) error{
		"add":     func(dst io.Writer, o sign.Options) error { return sign.AddSigner(t.Context(), dst, existing, o) },
		"counter": func(dst io.Writer, o sign.Options) error { return sign.CounterSign(t.Context(), dst, existing, 0, o) },
	} {
		t.Run(name, func(t *testing.T) {
			issued := w.server.Issued()
			var file bytes.Buffer
			if err := add(&file, o); err != nil {
				t.Fatal(err)
			}
			if got := w.server.Issued() - issued; got != 1 {
				t.Errorf("%d time stamps were asked for", got)
			}
			sd, err := cms.Read(bytes.NewReader(file.Bytes()), cms.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			old := w.judged(t, file.Bytes(), nil, true)
			expect(t, old, sign.LevelB, report.Valid)
			added := old.CounterSignatures
			if name == "add" {
				if added = w.all(t, file.Bytes())[1:]; !bytes.Equal(sd.Signers[0].Raw, before.Signers[0].Raw) {
					t.Error("the first signer was changed")
				}
			}
			if len(added) != 1 {
				t.Fatalf("%d signatures were added", len(added))
			}
			expect(t, added[0], sign.LevelT, report.Valid)

			var lost *sign.LostStampsError
			if err := add(full{}, o); !errors.As(err, &lost) || len(lost.Tokens) != 1 {
				t.Errorf("on a full disk: %v", err)
			}
			for _, level := range []sign.Level{sign.LevelLT, sign.LevelLTA} {
				if err := add(io.Discard, w.options(t, level)); !errors.Is(err, sign.ErrAmendedLevel) {
					t.Errorf("%v: %v", level, err)
				}
			}
			down := o
			w.server.Configure(func(c *authority.Config) { c.TSA.Imprints = []crypto.Hash{crypto.SHA512} }) // refuses SHA-256
			defer w.server.Configure(func(c *authority.Config) { c.TSA.Imprints = nil })
			short := new(sign.LevelError)
			if err := add(io.Discard, down); !errors.As(err, &short) || short.Reached != sign.LevelB {
				t.Errorf("refused: %v", err)
			}
			down.Settle = func(*sign.LevelError) error { return nil }
			if err := add(io.Discard, down); err != nil {
				t.Errorf("refused, and content with less: %v", err)
			}
		})
	}
}

// Where a signature has to have a size beforehand nothing can be added to it.
func TestUnsignedIsForAdding(t *testing.T) {
	o := options(t)
	o.Signer.Unsigned = func([]byte) ([]cms.Attribute, error) { return nil, nil }
	for _, format := range []sign.Format{sign.CAdES, sign.PAdES} {
		o.Format = format
		if err := sign.Document(t.Context(), io.Discard, section(documents.Plain()), o); err == nil {
			t.Errorf("%v: signed", format)
		}
	}
}
