// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// ErrNotInstalled is returned when a program or library that is needed is not on
// the system. The error names it.
var ErrNotInstalled = errors.New("not installed")

// ErrNotPermitted is returned where a process may not make namespaces: in some
// containers, and on systems other than Linux, which has them.
var ErrNotPermitted = errors.New("namespaces are not permitted")

// socketVariable tells the PC/SC library where the service listens.
const socketVariable = "PCSCLITE_CSOCK_NAME"

// noticing is how long the service may take to notice a card.
const noticing = 30 * time.Second

// PCSC is a PC/SC service that runs, with two readers.
type PCSC struct {
	First, Second *Reader

	host *host
	stop func() error // ends the service, once
}

// Reader is a reader with a slot for a card.
type Reader struct {
	Name string // as PC/SC calls it

	host *host
	slot byte
	mu   sync.Mutex // guards what follows
	wire *wire      // nil: the slot is empty
}

// host is the process in which the service runs: see host_linux.go.
type host struct {
	dir     string
	control *net.UnixConn
	wait    func() error
}

// Open starts the service with both readers empty. There can be one at a time in
// a process, and what opens a connection to it in this process needs the variable
// of [PCSC.Env] to be set before. Close it after use.
//
// The error matches [ErrNotInstalled] or [ErrNotPermitted] when that is why.
func Open(ctx context.Context) (*PCSC, error) {
	h, err := startHost(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting a PC/SC service: %w", err)
	}
	return &PCSC{
		First:  &Reader{Name: readerName + " 00 00", host: h, slot: 0},
		Second: &Reader{Name: readerName + " 00 01", host: h, slot: 1},
		host:   h,
		stop:   sync.OnceValue(h.stop),
	}, nil
}

// Start is Open for a test: it puts the cards into the readers, sets the
// environment variable for the length of the test, and closes the service after
// it. Where something is missing the test is skipped by that name, or fails if it
// is a program and PECTOKEN_NO_SKIP=1 is set.
func Start(t testing.TB, cards ...*Card) *PCSC {
	t.Helper()
	p, err := Open(t.Context())
	switch {
	case errors.Is(err, ErrNotInstalled):
		absent(t, err)
	case errors.Is(err, ErrNotPermitted):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv(socketVariable, p.host.socket())
	for i, card := range cards {
		if err := []*Reader{p.First, p.Second}[i].Insert(card); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// absent ends a test for want of a program.
func absent(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("PECTOKEN_NO_SKIP") == "1" {
		t.Fatalf("%v, and PECTOKEN_NO_SKIP=1 forbids to skip", err)
	}
	t.Skip(err)
}

// Env returns what a child process needs in its environment to reach the
// service: NAME=value.
func (p *PCSC) Env() string { return socketVariable + "=" + p.host.socket() }

// Close pulls the cards out and ends the service. Closing twice is harmless.
func (p *PCSC) Close() error {
	for _, r := range []*Reader{p.First, p.Second} {
		r.drop()
	}
	if err := p.stop(); err != nil {
		return fmt.Errorf("ending the PC/SC service: %w", err)
	}
	return nil
}

// Insert puts a card into the reader and returns when the service has noticed,
// which takes about a second. A card that a fault pulled out has to be removed
// before another is inserted, as in life. A card must not be in two readers.
func (r *Reader) Insert(c *Card) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wire != nil {
		return fmt.Errorf("inserting card into %s: there is one in it", r.Name)
	}
	conn, err := r.host.dial(r.slot)
	if err != nil {
		return fmt.Errorf("inserting card into %s: %w", r.Name, err)
	}
	w := plug(conn, c)
	select {
	case <-w.known:
		r.wire = w
		return nil
	case <-w.done:
		err = errors.New("the reader hung up")
	case <-time.After(noticing):
		err = errors.New("the service did not notice it")
		_ = w.pull() // err says more
	}
	return fmt.Errorf("inserting card into %s: %w: %s", r.Name, err, r.host.log())
}

// Remove takes the card out of the reader and returns when the service has
// noticed, which takes up to a second; a command that the card is working on
// is not carried out. An empty reader stays as it is.
func (r *Reader) Remove() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wire == nil {
		return nil
	}
	err := r.wire.pull()
	r.wire = nil
	if err != nil {
		return fmt.Errorf("removing card from %s: %w", r.Name, err)
	}
	return nil
}

// drop hangs up on the service without waiting for it.
func (r *Reader) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wire == nil {
		return
	}
	r.wire.pulls()
	r.wire.conn.Close()
	<-r.wire.done
	r.wire = nil
}

func (h *host) socket() string { return filepath.Join(h.dir, "pcscd", "pcscd.comm") }

func (h *host) logFile() string { return filepath.Join(h.dir, logName) }

// log is the end of what the service said.
func (h *host) log() string {
	const enough = 2 << 10
	text, err := os.ReadFile(h.logFile())
	if err != nil || len(text) == 0 {
		return "the service said nothing"
	}
	return "the service said: " + string(text[max(0, len(text)-enough):])
}

const (
	logName    = "log"
	readerName = "Virtual PCD"
)
