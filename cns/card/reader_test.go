// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"encoding"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// Two cards' answers to reset.
var (
	atrCNS  = unhex("3bff1800ff8131fe55006b05050101011101434e5311318087")
	atrBank = unhex("3b6500002063cb6800")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestReadReader(t *testing.T) {
	s := &fakeService{list: []Reader{{Name: "A", State: ReaderWithCard, ATR: atrCNS}}, card: newCard(t)}
	facts, err := readReader(t.Context(), s.establish, "")
	if err != nil || facts.CardID != pki.CardID || facts.Reader != "A" || !slices.Equal(facts.ATR, atrCNS) {
		t.Fatalf("%+v, %v", facts, err)
	}
	const want = "establish, connect A, begin, end, disconnect, release"
	if got := strings.Join(s.log, ", "); got != want {
		t.Errorf("%s", got)
	}
}

// TestReadReaderFails checks, of every error on the way, what it is and that all
// that was opened is closed again.
func TestReadReaderFails(t *testing.T) {
	cases := []struct {
		name, step string
		code       Code
		want       error
		log        string
	}{
		{"pcscd does not run", "establish", codeNoService, ErrNoService, "establish"},
		{"not allowed", "establish", codeSecurityViolation, ErrDenied, "establish"},
		{"no readers", "readers", codeNoReaders, ErrNoReader, "establish, release"},
		{"pcscd stops", "readers", codeServiceStopped, ErrNoService, "establish, release"},
		{"the reader is pulled out", "connect", codeReaderUnavailable, ErrNoReader, "establish, release"},
		{"the card is pulled out", "connect", codeNoSmartcard, ErrNoCard, "establish, release"},
		{"mute", "connect", codeUnresponsiveCard, ErrMuteCard, "establish, release"},
		{"not shared", "connect", codeSharingViolation, ErrBusy, "establish, release"},
		{"something else", "connect", 0x8010001f, Code(0x8010001f), "establish, release"},
		{"reset", "begin", codeResetCard, ErrBusy, "establish, connect A, disconnect, release"},
		{"pulled out later", "begin", codeRemovedCard, ErrNoCard, "establish, connect A, disconnect, release"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &fakeService{
				list: []Reader{{Name: "A", State: ReaderWithCard, ATR: atrCNS}}, card: newCard(t),
				fail: map[string]error{c.step: c.code.explained()},
			}
			facts, err := readReader(t.Context(), s.establish, "A")
			if facts != nil || !errors.Is(err, c.want) || !errors.Is(err, c.code) {
				t.Errorf("%+v, %v", facts, err)
			}
			if got := strings.Join(s.log, ", "); got != c.log {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestReadReaderForeign(t *testing.T) {
	s := &fakeService{list: []Reader{{Name: "A", State: ReaderWithCard, ATR: atrBank}}, card: &scriptedCard{}}
	_, err := readReader(t.Context(), s.establish, "")
	var foreign *ForeignCardError
	if !errors.As(err, &foreign) || foreign.Reader != "A" || !slices.Equal(foreign.ATR, atrBank) {
		t.Errorf("%v", err)
	}
	if got := strings.Join(s.log, ", "); !strings.HasSuffix(got, "end, disconnect, release") {
		t.Errorf("%s", got)
	}
}

func TestChoose(t *testing.T) {
	long := "A reader whose name is longer than the description of a slot can be 00 00"
	cns, bank := Reader{"C", ReaderWithCard, atrCNS, false, false}, Reader{"B", ReaderWithCard, atrBank, false, false}
	empty, mute, gone := Reader{Name: "E", State: ReaderEmpty}, Reader{Name: "M", State: ReaderWithMute}, Reader{Name: "U", State: ReaderUnavailable}
	other, longer := cns, cns
	other.Name, longer.Name = "D", long
	cases := []struct {
		what string
		list []Reader
		name string
		want string // a reader's name
		err  error
		says string
	}{
		{"the only one", []Reader{empty, bank, mute}, "", "B", nil, ""},
		{"the only CNS", []Reader{bank, cns, empty}, "", "C", nil, ""},
		{"by name", []Reader{bank, cns}, "B", "B", nil, ""},
		{"by a name with blanks", []Reader{bank, cns}, "B   ", "B", nil, ""},
		{"by a name cut off", []Reader{bank, longer}, long[:64], long, nil, ""},
		{"a part of a name is none", []Reader{bank, longer}, long[:20], "", ErrNoReader, `"B", "A reader`},
		{"two", []Reader{cns, other}, "", "", ErrSeveralCards, `"C", "D"`},
		{"two foreign", []Reader{bank, bank}, "", "", ErrSeveralCards, ""},
		{"no reader", nil, "", "", ErrNoReader, ""},
		{"no reader of the name", nil, "X", "", ErrNoReader, `"X", there are none`},
		{"empty", []Reader{empty}, "", "", ErrNoCard, ""},
		{"gone", []Reader{gone}, "", "", ErrNoCard, ""},
		{"mute", []Reader{mute, empty}, "", "", ErrMuteCard, ""},
		{"empty by name", []Reader{mute, empty, cns}, "E", "", ErrNoCard, ""},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			got, err := choose(c.list, c.name)
			if got.Name != c.want || !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v", got.Name, err)
			}
		})
	}
}

func TestReadersList(t *testing.T) {
	s := &fakeService{list: []Reader{{Name: "A", State: ReaderEmpty}}}
	if list, err := readers(t.Context(), s.establish); err != nil || len(list) != 1 || strings.Join(s.log, ", ") != "establish, release" {
		t.Errorf("%v, %v, %q", list, err, s.log)
	}
	s.fail = map[string]error{"readers": codeNoReaders.explained()}
	s.list = nil
	if list, err := readers(t.Context(), s.establish); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	s.fail = map[string]error{"establish": codeNoService.explained()}
	_, err := readers(t.Context(), s.establish)
	const want = "listing card readers: the PC/SC service is not running: SCARD_E_NO_SERVICE (0x8010001D)"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// TestBlockedCall has a call into PC/SC that does not return: the caller gets away,
// and what was opened is closed when the call returns after all.
func TestBlockedCall(t *testing.T) {
	s := &fakeService{list: []Reader{{Name: "A", State: ReaderWithCard}}, card: newCard(t), waitOpen: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	established := func() (service, error) {
		cancel()
		return notified{s, closed}, nil
	}
	if _, err := readReader(ctx, established, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(s.waitOpen)
	<-closed
	if len(s.card.sent) > 0 {
		t.Errorf("sent %X after the end", s.card.sent)
	}
	if _, err := readReader(ctx, established, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// notified says when the service was released.
type notified struct {
	*fakeService
	released chan struct{}
}

func (n notified) release() { close(n.released) }

func TestCodes(t *testing.T) {
	for code, name := range codeNames {
		err := code.explained()
		if !errors.Is(err, code) || errors.Is(err, errWire) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), ": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := Code(0x80100001).explained().Error(); got != "PC/SC error 0x80100001" {
		t.Error(got)
	}
}

func TestWords(t *testing.T) {
	cases := map[string][]encoding.TextMarshaler{
		"unknown module reader unknown":                   {SourceUnknown, SourceModule, SourceReader, Source(9)},
		"unknown empty card muteCard unavailable unknown": {ReaderUnknown, ReaderEmpty, ReaderWithCard, ReaderWithMute, ReaderUnavailable, ReaderState(9)},
	}
	for want, values := range cases {
		var words []string
		for _, v := range values {
			text, err := v.MarshalText()
			if err != nil {
				t.Error(err)
			}
			words = append(words, string(text))
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
