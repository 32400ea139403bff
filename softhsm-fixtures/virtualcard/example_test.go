// SPDX-License-Identifier: Apache-2.0

package virtualcard_test

import (
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// A card in memory: select EF_IDCarta and read it, and waste a try of the PIN.
func ExampleCard_Transmit() {
	profile, err := virtualcard.Standard(pki.New(time.Now()))
	if err != nil {
		log.Fatal(err)
	}
	card, err := virtualcard.New(profile)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("% X\n", card.Transmit([]byte{0x00, 0xA4, 0x08, 0x0C, 4, 0x10, 0x00, 0x10, 0x03}))
	fmt.Printf("%q\n", card.Transmit([]byte{0x00, 0xB0, 0, 0, 16}))
	fmt.Printf("% X\n", card.Transmit([]byte("\x00\x20\x00\x10\x0899999999")))
	fmt.Println(card.Report().Verifies(), "VERIFY,", card.Report().PIN.TriesLeft, "tries left")
	// Output:
	// 90 00
	// "6090000000000001\x90\x00"
	// 63 C2
	// 1 VERIFY, 2 tries left
}

// Compiled, not run: where pcscd is missing, an example cannot be skipped.
func ExampleStart() {
	test := func(t *testing.T) {
		card := virtualcard.Make(t, pki.New(time.Now()), func(p *virtualcard.Profile) {
			p.ATR = virtualcard.CNS10.Bytes()
		})
		pcsc := virtualcard.Start(t, card)
		// … use virtualcard.OpenSC(t) here, or a child process with pcsc.Env() in its environment
		if err := pcsc.First.Remove(); err != nil {
			t.Error(err)
		}
		if card.Report().Verifies() != 0 {
			t.Error("reading cost a try")
		}
	}
	_ = test
}
