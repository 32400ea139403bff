// SPDX-License-Identifier: Apache-2.0

package softhsm_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

func TestFindModule(t *testing.T) {
	given := filepath.Join(t.TempDir(), "module.so")
	t.Setenv("SOFTHSM2_MODULE", given)
	if _, err := softhsm.FindModule(); !errors.Is(err, softhsm.ErrNotInstalled) {
		t.Errorf("a module that is not there: %v", err)
	}
	if err := os.WriteFile(given, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := softhsm.FindModule(); got != given || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	if _, err := softhsm.Create(t.TempDir()); err != nil {
		t.Error(err)
	}
}
