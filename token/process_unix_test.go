// SPDX-License-Identifier: Apache-2.0

//go:build unix

package token

import (
	"syscall"
	"testing"
)

func TestDisableCoreDumps(t *testing.T) {
	if err := DisableCoreDumps(); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur != 1 || limit.Max != 1 {
		t.Errorf("limit %+v, %v", limit, err)
	}
}
