// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

type timestampOptions struct {
	files       []string
	as          string
	protect     bool
	output      outputFlags
	authorities authorityFlags
}

func newTimestampCmd(a *app, runF func(context.Context, *timestampOptions) error) *cobra.Command {
	o := &timestampOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *timestampOptions) error { return runTimestamp(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "timestamp FILE...",
		Short: "Put time stamps (marche temporali) to files",
		Long: `Timestamp asks an authority to state that a file exists now, and writes file and
time stamp together (name.ext.tsd). With --as tsr or tst the stamp stands alone
beside the file, with --as m7m a .p7m is put into a MIME message with it. A .tsd
that is there gets one more stamp, over the ones in it, and keeps all its octets.

An authority is named by --tsa, the variable PECTOKEN_TSA or the configuration file
(pectoken help config), which is also where its password comes from; there is no
flag for that. Only the digest of the file is sent.

A stamp costs money: none is asked for before the output can be written, and a
request that may have been served is never repeated. When an authority can't be
reached or refuses, the next one is asked; when it fails in another way, nothing
more is, and the error says that a stamp may have been used up.

The stamp was checked when it is written: it is of this file, its signature is good,
and its time is that of the clock here, give or take five minutes. Whether to trust
the authority is not looked at.`,
		Example: `  pectoken timestamp --tsa https://tsa.example.it contract.pdf.p7m
  pectoken timestamp --as tsr *.pdf
  pectoken timestamp contract.pdf.p7m.tsd`,
		Args: files,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			if err := o.check(a, c); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.output.register(c)
	o.authorities.register(c)
	o.output.registerFolder(c)
	c.Flags().StringVar(&o.as, "as", "tsd", "write a `FORMAT`: tsd, tsr, tst or m7m")
	c.Flags().BoolVar(&o.protect, "protect-name", false, "have the stamp of a .tsd be over the file's name too; it can't be split then")
	_ = c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"tsd", "tsr", "tst", "m7m"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *timestampOptions) check(a *app, c *cobra.Command) error {
	if o.protect && o.as != "tsd" {
		return usageError(helpHint(c), "--protect-name is for --as tsd: a stamp that stands alone knows no name")
	}
	return cmp.Or(
		oneOf(c, "as", o.as, "tsd", "tsr", "tst", "m7m"),
		o.authorities.check(c),
		o.output.checkBatch(c, o.files),
		a.checkStream(c, o.output.path),
	)
}

// stamping is one file to stamp.
type stamping struct {
	file   string
	in     *input // open while it is looked at, and standard input always
	info   os.FileInfo
	as     timestamp.Format
	chain  *timestamp.Container // a .tsd that gets one more; else nil
	output string
}

// open opens the file, if it isn't.
func (j *stamping) open(ctx context.Context, a *app) (err error) {
	if j.in == nil {
		j.in, err = a.openInput(ctx, j.file)
	}
	return err
}

// rest closes the file until it is needed again: a batch may have more than can be
// open. Standard input can't be opened again.
func (j *stamping) rest() {
	if j.in != nil && j.file != stdio {
		j.in.close()
		j.in = nil
	}
}

func (j *stamping) close() {
	if j.in != nil {
		j.in.close()
	}
}

// runTimestamp finds everything that would be refused before it asks for the first
// stamp.
func runTimestamp(ctx context.Context, a *app, o *timestampOptions) error {
	client, err := a.stamper(o.authorities)
	if err != nil {
		return err
	}
	jobs := make([]*stamping, len(o.files))
	for i, name := range o.files {
		jobs[i] = &stamping{file: name}
		defer jobs[i].close()
	}
	if err := a.planStamps(ctx, o, jobs); err != nil {
		return a.notStamped(jobs, err)
	}
	progress := a.newProgress(len(jobs))
	for i, j := range jobs {
		progress.show(i+1, j.file)
		t, err := a.stamp(ctx, o, client, j)
		progress.clear()
		if err == nil {
			err = a.wrote(j.file, j.output, t)
		}
		if err != nil {
			return a.notStamped(jobs[i:], stampProblem(err))
		}
	}
	return nil
}

// planStamps looks at every file and every output.
func (a *app) planStamps(ctx context.Context, o *timestampOptions, jobs []*stamping) error {
	for _, j := range jobs {
		if err := j.open(ctx, a); err != nil {
			return err
		}
		j.info = j.in.info
		err := o.plan(j)
		j.rest()
		if err != nil {
			return err
		}
	}
	return o.checkOutputs(jobs)
}

// notStamped ends the command: what met the first of the files would meet the others,
// or isn't known to be safe for them.
func (a *app) notStamped(left []*stamping, err error) error {
	p := problemOf(err)
	a.complain(p)
	if len(left) > 1 {
		var names []string
		for _, j := range left {
			names = append(names, j.file)
		}
		a.say("not stamped: %s", listed(names))
	}
	for _, j := range left {
		if a.json {
			_ = a.printJSON(fileError{File: j.file, Error: p.json()})
		}
	}
	return ending(p.exit)
}

// plan decides what becomes of a file.
func (o *timestampOptions) plan(j *stamping) error {
	j.as = map[string]timestamp.Format{"tsd": timestamp.TSD, "tsr": timestamp.TSR, "tst": timestamp.TST, "m7m": timestamp.M7M}[o.as]
	name := j.file + "." + o.as
	switch {
	case j.as == timestamp.M7M && !cms.Recognize(j.in.section()):
		return usageError("pectoken timestamp "+shellWord(j.file), "stamping %q: a .m7m is around a .p7m, which this is not", j.file)
	case j.as == timestamp.TSD && timestamp.Recognize(j.in.section()) == timestamp.TSD:
		chain, err := readStamped(j.in, nil)
		if err != nil {
			return fmt.Errorf("stamping %q: %w", j.file, damagedInput(err))
		}
		if err := intactChain(chain); err != nil {
			return &problem{exit: exitFailed, code: "broken", err: fmt.Errorf("stamping %q: its time stamps are not good, and nobody should put one more: %w", j.file, err)}
		}
		j.chain, name = chain, renamed(j.file, "-stamped")
	}
	switch {
	case o.output.path != "":
		name = o.output.path
	case o.output.folder != "":
		name = filepath.Join(o.output.folder, filepath.Base(name))
	}
	j.output = name
	return nil
}

// checkOutputs makes sure that every output can be made, and that none takes the
// place of an input or of another output.
func (o *timestampOptions) checkOutputs(jobs []*stamping) error {
	var inputs []os.FileInfo
	for _, j := range jobs {
		inputs = append(inputs, j.info)
	}
	taken := map[string]string{}
	for _, j := range jobs {
		if j.output == stdio {
			continue
		}
		where := filepath.Clean(j.output)
		if other, twice := taken[where]; twice {
			return usageError("pectoken timestamp --help", "%q and %q would both become %q", other, j.file, j.output)
		}
		taken[where] = j.file
		if err := errors.Join(notInput(j.output, inputs...), outfile.Check(j.output, o.output.mode())); err != nil {
			return err
		}
	}
	return nil
}

// metaData says what a document is, for a .tsd.
func (o *timestampOptions) metaData(j *stamping) *timestamp.MetaData {
	m := &timestamp.MetaData{HashProtected: o.protect}
	if j.file != stdio {
		m.FileName = strings.ToValidUTF8(filepath.Base(j.file), "_")
		m.MediaType = mediaTypeOf(j.file)
	}
	return m
}

// mediaTypeOf knows the names that signing gives; the tables of the system differ.
func mediaTypeOf(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".pdf":
		return "application/pdf"
	case ".p7m":
		return "application/pkcs7-mime"
	}
	return ""
}

