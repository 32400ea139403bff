// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package token

import "github.com/pectoken/pectoken/token/internal/cryptoki"

// Available returns nil if this program can load PKCS#11 modules, and
// [ErrNoCgo] if it was built without cgo.
func Available() error { return ErrNoCgo }

// load has no C to call the library with.
func load(string) (cryptoki.Module, error) { return nil, ErrNoCgo }
