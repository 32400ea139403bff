// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/pectoken/pectoken/cns"
)

// elementaryFile is a file of the card: its path below the master file, and how
// many bytes of it are wanted, by those that were read.
type elementaryFile struct {
	name string
	path []byte
	size func(soFar []byte) int
}

// The files of a CNS, all readable without a PIN.
var (
	idCarta       = elementaryFile{"EF_IDCarta", []byte{0x10, 0x00, 0x10, 0x03}, cardIDSize}
	datiPersonali = elementaryFile{"EF_DatiPersonali", []byte{0x11, 0x00, 0x11, 0x02}, personalDataSize}
	cCarta        = elementaryFile{"C_Carta", []byte{0x11, 0x00, 0x11, 0x01}, certificateSize}
)

func cardIDSize([]byte) int { return 16 }

// personalDataSize is the size on every card known; the length in front of the
// fields may announce more.
func personalDataSize(soFar []byte) int {
	const usual, most, lengthSize = 400, 4096, 6
	if len(soFar) < lengthSize {
		return usual
	}
	length, err := hex.DecodeString(string(soFar[:lengthSize]))
	if err != nil {
		return usual
	}
	announced := int(length[0])<<16 | int(length[1])<<8 | int(length[2])
	return min(max(usual, lengthSize+announced), most)
}

// certificateSize reads the length of the outermost DER element, which is all of
// the file that counts.
func certificateSize(soFar []byte) int {
	const most, headSize = 8192, 4
	if len(soFar) < headSize {
		return maxChunk
	}
	if soFar[0] != 0x30 || soFar[1] != 0x82 {
		return headSize
	}
	return min(headSize+int(soFar[2])<<8+int(soFar[3]), most)
}

// ReadFiles reads the files of a CNS through t, which must be connected to the
// card, and which nobody else may use meanwhile. The error is a *ForeignCardError
// if the card has no number of a CNS, and otherwise one of t. What else is missing
// is in [Facts].Gaps.
func ReadFiles(ctx context.Context, t Transmitter) (*Facts, error) {
	c := &cardReader{channel: channel{ctx: ctx, to: t}}
	facts, err := c.identify()
	if err != nil {
		return nil, fmt.Errorf("reading card: %w", err)
	}
	for _, file := range []elementaryFile{datiPersonali, cCarta} {
		content, err := c.read(file)
		if err != nil && !isRefusal(err) {
			return nil, fmt.Errorf("reading card: %w", err)
		}
		facts.take(file.name, content, err)
	}
	return facts, nil
}

// take puts the content of a file among the facts, or among the gaps why not.
func (f *Facts) take(name string, content []byte, err error) {
	if err == nil {
		switch name {
		case idCarta.name:
			f.CardID, err = cns.ParseCardID(content)
		case datiPersonali.name:
			f.PersonalData, err = cns.ParsePersonalData(content)
		case cCarta.name:
			f.Certificate, err = x509.ParseCertificate(content)
		}
	}
	if err != nil {
		f.Gaps = append(f.Gaps, Gap{name, err})
	}
}

// cardReader knows how the card it reads wants to be asked for a file.
type cardReader struct {
	channel
	form int // the one that worked last
}

// identify reads the card's number, which every CNS has.
func (c *cardReader) identify() (*Facts, error) {
	content, err := c.read(idCarta)
	if isRefusal(err) && c.selectApplication() {
		content, err = c.read(idCarta)
	}
	switch id, notOne := cns.ParseCardID(content); {
	case err != nil && !isRefusal(err):
		return nil, err
	case err != nil:
		return nil, &ForeignCardError{Err: err}
	case notOne != nil:
		return nil, &ForeignCardError{Err: fmt.Errorf("%s: %w", idCarta.name, notOne)}
	default:
		return &Facts{Source: SourceReader, CardID: id}, nil
	}
}

// isRefusal says whether the error is of the card rather than of the way to it.
func isRefusal(err error) bool {
	var s Status
	return errors.As(err, &s)
}

// selectApplication selects the application that holds the files of a CNS on
// cards that have several, as the ACe cards of 2025.
func (c *cardReader) selectApplication() bool {
	application := []byte{0xa0, 0x00, 0x00, 0x05, 0x30, 0x00, 0x0b, 0x10, 0x40, 0x01, 0x02, 0x1a}
	const byName, noAnswer = 0x04, 0x0c
	_, s, err := c.send(append([]byte{0, insSelect, byName, noAnswer, byte(len(application))}, application...))
	return err == nil && isSelected(s)
}

// read reads a file. The error of a card that has no such file is a Status.
func (c *cardReader) read(file elementaryFile) ([]byte, error) {
	if err := c.selectPath(file.path); err != nil {
		return nil, fmt.Errorf("selecting %s: %w", file.name, err)
	}
	content, err := c.readBinary(file.size)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file.name, err)
	}
	return content, nil
}

// selectPath selects a file by its path in one of the forms in which cards in the
// field take it, and remembers which.
func (c *cardReader) selectPath(path []byte) (err error) {
	for i := range selectForms {
		form := (c.form + i) % len(selectForms)
		if err = c.selectBy(selectForms[form](path)); err == nil {
			c.form = form
			return nil
		}
		if !isRefusal(err) {
			return err
		}
	}
	return err
}

// selectBy sends the commands of one form, all of which must succeed.
func (c *cardReader) selectBy(commands [][]byte) error {
	for _, command := range commands {
		_, s, err := c.send(command)
		if err != nil {
			return err
		}
		if !isSelected(s) {
			return s
		}
	}
	return nil
}

// isSelected says whether a SELECT succeeded. What the card would tell about
// the file is not asked for.
func isSelected(s Status) bool { return s == statusOK || byte(s>>8) == statusMoreBytes }

// selectForms are the forms of SELECT (ISO/IEC 7816-4, section 11.2.2), those that
// need one command first.
var selectForms = []func(path []byte) [][]byte{
	// By path from the master file.
	func(path []byte) [][]byte { return [][]byte{selectCommand(0x08, path)} },
	// By path from where we are, which is made the master file, with an answer.
	func(path []byte) [][]byte {
		return [][]byte{selectCommand(0x00, masterFile), append(selectCommand(0x09, path), 0)}
	},
	// Step by step.
	func(path []byte) [][]byte {
		commands := [][]byte{selectCommand(0x00, masterFile)}
		for step := range slices.Chunk(path, 2) {
			commands = append(commands, selectCommand(0x00, step))
		}
		return commands
	},
}

var masterFile = []byte{0x3f, 0x00}

func selectCommand(how byte, path []byte) []byte {
	return append([]byte{0, insSelect, how, 0, byte(len(path))}, path...)
}

// maxChunk is the most that is read at once: with 256, written as 0, some readers
// have trouble.
const maxChunk = 0xff

// readBinary reads the selected file from its beginning, until it has as many
// bytes as size wants or the file ends.
func (c *cardReader) readBinary(size func([]byte) int) ([]byte, error) {
	var content []byte
	for {
		n := min(size(content)-len(content), maxChunk)
		if n <= 0 {
			return content, nil
		}
		offset := len(content)
		data, s, err := c.fetch([]byte{0, insReadBinary, byte(offset >> 8), byte(offset), byte(n)})
		if err != nil {
			return nil, err
		}
		content = append(content, data[:min(len(data), n)]...)
		switch {
		case s == statusEndOfFile, s == statusOK && len(data) == 0:
			return content, nil
		case offset > 0 && (s == statusOutside || s == statusLength):
			return content, nil // asked for more than there is
		case s != statusOK:
			return nil, s
		}
	}
}
