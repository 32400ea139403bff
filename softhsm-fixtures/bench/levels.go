// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
)

// answerTime is how long the time-stamp authority takes where that is measured.
const answerTime = 100 * time.Millisecond

// levels lists what is measured of time stamps and of signatures that last.
func (b *bench) levels(size int64, stamped int) []*comparison {
	return []*comparison{
		{title: fmt.Sprintf("%d small files, the authority answers in %v", stamped, answerTime),
			make: func(_ context.Context, dir string) ([]*task, error) { return b.stampedBatch(dir, stamped) }},
		{title: fmt.Sprintf("a signature that lasts, over %.0f MiB", mebi(size)), need: 5 * size / 2, make: b.lastingSignature},
		{title: fmt.Sprintf("time stamps in a .tsd, over %.0f MiB", mebi(size)), need: 5 * size / 2, make: b.stampedFile},
	}
}

// stampedBatch signs many files in one call, without a time stamp and with one each.
func (b *bench) stampedBatch(dir string, files int) ([]*task, error) {
	output := filepath.Join(dir, "signed")
	args := b.signArgs("--overwrite", "--output-dir", output)
	if err := os.Mkdir(output, 0o700); err != nil {
		return nil, err
	}
	for i := range files {
		path := filepath.Join(dir, strconv.Itoa(i)+".txt")
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			return nil, err
		}
		args = append(args, path)
	}
	plain := &task{name: "pectoken sign --level b", ours: true, env: b.kitEnv(), args: args}
	stamped := &task{name: "pectoken sign --level t", ours: true, env: b.kitEnv(), args: append(args[:len(args):len(args)], "--level", "t", "--tsa", b.authority.URL(authority.TSA))}
	stamped.around = func(run func() error) error {
		b.setAnswerTime(answerTime)
		defer b.setAnswerTime(0)
		return b.counting(files, run)
	}
	return []*task{plain, stamped}, nil
}

func (b *bench) setAnswerTime(d time.Duration) {
	b.authority.Configure(func(c *authority.Config) { c.Delay = d })
}

// counting makes sure that a run asks the authority so many times: each costs money.
func (b *bench) counting(want int, run func() error) error {
	before := b.authority.Count(authority.TSA)
	if err := run(); err != nil {
		return err
	}
	if asked := b.authority.Count(authority.TSA) - before; asked != want {
		return fmt.Errorf("the time-stamp authority was asked %d times, want %d", asked, want)
	}
	return nil
}

// asking is a task that asks the authority for stamps, so many in a run.
func (b *bench) asking(stamps int, name, output string, args ...string) *task {
	return &task{
		name: name, ours: true, env: b.kitEnv(), output: output,
		args:   append([]string{b.program}, append(args, "--tsa", b.authority.URL(authority.TSA), "--output", output)...),
		around: func(run func() error) error { return b.counting(stamps, run) },
	}
}

// lastingSignature raises a signature from level B-B to B-LTA, which takes two time
// stamps.
func (b *bench) lastingSignature(ctx context.Context, dir string) ([]*task, error) {
	signed, lasting := filepath.Join(dir, "signed.p7m"), filepath.Join(dir, "lasting.p7m")
	if err := b.sign(dataFile, filepath.Join(filepath.Base(dir), "signed.p7m"), nil).run(ctx); err != nil {
		return nil, err
	}
	extend := b.asking(2, "pectoken extend --level lta", lasting, "extend", signed, "--level", "lta", "--trust", b.path(rootFile), "--no-cache")
	extend.warm = signed
	return []*task{
		{name: "SHA-256 alone", input: b.path(dataFile)},
		extend,
		b.verify("pectoken verify", lasting, nil),
	}, nil
}

// stampedFile stamps a file, and then the result once more.
func (b *bench) stampedFile(_ context.Context, dir string) ([]*task, error) {
	first, second := filepath.Join(dir, "first.tsd"), filepath.Join(dir, "second.tsd")
	again := b.asking(1, "pectoken timestamp, of a .tsd", second, "timestamp", first)
	again.warm = first
	return []*task{
		{name: "SHA-256 alone", input: b.path(dataFile)},
		b.asking(1, "pectoken timestamp", first, "timestamp", b.path(dataFile)),
		again,
		b.verify("pectoken verify", second, nil),
	}, nil
}
