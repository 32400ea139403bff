// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package cli

// hasCgo says whether this build can load PKCS#11 modules.
const hasCgo = false
