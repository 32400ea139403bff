// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// Token is a card or other token that was present when [Module.Tokens] looked.
// The information in it is of that moment.
type Token struct {
	Info
	module *Module
}

// Info describes a token. Texts come from the card; characters that cannot be
// printed are taken out.
type Info struct {
	Slot         uint   // PKCS#11 slot number; it changes from one run to the next
	Reader       string // the slot's description, mostly the name of the reader
	ReaderMaker  string // the slot's manufacturer
	Label        string
	Serial       string
	Model        string
	Manufacturer string
	PIN          PIN
	PUK          PINState // of the PUK, which PKCS#11 calls the security officer's PIN
}

// PIN is what a token says about its user PIN. It has no counter of tries:
// PKCS#11 has none.
type PIN struct {
	State PINState
	Min   int  // shortest PIN in bytes; Min and Max are 0 if the token says nothing plausible
	Max   int  // longest PIN in bytes
	Pad   bool // the PIN is typed on the reader (CKF_PROTECTED_AUTHENTICATION_PATH)
}

// PINState is the state of a token's user PIN, from the flags of CK_TOKEN_INFO
// (PKCS #11 v2.40, section 3.2).
type PINState uint8

// States of a PIN.
const (
	PINStateUnknown PINState = iota // the token does not say, or is known to lie
	PINStateOK                      // no wrong PIN since the last right one
	PINStateLow                     // at least one wrong PIN since the last right one
	PINStateFinal                   // one try left
	PINStateLocked                  // no try left: only the PUK helps
	PINStateNotSet                  // the PIN was never set
)

var pinStateWords = [...]string{"unknown", "ok", "low", "final", "locked", "notSet"}

// String returns the word of the JSON form: unknown, ok, low, final, locked or
// notSet.
func (s PINState) String() string {
	if int(s) >= len(pinStateWords) {
		return pinStateWords[PINStateUnknown]
	}
	return pinStateWords[s]
}

// MarshalText returns what String does.
func (s PINState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote; another word is PINStateUnknown.
func (s *PINState) UnmarshalText(text []byte) error {
	*s = PINState(max(0, slices.Index(pinStateWords[:], string(text))))
	return nil
}

// Tokens lists the initialised tokens in the module's slots (C_GetSlotList,
// C_GetSlotInfo, C_GetTokenInfo: PKCS #11 v2.40, section 5.5). It needs no PIN.
//
// A slot whose token cannot be read, such as a foreign card in a second reader, is
// left out and reported in the second result; it does not keep the others from
// being listed. No token at all is no error.
func (m *Module) Tokens(ctx context.Context) ([]*Token, []*SlotError, error) {
	if err := m.enter(); err != nil {
		return nil, nil, err
	}
	defer m.leave()
	slots, err := m.lib.slotList(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("listing slots of module %q: %w", m.path, err)
	}
	var tokens []*Token
	var skipped []*SlotError
	for _, slot := range slots {
		token, err := m.token(ctx, slot)
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("listing tokens of module %q: %w", m.path, ctx.Err())
		}
		if err != nil {
			skipped = append(skipped, err)
		}
		if token != nil {
			tokens = append(tokens, token)
		}
	}
	return tokens, skipped, nil
}

// Find returns the token of now that is the one described by info, whose slot may be
// another by now: it has the same serial number, label and manufacturer. If it is
// not there the error matches [ErrRemoved].
func (m *Module) Find(ctx context.Context, info Info) (*Token, error) {
	tokens, _, err := m.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if t.same(info) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("looking for token %q, serial %q, in module %q: %w", info.Label, info.Serial, m.path, ErrRemoved)
}

// same says whether two descriptions are of one token, wherever it is.
func (i Info) same(other Info) bool {
	return i.Serial == other.Serial && i.Label == other.Label && i.Manufacturer == other.Manufacturer
}

// slotList asks again when the list grew between the two calls that
// C_GetSlotList takes.
func (l *library) slotList(ctx context.Context) (slots []uint, err error) {
	for range 3 {
		err = l.call(ctx, func(c cryptoki.Module) error {
			slots, err = c.SlotList()
			return err
		})
		if !isCode(err, cryptoki.CKR_BUFFER_TOO_SMALL) {
			break
		}
	}
	return slots, err
}

// token reads one slot. It returns nil and no error for a slot that is empty by
// now or whose token is not initialised.
func (m *Module) token(ctx context.Context, slot uint) (*Token, *SlotError) {
	info, initialised, err := m.lib.info(ctx, slot)
	switch {
	case isCode(err, cryptoki.CKR_TOKEN_NOT_PRESENT):
		return nil, nil
	case err != nil:
		return nil, &SlotError{Slot: slot, Reader: info.Reader, Err: err}
	case !initialised:
		return nil, nil
	}
	return &Token{Info: info, module: m}, nil
}

