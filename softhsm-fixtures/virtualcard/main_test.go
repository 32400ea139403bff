// SPDX-License-Identifier: Apache-2.0

package virtualcard_test

import (
	"os"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

func TestMain(m *testing.M) {
	virtualcard.Hook()
	os.Exit(m.Run())
}
