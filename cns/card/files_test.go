// SPDX-License-Identifier: Apache-2.0

package card

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var now = time.Now()

// readsAll fails the test unless everything on the card was read.
func readsAll(t *testing.T, c *scriptedCard) *Facts {
	t.Helper()
	facts, err := ReadFiles(t.Context(), c)
	if err != nil {
		t.Fatalf("%v\nsent %X", err, c.sent)
	}
	if facts.CardID != pki.CardID || facts.PersonalData == nil || facts.Certificate == nil || len(facts.Gaps) > 0 {
		t.Fatalf("%+v\nsent %X", facts, c.sent)
	}
	if !bytes.Equal(facts.PersonalData.Raw, pki.PersonalData()) {
		t.Errorf("personal data of %d bytes", len(facts.PersonalData.Raw))
	}
	return facts
}

// TestReadFiles reads cards of all habits.
func TestReadFiles(t *testing.T) {
	fcp := []byte("\x6f\x12\x80\x02\x01\x90\x82\x03\x01\x00\x00\x83\x02\x11\x02\x85\x01\x01")
	cases := []struct {
		name string
		edit func(*scriptedCard)
	}{
		{"plain", func(*scriptedCard) {}},
		{"by path from the master file alone", func(c *scriptedCard) { c.forms = map[byte]bool{8: true} }},
		{"by path from the current folder", func(c *scriptedCard) { c.forms = map[byte]bool{0: true, 9: true}; c.current = "1100" }},
		{"step by step", func(c *scriptedCard) { c.forms = map[byte]bool{0: true}; c.current = "1100" }},
		{"with an application to select", func(c *scriptedCard) { c.application = []byte("\xa0\x00\x00\x05\x30\x00\x0b\x10\x40\x01\x02\x1a") }},
		{"T=0", func(c *scriptedCard) { c.t0 = true }},
		{"T=0, with an answer to SELECT", func(c *scriptedCard) { c.t0, c.fci = true, fcp }},
		{"answers to SELECT", func(c *scriptedCard) { c.fci = fcp }},
		{"garbage as answer to SELECT", func(c *scriptedCard) { c.fci = []byte("\x6f\xff\x80\x7f\xff") }},
		{"short answers", func(c *scriptedCard) { c.most = 100 }},
		{"very short answers", func(c *scriptedCard) { c.most = 16 }},
		{"refuses to read past the end", func(c *scriptedCard) { c.pastEnd = statusLength }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(t)
			c.edit(card)
			facts := readsAll(t, card)
			if facts.Source != SourceReader || facts.PersonalData.Surname != "ROSSI" || facts.Certificate.Subject.CommonName == "" {
				t.Errorf("%+v", facts)
			}
			harmless(t, card.sent)
		})
	}
}

// harmless checks that nothing but reading was sent, and nothing longer than
// needed.
func harmless(t *testing.T, sent [][]byte) {
	t.Helper()
	if len(sent) > MaxCommands {
		t.Errorf("%d commands", len(sent))
	}
	for _, command := range sent {
		switch {
		case command[0] != 0:
			t.Errorf("class of %X", command)
		case command[1] == insSelect && (len(command) == 5+int(command[4]) || len(command) == 6+int(command[4]) && command[2] == 9):
		case (command[1] == insReadBinary || command[1] == insGetResponse) && len(command) == 5:
		default:
			t.Errorf("sent %X", command)
		}
	}
}

