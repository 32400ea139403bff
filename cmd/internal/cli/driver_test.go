// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"testing"
	"time"
)

// What hangs is left behind, for want of time or because the user has had enough.
func TestAnswer(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	hang := func() (int, error) { <-forever; return 1, nil }

	if _, err := answer(t.Context(), time.Millisecond, hang); !errors.Is(err, errNoAnswer) {
		t.Errorf("the error is %v, expected one that matches errNoAnswer", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := answer(ctx, time.Hour, hang); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected that of the context", err)
	}
	if v, err := answer(t.Context(), time.Hour, func() (int, error) { return 2, errors.ErrUnsupported }); v != 2 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("answer returned %d and %v, expected what the function returned", v, err)
	}
}

// Who has had enough waits for a card that is at work, and not for a driver that hangs.
func TestUntilInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun, forever := make(chan struct{}), make(chan struct{})
	defer close(forever)
	stop := func() error { cancel(); <-ctx.Done(); return errors.ErrUnsupported }
	if err := untilInterrupted(ctx, time.Hour, stop); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the error is %v, expected what the function returned after the interrupt", err)
	}
	err := untilInterrupted(ctx, time.Millisecond, func() error { close(begun); <-forever; return nil })
	<-begun
	if !errors.Is(err, errNoAnswer) || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected one that matches errNoAnswer and that of the context", err)
	}
	if p := problemOf(err); p.code != "interrupted" || p.Error() != "interrupted; the driver of the card did not answer" {
		t.Errorf("it is told as %q, %q", p.code, p.Error())
	}
}

func TestEndFor(t *testing.T) {
	ended := -1
	endFor(0, func(code int) { ended = code })
	if ended != int(exitFailed) {
		t.Errorf("the program ended with %d, expected %d", ended, exitFailed)
	}
}
