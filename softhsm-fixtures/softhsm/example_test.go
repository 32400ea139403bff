// SPDX-License-Identifier: Apache-2.0

package softhsm_test

import (
	"fmt"
	"log"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// Compiled, not run: where SoftHSM2 is missing, an example cannot be skipped.
func ExampleCreate() {
	h, err := softhsm.Create("/tmp/kit")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := h.AddStandard(pki.New(time.Now())); err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Env(), "pkcs11-tool --module", h.Module(), "--list-objects")
}
