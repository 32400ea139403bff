// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/pectoken/pectoken/token"
)

// signatures is a bench.Signer: it makes them with a token.Signer.
func signatures(ctx context.Context, path, pin string, n, atATime int) (elapsed time.Duration, err error) {
	module, err := token.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, module.Close()) }()
	key, err := firstKey(ctx, module, pin)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = share(n, atATime, func() error {
		_, err := key.Sign(rand.Reader, make([]byte, crypto.SHA256.Size()), crypto.SHA256)
		return err
	})
	return time.Since(start), errors.Join(err, key.Close())
}

// firstKey opens the first key of the first token.
func firstKey(ctx context.Context, module *token.Module, pin string) (*token.Signer, error) {
	tokens, _, err := module.Tokens(ctx)
	if err != nil || len(tokens) == 0 {
		return nil, errors.Join(errors.New("the token is not there"), err)
	}
	certificates, err := tokens[0].Certificates(ctx)
	if err != nil {
		return nil, err
	}
	ask := func(context.Context, token.PINRequest) ([]byte, error) { return []byte(pin), nil }
	for _, c := range certificates {
		if c.HasPrivateKey {
			return tokens[0].Signer(ctx, c, ask, token.LoginOptions{})
		}
	}
	return nil, errors.New("the token has no key")
}

// share has several goroutines do something n times in all.
func share(n, workers int, do func() error) error {
	errs := make([]error, workers)
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += workers {
				errs[worker] = do()
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
