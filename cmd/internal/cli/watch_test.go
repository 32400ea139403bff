// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/token"
)

// watched is a watcher whose patience ends when a test says so.
type watched struct {
	*watcher
	out, notes bytes.Buffer
	waiting    []func()
}

func newWatched() *watched {
	w := &watched{}
	a, _ := fakeApp(nil, "", "")
	a.out, a.err, a.now = &w.out, &w.notes, time.Now
	w.watcher = newWatcher(a, cardFlags{})
	w.after = func(_ time.Duration, f func()) { w.waiting = append(w.waiting, f) }
	return w
}

// says has a module tell of a token.
func (w *watched) says(kind token.EventKind, module, serial, label string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice(context.Background(), kind, &card{Info: token.Info{Serial: serial, Label: label, Reader: "reader"}, module: module})
}

// endPatience runs what waits.
func (w *watched) endPatience() {
	for _, f := range w.waiting {
		f()
	}
	w.waiting = nil
}

// heard is what was shown since the last time, such as "inserted A, removed A".
func (w *watched) heard() string {
	var events []string
	for line := range strings.Lines(w.out.String()) {
		words := strings.Fields(line)
		events = append(events, words[1]+" "+words[2])
	}
	w.out.Reset()
	return strings.Join(events, ", ")
}

const in, gone = token.EventInserted, token.EventRemoved

func TestWatchTellsOnce(t *testing.T) {
	w := newWatched()
	w.best["1"] = "vendor"
	w.says(in, "vendor", "1", "Auth")
	w.says(in, "opensc", "1", "CNS0")
	w.says(in, "vendor", "1", "Sign")
	w.endPatience()
	w.says(gone, "opensc", "1", "CNS0")
	w.says(gone, "vendor", "1", "Auth")
	w.says(gone, "vendor", "1", "Sign")
	w.endPatience()
	if got := w.heard(); got != "inserted Auth, inserted Sign, removed Auth, removed Sign" {
		t.Error(got)
	}
	w.says(in, "opensc", "1", "CNS0")
	w.says(gone, "opensc", "1", "CNS0")
	w.endPatience()
	if got := w.heard(); got != "" {
		t.Errorf("a card that the best module never saw, and that went at once: %s", got)
	}
}

// TestWatchSilentModule has the best module of a card hang: the next one is heard, a
// little later.
func TestWatchSilentModule(t *testing.T) {
	w := newWatched()
	w.best["1"] = "vendor"
	w.says(in, "opensc", "1", "CNS0")
	if got := w.heard(); got != "" {
		t.Errorf("too early: %s", got)
	}
	w.endPatience()
	w.says(in, "vendor", "1", "Auth") // wakes up
	if got := w.heard(); got != "inserted CNS0" {
		t.Error(got)
	}
	w.says(gone, "opensc", "1", "CNS0")
	w.endPatience()
	if got := w.heard(); got != "removed CNS0" {
		t.Error(got)
	}

	w.says(in, "vendor", "1", "Auth")
	w.says(gone, "opensc", "1", "CNS0") // the vendor's hangs from here on
	w.endPatience()
	if got := w.heard(); got != "inserted Auth, removed Auth" {
		t.Error(got)
	}
}

// TestWatchFailingModule has a module fail at every look: that is said once, and again
// after it worked.
func TestWatchFailingModule(t *testing.T) {
	w := newWatched()
	for i := range 6 {
		err := errors.New("broken")
		if i == 3 {
			err = nil
		}
		e := token.Event{Kind: token.EventUnreadable, Slot: &token.SlotError{Slot: 1, Err: errors.New("foreign")}}
		if !w.tell(t.Context(), "vendor", e, err) {
			t.Fatal("it gives up")
		}
	}
	if n := strings.Count(w.notes.String(), "broken"); n != 2 {
		t.Errorf("said %d times: %s", n, w.notes.String())
	}
}
