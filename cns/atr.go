// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ATR is the answer to reset of a card, the first bytes it sends when it gets
// power, taken apart (ISO/IEC 7816-3, section 8.2).
type ATR struct {
	Raw        []byte
	Historical []byte // what the card's makers say in it, at most 15 bytes
	Protocols  []int  // transmission protocols in the order offered: 0 is T=0, 1 is T=1
	Check      Check  // of the check character TCK

	// Mark and what follows are read from the historical bytes of Italian cards, as
	// the CNS's specification lays them out. Mark is empty for other cards.
	Mark       Mark
	ICMaker    byte // of the chip; see ICMakerName
	MaskMaker  byte // of the operating system; see MaskMakerName
	Firmware   [2]byte
	CNSVersion byte // 0x10 is 1.0, with keys of RSA-1024; 0x11 is 1.1, with RSA-2048 and extended APDUs
}

// Mark says by which letters in its ATR a card names its kind.
type Mark string

// Marks of Italian cards.
const (
	MarkCNS   Mark = "CNS"
	MarkCIE   Mark = "CIE"   // electronic identity card
	MarkHPC   Mark = "HPC"   // card of a health professional (SISS)
	MarkDSD   Mark = "DSD"   // signature device
	MarkCIEv1 Mark = "CIEv1" // known by its whole ATR
	MarkCIEv2 Mark = "CIEv2" // says ITID instead
)

// Check is what came of a check character.
type Check uint8

// Outcomes of a check.
const (
	CheckUnknown Check = iota // nothing was checked
	CheckAbsent               // T=0 alone: the ATR has no TCK
	CheckGood
	CheckWrong
)

// String returns unknown, absent, good or wrong.
func (c Check) String() string {
	words := [...]string{"unknown", "absent", "good", "wrong"}
	if int(c) >= len(words) {
		return words[CheckUnknown]
	}
	return words[c]
}

// MarshalText returns what String does.
func (c Check) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// maxATR is TS and 32 characters (ISO/IEC 7816-3, section 8.2.1).
const maxATR = 33

// ParseATR takes an ATR apart. One that is cut short, too long or does not begin
// like one is an error; one with a wrong TCK is not, since drivers that build an
// ATR themselves get it wrong: see Check.
//
// An ATR does not prove what a card is: cards with other file systems have the
// ATR of a CNS, and over a contactless reader many have none to speak of.
func ParseATR(raw []byte) (*ATR, error) {
	a := &ATR{Raw: bytes.Clone(raw)}
	if err := a.parse(); err != nil {
		return nil, fmt.Errorf("parsing ATR %X: %w", raw[:min(len(raw), maxATR)], err)
	}
	a.readMarks()
	return a, nil
}

func (a *ATR) parse() error {
	switch raw := a.Raw; {
	case len(raw) < 2:
		return errors.New("shorter than two bytes")
	case len(raw) > maxATR:
		return fmt.Errorf("longer than %d bytes", maxATR)
	case raw[0] != 0x3b && raw[0] != 0x3f:
		return fmt.Errorf("TS is %02X, neither 3B nor 3F", raw[0])
	}
	rest, err := a.skipInterface(a.Raw[1:])
	if err != nil {
		return err
	}
	history := int(a.Raw[1] & 0x0f)
	if len(rest) < history {
		return fmt.Errorf("%d historical bytes are announced, and %d are there", history, len(rest))
	}
	a.Historical, rest = rest[:history], rest[history:]
	return a.check(rest)
}