// TestFormIsRemembered counts: a card that takes the last form alone is asked in
// the others once.
func TestFormIsRemembered(t *testing.T) {
	c := newCard(t)
	c.forms = map[byte]bool{0: true}
	readsAll(t, c)
	refused := 0
	for _, command := range c.sent {
		if command[1] == insSelect && command[2] != 0 {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d commands in a form that the card does not take", refused)
	}
}

func TestReadFilesLong(t *testing.T) {
	c := newCard(t)
	fields := strings.Repeat("0AABCDEFGHIJ", 60)
	long := fmt.Sprintf("%06X%s", len(fields), fields)
	c.files[pathData] = []byte(long + strings.Repeat("\x00", 50))
	facts, err := ReadFiles(t.Context(), c)
	if err != nil || len(facts.PersonalData.Fields) != 60 {
		t.Errorf("%+v, %v", facts, err)
	}
}

// TestShortFile has a file that ends before it should, on cards that say so in
// different ways.
func TestShortFile(t *testing.T) {
	for _, end := range []Status{0, statusLength, statusOutside} {
		c := newCard(t)
		c.files[pathData], c.pastEnd, c.most = pki.PersonalData()[:300], end, 150
		facts, err := ReadFiles(t.Context(), c)
		if err != nil || facts.PersonalData == nil || facts.PersonalData.Surname != "ROSSI" || len(facts.Gaps) > 0 {
			t.Errorf("%04X: %+v, %v", uint16(end), facts, err)
		}
	}
}

func TestGaps(t *testing.T) {
	cases := []struct {
		name string
		edit func(*scriptedCard)
		what string
		want string
	}{
		{"no personal data", func(c *scriptedCard) { delete(c.files, pathData) }, "EF_DatiPersonali", "6A82 (no such file)"},
		{"personal data behind a PIN", func(c *scriptedCard) { c.denied = pathData }, "EF_DatiPersonali", "not without a PIN"},
		{"blank personal data", func(c *scriptedCard) { c.files[pathData] = make([]byte, 400) }, "EF_DatiPersonali", "blank"},
		{"personal data cut short", func(c *scriptedCard) { c.files[pathData] = pki.PersonalData()[:50] }, "EF_DatiPersonali", "are announced"},
		{"no certificate", func(c *scriptedCard) { delete(c.files, pathCertificate) }, "C_Carta", "6A82"},
		{"not a certificate", func(c *scriptedCard) { c.files[pathCertificate] = []byte("\x30\x82\x00\x02ab") }, "C_Carta", "x509"},
		{"empty certificate", func(c *scriptedCard) { c.files[pathCertificate] = []byte{} }, "C_Carta", "x509"},
		{"a certificate that is too long", func(c *scriptedCard) {
			c.files[pathCertificate] = append([]byte("\x30\x82\xff\xff"), make([]byte, 9000)...)
		}, "C_Carta", "x509"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(t)
			c.edit(card)
			facts, err := ReadFiles(t.Context(), card)
			if err != nil || facts.CardID != pki.CardID {
				t.Fatalf("%+v, %v", facts, err)
			}
			if len(facts.Gaps) != 1 || facts.Gaps[0].What != c.what || !strings.Contains(facts.Gaps[0].Err.Error(), c.want) {
				t.Errorf("gaps %v", facts.Gaps)
			}
			harmless(t, card.sent)
		})
	}
}

func TestForeignCard(t *testing.T) {
	cases := []struct {
		name string
		edit func(*scriptedCard)
		want string
	}{
		{"no files", func(c *scriptedCard) { c.files = nil }, "6A82"},
		{"no number", func(c *scriptedCard) { delete(c.files, pathID) }, "6A82"},
		{"another number", func(c *scriptedCard) { c.files[pathID] = []byte("hello") }, `"hello" is not sixteen digits`},
		{"an empty number", func(c *scriptedCard) { c.files[pathID] = []byte{} }, "sixteen digits"},
		{"a number behind a PIN", func(c *scriptedCard) { c.denied = pathID }, "not without a PIN"},
		{"knows no commands", func(c *scriptedCard) { c.answer = func([]byte) ([]byte, error) { return []byte{0x6d, 0}, nil } }, "6D00"},
		{"agrees to everything", func(c *scriptedCard) { c.answer = func([]byte) ([]byte, error) { return []byte{0x90, 0}, nil } }, "sixteen digits"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(t)
			c.edit(card)
			facts, err := ReadFiles(t.Context(), card)
			var foreign *ForeignCardError
			if facts != nil || !errors.As(err, &foreign) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v", facts, err)
			}
			harmless(t, card.sent)
		})
	}
}

func TestReadFilesFails(t *testing.T) {
	answers := func(answer ...byte) func(*scriptedCard) {
		return func(c *scriptedCard) { c.answer = func([]byte) ([]byte, error) { return answer, nil } }
	}
	cases := []struct {
		name string
		edit func(*scriptedCard)
		want string
	}{
		{"no status word", answers(0x90), "no status word"},
		{"no answer", answers(), "no status word"},
		{"always more", answers(0x61, 0x10), "too little at a time"},
		{"one byte at a time", func(c *scriptedCard) { c.most = 1 }, "too little at a time"},
		{"a cut wire", func(c *scriptedCard) { c.answer = func([]byte) ([]byte, error) { return nil, errWire } }, errWire.Error()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(t)
			c.edit(card)
			facts, err := ReadFiles(t.Context(), card)
			var foreign *ForeignCardError
			if facts != nil || err == nil || errors.As(err, &foreign) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v", facts, err)
			}
			harmless(t, card.sent)
		})
	}
}

