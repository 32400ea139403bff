// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

type extractOptions struct {
	file   string
	output outputFlags
	broken bool
	judge  verify.Options
}

func newExtractCmd(a *app, runF func(context.Context, *extractOptions) error) *cobra.Command {
	o := &extractOptions{}
	var flags judgeFlags
	if runF == nil {
		runF = func(ctx context.Context, o *extractOptions) error { return runExtract(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "extract FILE",
		Short: "Write the document inside a .p7m",
		Long: `Extract writes the document inside a .p7m under the same name without .p7m, and
says whether the signature around it is intact. If it is not, nothing is
written, unless --broken is given, and the exit code is 1 either way.

Intact means that the document is the one that was signed. By whom, and whether
to trust them, is not looked at without --trust. With --trust the exit code is
that of pectoken verify; the document is written all the same when it is intact.

With --output - the document goes to standard output while it is read, when
nothing is known yet about the signature: only the exit code tells.

One envelope is opened: a .p7m.p7m gives a .p7m. Signed revisions of a PDF can't
be extracted yet.`,
		Example: `  pectoken extract invoice.xml.p7m
  pectoken extract --output invoice.xml --trust root.pem invoice.xml.p7m`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.file = args[0]
			if o.judge, err = flags.options(a, c); err != nil {
				return err
			}
			if err := o.chooseOutput(a, c); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	flags.register(c)
	o.output.register(c)
	c.Flags().BoolVar(&o.broken, "broken", false, "write the document even though the signature is not intact")
	return c
}

// chooseOutput finds the name of the document.
func (o *extractOptions) chooseOutput(a *app, c *cobra.Command) error {
	if o.output.path == "" && o.file == stdio {
		o.output.path = stdio
	}
	if o.output.path == "" {
		name, err := withoutEnvelope(o.file)
		if err != nil {
			return usageError("pectoken extract --output FILE "+shellWord(o.file), "extracting from %q: %w", o.file, err)
		}
		o.output.path = name
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
	out, err := a.createOutput(o.output.path, o.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	o.judge.Name, o.judge.ExtractTo = o.file, out
	r, err := verify.File(ctx, in.section(), o.judge)
	if err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	if err := o.accept(r); err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	return a.extracted(o, r)
}

// refuse says what can't be extracted from, or must not be written to.
func (o *extractOptions) refuse(in *input) error {
	format, err := sign.Detect(in.file, in.info.Size())
	if err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	if format == sign.PAdES {
		return usageError("pectoken verify "+shellWord(o.file), "extracting from %q: signed revisions of a PDF can't be extracted yet", o.file)
	}
	return notInput(o.output.path, in.info)
}

// accept decides whether the document may be written.
func (o *extractOptions) accept(r *report.Report) error {
	switch {
	case r.Error != nil:
		return &problem{exit: exitFailed, code: string(r.Error.Code), err: fmt.Errorf("extracting from %q: %s", o.file, r.Error.Message)}
	case r.Content == nil && integrity(r) == report.Broken:
		return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("extracting from %q: %s", o.file, brokenReason(r))}
	case r.Content == nil:
		return &problem{exit: exitFailed, code: "noContent", err: fmt.Errorf("extracting from %q: the signature is detached, there is no document in it", o.file)}
	case integrity(r) == report.Intact || o.broken || o.output.path == stdio:
		return nil
	}
	return &problem{
		exit: exitFailed, code: "broken", err: fmt.Errorf("extracting from %q: the signature is not intact, and nothing is written: %s", o.file, brokenReason(r)),
		hint: []string{"pectoken verify " + shellWord(o.file)},
	}
}

// integrity is that of the worst signature of a file. One that is invalid
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
	if len(r.Signatures) == 0 {
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
	return "there is none"
}
