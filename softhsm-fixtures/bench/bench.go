// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// MemoryLimit is the most that pectoken may take for a .p7m, in bytes, however big
// the file.
const MemoryLimit = 64 << 20

// Options say what to measure.
type Options struct {
	Size     int64 // of the file, in bytes; zero: 1 GiB
	Runs     int   // zero: 3
	Count    int   // of signatures, to compare with bare PKCS#11; zero: 1000
	PDF      PDFOptions
	Stamped  int          // files that are signed in one call with a time stamp each; zero: 200
	Signer   Signer       // makes them as pectoken does; nil: they are not compared
	Large    int64        // size of a second file, in times of Size; zero: there is none
	Signers  []int        // of the files with many signers, ascending; nil: 250, 500, 1,000
	Segments []int        // of the files with many segments, ascending; nil: 25,000 to a million
	Only     string       // measures what has this in its title or task, and no .p7m; empty: everything
	Program  string       // path of pectoken; empty: it is built from the module of the current folder
	Dir      string       // where the files go, seven times Size and twice Large; empty: a folder for temporary files on disk
	Progress func(string) // told what is being done; may be nil
}

// Signer makes n signatures over SHA-256 digests with the first key of the first token of a module, so
// many at a time, and says how long the signatures took. This package does not know
// the code it measures.
type Signer func(ctx context.Context, module, pin string, n, atATime int) (time.Duration, error)

// Row is what was measured of one task.
type Row struct {
	Task    string
	Seconds float64 // the median
	ToPeer  float64 // in times of openssl's for the same task; zero for openssl itself
	ToHash  float64 // in times of the bare hash
	Peak    int64   // bytes, the highest of all runs; zero when not known
	ours    bool
}

// Result is what a run measured.
type Result struct {
	Size int64
	Runs int
	Rows []Row

	Growth []Growth
	Ratios []Ratio // with a token, to bare PKCS#11

	Comparisons []Comparison // of PDFs, of time stamps and of signatures that last
}

// Run measures. It makes the files and the token in a folder of its own and
// removes them at the end, also when it fails or ctx is cancelled.
func Run(ctx context.Context, o Options) (result *Result, err error) {
	o = o.withDefaults()
	dir, err := os.MkdirTemp(o.Dir, "pectoken-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := prepare(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.authority.Close()) }()
	result = &Result{Size: o.Size, Runs: o.Runs}
	if o.Only == "" {
		if err := b.bigFiles(ctx, o, result); err != nil {
			return nil, err
		}
	}
	for _, c := range append(b.comparisons(o.Size, o.PDF), b.levels(o.Size, o.Stamped)...) {
		if !strings.Contains(c.title, o.Only) {
			continue
		}
		done, err := c.measure(ctx, b, o)
		if err != nil {
			return nil, err
		}
		result.Comparisons = append(result.Comparisons, done)
	}
	batches, err := b.batches(o.PDF.Files)
	if err != nil {
		return nil, err
	}
	pairs := append(b.pairs(o.Count), batches...)
	pairs = slices.DeleteFunc(pairs, func(p *pair) bool { return !strings.Contains(p.task, o.Only) })
	if err := rounds(ctx, o, pairs); err != nil {
		return nil, err
	}
	result.Ratios = ratios(pairs)
	if len(result.Comparisons)+len(result.Ratios) == 0 {
		return nil, fmt.Errorf("nothing that is measured has %q in its name", o.Only)
	}
	return result, nil
}

// bigFiles measures what is done with a .p7m.
func (b *bench) bigFiles(ctx context.Context, o Options, into *Result) error {
	tasks := b.tasks()
	growing, err := b.growing(ctx, o, tasks.sign, tasks.verify)
	if err != nil {
		return err
	}
	if err := rounds(ctx, o, withSteps(tasks.all, growing)); err != nil {
		return err
	}
	into.Rows, into.Growth = rows(tasks.all), growth(growing)
	return nil
}

// measured is what takes its turn in a round.
type measured interface {
	title() string
	run(context.Context) error
}

// rounds gives everything its turn as often as o says.
func rounds[M measured](ctx context.Context, o Options, list []M) error {
	for round := range o.Runs {
		for _, m := range list {
			o.Progress(fmt.Sprintf("round %d of %d: %s", round+1, o.Runs, m.title()))
			if err := m.run(ctx); err != nil {
				return fmt.Errorf("measuring %s: %w", m.title(), err)
			}
		}
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Size == 0 {
		o.Size = 1 << 30
	}
	o.PDF = o.PDF.withDefaults()
	if o.Count == 0 {
		o.Count = 1000
	}
	if o.Runs == 0 {
		o.Runs = 3
	}
	if o.Stamped == 0 {
		o.Stamped = 200
	}
	if o.Signers == nil {
		o.Signers = []int{250, 500, 1000}
	}
	if o.Segments == nil {
		o.Segments = []int{25_000, 50_000, 100_000, 1_000_000}
	}
	if o.Dir == "" {
		o.Dir = diskFolder()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// diskFolder prefers /var/tmp, which is on disk by convention where /tmp may
// be in memory.
func diskFolder() string {
	const onDisk = "/var/tmp"
	if info, err := os.Stat(onDisk); err == nil && info.IsDir() {
		return onDisk
	}
	return os.TempDir()
}

// rows sums up the runs of the tasks. The first task is the bare hash.
func rows(tasks []*task) []Row {
	hash := median(tasks[0].times)
	var rows []Row
	for _, t := range tasks {
		row := Row{Task: t.name, Seconds: median(t.times).Seconds(), Peak: t.peak, ours: t.ours}
		row.ToHash = ratio(median(t.times), hash)
		if t.peer != nil {
			row.ToPeer = ratio(median(t.times), median(t.peer.times))
		}
		rows = append(rows, row)
	}
	return rows
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// Err says that pectoken took more memory than [MemoryLimit] or, in a comparison,
// [ComparisonLimit], and where; nil when it did not, or when memory can't be
// measured on this system.
func (r *Result) Err() error {
	var errs []error
	for _, row := range r.Rows {
		if row.ours {
			errs = append(errs, overLimit(row.Task, row.Peak))
		}
	}
	for _, g := range r.Growth {
		if g.Much > 1 { // the least stands among the rows, or takes less
			errs = append(errs, overLimit(g.Task, g.Peak))
		}
	}
	for _, c := range r.Comparisons {
		errs = append(errs, c.err())
	}
	return errors.Join(errs...)
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