func TestCardPulledOut(t *testing.T) {
	whole := newCard(t)
	readsAll(t, whole)
	for n := range len(whole.sent) {
		card, inner := newCard(t), newCard(t)
		card.answer = func(command []byte) ([]byte, error) {
			if len(card.sent) > n {
				return nil, codeRemovedCard.explained()
			}
			return inner.Transmit(command)
		}
		facts, err := ReadFiles(t.Context(), card)
		if facts != nil || !errors.Is(err, ErrNoCard) || !errors.Is(err, codeRemovedCard) || len(card.sent) != n+1 {
			t.Errorf("pulled out at command %d: %+v, %v, %d commands", n, facts, err, len(card.sent))
		}
	}
}

func TestReadFilesStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	card, inner := newCard(t), newCard(t)
	card.answer = func(command []byte) ([]byte, error) {
		cancel()
		return inner.Transmit(command)
	}
	if _, err := ReadFiles(ctx, card); !errors.Is(err, context.Canceled) || len(card.sent) != 1 {
		t.Errorf("%v after %d commands", err, len(card.sent))
	}
}

func TestForT0(t *testing.T) {
	for command, want := range map[string]string{
		"\x00\xa4\x09\x00\x04\x11\x00\x11\x02\x00": "\x00\xa4\x09\x00\x04\x11\x00\x11\x02",
		"\x00\xa4\x08\x00\x04\x11\x00\x11\x02":     "\x00\xa4\x08\x00\x04\x11\x00\x11\x02",
		"\x00\xb0\x00\x00\xff":                     "\x00\xb0\x00\x00\xff",
		"\x00\xb0\x00\x00\x00":                     "\x00\xb0\x00\x00\x00",
	} {
		if got := forT0([]byte(command)); string(got) != want {
			t.Errorf("%X becomes %X", command, got)
		}
	}
}

// FuzzReadFiles plays cards that answer anything: length and bytes of each answer
// come from the input, and a card that has no more to say repeats its last answer.
func FuzzReadFiles(f *testing.F) {
	record := func(edit func(*scriptedCard)) []byte {
		var tape []byte
		card, inner := newCard(f), newCard(f)
		edit(inner)
		card.answer = func(command []byte) ([]byte, error) {
			answer, err := inner.Transmit(command)
			tape = append(append(tape, byte(len(answer)>>8), byte(len(answer))), answer...)
			return answer, err
		}
		if _, err := ReadFiles(f.Context(), card); err != nil {
			f.Fatal(err)
		}
		return tape
	}
	f.Add(record(func(*scriptedCard) {}))
	f.Add(record(func(c *scriptedCard) { c.t0 = true }))
	f.Add(record(func(c *scriptedCard) { c.forms = map[byte]bool{0: true} }))
	f.Add([]byte("\x00\x02\x61\xff"))
	f.Add([]byte("\x00\x02\x90\x00\x00\x126090000000000001\x90\x00\x00\x02\x6c\x00"))
	f.Fuzz(func(t *testing.T, tape []byte) {
		card := &scriptedCard{}
		var last []byte
		card.answer = func([]byte) ([]byte, error) {
			if len(tape) >= 2 {
				n := min(int(tape[0])<<8|int(tape[1]), len(tape)-2)
				last, tape = tape[2:2+n], tape[2+n:]
			}
			return last, nil
		}
		facts, err := ReadFiles(t.Context(), card)
		if (facts == nil) == (err == nil) {
			t.Fatalf("%+v, %v", facts, err)
		}
		if facts != nil && (len(facts.CardID) != 16 || facts.PersonalData != nil && len(facts.PersonalData.Raw) > 4096) {
			t.Errorf("%+v", facts)
		}
		if facts != nil && facts.PersonalData == nil && facts.Certificate == nil && len(facts.Gaps) != 2 {
			t.Errorf("gaps %v", facts.Gaps)
		}
		harmless(t, card.sent[:min(len(card.sent), MaxCommands)])
	})
}
