// SPDX-License-Identifier: Apache-2.0

package card

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Transmitter carries one command to a card and returns its answer, of which the
// last two bytes are the status word (ISO/IEC 7816-4, section 5.1). An error is
// one of the way to the card: that the card refuses is an answer.
type Transmitter interface {
	Transmit(command []byte) (answer []byte, err error)
}

// MaxCommands is how many commands are sent to a card at most: a card that is read
// in the ordinary way needs about twenty.
const MaxCommands = 400

// Instructions that are sent.
const (
	insSelect      = 0xa4
	insReadBinary  = 0xb0
	insGetResponse = 0xc0
)

// channel sends commands, and counts them.
type channel struct {
	ctx  context.Context
	to   Transmitter
	sent int
}

// fetch sends a command for an answer of a length that its last byte says. A card
// may name another length, or hold the answer back until it is asked for, as T=0
// needs it (ISO/IEC 7816-4, section 5.6).
func (c *channel) fetch(command []byte) (data []byte, s Status, err error) {
	data, s, err = c.send(command)
	if err == nil && byte(s>>8) == statusExactBytes {
		again := bytes.Clone(command)
		again[len(again)-1] = byte(s)
		data, s, err = c.send(again)
	}
	const most = 256 // of bytes in the answer to a short command
	for err == nil && byte(s>>8) == statusMoreBytes && len(data) < most {
		var more []byte
		more, s, err = c.send([]byte{0, insGetResponse, 0, 0, byte(s)})
		data = append(data, more...)
	}
	return data, s, err
}

// send sends a command and takes its answer apart.
func (c *channel) send(command []byte) ([]byte, Status, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, 0, err
	}
	if c.sent++; c.sent > MaxCommands {
		return nil, 0, fmt.Errorf("the card gives too little at a time: %d commands were not enough", MaxCommands)
	}
	answer, err := c.to.Transmit(command)
	if err != nil {
		return nil, 0, err
	}
	const statusSize = 2
	if len(answer) < statusSize {
		return nil, 0, errors.New("the card's answer has no status word")
	}
	n := len(answer) - statusSize
	return answer[:n:n], Status(answer[n])<<8 | Status(answer[n+1]), nil
}

// forT0 leaves out the length of the answer that a command with data may end in:
// T=0 has no place for it (ISO/IEC 7816-3, section 12.2.2).
func forT0(command []byte) []byte {
	const header = 5
	if len(command) > header && len(command) == header+int(command[header-1])+1 {
		return command[:len(command)-1]
	}
	return command
}
