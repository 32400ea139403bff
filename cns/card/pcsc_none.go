// SPDX-License-Identifier: Apache-2.0

//go:build !(windows || darwin || (linux && cgo && (amd64 || arm64)))

package card

func establish() (service, error) { return nil, ErrUnsupported }
