// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"iter"
	"slices"
	"time"
)

// EventKind is what happened in a slot.
type EventKind uint8

// Kinds of events.
const (
	EventUnknown    EventKind = iota
	EventInserted             // a token is there
	EventRemoved              // a token is gone
	EventUnreadable           // a slot has a token that cannot be read
)

// String returns unknown, inserted, removed or unreadable.
func (k EventKind) String() string {
	words := [...]string{"unknown", "inserted", "removed", "unreadable"}
	if int(k) >= len(words) {
		return words[EventUnknown]
	}
	return words[k]
}

// Event is a change that [Module.Watch] noticed.
type Event struct {
	Kind  EventKind
	Token *Token     // nil for EventUnreadable
	Slot  *SlotError // for EventUnreadable
}

// Watch follows the tokens that come and go: first an event for each that is there,
// then one for each change, looked for at every interval. It ends when the context
// does, without an error. When the slots cannot be listed it yields the error, and
// looks again at the next interval if the loop goes on.
//
// It polls, because C_WaitForSlotEvent cannot be ended and many modules lack it. A
// card that is changed for another between two looks is a removal and an insertion;
// one that is taken out and put back between them is not noticed.
func (m *Module) Watch(ctx context.Context, interval time.Duration) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var before view
		for {
			now, err := m.look(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil && !yield(Event{}, err) {
				return
			}
			if err == nil {
				for _, e := range before.changes(now) {
					if !yield(e, nil) {
						return
					}
				}
				before = now
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(interval):
			}
		}
	}
}

// view is what was in the slots at one look.
type view struct {
	tokens  []*Token
	skipped []*SlotError
}

func (m *Module) look(ctx context.Context) (v view, err error) {
	v.tokens, v.skipped, err = m.Tokens(ctx)
	return v, err
}

// changes says what happened between two looks, removals first.
func (v view) changes(now view) []Event {
	var events []Event
	for _, t := range v.tokens {
		if !now.has(t) {
			events = append(events, Event{Kind: EventRemoved, Token: t})
		}
	}
	for _, t := range now.tokens {
		if !v.has(t) {
			events = append(events, Event{Kind: EventInserted, Token: t})
		}
	}
	for _, s := range now.skipped {
		if !slices.ContainsFunc(v.skipped, func(o *SlotError) bool { return o.Slot == s.Slot }) {
			events = append(events, Event{Kind: EventUnreadable, Slot: s})
		}
	}
	return events
}

// has tells tokens by what is written on them, not by their slot, whose number may
// change.
func (v view) has(t *Token) bool {
	return slices.ContainsFunc(v.tokens, func(o *Token) bool { return o.same(t.Info) })
}
