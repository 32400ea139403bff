// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pectoken/pectoken/token"
)

// watchInterval is how often the modules are looked at, and patience how long the best
// module for a card has for noticing what another one has.
const (
	watchInterval = 500 * time.Millisecond
	patience      = 3 * time.Second
)

// watcher follows the cards that come and go. Of several modules that show a card the
// best tells of it; another one does when the best says nothing, as one that hangs.
type watcher struct {
	app   *app
	flags cardFlags
	after func(time.Duration, func()) // calls a function later

	mu      sync.Mutex
	best    map[string]string  // which module speaks of a card, by serial number
	seen    map[seenBy]bool    // whether a module sees a card now
	told    map[string][]*card // what was told to be there, by serial number
	failing map[string]string  // what is wrong with a module, as it was told
	err     error              // standard output can't be written
}

// seenBy is a token as one module sees it.
type seenBy struct{ module, serial, label string }

func newWatcher(a *app, f cardFlags) *watcher {
	return &watcher{
		app: a, flags: f, after: func(d time.Duration, do func()) { time.AfterFunc(d, do) },
		best: map[string]string{}, seen: map[seenBy]bool{}, told: map[string][]*card{}, failing: map[string]string{},
	}
}

// watch shows the cards that are there, then those that come and go, until ctx ends.
// Only modules that survive a look in another process are loaded.
func (a *app) watch(ctx context.Context, f cardFlags) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := newWatcher(a, f)
	modules, err := w.begin(ctx)
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	for _, m := range modules {
		running.Go(func() {
			for event, err := range m.Watch(ctx, watchInterval) {
				if !w.tell(ctx, m.Path(), event, err) {
					stop()
					return
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		running.Wait()
		for _, m := range modules {
			_ = m.Close() // nothing was written through it
		}
	}()
	<-ctx.Done()
	select {
	case <-ended:
	case <-time.After(patience): // a module that hangs is left behind
	}
	return w.result()
}

// result is why standard output can't be written, if it can't.
func (w *watcher) result() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// begin opens the modules that work, and says what is wrong with the others.
func (w *watcher) begin(ctx context.Context) (modules []*token.Module, err error) {
	candidates, err := w.app.candidates(w.flags)
	if err != nil {
		return nil, err
	}
	found, err := token.Discover(ctx, candidates, w.app.discovery())
	if err != nil {
		return nil, err
	}
	if err := w.app.sayNotes(&wallet{problems: found.Problems}); err != nil {
		return nil, err
	}
	for _, c := range cardsOf(found, w.flags) {
		w.best[c.Serial] = c.module
	}
	for _, m := range found.Modules {
		if !w.flags.fitsLibrary(m.Library) {
			continue
		}
		module, err := w.app.openModule(m.Path)
		if err != nil {
			w.app.say("note: %v", err)
			continue
		}
		modules = append(modules, module)
	}
	if len(modules) == 0 {
		return nil, &problem{
			exit: exitNoToken, code: "noModule", err: errors.New("no driver works that could be watched"),
			hint: []string{"pectoken doctor says what is wrong with each"},
		}
	}
	return modules, nil
}

// watchJSON is the line of --json for something that happened.
type watchJSON struct {
	Event string    `json:"event"` // inserted or removed
	Token tokenJSON `json:"token"`
}

// tell shows an event, and says whether to go on.
func (w *watcher) tell(ctx context.Context, module string, e token.Event, err error) bool {
	var c *card
	if err == nil && e.Token != nil {
		c = &card{Info: e.Token.Info, module: module}
		if e.Kind == token.EventInserted {
			c.read(ctx, e.Token)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		w.fails(module, err)
		return w.err == nil
	}
	delete(w.failing, module)
	switch {
	case c == nil:
		w.app.say("note: module %q: %v", module, e.Slot)
	case w.flags.fits(c.Info):
		w.notice(ctx, e.Kind, c)
	}
	return w.err == nil
}

// fails says what is wrong with a module, once.
func (w *watcher) fails(module string, err error) {
	if w.failing[module] != err.Error() {
		w.failing[module] = err.Error()
		w.app.say("note: module %q: %v", module, err)
	}
}

// notice tells what the best module for a card says at once, and what another one says
// if it still says so when the best has had time to.
func (w *watcher) notice(ctx context.Context, kind token.EventKind, c *card) {
	by := seenBy{c.module, c.Serial, c.Label}
	w.seen[by] = kind == token.EventInserted
	if _, known := w.best[c.Serial]; !known {
		w.best[c.Serial] = c.module
	}
	if w.best[c.Serial] == c.module || c.Serial == "" {
		w.change(kind, c)
		return
	}
	w.after(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if ctx.Err() == nil && w.err == nil && w.seen[by] == (kind == token.EventInserted) {
			w.change(kind, c)
		}
	})
}

// change shows that a card has come or gone, unless that was told. Modules may give one
// card different labels, and one module two tokens of it.
func (w *watcher) change(kind token.EventKind, c *card) {
	known := func(o *card) bool { return o.module != c.module || o.Label == c.Label }
	told := w.told[c.Serial]
	switch {
	case c.Serial == "":
		w.err = w.show(kind, c)
	case kind == token.EventRemoved:
		for _, o := range told {
			if known(o) {
				w.err = cmp.Or(w.err, w.show(kind, o))
			}
		}
		w.told[c.Serial] = slices.DeleteFunc(told, known)
	case !slices.ContainsFunc(told, known):
		w.told[c.Serial] = append(told, c)
		w.err = w.show(kind, c)
	}
}

// read reads the certificates of a card that was inserted. One that is pulled out again
// meanwhile has none.
func (c *card) read(ctx context.Context, t *token.Token) {
	certificates, err := t.Certificates(ctx)
	for _, held := range certificates {
		c.certificates = append(c.certificates, &certificate{Certificate: held})
	}
	c.problem = err
}

func (w *watcher) show(kind token.EventKind, c *card) error {
	if w.app.json {
		return w.app.printJSON(watchJSON{kind.String(), c.json()})
	}
	text := fmt.Sprintf("%s  %-8s  %s (serial %s), %s\n",
		w.app.now().Format(time.TimeOnly), kind, printable(c.Label), printable(c.Serial), printable(c.Reader))
	return w.app.print(text)
}
