// SPDX-License-Identifier: Apache-2.0

package virtualcard

import "encoding/binary"

// command is a command APDU (ISO 7816-4, section 5.1).
type command struct {
	class, instruction, p1, p2 byte

	data []byte
	le   int // how long the answer may be; 0 when there should be none
}

// The bit of the class that says that the data goes on in the next command.
const classChained = 0x10

func (c command) chained() bool { return c.class&classChained != 0 }

// Instructions (ISO 7816-4, table 4).
const (
	insVerify      = 0x20
	insEnvironment = 0x22 // MANAGE SECURITY ENVIRONMENT
	insChange      = 0x24 // CHANGE REFERENCE DATA
	insOperation   = 0x2A // PERFORM SECURITY OPERATION
	insUnblock     = 0x2C // RESET RETRY COUNTER
	insChallenge   = 0x84
	insSelect      = 0xA4
	insReadBinary  = 0xB0
)

// status is what an answer ends with, SW1 and SW2 (ISO 7816-4, section 5.1.3).
type status uint16

const (
	statusOK                 status = 0x9000
	statusEndOfFile          status = 0x6282
	statusTriesLeft          status = 0x63C0 // and the number in the last digit
	statusWrongLength        status = 0x6700
	statusClassNotSupported  status = 0x6E00
	statusNoChaining         status = 0x6884
	statusSecurityNotMet     status = 0x6982
	statusBlocked            status = 0x6983
	statusConditionsNotMet   status = 0x6985
	statusNoCurrentFile      status = 0x6986
	statusWrongData          status = 0x6A80
	statusFileNotFound       status = 0x6A82
	statusWrongParameters    status = 0x6A86
	statusReferenceNotFound  status = 0x6A88
	statusWrongOffset        status = 0x6B00
	statusUnknownInstruction status = 0x6D00
	statusNoReason           status = 0x6F00
)

// answer is the response APDU of data and s.
func (s status) answer(data []byte) []byte { return binary.BigEndian.AppendUint16(data, uint16(s)) }

// parse takes a command apart, in its short or its extended form (ISO 7816-3,
// section 12.1). A command whose lengths contradict each other has none.
func parse(raw []byte) (command, status) {
	if len(raw) < 4 {
		return command{}, statusWrongLength
	}
	c := command{class: raw[0], instruction: raw[1], p1: raw[2], p2: raw[3]}
	body, ok := raw[4:], true
	switch {
	case len(body) == 0:
	case len(body) >= 3 && body[0] == 0:
		c.data, c.le, ok = parseBody(body[1:], 2)
	default:
		c.data, c.le, ok = parseBody(body, 1)
	}
	if !ok {
		return command{}, statusWrongLength
	}
	return c, statusOK
}

// parseBody reads Le, or Lc and the data and perhaps Le, in numbers of width
// bytes.
func parseBody(body []byte, width int) (data []byte, le int, ok bool) {
	if len(body) == width {
		return nil, expected(body), true
	}
	n := number(body[:width])
	rest := body[width:]
	switch {
	case n > 0 && len(rest) == n:
		return rest, 0, true
	case n > 0 && len(rest) == n+width:
		return rest[:n], expected(rest[n:]), true
	}
	return nil, 0, false
}

// expected reads Le, where zero stands for one more than the largest number.
func expected(le []byte) int {
	if n := number(le); n > 0 {
		return n
	}
	return 1 << (8 * len(le))
}

func number(bytes []byte) (n int) {
	for _, b := range bytes {
		n = n<<8 | int(b)
	}
	return n
}
