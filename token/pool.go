// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// maxSessions is how many sessions a key may have, for as many uses at a time. Cards
// have one processor; a token in software or an HSM gains by more.
const maxSessions = 4

// pool is the sessions of a key. The first is there from the beginning, as the login
// hangs on it; others are opened when all are in use.
type pool struct {
	first *session
	idle  chan *session
	more  chan struct{} // one element for each session that may still be opened
	all   chan *session // to close
}

// newPool makes a pool of one session.
func newPool(first *session) *pool {
	p := &pool{first: first, idle: make(chan *session, maxSessions), more: make(chan struct{}, maxSessions), all: make(chan *session, maxSessions)}
	p.idle <- first
	p.all <- first
	return p
}

// grow allows the pool to open more sessions.
func (p *pool) grow() {
	for range maxSessions - 1 {
		p.more <- struct{}{}
	}
}

// signaturesAtATime is how many sessions help: a slot with a removable token is a
// reader (PKCS #11 v2.40, section 3.2, CK_SLOT_INFO). A module that won't say is used
// with care.
func (s *session) signaturesAtATime(ctx context.Context) int {
	var slot cryptoki.SlotInfo
	err := s.lib.call(ctx, func(c cryptoki.Module) (err error) {
		slot, err = c.SlotInfo(s.slot)
		return err
	})
	if err != nil || slot.Flags&cryptoki.CKF_REMOVABLE_DEVICE != 0 {
		return 1
	}
	return maxSessions
}

// get waits for a session.
func (p *pool) get() *session {
	select {
	case s := <-p.idle:
		return s
	default:
	}
	select {
	case s := <-p.idle:
		return s
	case <-p.more:
		s, err := p.first.lib.openSession(context.Background(), p.first.slot, false)
		if err != nil {
			return <-p.idle // the token has no more; the first session always comes back
		}
		p.all <- s
		return s
	}
}

func (p *pool) put(s *session) { p.idle <- s }

// close closes all sessions; none is in use.
func (p *pool) close() (first error) {
	close(p.all)
	for s := range p.all {
		if err := s.close(); first == nil {
			first = err
		}
	}
	return first
}
