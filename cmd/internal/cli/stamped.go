// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// isContainer says whether a file is one with a document and time stamps in it.
func isContainer(in *input) bool {
	format := timestamp.Recognize(in.section())
	return format == timestamp.TSD || format == timestamp.M7M
}

// readStamped reads a .tsd or .m7m, and once more when its token needs another
// digest than is usual. The document goes to content, if that isn't nil, once.
func readStamped(in *input, content io.Writer) (*timestamp.Container, error) {
	c, err := timestamp.Read(in.section(), timestamp.ReadOptions{})
	if err != nil {
		return nil, err
	}
	hashes := c.MissingHashes()
	if len(hashes) == 0 && content == nil {
		return c, nil
	}
	return timestamp.Read(in.section(), timestamp.ReadOptions{Content: content, Hashes: hashes})
}

// intactChain says what is wrong with the time stamps of a container; nothing when
// each is good and of what it has to be.
func intactChain(c *timestamp.Container) error {
	if len(c.Evidence) == 0 {
		return errors.New("it holds an evidence record, which can't be read yet")
	}
	for n, e := range c.Evidence {
		if e.Err != nil {
			return fmt.Errorf("time stamp %d: %w", n+1, e.Err)
		}
		if err := e.Token.Check().Err(); err != nil {
			return fmt.Errorf("time stamp %d: %w", n+1, err)
		}
		switch c.Link(n) {
		case timestamp.Linked:
		case timestamp.LinkUnknown:
			return fmt.Errorf("time stamp %d: what it is of is not here", n+1)
		default:
			return fmt.Errorf("time stamp %d: it is of something else", n+1)
		}
	}
	return nil
}

// writeStamped writes the document, which must still be what was stamped.
func (a *app) writeStamped(file string, in *input, output string, mode outfile.Mode) error {
	out, err := a.createOutput(output, mode)
	if err != nil {
		return err
	}
	defer out.Discard()
	c, err := readStamped(in, out)
	if err == nil {
		err = intactChain(c)
	}
	if err != nil {
		return fmt.Errorf("splitting %q: %w", file, err)
	}
	return out.Commit()
}

type splitOptions struct {
	file   string
	as     string
	output outputFlags
}

func newSplitCmd(a *app, runF func(context.Context, *splitOptions) error) *cobra.Command {
	o := &splitOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *splitOptions) error { return runSplit(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "split FILE",
		Short: "Part a .tsd or .m7m into the document and its time stamp",
		Long: `Split writes the document in a .tsd or .m7m, and beside it the time stamp as a
file of its own (name.ext and name.ext.tsr): courts and others that take a .p7m take
no .tsd. Nothing is written unless every stamp is good and of what it has to be.

Of several time stamps the first is the one of the document; the others are of the
stamp before them, and mean nothing alone. They stay in the .tsd, which is not
touched. Whether to trust the authority is not looked at.`,
		Example: `  pectoken split contract.pdf.p7m.tsd
  pectoken split --as tst --output-dir filing contract.pdf.p7m.tsd`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			o.file = args[0]
			if err := oneOf(c, "as", o.as, "tsr", "tst"); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.as, "as", "tsr", "write the time stamp as `FORMAT`: tsr or tst")
	o.output.registerFolder(c)
	c.Flags().BoolVar(&o.output.overwrite, "overwrite", false, "replace outputs that exist (never an input)")
	return c
}

func runSplit(ctx context.Context, a *app, o *splitOptions) error {
	in, err := a.openInput(ctx, o.file)
	if err != nil {
		return err
	}
	defer in.close()
	if !isContainer(in) {
		return usageError("pectoken split --help", "splitting %q: it is neither a .tsd nor a .m7m", o.file)
	}
	c, err := readStamped(in, nil)
	if err != nil {
		return fmt.Errorf("splitting %q: %w", o.file, damagedInput(err))
	}
	document, stamp, err := o.outputs(in, c)
	if err != nil {
		return err
	}
	if err := splittable(c); err != nil {
		return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("splitting %q: %w", o.file, err)}
	}
	return a.split(o, in, c, document, stamp)
}

// outputs are the names of the document and of its time stamp, which can be made.
func (o *splitOptions) outputs(in *input, c *timestamp.Container) (document, stamp string, err error) {
	if document, err = contentName(o.file, holdsSignature(in, c)); err != nil {
		return "", "", usageError("pectoken split --help", "splitting %q: %w", o.file, err)
	}
	if o.output.folder != "" {
		document = filepath.Join(o.output.folder, filepath.Base(document))
	}
	stamp = document + "." + o.as
	for _, output := range []string{document, stamp} {
		if err := errors.Join(notInput(output, in.info), outfile.Check(output, o.output.mode())); err != nil {
			return "", "", err
		}
	}
	return document, stamp, nil
}

