// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// task is one thing that is measured, with what was measured of it.
type task struct {
	name   string
	args   []string // the command; empty for the bare hash
	input  string   // what the bare hash reads
	env    []string // added to the environment
	output string   // removed before each run
	warm   string   // read before each run, not timed: pectoken leaves little of what it writes in memory
	ours   bool     // pectoken
	peer   *task    // what openssl needs for the same
	turns  int      // in a round; zero: one

	// around has the program run, and checks what else must have happened; nil: nothing.
	around func(run func() error) error

	times  []time.Duration
	worked []time.Duration // processor time of the program; none of the bare hash
	peak   int64
}

func (t *task) title() string { return t.name }

func (t *task) run(ctx context.Context) error {
	for range max(1, t.turns) {
		if err := t.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) once(ctx context.Context) error {
	if t.output != "" {
		if err := os.RemoveAll(t.output); err != nil {
			return err
		}
	}
	if len(t.args) == 0 {
		return t.hash()
	}
	if t.warm != "" {
		if err := read(t.warm, io.Discard); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, t.args[0], t.args[1:]...)
	cmd.Env = append(os.Environ(), t.env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	run := func() error {
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
		}
		t.times = append(t.times, time.Since(start))
		return nil
	}
	if t.around != nil {
		alone := run
		run = func() error { return t.around(alone) }
	}
	if err := run(); err != nil {
		return err
	}
	t.worked = append(t.worked, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	t.peak = max(t.peak, peakMemory(cmd.ProcessState))
	return nil
}

// hash digests the input in this process.
func (t *task) hash() error {
	start := time.Now()
	if err := read(t.input, sha256.New()); err != nil {
		return err
	}
	t.times = append(t.times, time.Since(start))
	return nil
}

// read reads a file, in the pieces that a program would.
func read(path string, to io.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{f}, make([]byte, 1<<16))
	return err
}
