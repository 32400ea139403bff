// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token

import (
	"context"
	"crypto"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// benchmarkToken is SoftHSM with one RSA-2048 key, open.
func benchmarkToken(b *testing.B) (*Token, *Certificate) {
	b.Helper()
	h := softhsm.New(b)
	identity := pki.New(time.Now()).Must(b, pki.Signer)
	object := softhsm.Object{ID: []byte("DS0"), Label: "DS0", Key: identity.Key, Certificate: identity.Certificate}
	if _, err := h.AddToken("Firma", rightPIN, object); err != nil {
		b.Fatal(err)
	}
	m, err := Open(h.Module())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	})
	tokens, _, err := m.Tokens(b.Context())
	if err != nil || len(tokens) != 1 {
		b.Fatal(tokens, err)
	}
	certificates, err := tokens[0].Certificates(b.Context())
	if err != nil || len(certificates) != 1 {
		b.Fatal(certificates, err)
	}
	return tokens[0], certificates[0]
}

// share runs b.N signatures in n goroutines.
func share(b *testing.B, n int, sign func(worker int) error) {
	b.Helper()
	b.ResetTimer()
	var wait sync.WaitGroup
	for worker := range n {
		wait.Go(func() {
			for i := worker; i < b.N; i += n {
				if err := sign(worker); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

// BenchmarkSign makes signatures as programs do (signer), and by C_SignInit and
// C_Sign and nothing else (bare).
func BenchmarkSign(b *testing.B) {
	token, certificate := benchmarkToken(b)
	s, err := token.Signer(b.Context(), certificate, (&prompt{pin: rightPIN}).ask, LoginOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	digest := digestOf(crypto.SHA256, "x")
	info := append([]byte(hashes[crypto.SHA256].digestInfo), digest...)
	module := token.module.lib.c
	for _, sessions := range []int{1, maxSessions} {
		b.Run(fmt.Sprintf("bare/sessions=%d", sessions), func(b *testing.B) {
			handles := make([]*session, sessions)
			for i := range handles {
				if handles[i], err = token.openSession(context.Background(), false); err != nil {
					b.Fatal(err)
				}
				defer handles[i].close()
			}
			share(b, sessions, func(worker int) error {
				if err := module.SignInit(handles[worker].handle, cryptoki.Mechanism{Kind: cryptoki.CKM_RSA_PKCS}, s.key.handle); err != nil {
					return err
				}
				_, err := module.Sign(handles[worker].handle, info, 256)
				return err
			})
		})
		b.Run(fmt.Sprintf("signer/sessions=%d", sessions), func(b *testing.B) {
			share(b, sessions, func(int) error {
				_, err := s.Sign(nil, digest, crypto.SHA256)
				return err
			})
		})
	}
}
