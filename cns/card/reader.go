// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pectoken/pectoken/cns"
)

// Reader is a card reader as PC/SC sees it at a moment.
type Reader struct {
	Name  string
	State ReaderState
	ATR   []byte // of the card, empty without one that answers; see cns.ParseATR

	// InUse says that some program is connected to the card, Exclusive that it
	// shares it with nobody.
	InUse, Exclusive bool
}

// ReaderState is what is in a reader.
type ReaderState uint8

// States of a reader.
const (
	ReaderUnknown     ReaderState = iota
	ReaderEmpty                   // no card
	ReaderWithCard                // a card that answers
	ReaderWithMute                // a card that does not answer
	ReaderUnavailable             // PC/SC knows the reader and cannot use it
)

// String returns the word of the JSON form: unknown, empty, card, muteCard or
// unavailable.
func (s ReaderState) String() string {
	words := [...]string{"unknown", "empty", "card", "muteCard", "unavailable"}
	if int(s) >= len(words) {
		return words[ReaderUnknown]
	}
	return words[s]
}

// MarshalText returns what String does.
func (s ReaderState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// service is the part of PC/SC that is used. Errors are explained codes.
type service interface {
	readers() ([]Reader, error)
	connect(reader string) (connection, error) // shared with other programs
	release()
}

// connection is a card in use.
type connection interface {
	Transmitter
	begin() error // of a transaction, which keeps other programs out
	end()
	disconnect() // leaves the card as it is
}

// Readers lists the card readers. None at all is no error; that PC/SC cannot be
// reached is, and errors.Is tells [ErrNoLibrary], [ErrNoService], [ErrDenied] and
// [ErrUnsupported] apart.
func Readers(ctx context.Context) ([]Reader, error) { return readers(ctx, establish) }

func readers(ctx context.Context, establish func() (service, error)) ([]Reader, error) {
	list, err := within(ctx, func() ([]Reader, error) {
		s, err := establish()
		if err != nil {
			return nil, err
		}
		defer s.release()
		return s.readers()
	})
	if err != nil && !errors.Is(err, ErrNoReader) {
		return nil, fmt.Errorf("listing card readers: %w", err)
	}
	return list, nil
}

// ReadReader reads the card in a reader, without a driver for the card; see
// [Read] for the name. errors.Is tells the errors of this package apart, and
// errors.As finds a *ForeignCardError.
func ReadReader(ctx context.Context, reader string) (*Facts, error) {
	return readReader(ctx, establish, reader)
}

func readReader(ctx context.Context, establish func() (service, error), name string) (*Facts, error) {
	facts, err := within(ctx, func() (*Facts, error) {
		s, err := establish()
		if err != nil {
			return nil, err
		}
		defer s.release()
		list, err := s.readers()
		if err != nil {
			return nil, err
		}
		reader, err := choose(list, name)
		if err != nil {
			return nil, err
		}
		return readCard(ctx, s, reader)
	})
	if err != nil {
		return nil, fmt.Errorf("reading through PC/SC: %w", err)
	}
	return facts, nil
}

func readCard(ctx context.Context, s service, r Reader) (*Facts, error) {
	card, err := s.connect(r.Name)
	if err != nil {
		return nil, fmt.Errorf("connecting to reader %q: %w", r.Name, err)
	}
	defer card.disconnect()
	if err := card.begin(); err != nil {
		return nil, fmt.Errorf("beginning a transaction in reader %q: %w", r.Name, err)
	}
	defer card.end()
	facts, err := ReadFiles(ctx, card)
	var foreign *ForeignCardError
	if errors.As(err, &foreign) {
		foreign.Reader, foreign.ATR = r.Name, r.ATR
	}
	if err != nil {
		return nil, err
	}
	facts.Reader, facts.ATR = r.Name, r.ATR
	return facts, nil
}

// choose finds the reader of a name, or without one the only reader with a card,
// or the only one with a card of an Italian kind.
func choose(list []Reader, name string) (Reader, error) {
	var candidates, italian []Reader
	state := ErrNoReader
	for _, r := range list {
		if name != "" && !isCalled(r.Name, name) {
			continue
		}
		switch r.State {
		case ReaderWithCard:
			candidates = append(candidates, r)
			if isItalian(r.ATR) {
				italian = append(italian, r)
			}
		case ReaderWithMute:
			state = ErrMuteCard
		default:
			if state != ErrMuteCard {
				state = ErrNoCard
			}
		}
	}
	switch {
	case len(candidates) == 1:
		return candidates[0], nil
	case len(italian) == 1:
		return italian[0], nil
	case len(candidates) > 1:
		return Reader{}, fmt.Errorf("%w: %s", ErrSeveralCards, names(candidates))
	case name != "":
		return Reader{}, fmt.Errorf("%w: asked for %q, there are %s", state, name, names(list))
	}
	return Reader{}, state
}

// isCalled compares a reader's name with the description of a slot, which holds 64
// bytes of it.
func isCalled(reader, name string) bool {
	const slotDescription = 64
	name = strings.TrimSpace(name)
	return reader == name || len(name) >= slotDescription-1 && strings.HasPrefix(reader, name)
}

func isItalian(atr []byte) bool {
	a, err := cns.ParseATR(atr)
	if err != nil {
		return false
	}
	_, known := cns.ChipOf(a)
	return known
}

func names(list []Reader) string {
	quoted := make([]string, len(list))
	for i, r := range list {
		quoted[i] = fmt.Sprintf("%q", r.Name)
	}
	if len(quoted) == 0 {
		return "none"
	}
	return strings.Join(quoted, ", ")
}

// within does work that cannot be interrupted, and does not wait for it longer
// than the context lasts.
func within[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := work()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