// holdsSignature says whether the document in a container is a .p7m, by its begin.
func holdsSignature(in *input, c *timestamp.Container) bool {
	if content := c.ContentAt(in.section()); content != nil {
		return cms.Recognize(content)
	}
	begin := &beginning{}
	_, err := timestamp.Read(in.section(), timestamp.ReadOptions{Content: begin})
	return err == nil && cms.Recognize(bytes.NewReader(begin.octets))
}

// beginning keeps the first octets of what is written to it.
type beginning struct{ octets []byte }

// Write implements [io.Writer]; it never fails.
func (b *beginning) Write(p []byte) (int, error) {
	const enough = 64 << 10
	b.octets = append(b.octets, p[:min(len(p), enough-len(b.octets))]...)
	return len(p), nil
}

// splittable says why a container can't be parted.
func splittable(c *timestamp.Container) error {
	if err := intactChain(c); err != nil {
		return fmt.Errorf("the time stamp is not good: %w", err)
	}
	switch {
	case !c.Attached:
		return errors.New("the document is not in it")
	case c.MetaData != nil && c.MetaData.HashProtected:
		return errors.New("the time stamp is over the document and its name together, and means nothing without the .tsd")
	}
	return nil
}

// split writes the stamp first: a document without it looks done.
func (a *app) split(o *splitOptions, in *input, c *timestamp.Container, document, stamp string) error {
	t := c.Evidence[0].Token
	out, err := a.createOutput(stamp, o.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	octets := t.Raw
	if o.as == "tsr" {
		octets = timestamp.EncodeResponse(t)
	}
	if _, err := out.Write(octets); err != nil {
		return err
	}
	if err := a.writeStamped(o.file, in, document, o.output.mode()); err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	if rest := len(c.Evidence) - 1; rest > 0 {
		a.say("note: %d more of the time stamps are of the one before them, and stay in %q", rest, o.file)
	}
	return errors.Join(a.wrote(o.file, document, t), a.wrote(o.file, stamp, t))
}

type joinOptions struct {
	document, stamp string
	as              string
	output          outputFlags
}

func newJoinCmd(a *app, runF func(context.Context, *joinOptions) error) *cobra.Command {
	o := &joinOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *joinOptions) error { return runJoin(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "join FILE STAMP",
		Short: "Put a document and its time stamp (.tsr, .tst) into a .tsd",
		Long: `Join writes a document and its time stamp, a .tsr or .tst, into one .tsd
(name.ext.tsd), or into a .m7m. Nothing is written unless the time stamp is good and
of this document. Whether to trust the authority is not looked at.`,
		Example: `  pectoken join contract.pdf.p7m contract.pdf.p7m.tsr`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(helpHint(c), "two files have to be named, the document and its time stamp, not %d", len(args))
			}
			return emptyName(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.document, o.stamp = args[0], args[1]
			if err := cmp.Or(oneOf(c, "as", o.as, "tsd", "m7m"), o.output.checkBatch(c, args[:1]), a.checkStream(c, o.output.path)); err != nil {
				return err
			}
			if o.stamp == stdio {
				return usageError(helpHint(c), "standard input can be the document, and not the time stamp")
			}
			return runF(c.Context(), o)
		},
	}
	o.output.register(c)
	c.Flags().StringVar(&o.as, "as", "tsd", "write a `FORMAT`: tsd or m7m")
	return c
}

func runJoin(ctx context.Context, a *app, o *joinOptions) error {
	document, err := a.openInput(ctx, o.document)
	if err != nil {
		return err
	}
	defer document.close()
	stamp, err := a.openInput(ctx, o.stamp)
	if err != nil {
		return err
	}
	defer stamp.close()
	output := cmp.Or(o.output.path, o.document+"."+o.as)
	if err := notInput(output, document.info, stamp.info); err != nil {
		return err
	}
	t, _, err := timestamp.ReadToken(stamp.section())
	if err = damagedInput(err); err == nil {
		err = t.Check().Err()
	}
	if err != nil {
		return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("reading %q: %w", o.stamp, err)}
	}
	if o.as == "m7m" && !cms.Recognize(document.section()) {
		return usageError("pectoken join --help", "joining %q: a .m7m is around a .p7m, which this is not", o.document)
	}
	out, err := a.createOutput(output, o.output.mode())
	if err != nil {
		return err
	}
	defer out.Discard()
	as := timestamp.TSD
	if o.as == "m7m" {
		as = timestamp.M7M
	}
	job := &stamping{file: o.document, in: document, as: as}
	if err := job.write(out, t, (&timestampOptions{}).metaData(job)); err != nil {
		return notStamped(o, err)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	return a.wrote(o.document, output, t)
}

func notStamped(o *joinOptions, err error) error {
	if errors.Is(err, timestamp.ErrNotStamped) {
		return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("joining %q and %q: %w", o.document, o.stamp, timestamp.ErrNotStamped)}
	}
	return fmt.Errorf("joining %q and %q: %w", o.document, o.stamp, err)
}
