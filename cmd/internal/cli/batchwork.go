// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/pectoken/pectoken/sign"
)

// work is the signing of a batch, one file after the other or several at a time.
type work struct {
	// result waits for that of a job, which is asked for once.
	result func(*job) error
	// stop ends what has not begun, and waits for the rest.
	stop func()
}

// start begins to sign, so many files at a time, or one after the other where somebody
// has to be told something meanwhile.
func (b *batch) start(ctx context.Context, atATime int) *work {
	ctx, cancel := context.WithCancel(ctx)
	workers := min(atATime, len(b.jobs))
	if workers == 1 || b.options.amend.asked() {
		return &work{result: func(j *job) error { return b.sign(ctx, j) }, stop: cancel}
	}
	queue, results := make(chan *job, len(b.jobs)), map[*job]chan error{}
	for _, j := range b.jobs {
		if j.pending() {
			results[j] = make(chan error, 1)
			queue <- j
		}
	}
	close(queue)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for j := range queue {
				results[j] <- b.sign(ctx, j)
			}
		})
	}
	return &work{
		result: func(j *job) error { return <-results[j] },
		stop:   func() { cancel(); running.Wait() },
	}
}

// sign signs one file. Its result is there whole or not at all.
func (b *batch) sign(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in, err := b.open(ctx, j)
	if err != nil {
		return err
	}
	defer b.done(in)
	out, err := b.app.createOutput(j.output, b.options.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := b.write(ctx, out, j, in); err != nil {
		return fmt.Errorf("signing %q: %w", j.file, err)
	}
	if err := in.unchanged(); err != nil {
		return fmt.Errorf("signing %q: %w", j.file, err)
	}
	return out.Commit()
}

// write makes the signed file of a job.
func (b *batch) write(ctx context.Context, out io.Writer, j *job, in *input) (err error) {
	options := b.signing
	options.Format = j.format
	if options.Signer.Attributes, err = b.options.attributes.build(j.format, options.Location); err != nil {
		return err
	}
	if b.options.amend.asked() {
		return b.amend(ctx, out, j, in, options)
	}
	b.options.level.settling(&options, &j.result)
	return levelProblem(ctx, sign.Document(ctx, out, in.section(), options))
}