// stamp asks for the time stamp of a file and writes it. The output is begun first.
func (a *app) stamp(ctx context.Context, o *timestampOptions, client *timestamp.Client, j *stamping) (*timestamp.Token, error) {
	if err := j.open(ctx, a); err != nil {
		return nil, err
	}
	defer j.rest()
	if err := o.plan(j); err != nil { // it may be another file by now
		return nil, err
	}
	out, err := a.createOutput(j.output, o.output.mode())
	if err != nil {
		return nil, err
	}
	defer out.Discard()
	m := o.metaData(j)
	digests, err := o.digests(client, j, m)
	if err != nil {
		return nil, fmt.Errorf("stamping %q: %w", j.file, err)
	}
	t, err := client.Stamp(ctx, digests)
	if err != nil {
		return nil, fmt.Errorf("stamping %q: %w", j.file, err)
	}
	err = j.write(out, t, m)
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return nil, fmt.Errorf("stamping %q: %w", j.file, &sign.LostStampsError{Tokens: []*timestamp.Token{t}, Err: err})
	}
	return t, nil
}

// digests are what is sent to the authority.
func (o *timestampOptions) digests(client *timestamp.Client, j *stamping, m *timestamp.MetaData) (timestamp.Digests, error) {
	switch {
	case j.chain != nil:
		return j.chain.ChainDigests(client.Hashes())
	case j.as == timestamp.TSD:
		return timestamp.StampingDigests(client.Hashes(), j.in.section(), m)
	}
	return client.Digest(j.in.section())
}

func (j *stamping) write(out io.Writer, t *timestamp.Token, m *timestamp.MetaData) error {
	document := j.in.section()
	if j.chain != nil {
		return timestamp.AppendTSD(out, document, document.Size(), j.chain, timestamp.Evidence{Token: t})
	}
	switch j.as {
	case timestamp.TSD:
		return timestamp.WriteTSD(out, document, document.Size(), m, timestamp.Evidence{Token: t})
	case timestamp.M7M:
		return timestamp.WriteM7M(out, document, cmp.Or(m.FileName, "document.p7m"), t)
	case timestamp.TSR:
		_, err := out.Write(timestamp.EncodeResponse(t))
		return err
	}
	_, err := out.Write(t.Raw)
	return err
}

// stampProblem says what an authority's failure means to the user.
func stampProblem(err error) error {
	var failed *timestamp.StampError
	switch {
	case !errors.As(err, &failed):
		return err
	case failed.MayBeSpent():
		return &problem{
			exit: exitFailed, code: "timestampSpent", err: err,
			hint: []string{"look at your account with the authority before asking again"},
		}
	case errors.Is(err, context.Canceled):
		return err
	}
	p := &problem{exit: exitFailed, code: "noTimestamp", err: err}
	if unauthorized(failed) {
		p.hint = []string{"pectoken help config says where user and password are looked for"}
	}
	return p
}

// unauthorized says whether one of the authorities wants another user or password.
func unauthorized(e *timestamp.StampError) bool {
	return slices.ContainsFunc(e.Attempts, func(a *timestamp.AuthorityError) bool {
		var answer *timestamp.HTTPError
		return errors.As(a.Err, &answer) && answer.Status == http.StatusUnauthorized
	})
}