// info reads a slot. The reader's name is a nicety: when only that is missing
// there is no error. Nor is there when texts or limits make no sense. A token with
// a PIN counts as initialised even if it forgets to say so.
func (l *library) info(ctx context.Context, slot uint) (info Info, initialised bool, err error) {
	var raw cryptoki.TokenInfo
	var reader cryptoki.SlotInfo
	err = l.call(ctx, func(c cryptoki.Module) (err error) {
		reader, _ = c.SlotInfo(slot)
		raw, err = c.TokenInfo(slot)
		return err
	})
	if err != nil {
		return Info{Slot: slot, Reader: clean(reader.Description)}, false, err
	}
	return Info{
		Slot: slot, Reader: clean(reader.Description), ReaderMaker: clean(reader.Manufacturer), Label: clean(raw.Label), Serial: clean(raw.Serial),
		Model: clean(raw.Model), Manufacturer: clean(raw.Manufacturer), PIN: pinOf(raw), PUK: pukState(raw),
	}, raw.Flags&(cryptoki.CKF_TOKEN_INITIALIZED|cryptoki.CKF_USER_PIN_INITIALIZED) != 0, nil
}

// refresh returns the token's information of now, and an error if it is gone. Slots
// get other numbers when readers come and go: if the token is not in its slot any
// more it is looked for in the others, and the Slot of what is returned is right.
func (t *Token) refresh(ctx context.Context) (Info, uint, error) {
	now, flags, err := t.at(ctx, t.Slot)
	if err == nil || ctx.Err() != nil || !errors.Is(err, ErrRemoved) && !isCode(err, cryptoki.CKR_TOKEN_NOT_RECOGNIZED) {
		return now, flags, err
	}
	slots, listing := t.module.lib.slotList(ctx)
	if listing != nil {
		return Info{}, 0, err
	}
	for _, slot := range slots {
		if slot == t.Slot {
			continue
		}
		if now, flags, moved := t.at(ctx, slot); moved == nil {
			return now, flags, nil
		}
	}
	return Info{}, 0, err
}

// at returns the token's information if it is in a slot.
func (t *Token) at(ctx context.Context, slot uint) (Info, uint, error) {
	var raw cryptoki.TokenInfo
	err := t.module.lib.call(ctx, func(c cryptoki.Module) (err error) {
		raw, err = c.TokenInfo(slot)
		return err
	})
	if err != nil {
		return Info{}, 0, fmt.Errorf("reading token %q: %w", t.Label, err)
	}
	now := t.Info
	now.Slot, now.PIN, now.PUK = slot, pinOf(raw), pukState(raw)
	now.Label, now.Serial, now.Manufacturer = clean(raw.Label), clean(raw.Serial), clean(raw.Manufacturer)
	if !now.same(t.Info) {
		return Info{}, 0, fmt.Errorf("reading token %q: %w: another token (%q, serial %q) is in its place", t.Label, ErrRemoved, now.Label, now.Serial)
	}
	return now, raw.Flags, nil
}

// pin reads the PIN's state and limits.
func pinOf(i cryptoki.TokenInfo) PIN {
	p := PIN{State: pinState(i), Pad: i.Flags&cryptoki.CKF_PROTECTED_AUTHENTICATION_PATH != 0}
	if i.MaxPIN > 0 && i.MaxPIN <= 255 && i.MinPIN <= i.MaxPIN {
		p.Min, p.Max = int(i.MinPIN), int(i.MaxPIN)
	}
	return p
}

// lyingModel is the model that OpenSC gives to cards it makes a PKCS#15 layout
// up for. For Italian CNS cards it never asks the card for its counter and says
// "locked" of healthy ones (OpenSC#2763, #3479, #3804).
const lyingModel = "PKCS#15 emulated"

func pinState(i cryptoki.TokenInfo) PINState {
	switch {
	case i.Flags&cryptoki.CKF_USER_PIN_LOCKED != 0 && clean(i.Model) == lyingModel:
		return PINStateUnknown
	case i.Flags&cryptoki.CKF_USER_PIN_LOCKED != 0:
		return PINStateLocked
	case i.Flags&cryptoki.CKF_USER_PIN_FINAL_TRY != 0:
		return PINStateFinal
	case i.Flags&cryptoki.CKF_USER_PIN_COUNT_LOW != 0:
		return PINStateLow
	case i.Flags&cryptoki.CKF_USER_PIN_INITIALIZED == 0:
		return PINStateNotSet
	}
	return PINStateOK
}

// pukState reads the flags for the security officer. None of them set says little:
// few modules set them.
func pukState(i cryptoki.TokenInfo) PINState {
	switch {
	case clean(i.Model) == lyingModel:
		return PINStateUnknown
	case i.Flags&cryptoki.CKF_SO_PIN_LOCKED != 0:
		return PINStateLocked
	case i.Flags&cryptoki.CKF_SO_PIN_FINAL_TRY != 0:
		return PINStateFinal
	case i.Flags&cryptoki.CKF_SO_PIN_COUNT_LOW != 0:
		return PINStateLow
	}
	return PINStateUnknown
}

// clean makes a text of a card fit to be printed: fixed-width fields are padded
// with spaces or zero bytes, and a control character could play with a terminal.
func clean(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}

// gone says whether an error is about the session, the card or the call itself
// rather than about the one thing that was asked for.
func gone(err error) bool {
	return errors.Is(err, ErrRemoved) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		isCode(err, cryptoki.CKR_DEVICE_ERROR, cryptoki.CKR_GENERAL_ERROR, cryptoki.CKR_CRYPTOKI_NOT_INITIALIZED)
}
