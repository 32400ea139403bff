// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

// ComparisonLimit is the most that pectoken may take for a PDF, for many time stamps, or
// for a signature that lasts, in bytes.
const ComparisonLimit = 96 << 20

// PDFOptions say what PDFs to measure. Zero in any of them: the default.
type PDFOptions struct {
	Pages     int // of the document with many; 5,000
	Revisions int // of a document that was changed often after it was signed; 1,000
	Files     int // small documents that are signed in one call; 500
}

func (o PDFOptions) withDefaults() PDFOptions {
	if o.Pages == 0 {
		o.Pages = 5000
	}
	if o.Revisions == 0 {
		o.Revisions = 1000
	}
	if o.Files == 0 {
		o.Files = 500
	}
	return o
}

// Comparison is what was measured of tasks that belong together.
type Comparison struct {
	Title string
	Rows  []Compared
}

// Compared is what was measured of a task, beside the first one of its comparison.
type Compared struct {
	Task    string
	Seconds float64 // the median
	ToFirst float64 // in times of the first task's
	Peak    int64   // bytes, the highest of all runs; zero when not known
	ours    bool
}

// Write writes the comparison to w as a table for people.
func (c Comparison) Write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n\n", c.Title)
	table := newTable(w)
	fmt.Fprintln(table, "seconds\tto the first\tpeak MiB\t  task")
	for _, row := range c.Rows {
		fmt.Fprintf(table, "%.3f\t%.2f\t%s\t  %s\n", row.Seconds, row.ToFirst, known(mebi(row.Peak), "%.0f"), row.Task)
	}
	return table.Flush()
}

// err says where pectoken took more than [ComparisonLimit].
func (c Comparison) err() error {
	var errs []error
	for _, row := range c.Rows {
		if row.ours && row.Peak > ComparisonLimit {
			errs = append(errs, fmt.Errorf("%s: %s took %.0f MiB, more than %d MiB", c.Title, row.Task, mebi(row.Peak), ComparisonLimit>>20))
		}
	}
	return errors.Join(errs...)
}

// comparison is tasks that are measured in turns. make makes their files in a
// folder that exists only as long as they run.
type comparison struct {
	title string
	need  int64 // bytes on disk
	turns int   // in a round, for tasks that are short
	make  func(ctx context.Context, dir string) ([]*task, error)
}

// measure runs the tasks, rounds times.
func (c *comparison) measure(ctx context.Context, b *bench, o Options) (done Comparison, err error) {
	o.Progress("making files: " + c.title)
	if err := checkSpace(b.dir, c.need); err != nil {
		return done, err
	}
	dir, err := os.MkdirTemp(b.dir, "comparison-")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tasks, err := c.make(ctx, dir)
	if err != nil {
		return done, fmt.Errorf("making files: %s: %w", c.title, err)
	}
	for round := range o.Runs * max(c.turns, 1) {
		for _, t := range tasks {
			o.Progress(fmt.Sprintf("round %d: %s: %s", round+1, c.title, t.name))
			if err := t.run(ctx); err != nil {
				return done, fmt.Errorf("measuring %s: %w", t.name, err)
			}
		}
	}
	return Comparison{c.title, compared(tasks)}, nil
}

func compared(tasks []*task) []Compared {
	var rows []Compared
	for _, t := range tasks {
		rows = append(rows, Compared{t.name, median(t.times).Seconds(), ratio(median(t.times), median(tasks[0].times)), t.peak, t.ours})
	}
	return rows
}

// comparisons lists what is measured of PDFs.
func (b *bench) comparisons(size int64, o PDFOptions) []*comparison {
	const turns = 5
	scanned := int64(o.Pages) * 110 << 10
	return []*comparison{
		{title: fmt.Sprintf("a PDF with an attachment of %.0f MiB", mebi(size)), need: 5 * size / 2,
			make: b.bigPDF(func(w io.Writer) error { return documents.WriteAttachment(w, int(size)) })},
		{title: fmt.Sprintf("a PDF of %d scanned pages, %.0f MiB", o.Pages, mebi(scanned)), need: 5 * scanned / 2,
			make: b.bigPDF(func(w io.Writer) error { return documents.WriteScanned(w, o.Pages) })},
		{title: "a PDF of one page", turns: turns, make: b.smallPDF},
		{title: "a form that was filled in again and again after it was signed", turns: turns,
			make: func(ctx context.Context, dir string) ([]*task, error) { return b.revisedPDF(ctx, dir, o.Revisions) }},
	}
}

