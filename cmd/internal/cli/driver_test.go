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

func TestEndFor(t *testing.T) {
	ended := -1
	endFor(0, func(code int) { ended = code })
	if ended != int(exitFailed) {
		t.Errorf("the program ended with %d, expected %d", ended, exitFailed)
	}
}
