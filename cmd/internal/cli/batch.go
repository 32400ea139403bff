// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/token"
)

// job is one file of a batch.
type job struct {
	file   string
	output string
	format sign.Format
	exists bool // its output is there already, and may be what is wanted

	notes    []string       // what was seen beforehand
	result   reached        // how long its signature lasts
	receipts *sign.Receipts // of the time stamps in it
	warnings []warningJSON

	// What became of it; nothing yet, if none of these is set.
	err     error // why it is not signed
	signed  bool
	skipped bool // its output is what is wanted

	said bool // err was said on standard error
	told bool // what became of it was shown
}

// note is said when all files were looked at, which happens to several at a time.
func (j *job) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// pending says whether it is still to be signed.
func (j *job) pending() bool { return j.err == nil && !j.signed && !j.skipped }

// batch is the files of one call of sign.
type batch struct {
	app     *app
	options *signOptions
	signing sign.Options
	view    signView
	jobs    []*job
	module  *token.Module
	folders outfile.Folders // of the outputs
	stays   bool            // the card was still there after an error
	stdin   *input          // standard input, when it is the document
	exit    exitCode
}

// planBatch looks at every input and output, and signs nothing.
func (a *app) planBatch(ctx context.Context, o *signOptions) *batch {
	b := &batch{app: a, options: o, signing: o.signing(a), view: a.newSignView(&o.level)}
	for _, name := range o.files {
		b.jobs = append(b.jobs, &job{file: name})
	}
	inputs := make([]os.FileInfo, len(b.jobs))
	workers := runtime.GOMAXPROCS(0)
	if o.amend.asked() {
		workers = 1 // it verifies, which takes more memory
	}
	spread(len(b.jobs), workers, func(i int) { inputs[i], b.jobs[i].err = b.preflight(ctx, b.jobs[i]) })
	for _, j := range b.jobs {
		for _, note := range j.notes {
			a.say("%s", note)
		}
	}
	b.checkOutputs(newFileSet(inputs))
	b.checkPDFOptions()
	b.tellOddNames()
	return b
}

// preflight decides a job's format and output, and finds what would be refused.
func (b *batch) preflight(ctx context.Context, j *job) (os.FileInfo, error) {
	in, err := b.open(ctx, j)
	if err != nil {
		return nil, err
	}
	defer b.done(in)
	if b.options.amend.asked() {
		return in.info, b.preflightAmend(ctx, j, in)
	}
	if j.format, err = b.formatOf(in); err != nil {
		return in.info, fmt.Errorf("reading %q: %w", j.file, err)
	}
	j.output = b.outputOf(j)
	if in.info.Size() == 0 {
		j.note("note: %q is empty", j.file)
	}
	if j.format == sign.CAdES && cms.Recognize(in.section()) {
		j.note("note: %q is already a signature; the new one goes round it", j.file)
	}
	options := b.signing
	options.Format = j.format
	if err := sign.Preflight(in.section(), options); err != nil {
		return in.info, fmt.Errorf("signing %q: %w", j.file, err)
	}
	if j.format == sign.PAdES {
		b.tellRisks(j, in)
	}
	return in.info, nil
}

func (b *batch) formatOf(in *input) (sign.Format, error) {
	switch {
	case b.signing.Format != sign.Auto:
		return b.signing.Format, nil
	case b.signing.Detached:
		return sign.CAdES, nil
	}
	return sign.Detect(in.section(), in.info.Size())
}

func (b *batch) outputOf(j *job) string {
	flags := b.options.output
	name := signedName(j.file, j.format, b.signing.Detached)
	if b.options.amend.asked() {
		name = amendedName(j.file)
	}
	switch {
	case flags.path != "":
		return flags.path
	case flags.folder != "":
		return filepath.Join(flags.folder, filepath.Base(name))
	}
	return name
}

// open opens a job's document. Standard input is read once and kept.
func (b *batch) open(ctx context.Context, j *job) (*input, error) {
	if b.stdin != nil {
		return b.stdin, nil
	}
	in, err := b.app.openInput(ctx, j.file)
	if err == nil && j.file == stdio {
		b.stdin = in
	}
	return in, err
}

func (b *batch) done(in *input) {
	if in != b.stdin {
		in.close()
	}
}

func (b *batch) close() {
	if b.stdin != nil {
		b.stdin.close()
	}
}

// checkOutputs makes sure that every output can be made, and that none takes
// the place of an input or of another output.
func (b *batch) checkOutputs(inputs fileSet) {
	taken := map[string]string{}
	for _, j := range b.jobs {
		if j.err != nil || j.output == stdio {
			continue
		}
		where, err := filepath.Abs(j.output)
		if err != nil {
			j.err = fmt.Errorf("creating %q: %w", j.output, err)
			continue
		}
		if other, twice := taken[where]; twice {
			j.err = bothBecome(other, j.file, j.output)
			continue
		}
		taken[where] = j.file
		j.err = b.hintSkipping(b.checkOutput(j, inputs))
	}
}

