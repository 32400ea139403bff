// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// plugged is a card in a reader that the test plays.
func plugged(t *testing.T, edits ...func(*Profile)) (reader net.Conn, w *wire, card *Card) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if reader, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	card = Make(t, pki.New(time.Now()), edits...)
	w = plug(conn, card)
	t.Cleanup(func() {
		reader.Close()
		<-w.done
	})
	return reader, w, card
}

func say(t *testing.T, reader net.Conn, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if _, err := reader.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
			t.Fatal(err)
		}
	}
}

func hear(t *testing.T, reader net.Conn, want string) {
	t.Helper()
	answer, err := receive(reader)
	if err != nil || string(answer) != want {
		t.Fatalf("the card says % X, %v, want % X", answer, err, want)
	}
}

const verifyStandardPIN = "\x00\x20\x00\x10\x0812345678"

func TestWire(t *testing.T) {
	reader, w, card := plugged(t)
	atr := string(card.ATR())
	// A message of no bytes, and a control that there is not, have no answer.
	say(t, reader, "", "\x77", "\x04")
	hear(t, reader, atr)
	say(t, reader, "\x01", "\x04")
	hear(t, reader, atr)
	select {
	case <-w.known:
		t.Error("the card thinks that it was noticed before it can know")
	default:
	}
	say(t, reader, "\x04")
	hear(t, reader, atr)
	<-w.known
	say(t, reader, verifyStandardPIN)
	hear(t, reader, "\x90\x00")
	for _, control := range []string{"\x00", "\x02", "\x01"} {
		say(t, reader, verifyStandardPIN, control, "\x00\x20\x00\x10")
		hear(t, reader, "\x90\x00")
		hear(t, reader, "\x63\xC3") // the proof is forgotten
	}
}

func TestWireAbrupt(t *testing.T) {
	for _, sent := range []string{"", "\xFF", "\xFF\xFF", "\xFF\xFF\x00\x20", "\x00\x01"} {
		reader, w, _ := plugged(t)
		if _, err := io.WriteString(reader, sent); err != nil {
			t.Fatal(err)
		}
		reader.Close()
		<-w.done
	}
}

func TestWirePull(t *testing.T) {
	reader, w, _ := plugged(t)
	pulled := make(chan error)
	go func() { pulled <- w.pull() }()
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("the reader hears % X, %v", rest, err)
	}
	reader.Close()
	if err := <-pulled; err != nil {
		t.Error(err)
	}
}

// A card that is pulled out while it works on a command does not do what the
// command says.
func TestWirePullAtWork(t *testing.T) {
	reader, w, card := plugged(t, func(p *Profile) { p.Delay = time.Hour })
	say(t, reader, verifyStandardPIN)
	pulled := make(chan error)
	go func() { pulled <- w.pull() }()
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("the reader hears % X, %v", rest, err)
	}
	reader.Close()
	if err := <-pulled; err != nil {
		t.Error(err)
	}
	if r := card.Report(); r.Verifies() != 0 {
		t.Errorf("the card reports %+v", r)
	}
}

func TestWireFault(t *testing.T) {
	reader, w, _ := plugged(t, func(p *Profile) { p.Faults = []Fault{{Instruction: insVerify, Pull: true}} })
	say(t, reader, verifyStandardPIN)
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("the reader hears % X, %v", rest, err)
	}
	reader.Close()
	<-w.done
	if err := w.pull(); err != nil {
		t.Error(err)
	}
}

func TestWireLongAnswer(t *testing.T) {
	long := bytes.Repeat([]byte{1}, 1<<16)
	reader, w, _ := plugged(t, func(p *Profile) { p.Faults = []Fault{{Answer: long}} })
	say(t, reader, verifyStandardPIN)
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("the reader hears %d bytes, %v", len(rest), err)
	}
	<-w.done
}