// skipInterface reads T0 and the interface characters TA to TD behind it, of
// which only the protocols in the TDs are kept.
func (a *ATR) skipInterface(rest []byte) ([]byte, error) {
	const (
		anyTA, anyTB, anyTC, anyTD = 0x10, 0x20, 0x40, 0x80
		protocol                   = 0x0f
	)
	indicator := rest[0]
	rest = rest[1:]
	for {
		skip := 0
		for _, bit := range []byte{anyTA, anyTB, anyTC} {
			if indicator&bit != 0 {
				skip++
			}
		}
		more := indicator&anyTD != 0
		if len(rest) < skip || more && len(rest) == skip {
			return nil, errors.New("it ends among the interface characters")
		}
		if rest = rest[skip:]; !more {
			break
		}
		indicator, rest = rest[0], rest[1:]
		if p := int(indicator & protocol); p < 15 && !slices.Contains(a.Protocols, p) { // 15 is no protocol
			a.Protocols = append(a.Protocols, p)
		}
	}
	if len(a.Protocols) == 0 {
		a.Protocols = []int{0}
	}
	return rest, nil
}

// check looks at what follows the historical bytes: TCK, unless T=0 alone is
// offered, makes the exclusive or of all characters but TS zero.
func (a *ATR) check(rest []byte) error {
	switch needed := !slices.Equal(a.Protocols, []int{0}); {
	case len(rest) > 1:
		return fmt.Errorf("%d bytes too many", len(rest)-1)
	case needed && len(rest) == 0:
		return errors.New("no TCK at its end")
	case len(rest) == 0:
		a.Check = CheckAbsent
		return nil
	}
	sum := byte(0)
	for _, b := range a.Raw[1:] {
		sum ^= b
	}
	if a.Check = CheckGood; sum != 0 {
		a.Check = CheckWrong
	}
	return nil
}

// Places in the historical bytes of a CNS. All 15 are there.
const (
	historyLength   = 15
	icMakerAt       = 2
	maskMakerAt     = 3
	firmwareAt      = 4
	markAt, markEnd = 9, 12
	cnsVersionAt    = 12
	itidAt          = 6
	atrCIEv1        = "\x3b\xf4\x18\x00\xff\x81\x31\x80\x55\x00\x31\x80\x00\xc7"
)

func (a *ATR) readMarks() {
	if string(a.Raw) == atrCIEv1 {
		a.Mark = MarkCIEv1
		return
	}
	h := a.Historical
	if len(h) != historyLength {
		return
	}
	switch mark := Mark(h[markAt:markEnd]); {
	case mark == MarkCNS, mark == MarkCIE, mark == MarkHPC, mark == MarkDSD:
		a.Mark, a.CNSVersion = mark, h[cnsVersionAt]
	case string(h[itidAt:]) == "\x02ITID  1\x80":
		a.Mark = MarkCIEv2
	default:
		return
	}
	a.ICMaker, a.MaskMaker = h[icMakerAt], h[maskMakerAt]
	a.Firmware = [2]byte(h[firmwareAt:])
}

// ICMakerName names the maker of the chip (ISO/IEC 7816-6), empty if it is not
// known.
func (a *ATR) ICMakerName() string {
	if a.Mark == "" {
		return ""
	}
	return icMakers[a.ICMaker]
}

var icMakers = map[byte]string{
	0x01: "Motorola", 0x02: "STMicroelectronics", 0x03: "Hitachi", 0x04: "NXP", 0x05: "Infineon", 0x06: "Cylinc",
	0x07: "Texas Instruments", 0x08: "Fujitsu", 0x0b: "Oki", 0x0e: "Samsung", 0x11: "Emosyn", 0x15: "Atmel",
}

// MaskMakerName names the maker of the card's operating system, by the CNS's own
// numbers, empty if it is not known.
func (a *ATR) MaskMakerName() string {
	if a.Mark == "" {
		return ""
	}
	return maskMakers[a.MaskMaker]
}

var maskMakers = map[byte]string{
	1: "Kaitech", 2: "Gemplus", 3: "Ghirlanda", 4: "Giesecke+Devrient", 5: "IDEMIA (Oberthur)", 6: "Orga", 7: "Axalto",
	8: "Siemens", 9: "STIncard", 10: "GEP", 11: "EPS", 12: "Athena", 13: "Gemalto",
}
