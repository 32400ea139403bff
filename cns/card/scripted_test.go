// SPDX-License-Identifier: Apache-2.0

package card

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// scriptedCard is a card in memory: files by their path in hexadecimal, below the
// master file, and the habits of cards in the field.
type scriptedCard struct {
	files map[string][]byte

	forms       map[byte]bool // values of P1 that SELECT takes; nil for all
	application []byte        // must be selected first, if set
	t0          bool          // answers are held back (61xx), lengths must be right (6Cxx)
	most        int           // bytes in an answer, 0 for as many as asked for
	pastEnd     Status        // answer to a READ behind the end; 6282 after the last bytes if 0
	fci         []byte        // answer to SELECT
	denied      string        // file that wants a PIN to be read
	answer      func(command []byte) ([]byte, error)

	current  string // path, "" is the master file
	selected bool   // the application
	held     []byte // answer of T=0 to be fetched
	sent     [][]byte
}

const (
	pathID, pathData, pathCertificate = "10001003", "11001102", "11001101"
)

// newCard is a card with everything on it.
func newCard(t testing.TB) *scriptedCard {
	t.Helper()
	// A file has the size it was made with, and padding behind the certificate.
	certificate := append(bytes.Clone(pki.New(now).Must(t, pki.CNS).Certificate.Raw), make([]byte, 100)...)
	return &scriptedCard{files: map[string][]byte{
		pathID: []byte(pki.CardID), pathData: pki.PersonalData(), pathCertificate: certificate,
	}}
}

func (c *scriptedCard) Transmit(command []byte) ([]byte, error) {
	c.sent = append(c.sent, bytes.Clone(command))
	if c.answer != nil {
		return c.answer(command)
	}
	if len(command) < 5 || command[0] != 0 {
		return nil, fmt.Errorf("not a command: %X", command)
	}
	data, s := c.execute(command)
	if c.t0 && len(data) > 0 {
		data, s = c.hold(command, data, s)
	}
	return append(data, byte(s>>8), byte(s)), nil
}

func (c *scriptedCard) execute(command []byte) ([]byte, Status) {
	switch command[1] {
	case 0xa4:
		n := int(command[4])
		if len(command) < 5+n {
			return nil, 0x6700
		}
		return c.selectFile(command[2], command[5:5+n])
	case 0xb0:
		return c.readBinary(int(command[2])<<8|int(command[3]), int(command[4]))
	case 0xc0:
		return c.held, statusOK
	}
	return nil, 0x6d00
}

// hold makes of an answer what T=0 makes of it.
func (c *scriptedCard) hold(command, data []byte, s Status) ([]byte, Status) {
	switch {
	case command[1] == 0xc0:
		c.held = nil
		return data, s
	case command[1] == 0xb0 && int(command[4]) != len(data):
		return nil, Status(0x6c00 | len(data)&0xff)
	}
	c.held = data
	return nil, Status(0x6100 | len(data)&0xff)
}

func (c *scriptedCard) selectFile(how byte, path []byte) ([]byte, Status) {
	if how == 0x04 {
		c.selected = c.application != nil && bytes.Equal(path, c.application)
		if c.selected {
			return nil, statusOK
		}
		return nil, statusNoFile
	}
	if c.forms != nil && !c.forms[how] || c.application != nil && !c.selected {
		return nil, statusNoFile
	}
	target := hex.EncodeToString(path)
	switch {
	case target == "3f00":
		target = ""
	case how == 0x00, how == 0x09:
		target = c.current + target
	}
	if !c.exists(target) {
		return nil, statusNoFile
	}
	c.current = target
	return c.fci, statusOK
}

func (c *scriptedCard) exists(path string) bool {
	for name := range c.files {
		if len(name) >= len(path) && name[:len(path)] == path {
			return true
		}
	}
	return false
}

func (c *scriptedCard) readBinary(offset, n int) ([]byte, Status) {
	file, ok := c.files[c.current]
	switch {
	case !ok:
		return nil, 0x6986
	case c.current == c.denied:
		return nil, statusDenied
	case offset > len(file), offset == len(file) && c.pastEnd != 0:
		return nil, statusOutside
	}
	s := statusOK
	if left := len(file) - offset; n > left {
		if c.pastEnd != 0 {
			return nil, c.pastEnd
		}
		n, s = left, statusEndOfFile
	}
	if c.most > 0 && n > c.most {
		n, s = c.most, statusOK
	}
	return bytes.Clone(file[offset : offset+n]), s
}

// fakeService is PC/SC with scripted answers.
type fakeService struct {
	list     []Reader
	card     *scriptedCard
	fail     map[string]error // by step: establish, readers, connect, begin
	log      []string
	waitOpen chan struct{} // connect blocks until it is closed
}

func (s *fakeService) establish() (service, error) {
	s.log = append(s.log, "establish")
	if err := s.fail["establish"]; err != nil {
		return nil, err
	}
	return s, nil
}

func (s *fakeService) readers() ([]Reader, error) { return s.list, s.fail["readers"] }

func (s *fakeService) connect(reader string) (connection, error) {
	if s.waitOpen != nil {
		<-s.waitOpen
	}
	if err := s.fail["connect"]; err != nil {
		return nil, err
	}
	s.log = append(s.log, "connect "+reader)
	return fakeConnection{s, s.card}, nil
}

func (s *fakeService) release() { s.log = append(s.log, "release") }

type fakeConnection struct {
	s *fakeService
	Transmitter
}

func (c fakeConnection) begin() error {
	if err := c.s.fail["begin"]; err != nil {
		return err
	}
	c.s.log = append(c.s.log, "begin")
	return nil
}

func (c fakeConnection) end()        { c.s.log = append(c.s.log, "end") }
func (c fakeConnection) disconnect() { c.s.log = append(c.s.log, "disconnect") }

var errWire = errors.New("the wire is cut")
