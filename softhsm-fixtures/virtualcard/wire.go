// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"time"
)

// What the reader's driver (vpcd) says besides commands: messages of one byte.
const (
	controlOff    = 0x00
	controlOn     = 0x01
	controlReset  = 0x02
	controlGetATR = 0x04 // also how it looks whether the card is still there
)

// Times of the service: it looks for cards every 0.4 seconds.
const (
	leaving  = 5 * time.Second       // the most a reader may take to hang up on a card that is gone
	polling  = time.Second           // after this it has looked for certain
	settling = 50 * time.Millisecond // after this it has made a note of what it just saw
)

// wire is a card's connection to a reader. A message in either direction is a
// length of two bytes and that many bytes.
type wire struct {
	conn  net.Conn
	card  *Card
	pulls context.CancelFunc // ends the answers
	known chan struct{}      // closed when the service knows that the card is there
	done  chan struct{}      // closed when nobody answers any more
	gone  time.Time          // when the service knows that the card is gone; valid after done
}

// plug connects a card, as just powered off, and answers for it until it is
// pulled or the other end goes away.
func plug(conn net.Conn, card *Card) *wire {
	card.Reset()
	ctx, cancel := context.WithCancel(context.Background())
	w := &wire{conn: conn, card: card, pulls: cancel, known: make(chan struct{}), done: make(chan struct{})}
	go w.serve(ctx)
	return w
}

// serve answers until a fault pulls the card, pull is called, or the other end
// hangs up.
func (w *wire) serve(ctx context.Context) {
	defer close(w.done)
	defer w.conn.Close()
	var seen noticed
	for {
		message, err := receive(w.conn)
		if err != nil {
			return
		}
		if seen.message(message) {
			close(w.known)
		}
		answer, silent, err := w.answer(ctx, message)
		if err != nil {
			w.leave(message)
			return
		}
		if silent {
			continue
		}
		if send(w.conn, answer) != nil {
			return
		}
	}
}

// leave waits until the other end has seen that nothing comes any more, and
// hung up. If that was when it looked for the card, the service knows by now; if
// it was in the middle of a command, the service knows when it has looked.
func (w *wire) leave(last []byte) {
	closeWrite(w.conn)
	_ = w.conn.SetReadDeadline(time.Now().Add(leaving)) // fails only on a connection that is gone
	for {
		message, err := receive(w.conn)
		if err != nil {
			break
		}
		last = message
	}
	w.gone = time.Now().Add(polling)
	if isPoll(last) {
		w.gone = time.Now().Add(settling)
	}
}

var errPulled = errors.New("the card was pulled out")

// answer says what to answer to a message; the error is that there is no card
// any more.
func (w *wire) answer(ctx context.Context, message []byte) (answer []byte, silent bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if len(message) <= 1 {
		answer, silent = w.control(message)
		return answer, silent, nil
	}
	answer, err = w.card.transmit(ctx, message)
	if err == nil && answer == nil {
		err = errPulled
	}
	return answer, false, err
}

func (w *wire) control(message []byte) (answer []byte, silent bool) {
	if len(message) == 0 {
		return nil, true
	}
	switch message[0] {
	case controlOff, controlOn, controlReset:
		w.card.Reset()
		return nil, true
	case controlGetATR:
		return w.card.atr, false
	}
	return nil, true
}

// noticed follows what a reader says until it is plain that the service has
// noticed the card: it powers it on, asks for the ATR, makes a note of both, and
// only then looks again whether the card is there.
type noticed struct{ on, asked, told bool }

// message takes the next message, and returns true for the one that proves it.
func (n *noticed) message(m []byte) bool {
	switch {
	case len(m) == 1 && m[0] == controlOn:
		n.on = true
	case n.on && n.asked && !n.told:
		n.told = true
		return true
	case n.on && isPoll(m):
		n.asked = true
	}
	return false
}

func isPoll(m []byte) bool { return len(m) == 1 && m[0] == controlGetATR }

// pull takes the card out, and waits until the service has noticed.
func (w *wire) pull() error {
	w.pulls()
	closeWrite(w.conn)
	select {
	case <-w.done:
		time.Sleep(time.Until(w.gone))
		return nil
	case <-time.After(leaving):
		w.conn.Close()
		<-w.done
		return errors.New("the reader did not notice that the card is gone")
	}
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails only on a connection that is gone
	}
}

// receive reads a message. Its length is bounded by the two bytes that say it.
func receive(conn net.Conn) ([]byte, error) {
	var length [2]byte
	if err := readFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	return message, readFull(conn, message)
}

// readFull acknowledges at once what it is about to read. The driver sends
// length and message one after the other and waits for the first to be
// acknowledged, which would take 40 ms; the kernel forgets the wish each time.
func readFull(conn net.Conn, buffer []byte) error {
	for len(buffer) > 0 {
		quickAck(conn)
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		buffer = buffer[n:]
	}
	return nil
}

func send(conn net.Conn, answer []byte) error {
	if len(answer) > math.MaxUint16 {
		return errors.New("the answer is longer than a message")
	}
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}