// bothBecome says that a file was named twice, or that two have one name.
func bothBecome(first, second, output string) error {
	if filepath.Clean(first) == filepath.Clean(second) {
		return usageError("name each file once", "%q is named twice", first)
	}
	return usageError("sign them one after the other, with another --output-dir", "%q and %q would both become %q", first, second, output)
}

func (b *batch) checkOutput(j *job, inputs fileSet) error {
	if err := inputs.refuse(j.output); err != nil {
		return err
	}
	err := b.folders.Check(j.output, b.options.output.mode())
	if b.options.skipSigned {
		_, missing := os.Stat(j.output)
		j.exists = missing == nil
		if errors.Is(err, outfile.ErrExists) && j.exists {
			return nil // looked at when the certificate is known
		}
	}
	return err
}

// hintSkipping says how to go on with the rest of a batch.
func (b *batch) hintSkipping(err error) error {
	if len(b.jobs) == 1 || b.options.amend.asked() || !errors.Is(err, outfile.ErrExists) {
		return err
	}
	return &problem{exit: exitUsage, code: "outputExists", err: err,
		hint: []string{"--skip-signed leaves out what is signed already; --overwrite replaces it"}}
}

// tellOddNames says what is signed as something else than its name says.
func (b *batch) tellOddNames() {
	if b.signing.Format != sign.Auto || b.signing.Detached {
		return
	}
	for _, j := range b.jobs {
		if j.err == nil && j.format == sign.CAdES && strings.EqualFold(filepath.Ext(j.file), ".pdf") {
			b.app.say("note: %q is not a PDF, whatever its name says", j.file)
		}
	}
}

// checkPDFOptions refuses what would be dropped without a word.
func (b *batch) checkPDFOptions() {
	for _, j := range b.jobs {
		if j.err != nil || j.format == sign.PAdES {
			return
		}
	}
	if b.options.pdf.asked() {
		b.jobs[0].err = usageError("pectoken sign --help", "--reason, --contact, --field, --password, --certify, --lock and --visible are for PDFs, and none is here")
	}
}

// mayStart says whether there is something to sign. A mistake in the command
// line, such as an output that exists, stops the whole batch before its begin.
func (b *batch) mayStart() bool {
	some := false
	for _, j := range b.jobs {
		if j.err != nil && problemOf(j.err).exit == exitUsage {
			b.leaveOut()
			return false
		}
		some = some || j.err == nil
	}
	return some
}

// errLeftOut is why a good file of a mistaken command line is not signed.
var errLeftOut = &problem{exit: exitUsage, code: "notSigned", err: errors.New("not signed, because of the mistake with another file")}

// pending says whether there is anything left to sign.
func (b *batch) pending() bool {
	return slices.ContainsFunc(b.jobs, (*job).pending)
}

func (b *batch) leaveOut() {
	for _, j := range b.jobs {
		if j.pending() {
			j.err, j.said = errLeftOut, true
		}
	}
	if len(b.jobs) > 1 {
		b.app.say("nothing is signed, because of a mistake that can be mended")
	}
}

// fail ends the batch for a reason that no single file is to blame for.
func (b *batch) fail(err error) error {
	p := problemOf(err)
	b.exit = worst(b.exit, p.exit)
	for _, j := range b.jobs {
		if j.pending() {
			j.err, j.said = p, true
		}
	}
	_ = b.end()
	b.app.complain(p)
	return ending(b.exit)
}

// end shows what was not shown yet and returns how the command ends.
func (b *batch) end() error {
	said, unsaid := 0, 0
	for _, j := range b.jobs {
		if j.pending() {
			continue
		}
		if mistaken(j) {
			if said++; said > mostMistakes {
				j.said = true
				unsaid++
			}
		}
		b.tell(j)
	}
	if unsaid > 0 {
		b.app.say("%d more files have mistakes of that kind", unsaid)
	}
	return ending(b.exit)
}

// mostMistakes is how many mistakes in a command line are said, each with its hints: who
// repeats a batch of thousands has as many outputs that exist.
const mostMistakes = 20

// mistaken says whether a job is to be told of as one with a mistake.
func mistaken(j *job) bool {
	return j.err != nil && !j.told && !j.said && problemOf(j.err).exit == exitUsage
}

// tell shows what became of a job, once.
func (b *batch) tell(j *job) {
	if j.told {
		return
	}
	j.told = true
	switch {
	case j.signed:
		j.err = b.view.signed(j)
	case j.skipped:
		j.err = b.view.skipped(j)
	}
	if j.err == nil {
		return
	}
	p := problemOf(j.err)
	b.exit = worst(b.exit, p.exit)
	if !j.said {
		b.app.complain(p)
	}
	b.view.failed(j.file, p)
}

// with sets the key to sign with.
func (b *batch) with(c candidate, key *token.Signer) {
	b.signing.Name = nameOf(c.X509)
	b.signing.Signer.Key = key
	b.signing.Signer.Certificate = c.X509
	b.signing.Signer.Chain = c.chain()
}

