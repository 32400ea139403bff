// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

type extractOptions struct {
	file   string
	output outputFlags
	broken bool
	all    bool   // write what is in each envelope
	outer  bool   // open the outermost envelope only
	which  string // signature of a PDF
	flags  judgeFlags
	judge  verify.Options // what flags say
}

func newExtractCmd(a *app, runF func(context.Context, *extractOptions) error) *cobra.Command {
	o := &extractOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *extractOptions) error { return runExtract(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "extract FILE",
		Short: "Write the document inside a .p7m, .tsd or .m7m, or a signed revision of a PDF",
		Long: `Extract writes the document inside a .p7m under the same name without .p7m, and
says whether the signature around it is intact. If it is not, nothing is
written, unless --broken is given, and the exit code is 1 either way.

What is in a .tsd or .m7m is written when every time stamp in it is good and of what
it has to be. An envelope inside another, such as a .p7m in a .tsd, is opened as well,
down to the document; --all writes what is in each, --outer only what is in the first,
and looks at no signature and no time stamp but those of the first.

Intact means that the document is the one that was signed or stamped. By whom, and
whether to trust them, is not looked at without --trust. With --trust the exit code is
that of pectoken verify; the document is written all the same when it is intact.

From a PDF, --signature takes the document as it was when that signature was
made, whatever was appended since: 1 is S1 of pectoken verify, and any other word
the name of a field, as for a document timestamp. Of a timestamp only whether it
is intact is looked at. CONTRACT.pdf becomes CONTRACT-S1.pdf.`,
		Example: `  pectoken extract invoice.xml.p7m
  pectoken extract --output invoice.xml --trust root.pem invoice.xml.p7m
  pectoken extract --signature 1 contract-signed.pdf`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.file = args[0]
			if o.judge, err = o.flags.options(a, c); err != nil {
				return err
			}
			if err := o.check(a, c); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.register(c)
	return c
}

func (o *extractOptions) register(c *cobra.Command) {
	o.flags.register(c)
	o.output.register(c)
	c.Flags().BoolVar(&o.broken, "broken", false, "write the document even though the signature is not intact")
	c.Flags().BoolVar(&o.all, "all", false, "write what is in each of several envelopes")
	c.Flags().StringVar(&o.which, "signature", "", "write the revision of a PDF that signature `NUMBER|FIELD` covers")
	c.Flags().BoolVar(&o.outer, "outer", false, "open the outermost envelope only")
}

// check refuses flags that don't go together.
func (o *extractOptions) check(a *app, c *cobra.Command) error {
	if o.output.path == "" && o.file == stdio {
		o.output.path = stdio
	}
	switch {
	case o.all && o.outer:
		return usageError(helpHint(c), "--all and --outer don't go together")
	case o.which == "" && c.Flags().Changed("signature"):
		return usageError(helpHint(c), "--signature needs a number or the name of a field")
	case o.which != "" && (o.all || o.outer):
		return usageError(helpHint(c), "--signature is for a PDF, --all and --outer are for a .p7m")
	case o.all && o.output.path != "":
		return usageError(helpHint(c), "--all writes several files, which --output can't name")
	}
	return a.checkStream(c, o.output.path)
}

func runExtract(ctx context.Context, a *app, o *extractOptions) error {
	in, err := a.openInput(ctx, o.file)
	if err != nil {
		return err
	}
	defer in.close()
	if err := o.refuse(in); err != nil {
		return err
	}
	o.judge.Name = o.file
	if o.which != "" {
		return a.extractRevision(ctx, in, o)
	}
	r, err := verify.File(ctx, in.section(), o.judge)
	if err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	whole := r
	if o.outer {
		first := *r
		first.Nested = nil
		r = &first
	}
	if err := o.accept(r); err != nil {
		return err
	}
	plan, err := o.plan(in, whole)
	if err != nil {
		return err
	}
	for _, e := range plan {
		if err := a.extract(ctx, in, o, e); err != nil {
			return err
		}
	}
	return a.extracted(o, r)
}

// envelope is a level of nesting whose content is to be written.
type envelope struct {
	depth  int
	output string
	report *report.Report
	stamps []*report.Timestamp // of the document in it: its own, and those of the envelopes around it
}

// plan says what is written where, and refuses outputs that can't be.
func (o *extractOptions) plan(in *input, r *report.Report) ([]envelope, error) {
	var plan []envelope
	var stamps []*report.Timestamp
	name := o.file
	for depth := 0; r != nil; depth++ {
		stamps = append(stamps, fileStamps(r)...)
		e := envelope{depth, o.output.path, r, slices.Clone(stamps)}
		r = insideOf(r)
		if o.output.path == "" {
			shorter, err := contentName(name, r != nil && r.Format == "cades")
			if err != nil {
				return nil, usageError("pectoken extract --output FILE "+shellWord(o.file), "extracting from %q: %w", o.file, err)
			}
			name, e.output = shorter, shorter
		}
		if o.outer {
			r = nil
		}
		if !o.all && r != nil {
			continue
		}
		if err := o.creatable(in, e.output); err != nil {
			return nil, err
		}
		plan = append(plan, e)
	}
	return plan, nil
}

func (o *extractOptions) creatable(in *input, output string) error {
	if err := notInput(output, in.info); err != nil || output == stdio {
		return err
	}
	return outfile.Check(output, o.output.mode())
}

// insideOf returns the report on an envelope inside another, or nil.
func insideOf(r *report.Report) *report.Report {
	if len(r.Nested) == 1 && isEnvelope(r.Nested[0].Format) && r.Nested[0].Content != nil {
		return r.Nested[0]
	}
	return nil
}

// isEnvelope says whether files of a format have a document inside.
func isEnvelope(format string) bool { return format == "cades" || isStamped(format) }

// isStamped says whether it is one of a document with its time stamps.
func isStamped(format string) bool {
	return format == timestamp.TSD.String() || format == timestamp.M7M.String()
}

// fileStamps are the time stamps that an envelope puts to the document in it.
func fileStamps(r *report.Report) []*report.Timestamp {
	if !isStamped(r.Format) {
		return nil
	}
	return r.Timestamps
}

// extract writes the content of one envelope, which must be what was judged.
func (a *app) extract(ctx context.Context, in *input, o *extractOptions, e envelope) error {
	return a.write(o, e, func(w io.Writer) error { return verify.Extract(ctx, in.section(), e.depth, w) })
}

// write creates an output of what a copy writes.
func (a *app) write(o *extractOptions, e envelope, write func(io.Writer) error) error {
	out, err := a.createOutput(e.output, o.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	sum := sha256.New()
	if err := write(io.MultiWriter(out, sum)); err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != e.report.Content.SHA256 {
		return fmt.Errorf("extracting from %q: the file changed while it was read", o.file)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	return a.extractedLine(o, e)
}

// refuse says what can't be extracted from, or must not be written to.
func (o *extractOptions) refuse(in *input) error {
	format, err := sign.Detect(in.section(), in.info.Size())
	if err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	if isContainer(in) { // of a PDF, maybe
		format = sign.CAdES
	}
	switch {
	case format == sign.PAdES && o.which == "":
		return usageError("pectoken extract --signature 1 "+shellWord(o.file), "extracting from %q: a PDF, of which one signature must be named", o.file)
	case format != sign.PAdES && o.which != "":
		return usageError("pectoken extract "+shellWord(o.file), "extracting from %q: --signature is for a PDF", o.file)
	}
	return nil
}

// accept decides whether the document may be written.
func (o *extractOptions) accept(r *report.Report) error {
	switch {
	case r.Error != nil:
		return &problem{exit: exitFailed, code: string(r.Error.Code), err: fmt.Errorf("extracting from %q: %s", o.file, r.Error.Message)}
	case r.Content == nil && integrity(r) == report.Broken:
		return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("extracting from %q: %s", o.file, brokenReason(r))}
	case r.Content == nil && isStamped(r.Format):
		return &problem{exit: exitFailed, code: "noContent", err: fmt.Errorf("extracting from %q: the document is not in it", o.file)}
	case r.Content == nil:
		return &problem{exit: exitFailed, code: "noContent", err: fmt.Errorf("extracting from %q: the signature is detached, there is no document in it", o.file)}
	case integrity(r) == report.Intact || o.broken:
		return nil
	}
	return &problem{
		exit: exitFailed, code: "broken", err: fmt.Errorf("extracting from %q: %s not intact, and nothing is written: %s", o.file, whatIs(r), brokenReason(r)),
		hint: []string{"pectoken verify " + shellWord(o.file)},
	}
}

// whatIs names what was looked at, and has its verb.
func whatIs(r *report.Report) string {
	signed, stamped := false, false
	for ; r != nil; r = insideOf(r) {
		signed, stamped = signed || !isStamped(r.Format), stamped || isStamped(r.Format)
	}
	switch {
	case signed && stamped:
		return "time stamp and signature are"
	case stamped:
		return "the time stamp is"
	}
	return "the signature is"
}

// integrity is that of the worst signature or time stamp of a file. One that is invalid
// though its arithmetic is right contradicts itself and counts as broken.
func integrity(r *report.Report) report.Integrity {
	worst := report.Intact
	for _, s := range r.Signatures {
		switch {
		case s.Integrity == report.Broken, s.Verdict == report.Invalid:
			return report.Broken
		case s.Integrity != report.Intact:
			worst = report.IntegrityUnknown
		}
	}
	for _, t := range fileStamps(r) {
		switch t.Integrity {
		case report.Intact:
		case report.Broken:
			return report.Broken
		default:
			worst = report.IntegrityUnknown
		}
	}
	if inner := insideOf(r); inner != nil && worst == report.Intact {
		return integrity(inner)
	}
	if len(r.Signatures)+len(fileStamps(r)) == 0 {
		return report.IntegrityUnknown
	}
	return worst
}

func brokenReason(r *report.Report) string {
	for _, s := range r.Signatures {
		if s.Integrity != report.Intact || s.Verdict == report.Invalid {
			return s.Reason
		}
	}
	for _, t := range fileStamps(r) {
		if t.Integrity != report.Intact {
			return fmt.Sprintf("time stamp %s: %s", t.ID, t.Reason)
		}
	}
	if inner := insideOf(r); inner != nil {
		return brokenReason(inner)
	}
	return "there is none"
}
