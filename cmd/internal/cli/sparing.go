// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// sparing is a Stamper for many files at a time. A wrong password, or an authority whose
// stamps nobody can use, should be met once, and not by every file that is under way: an
// account can be locked by the one, and emptied by the other. So there is one request at a
// time until a first stamp was received, and none any more after one that failed before
// that, or for which a stamp may have been used up.
type sparing struct {
	sign.Stamper
	turn   chan struct{} // to ask, for one at a time; closed when everybody may
	failed atomic.Pointer[timestamp.StampError]
}

func newSparing(s sign.Stamper) *sparing {
	turn := make(chan struct{}, 1)
	turn <- struct{}{}
	return &sparing{Stamper: s, turn: turn}
}

// Stamp implements [sign.Stamper].
func (s *sparing) Stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error) {
	var first bool
	select {
	case _, first = <-s.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t, err := s.ask(ctx, digests, first)
	switch {
	case first && err == nil:
		close(s.turn)
	case first:
		s.turn <- struct{}{}
	}
	return t, err
}

func (s *sparing) ask(ctx context.Context, digests timestamp.Digests, first bool) (*timestamp.Token, error) {
	if failed := s.failed.Load(); failed != nil {
		return nil, fmt.Errorf("%w; nobody was asked for this file", failed)
	}
	t, err := s.Stamper.Stamp(ctx, digests)
	var failed *timestamp.StampError
	if errors.As(err, &failed) && ctx.Err() == nil && (first || failed.MayBeSpent()) {
		s.failed.Store(failed)
	}
	return t, err
}
