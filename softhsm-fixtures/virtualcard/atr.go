// SPDX-License-Identifier: Apache-2.0

package virtualcard

// ATR is what a CNS says of itself when it is powered on. Its fields are the
// bytes of the historical characters that tell one CNS from another.
type ATR struct {
	ICMaker   byte    // the maker of the chip
	MaskMaker byte    // the maker of the operating system
	Firmware  [2]byte // major, minor
	Version   byte    // of the CNS specification: 0x10 or 0x11
}

// Kinds of CNS that programs treat differently.
var (
	// CNS11 is a CNS 1.1, for which OpenSC offers RSA up to 2048 bits.
	CNS11 = ATR{ICMaker: 0x05, MaskMaker: 0x05, Firmware: [2]byte{1, 1}, Version: 0x11}

	// CNS10 is a CNS 1.0, for which OpenSC offers RSA up to 1024 bits only,
	// whatever its key is: a login works, a signature with a longer key does not.
	CNS10 = ATR{ICMaker: 0x05, MaskMaker: 0x05, Firmware: [2]byte{1, 1}, Version: 0x10}

	// STIncard has a mask that wants 0x80 set in the reference of a PIN.
	STIncard = ATR{ICMaker: 0x02, MaskMaker: 0x09, Firmware: [2]byte{1, 1}, Version: 0x11}
)

// Bytes returns the ATR as the card sends it (ISO 7816-3, section 8.2): T=1,
// fifteen historical bytes, and TCK, which is computed.
func (a ATR) Bytes() []byte {
	return closeATR([]byte{
		0x3B, 0xFF, 0x18, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x55, // 15 historical bytes; T=1
		0x00, 0x6B, a.ICMaker, a.MaskMaker, a.Firmware[0], a.Firmware[1], 0x01, 0x01, 0x01,
		'C', 'N', 'S', a.Version, 0x31, 0x80,
	})
}

// foreignATR is of a card that is no CNS, nor any other that was ever made:
// T=1 and the historical bytes "FOREIGN".
func foreignATR() []byte {
	return closeATR(append([]byte{0x3B, 0x87, 0x80, 0x01}, "FOREIGN"...))
}

// closeATR adds TCK, which makes the exclusive or of all bytes after the first
// zero (ISO 7816-3, section 8.2.5).
func closeATR(atr []byte) []byte {
	var check byte
	for _, b := range atr[1:] {
		check ^= b
	}
	return append(atr, check)
}
