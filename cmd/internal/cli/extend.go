// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
)

type extendOptions struct {
	files   []string
	content string
	output  outputFlags
	level   levelFlags
	options sign.Options // what the flags say of it
}

func newExtendCmd(a *app, runF func(context.Context, *extendOptions) error) *cobra.Command {
	o := &extendOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *extendOptions) error { return runExtend(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "extend FILE...",
		Short: "Make signatures last: add time stamps and the proof of validity",
		Long: `Extend raises the signatures in a file, by whomever they are, to a level, and writes
it as name-extended: t adds a time stamp, lt the certificates and the proof that none
was revoked, lta a time stamp over all of that. No card is needed, and what is signed
or stamped stays as it was. A file of level lta that is extended to lta again is
renewed, which has to be done before the certificate of its last time stamp ends.

Authorities are named as with pectoken timestamp; a stamp costs money. Broken
signatures are refused before one is asked for. Where certificates lead to and whether
they were revoked is asked of the places that they name.

What can't be reached is an error, and nothing is written; with --best-effort it
is a warning, and the level that was reached is said. After a failure nothing more
is asked for. With --trust a stamp by an authority that does not lead there is a
warning.`,
		Example: `  pectoken extend --level t --tsa https://tsa.example.it contract.pdf.p7m
  pectoken extend contract.pdf.p7m -o contract-lta.pdf.p7m
  pectoken extend --content drawing.dwg drawing.dwg.p7s`,
		Args: files,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			if err := o.check(a, c); err != nil {
				return err
			}
			if err := o.level.reach(a, c, &o.options); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.output.register(c)
	o.output.registerFolder(c)
	c.Flags().StringVar(&o.content, "content", "", "the document of a detached signature is `FILE`")
	c.Flags().StringVar(&o.options.Password, "password", "", "open an encrypted PDF with this `PASSWORD`")
	o.level.register(c, "lta", "t", "lt", "lta")
	return c
}

func (o *extendOptions) check(a *app, c *cobra.Command) error {
	if o.content != "" && len(o.files) > 1 {
		return usageError(helpHint(c), "--content belongs to one signature: name one file, not %d", len(o.files))
	}
	if o.content == stdio && slices.Contains(o.files, stdio) {
		return usageError(helpHint(c), "standard input (-) can be one file only")
	}
	return cmp.Or(o.level.check(c, "t", "lt", "lta"), o.output.checkBatch(c, o.files), a.checkStream(c, o.output.path))
}

// extendedJSON is the line of --json for a file whose signatures were raised.
type extendedJSON struct {
	File     string        `json:"file"`
	Output   string        `json:"output,omitempty"` // nothing was written when it had the level
	Level    string        `json:"level"`
	Reached  bool          `json:"alreadyReached,omitempty"`
	Warnings []warningJSON `json:"warnings,omitempty"`
}

func runExtend(ctx context.Context, a *app, o *extendOptions) error {
	outputs, err := a.planExtensions(ctx, o)
	if err != nil {
		return err
	}
	progress := a.newProgress(len(o.files))
	for i, file := range o.files {
		progress.show(i+1, file)
		line, err := a.extend(ctx, o, file, outputs[i])
		progress.clear()
		if err == nil {
			err = a.extended(line)
		}
		if err != nil {
			return a.notExtended(o.files[i:], err)
		}
	}
	return nil
}

// planExtensions names the outputs, and makes sure that all can be made.
func (a *app) planExtensions(ctx context.Context, o *extendOptions) ([]string, error) {
	var outputs []string
	var inputs []os.FileInfo
	for _, file := range o.files {
		name := renamed(file, "-extended")
		switch {
		case o.output.path != "":
			name = o.output.path
		case o.output.folder != "":
			name = filepath.Join(o.output.folder, filepath.Base(name))
		}
		if slices.Contains(outputs, name) {
			return nil, usageError("pectoken extend --help", "two of the files would become %q", name)
		}
		outputs = append(outputs, name)
		if file == stdio {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", file, bare(err))
		}
		inputs = append(inputs, info)
	}
	for _, output := range outputs {
		if output == stdio {
			continue
		}
		if err := errors.Join(notInput(output, inputs...), outfile.Check(output, o.output.mode())); err != nil {
			return nil, err
		}
	}
	return outputs, ctx.Err()
}

// extend raises one file.
func (a *app) extend(ctx context.Context, o *extendOptions, file, output string) (extendedJSON, error) {
	line := extendedJSON{File: file, Output: output}
	in, err := a.openInput(ctx, file)
	if err != nil {
		return line, err
	}
	defer in.close()
	existing := sign.Existing{File: in.section()}
	content, err := a.extendedContent(ctx, o, in)
	if err != nil {
		return line, err
	}
	if content != nil {
		defer content.close()
		existing.Content = content.section()
	}
	out, err := a.createOutput(output, o.output.mode())
	if err != nil {
		return line, err
	}
	defer out.Discard()
	options, result := o.options, reached{}
	o.level.settling(&options, &result)
	receipts := &sign.Receipts{Stamper: options.Stamper}
	options.Stamper = receipts
	err = sign.Extend(ctx, out, existing, options)
	if err == nil {
		err = receipts.Lost(out.Commit())
	}
	line.Level = result.level.String()
	switch {
	case errors.Is(err, sign.ErrReached) && result.short == nil:
		line.Output, line.Reached = "", true
		return line, nil
	case errors.Is(err, sign.ErrReached):
		err = result.short // nothing could be added
	}
	if err != nil {
		return line, fmt.Errorf("extending %q: %w", file, o.problem(ctx, in, err))
	}
	line.Warnings = append(a.warnings(file, result), o.level.doubts(a, file, receipts.Tokens())...)
	return line, nil
}

// problem says what to type for what can't be extended.
func (o *extendOptions) problem(ctx context.Context, in *input, err error) error {
	_, damage := cms.Read(in.section(), cms.ReadOptions{})
	switch {
	case errors.As(err, new(*cms.FormatError)) && damage != nil && cms.Recognize(in.section()):
		return damagedInput(damage) // it is the file that can't be read, and not what an authority sent
	case !errors.Is(err, sign.ErrNoSignature):
		return levelProblem(ctx, err)
	case isContainer(in):
		return &problem{exit: exitFailed, code: "noSignature", err: errors.New("it is a document with its time stamps, which one more makes last"),
			hint: []string{"pectoken timestamp " + shellWord(in.name)}}
	}
	return &problem{exit: exitFailed, code: "noSignature", err: err,
		hint: []string{fmt.Sprintf("pectoken sign --level %s %s", o.level.level, shellWord(in.name))}}
}

// extendedContent opens what a detached signature is about: the file that was named,
// or the one beside it. Nil when the signature has it inside.
func (a *app) extendedContent(ctx context.Context, o *extendOptions, in *input) (*input, error) {
	if o.content != "" {
		return a.openInput(ctx, o.content)
	}
	sd, err := cms.Read(in.section(), cms.ReadOptions{})
	if err != nil || sd.Attached {
		return nil, nil // what is wrong with it is said later
	}
	name, err := withoutEnvelope(in.name)
	if err == nil {
		if content, err := a.openInput(ctx, name); err == nil {
			a.say("note: taking %q for the document of %q", name, in.name)
			return content, nil
		}
	}
	return nil, usageError("pectoken extend --content FILE "+shellWord(in.name), "extending %q: the document that it is about is needed", in.name)
}

// extended shows that a file is done.
func (a *app) extended(line extendedJSON) error {
	switch {
	case a.json:
		return a.printJSON(line)
	case line.Reached:
		return a.print(fmt.Sprintf("%s: it has level %s already\n", printable(line.File), line.Level))
	case line.Output == stdio:
		return nil
	}
	return a.print(fmt.Sprintf("%s -> %s (%s)\n", printable(line.File), printable(line.Output), line.Level))
}

// notExtended ends the command: what met the first of the files would meet the others,
// or isn't known to be safe for them.
func (a *app) notExtended(left []string, err error) error {
	p := problemOf(err)
	a.complain(p)
	if len(left) > 1 {
		a.say("not extended: %s", listed(left))
	}
	for _, file := range left {
		if a.json {
			_ = a.printJSON(fileError{File: file, Error: p.json()})
		}
	}
	return ending(p.exit)
}
