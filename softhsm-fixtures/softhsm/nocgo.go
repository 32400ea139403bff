// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package softhsm

const haveCgo = false

// AddToken needs cgo: here it returns [ErrNoCgo].
func (h *HSM) AddToken(string, string, ...Object) (serial string, err error) {
	return "", ErrNoCgo
}
