// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
)

// work is the signing of a batch, one file after the other or several at a time.
type work struct {
	// result waits for that of a job, which is asked for once.
	result func(*job) error
	// stop ends what has not begun, and waits for the rest.
	stop func()
}

// waiting is how many files may be signed and wait to be committed.
const waiting = 32

// start begins to sign, so many files at a time, or one after the other where somebody
// has to be told something meanwhile.
//
// Several at a time are committed by one goroutine, which takes all that are ready: while
// it waits for the disk, the key makes signatures.
func (b *batch) start(ctx context.Context, atATime int) *work {
	ctx, cancel := context.WithCancel(ctx)
	workers := min(atATime, len(b.jobs))
	if workers == 1 || b.options.amend.asked() {
		return &work{result: func(j *job) error { return j.receipts.Lost(b.sign(ctx, j)) }, stop: cancel}
	}
	queue, results := make(chan *job, len(b.jobs)), map[*job]chan error{}
	for _, j := range b.jobs {
		if j.pending() {
			results[j] = make(chan error, 1)
			queue <- j
		}
	}
	close(queue)
	written := make(chan writtenJob, waiting)
	var signing, committing sync.WaitGroup
	for range workers {
		signing.Go(func() {
			for j := range queue {
				if out, err := b.signTo(ctx, j); err != nil {
					results[j] <- err
				} else {
					written <- writtenJob{out, results[j]}
				}
			}
		})
	}
	committing.Go(func() { commitAll(written) })
	go func() { signing.Wait(); close(written) }()
	return &work{
		result: func(j *job) error { err := <-results[j]; return j.receipts.Lost(err) },
		stop:   func() { cancel(); committing.Wait() },
	}
}

// writtenJob is a job whose output lacks only its name.
type writtenJob struct {
	out    *outfile.File
	result chan<- error
}

// commitAll commits what comes, as much as is there at a time.
func commitAll(written <-chan writtenJob) {
	for first := range written {
		group := []writtenJob{first}
		for range len(written) {
			group = append(group, <-written)
		}
		var files []*outfile.File
		for _, w := range group {
			files = append(files, w.out)
		}
		for i, err := range outfile.CommitAll(files...) {
			group[i].result <- err
		}
	}
}

// spread has so many workers do something for each of n.
func spread(n, workers int, do func(i int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range min(n, workers) {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	running.Wait()
}

// sign signs one file. Its result is there whole or not at all.
func (b *batch) sign(ctx context.Context, j *job) error {
	if j.output != stdio {
		out, err := b.signTo(ctx, j)
		if err != nil {
			return err
		}
		return out.Commit()
	}
	out, err := b.app.createOutput(stdio, outfile.KeepExisting)
	if err != nil {
		return err
	}
	if err := untilInterrupted(ctx, graceLimit, func() error { return b.signOnto(ctx, out, j) }); err != nil {
		return err
	}
	return out.Commit()
}

// signTo writes a signed file, to be committed.
func (b *batch) signTo(ctx context.Context, j *job) (*outfile.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := outfile.Create(j.output, b.options.output.mode())
	if err != nil {
		return nil, err
	}
	err = untilInterrupted(ctx, graceLimit, func() error { return b.signOnto(ctx, out, j) })
	switch {
	case errors.Is(err, errNoAnswer):
		out.Abandon() // it still belongs to what is left behind
	case err != nil:
		out.Discard()
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// signOnto writes the signed file of a job, all of it or an error.
func (b *batch) signOnto(ctx context.Context, out io.Writer, j *job) error {
	in, err := b.open(ctx, j)
	if err != nil {
		return err
	}
	defer b.done(in)
	if err := b.write(ctx, out, j, in); err != nil {
		return fmt.Errorf("signing %q: %w", j.file, err)
	}
	if err := in.unchanged(); err != nil {
		return fmt.Errorf("signing %q: %w", j.file, err)
	}
	return nil
}

// write makes the signed file of a job.
func (b *batch) write(ctx context.Context, out io.Writer, j *job, in *input) (err error) {
	options := b.signing
	options.Format = j.format
	if options.Signer.Attributes, err = b.options.attributes.build(j.format, options.Location); err != nil {
		return err
	}
	b.options.level.settling(&options, &j.result)
	if options.Stamper != nil {
		j.receipts = &sign.Receipts{Stamper: options.Stamper}
		options.Stamper = j.receipts
	}
	if b.options.amend.asked() {
		return levelProblem(ctx, b.amend(ctx, out, j, in, options))
	}
	return levelProblem(ctx, sign.Document(ctx, out, in.section(), options))
}
