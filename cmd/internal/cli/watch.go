// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pectoken/pectoken/token"
)

// watchInterval is how often the modules are looked at.
const watchInterval = 500 * time.Millisecond

// watcher follows the cards that come and go.
type watcher struct {
	app   *app
	flags cardFlags

	mu    sync.Mutex
	owner map[string]string // which module speaks of a card, by serial number
	err   error             // standard output can't be written
}

// watch shows the cards that are there, then those that come and go, until ctx ends.
// Only modules that survive a look in another process are loaded.
func (a *app) watch(ctx context.Context, f cardFlags) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := &watcher{app: a, flags: f, owner: map[string]string{}}
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
	running.Wait()
	for _, m := range modules {
		_ = m.Close() // nothing was written through it
	}
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
		w.owner[c.Serial] = c.module
	}
	for _, m := range found.Modules {
		module, err := w.app.openModule(m.Path)
		if err != nil {
			w.app.say("note: %v", err)
			continue
		}
		modules = append(modules, module)
	}
	if len(modules) == 0 {
		return nil, &problem{exit: exitNoToken, code: "noModule", err: fmt.Errorf("no driver works that could be watched")}
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
		w.app.say("note: module %q: %v", module, err)
	case c == nil:
		w.app.say("note: module %q: %v", module, e.Slot)
	case w.flags.fits(c.Info) && w.owns(c):
		w.err = w.show(e.Kind, c)
	}
	return w.err == nil
}

// owns says whether a card is this module's to speak of: the first that shows it.
func (w *watcher) owns(c *card) bool {
	if c.Serial == "" {
		return true
	}
	if _, taken := w.owner[c.Serial]; !taken {
		w.owner[c.Serial] = c.module
	}
	return w.owner[c.Serial] == c.module
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
