// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pectoken/pectoken/cns"
)

// Facts is what was read from a card.
type Facts struct {
	Source Source

	// Reader and ATR say where the card is and what it answered when it got power.
	// Both are empty when the facts come from a module.
	Reader string
	ATR    []byte

	CardID       string            // EF_IDCarta, empty if a module does not show it
	PersonalData *cns.PersonalData // EF_DatiPersonali, nil if it could not be read

	// Certificate is the one for authentication, where a CNS has it. It is nil when
	// the card keeps it elsewhere, and when the facts come from a module, which
	// shows certificates itself.
	Certificate *x509.Certificate

	Gaps []Gap // what could not be read
}

// Source says through what a card was read.
type Source uint8

// Sources.
const (
	SourceUnknown Source = iota
	SourceModule         // data objects of a PKCS#11 module
	SourceReader         // files of the card, through its reader
)

// String returns the word of the JSON form: unknown, module or reader.
func (s Source) String() string {
	words := [...]string{"unknown", "module", "reader"}
	if int(s) >= len(words) {
		return words[SourceUnknown]
	}
	return words[s]
}

// MarshalText returns what String does.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Gap says what could not be read, and why.
type Gap struct {
	What string // the file, such as EF_DatiPersonali
	Err  error
}

// Read reads a card by the best way there is: the data objects of a module, and
// what they leave open from the reader. objects may be nil. The reader is the one
// of that name, as PC/SC and the module's slot description have it; an empty name
// stands for the only one with a card in it, or with a CNS among other cards.
//
// If one way leads to something there is no error: what the other way has against
// it is in Gaps. Facts of two cards are never mixed.
func Read(ctx context.Context, objects Objects, reader string) (*Facts, error) {
	return read(ctx, objects, func() (*Facts, error) { return ReadReader(ctx, reader) })
}

func read(ctx context.Context, objects Objects, readReader func() (*Facts, error)) (*Facts, error) {
	if objects == nil {
		return readReader()
	}
	shown, errShown := ReadObjects(ctx, objects)
	switch {
	case errShown == nil && shown.CardID != "" && shown.PersonalData != nil:
		return shown, nil
	case ctx.Err() != nil:
		return nil, errShown
	}
	seen, errSeen := readReader()
	switch {
	case errSeen != nil && errShown != nil:
		return nil, fmt.Errorf("%w; and %w", errShown, errSeen)
	case errSeen != nil:
		shown.Gaps = append(shown.Gaps, Gap{"reader", errSeen})
		return shown, nil
	case errShown != nil || sameCard(shown, seen):
		return seen, nil
	}
	shown.Gaps = append(shown.Gaps, Gap{"reader", errors.New("another card is in it")})
	return shown, nil
}

// sameCard says whether nothing that two ways of reading have in common differs.
func sameCard(a, b *Facts) bool {
	if a.CardID != "" {
		return a.CardID == b.CardID
	}
	return a.PersonalData != nil && b.PersonalData != nil &&
		fmt.Sprint(a.PersonalData.Fields) == fmt.Sprint(b.PersonalData.Fields)
}
