// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"bytes"
	"context"
	"crypto/rand"
	"time"
)

// maxChain bounds the data of a chain of commands. The longest that means
// something is a block as long as an RSA key.
const maxChain = 4 << 10

// maxChallenge is the most random bytes of GET CHALLENGE.
const maxChallenge = 256

// Transmit hands the card a command APDU and returns its answer: data and
// status (ISO 7816-4, section 5.1). Any bytes get an answer. It is nil if a
// fault pulled the card out.
func (c *Card) Transmit(command []byte) []byte {
	answer, _ := c.transmit(context.Background(), command)
	return answer
}

// transmit is Transmit, unless ctx ends while the card takes its time: then the
// command is not carried out.
func (c *Card) transmit(ctx context.Context, raw []byte) ([]byte, error) {
	cmd, bad := parse(raw)
	if err := c.pause(ctx, cmd); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands++
	if answer, struck := strike(c.faults, cmd); struck {
		return answer, nil
	}
	if bad != statusOK {
		return bad.answer(nil), nil
	}
	data, s := c.obey(cmd)
	return s.answer(bytes.Clone(data)), nil
}

// pause waits as long as the card takes for a command.
func (c *Card) pause(ctx context.Context, cmd command) error {
	c.mu.Lock()
	delay := c.delay
	if cmd.instruction == insOperation && !cmd.chained() {
		delay += c.keyDelay
	}
	c.mu.Unlock()
	if delay <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// obey puts a command together from its parts and carries it out; c.mu is held.
func (c *Card) obey(cmd command) ([]byte, status) {
	if len(c.tree) == 0 {
		return nil, statusUnknownInstruction
	}
	switch {
	case cmd.class&^classChained != 0:
		return nil, statusClassNotSupported
	case cmd.chained() && cmd.instruction != insOperation:
		return nil, statusNoChaining
	}
	cmd, more, s := c.join(cmd)
	if more || s != statusOK {
		return nil, s
	}
	return c.carryOut(cmd)
}

// join gathers the parts of a chained command (ISO 7816-4, section 5.3.3). A
// command that does not go on with the chain ends it.
func (c *Card) join(cmd command) (joined command, more bool, s status) {
	chain := c.chain
	if before := c.chainOf; before.instruction != cmd.instruction || before.p1 != cmd.p1 || before.p2 != cmd.p2 {
		chain = nil
	}
	c.chain, c.chainOf = nil, command{}
	if len(chain)+len(cmd.data) > maxChain {
		return cmd, false, statusWrongLength
	}
	cmd.data = append(chain, cmd.data...)
	if cmd.chained() {
		c.chain, c.chainOf = cmd.data, cmd
	}
	return cmd, cmd.chained(), statusOK
}

// carryOut does what a whole command says.
func (c *Card) carryOut(cmd command) ([]byte, status) {
	switch cmd.instruction {
	case insSelect:
		return c.selectFile(cmd)
	case insReadBinary:
		return c.readBinary(cmd)
	case insVerify, insChange, insUnblock:
		return nil, c.useSecret(cmd)
	case insEnvironment:
		return nil, c.manage(cmd)
	case insOperation:
		return c.operate(cmd)
	case insChallenge:
		return challenge(cmd)
	}
	return nil, statusUnknownInstruction
}

// selectFile is SELECT by path from the root (P1 08, and 09, which some readers
// send) and by identifier (P1 00). There are no applications to select by name.
func (c *Card) selectFile(cmd command) ([]byte, status) {
	var name path
	found := false
	switch cmd.p1 {
	case 0x00:
		name, found = c.tree.findIdentifier(c.current, cmd.data)
	case 0x08, 0x09:
		name, found = c.tree.find(cmd.data)
	case 0x04:
	default:
		return nil, statusWrongParameters
	}
	if !found {
		return nil, statusFileNotFound
	}
	c.current, c.selected = name, true
	if cmd.p2&0x0C == 0x0C {
		return nil, statusOK
	}
	return c.tree.control(name), statusOK
}

func (c *Card) readBinary(cmd command) ([]byte, status) {
	if cmd.p1&0x80 != 0 { // a short file identifier: no file has one
		return nil, statusFileNotFound
	}
	f := c.tree[c.current]
	if !c.selected || f.folder {
		return nil, statusNoCurrentFile
	}
	return f.read(int(cmd.p1)<<8|int(cmd.p2), cmd.le)
}

// useSecret is the three commands about PINs and PUKs.
func (c *Card) useSecret(cmd command) status {
	reference := cmd.p2 & 0x7F
	s := c.secrets[reference]
	switch {
	case cmd.p1 != 0:
		return statusWrongParameters
	case s == nil:
		return statusReferenceNotFound
	case cmd.instruction == insVerify:
		return s.verify(cmd.data)
	case cmd.instruction == insChange:
		return s.exchange(s, cmd.data)
	}
	puk := c.secrets[reference+1]
	if puk == nil { // a PUK itself
		return statusReferenceNotFound
	}
	return s.exchange(puk, cmd.data)
}

func challenge(cmd command) ([]byte, status) {
	if cmd.le < 1 || cmd.le > maxChallenge {
		return nil, statusWrongLength
	}
	data := make([]byte, cmd.le)
	rand.Read(data) // never fails
	return data, statusOK
}