// run signs the files, so many at a time, and shows the results in their order. What
// is wrong with the card ends it, what is wrong with a file does not.
func (b *batch) run(ctx context.Context, atATime int) {
	runtime.UnlockOSThread() // locked at the start, see package main; with it, work that is shared out is slower
	work := b.start(ctx, atATime)
	defer work.stop()
	progress := b.app.newProgress(len(b.jobs))
	for i, j := range b.jobs {
		if j.pending() {
			progress.show(i+1, j.file)
			err := work.result(j)
			progress.clear()
			if err != nil {
				err = b.explain(ctx, err)
			}
			if cardTrouble(ctx, err) {
				b.giveUp(ctx, work, j, err)
				return
			}
			j.err, j.signed = err, err == nil
		}
		b.tell(j)
	}
}

// giveUp ends the batch with the trouble that a job met. Files behind it can be
// signed by now, or have a trouble of their own.
func (b *batch) giveUp(ctx context.Context, work *work, met *job, err error) {
	work.stop()
	for _, j := range b.jobs[slices.Index(b.jobs, met)+1:] {
		if !j.pending() {
			continue
		}
		var code token.Code
		switch err := work.result(j); {
		case err == nil:
			j.signed = true
		case errors.As(err, new(*sign.LostStampsError)):
			j.err = err
		case !cardTrouble(ctx, err) && !errors.Is(err, context.Canceled) && !errors.As(err, &code):
			j.err = err
		}
	}
	switch {
	case ctx.Err() != nil:
		if errors.As(err, new(*sign.LostStampsError)) {
			met.err = err // which the word that it was interrupted does not tell
		}
		err = b.cutShort(exitFailed, "interrupted", interrupted(err), "to sign them, ")
	case errors.Is(err, token.ErrRemoved):
		err = b.cutShort(exitNoToken, "removed", token.ErrRemoved, "put the card back and ")
	case len(b.jobs) > 1 && errors.As(err, new(*timestamp.StampError)):
		p := problemOf(err)
		err = b.cutShort(p.exit, p.code, err, "when that is mended, ", p.hint...)
	}
	_ = b.fail(err)
}

// explain finds out what an error of the module means, which says little itself.
func (b *batch) explain(ctx context.Context, err error) error {
	var code token.Code
	switch {
	case b.gone(ctx, err):
		return token.ErrRemoved
	case errors.As(err, &code) && problemOf(err).exit != exitPIN:
		return b.app.limitedByOpenSC(ctx, b.view.signer.card, err)
	}
	return err
}

// gone says whether the card is no longer there. The error of a module seldom does:
// OpenSC answers CKR_GENERAL_ERROR, and PC/SC notices only after some time. A card
// that stayed where it is once is not waited for again.
func (b *batch) gone(ctx context.Context, err error) bool {
	const looks, interval = 8, 200 * time.Millisecond
	var code token.Code
	if errors.Is(err, token.ErrRemoved) {
		return true
	}
	if !errors.As(err, &code) || problemOf(err).exit == exitPIN {
		return false
	}
	for range looks {
		if _, err := b.module.Find(ctx, b.view.signer.card.Info); errors.Is(err, token.ErrRemoved) {
			return true
		}
		if b.stays || ctx.Err() != nil {
			return false
		}
		time.Sleep(interval)
	}
	b.stays = true
	return false
}

// cutShort says why the batch ended before its end, what is left, and how to go on.
// With each file that is left stands the reason alone.
func (b *batch) cutShort(exit exitCode, code string, why error, before string, hint ...string) error {
	if b.options.amend.asked() {
		hint = append(hint, before+"repeat the command for them")
	} else {
		hint = append(hint, before+"type: "+b.app.again("--skip-signed"))
	}
	var left []string
	for _, j := range b.jobs {
		if j.pending() {
			left = append(left, j.file)
			j.err, j.said = &problem{exit: exit, code: code, err: why, hint: hint}, true
		}
	}
	return &problem{exit: exit, code: code, err: fmt.Errorf("%w; not signed: %s", why, listed(left)), hint: hint}
}

// listed is a list of files that is not too long for a line.
func listed(names []string) string {
	const most = 20
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// again is the command line with one more flag, to be typed once more.
func (a *app) again(flag string) string {
	const longest = 2000
	words := []string{"pectoken"}
	for _, arg := range a.args {
		words = append(words, shellWord(arg))
		if arg == "sign" && !slices.Contains(a.args, flag) {
			words = append(words, flag)
			flag = ""
		}
	}
	if line := strings.Join(words, " "); len(line) <= longest {
		return line
	}
	return "the same command, with --skip-signed"
}

// cardTrouble says whether an error would meet every other file too.
func cardTrouble(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	if errors.As(err, new(*timestamp.StampError)) {
		return true // and may cost a stamp each time
	}
	exit := problemOf(err).exit
	return ctx.Err() != nil || exit == exitPIN || exit == exitNoToken
}