// bigPDF compares signing and verifying a file with hashing it.
func (b *bench) bigPDF(write func(io.Writer) error) func(context.Context, string) ([]*task, error) {
	return func(_ context.Context, dir string) ([]*task, error) {
		path := filepath.Join(dir, "big.pdf")
		if err := writeFile(path, write); err != nil {
			return nil, err
		}
		sign := b.signPDF(path)
		return []*task{
			{name: "SHA-256 alone", input: path},
			sign,
			b.verify("pectoken verify", sign.output, nil),
		}, nil
	}
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(write(w), w.Flush(), f.Close())
}

func (b *bench) signPDF(path string) *task {
	output := strings.TrimSuffix(path, ".pdf") + "-signed.pdf"
	return &task{name: "pectoken sign", ours: true, output: output, env: b.kitEnv(), args: b.signArgs("--output", output, path)}
}

func (b *bench) signArgs(rest ...string) []string {
	return append([]string{b.program, "sign", "--module", b.hsm.Module(), "--pin-file", b.path(pinFile)}, rest...)
}

func (b *bench) verifyArgs(signed string) []string {
	args := []string{b.program, "verify", "--trust", b.path(rootFile), "--offline"}
	for _, issuer := range listIssuers {
		args = append(args, "--crl", b.path(string(issuer)+".crl"))
	}
	return append(args, signed)
}

// smallPDF compares with pdfsig, which has its key in a file: with the module of
// SoftHSM in its database it signs and then crashes.
func (b *bench) smallPDF(ctx context.Context, dir string) ([]*task, error) {
	path, database := filepath.Join(dir, "small.pdf"), filepath.Join(dir, "nss")
	err := errors.Join(os.WriteFile(path, documents.Plain(), 0o600), os.Mkdir(database, 0o700))
	if err != nil {
		return nil, err
	}
	pdfsig, err := exec.LookPath("pdfsig")
	if err != nil {
		return nil, errors.New("pdfsig is not installed, and no other program that signs PDFs can be compared with")
	}
	if err := judges.NSSDatabase(ctx, database, b.identity); err != nil {
		return nil, err
	}
	theirs := filepath.Join(dir, "pdfsig.pdf")
	return []*task{
		{
			name: "pdfsig -add-signature, key in a file", output: theirs, env: []string{"HOME=" + dir},
			args: append([]string{pdfsig}, judges.PDFSigAddArgs(database, path, theirs)...),
		},
		b.signPDF(path),
	}, nil
}

// revisedPDF makes files with a quarter of the revisions, with half of them, and
// with all.
func (b *bench) revisedPDF(ctx context.Context, dir string, revisions int) ([]*task, error) {
	form := filepath.Join(dir, "form.pdf")
	if err := os.WriteFile(form, documents.Form(), 0o600); err != nil {
		return nil, err
	}
	sign := b.signPDF(form)
	if err := sign.run(ctx); err != nil {
		return nil, err
	}
	signed, err := os.ReadFile(sign.output)
	if err != nil {
		return nil, err
	}
	var tasks []*task
	for _, n := range []int{revisions / 4, revisions / 2, revisions} {
		path := filepath.Join(dir, fmt.Sprintf("revisions-%d.pdf", n))
		file, err := documents.Refill(signed, n)
		if err == nil {
			err = os.WriteFile(path, file, 0o600)
		}
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, b.verify(fmt.Sprintf("pectoken verify, %d revisions", n), path, nil))
	}
	return tasks, nil
}

// batches are calls of pectoken sign with many small PDFs, beside as many bare
// signatures. Each call has a new folder for its outputs: the file system takes its time to
// replace files that were written a moment ago, and few do that.
func (b *bench) batches(files int) ([]*pair, error) {
	dir := b.path("batch")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var documentPaths []string
	for i := range files {
		path := filepath.Join(dir, strconv.Itoa(i)+".pdf")
		if err := os.WriteFile(path, documents.Plain(), 0o600); err != nil {
			return nil, err
		}
		documentPaths = append(documentPaths, path)
	}
	ours := func(ctx context.Context) (time.Duration, error) {
		folder, err := os.MkdirTemp(dir, "signed-")
		if err != nil {
			return 0, err
		}
		args := b.signArgs(append([]string{"--output-dir", folder}, documentPaths...)...)
		return b.timed(ctx, args[0], args[1:]...)
	}
	var pairs []*pair
	for _, sessions := range []int{1, 4} {
		pairs = append(pairs, &pair{
			task: fmt.Sprintf("%d small PDFs in one call, beside bare signatures %d at a time", files, sessions), repeat: 3,
			ours: ours, bare: b.bareSignatures("bare", files, sessions),
		})
	}
	return pairs, nil
}
