// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pectoken/pectoken/token"
)

// A driver that was found to work is loaded into this process, and may still hang or
// crash there, another day or with another card.
const (
	answerLimit = 20 * time.Second // how long one may take to start and show its cards
	graceLimit  = 3 * time.Second  // how long one may take to end what it does for a user who has had enough
	goodbye     = time.Second      // how long one may take to end
	lastLimit   = 15 * time.Second // how long the program may take to end that was told to
)

var errNoAnswer = errors.New("did not answer")

// answer runs f, which calls a driver, for so long at most. One that hangs can't be
// stopped: it is left behind, and the error matches errNoAnswer.
func answer[T any](ctx context.Context, limit time.Duration, f func() (T, error)) (value T, err error) {
	done := begin(f)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return value, ctx.Err()
	case <-timer.C:
		return value, fmt.Errorf("%w within %v", errNoAnswer, limit)
	}
}

// untilInterrupted runs f, which calls a driver, for as long as it takes, and when ctx
// ends for so long more: a card that is at work brings that to its end, and one that
// hangs is left behind. The error then matches that of ctx and errNoAnswer.
func untilInterrupted(ctx context.Context, grace time.Duration, f func() error) error {
	done := begin(func() (struct{}, error) { return struct{}{}, f() })
	select {
	case r := <-done:
		return r.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.err
	case <-timer.C:
		return fmt.Errorf("%w: the driver of the card %w", ctx.Err(), errNoAnswer)
	}
}

// result is what a function returned.
type result[T any] struct {
	value T
	err   error
}

// begin runs f in a goroutine, which ends when f does, whether or not anybody receives.
func begin[T any](f func() (T, error)) <-chan result[T] {
	done := make(chan result[T], 1)
	go func() {
		value, err := f()
		done <- result[T]{value, err}
	}()
	return done
}

// interrupted is what is said of work that the user ended.
func interrupted(err error) error {
	if errors.Is(err, errNoAnswer) {
		return errors.New("interrupted; the driver of the card did not answer")
	}
	return errors.New("interrupted")
}

func crashPath(m token.Memory) string { return strings.TrimSuffix(m.Path, ".json") + "-crash.txt" }

// crashed says whether the last run was ended by a crash, and has one of this run
// written to the file at path as well. Nobody but Go's runtime is there to note that: a
// crash in C ends the process.
func crashed(path string) bool {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false // nothing was remembered either
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false
	}
	if info.Size() > 0 {
		_ = file.Truncate(0)
	}
	_ = debug.SetCrashOutput(file, debug.CrashOptions{})
	return info.Size() > 0
}

// endFor ends the program that was told to end and doesn't, for a driver that hangs
// hears nothing of it.
func endFor(wait time.Duration, exit func(code int)) {
	time.Sleep(wait)
	fmt.Fprintln(os.Stderr, "pectoken: interrupted; the driver of the card did not answer")
	exit(int(exitFailed))
}
