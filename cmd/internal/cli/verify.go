// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// judgeFlags say whom to trust and when. The zero value trusts nobody, now.
type judgeFlags struct {
	trust      []string
	at         string
	password   string
	revocation revocationFlags
}

func (f *judgeFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.trust, "trust", nil, "rely on the certificates in `FILE|FOLDER` (PEM or DER); may be repeated")
	c.Flags().StringVar(&f.password, "password", "", "open an encrypted PDF with this `PASSWORD`")
	c.Flags().StringVar(&f.at, "at", "", "judge as of `TIME`: 2026-01-31, which begins in UTC, or 2026-01-31T10:00:00+01:00")
	f.revocation.register(c)
}

// options are the beginning of [verify.Options].
func (f *judgeFlags) options(a *app, c *cobra.Command) (verify.Options, error) {
	o := verify.Options{Now: a.now(), Password: f.password, NetworkTime: allPlaces * f.revocation.timeout}
	var err error
	if f.at != "" {
		if o.Time, err = moment(f.at); err != nil {
			return o, usageError(helpHint(c), "--at: %w", err)
		}
	}
	if len(f.trust) > 0 {
		if o.Trust, err = trust.Load(f.trust...); err != nil {
			return o, usageError(helpHint(c), "%w", err)
		}
	}
	o.Revocation, err = f.revocation.checker(a, c)
	return o, err
}

func moment(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: it can be 2026-01-31 or 2026-01-31T10:00:00+01:00", text)
}

type verifyOptions struct {
	files   []string
	content string
	judge   verify.Options
}

func newVerifyCmd(a *app, runF func(context.Context, *verifyOptions) error) *cobra.Command {
	o := &verifyOptions{}
	var flags judgeFlags
	if runF == nil {
		runF = func(ctx context.Context, o *verifyOptions) error { return runVerify(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Verify the signatures and time stamps in PDF, .p7m, .p7s, .tsd, .m7m and .tsr files",
		Long:  verifyText,
		Example: `  pectoken verify --trust root.pem contract-signed.pdf
  pectoken verify --trust roots/ --json *.p7m
  pectoken verify --content drawing.dwg drawing.dwg.p7s
  pectoken verify --trust roots/ --offline --crl issuer.crl contract.pdf.p7m`,
		Args: files,
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.files = args
			if err := o.check(c); err != nil {
				return err
			}
			if o.judge, err = flags.options(a, c); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	flags.register(c)
	c.Flags().StringVar(&o.content, "content", "", "the document of a detached signature is `FILE`")
	return c
}

const verifyText = `Verify checks every signature in a file: that the bytes are those that were
signed, that the certificate belongs to the signature, that it chains to a
certificate given with --trust, and that it was not revoked. What a file is, is told
by its content.

Without --trust nobody is trusted, and an intact signature is indeterminate. Not
checked yet: whether a certificate is a qualified one. What was done to a PDF after a
signature is listed; only what the signature permits, such as filling in a form or
signing as well, leaves it valid.

A signature is judged as of now, or of --at, or of an earlier time when a time stamp
by an authority that is trusted as well proves that it was there: a certificate that
expired or was revoked after that does no harm. The time that the signer claims proves
nothing.

Whether certificates were revoked is asked where they say (OCSP, CRL), unless the file
or --ocsp and --crl tell it; --offline asks nobody. What can't be found out is
indeterminate (TRY_LATER). Answers are kept in the user's cache folder for as long as
they are good, unless --no-cache is given.

The document of a detached signature (.p7s) or of a time stamp (.tsr, .tst) is named
with --content; else it is looked for beside it, under the same name without that ending.
A file that carries its document is invalid when --content names a different one.

The exit code is 0 if every signature is valid, 1 if one is invalid or a file
holds none or can't be read, 3 if one is indeterminate.`

func (o *verifyOptions) check(c *cobra.Command) error {
	stdin := 0
	for _, name := range append(slices.Clone(o.files), o.content) {
		if name == stdio {
			stdin++
		}
	}
	switch {
	case o.content != "" && len(o.files) > 1:
		return usageError(helpHint(c), "--content belongs to one signature: name one file, not %d", len(o.files))
	case stdin > 1:
		return usageError(helpHint(c), "standard input (-) can be one file only")
	}
	return nil
}

func runVerify(ctx context.Context, a *app, o *verifyOptions) error {
	content, err := a.openContent(ctx, o.content)
	if err != nil {
		return err
	}
	if content != nil {
		defer content.close()
	}
	view := a.newReportView(o.judge)
	progress := a.newProgress(len(o.files))
	exit := exitOK
	for i, name := range o.files {
		progress.show(i+1, name)
		r, err := a.verifyFile(ctx, name, content, o.judge)
		progress.clear()
		if err != nil {
			return err
		}
		if err := view.show(r); err != nil {
			return err
		}
		exit = worst(exit, verdictCode(r))
	}
	view.end()
	return ending(exit)
}

// openContent opens the document of a detached signature, if one was named.
func (a *app) openContent(ctx context.Context, name string) (*input, error) {
	if name == "" {
		return nil, nil
	}
	return a.openInput(ctx, name)
}

// verifyFile verifies one file. Whatever is wrong with it is in the report; the
// error is for what ends the command.
func (a *app) verifyFile(ctx context.Context, name string, content *input, o verify.Options) (*report.Report, error) {
	in, err := a.openInput(ctx, name)
	if err != nil {
		return unreadable(ctx, name, err)
	}
	defer in.close()
	o.Name = name
	if content != nil {
		o.Content = content.section()
	}
	r, err := verify.File(ctx, in.section(), o)
	if err != nil {
		return unreadable(ctx, name, err)
	}
	if content == nil && lacksContent(r) {
		return a.withContentBeside(ctx, in, r, o)
	}
	return r, nil
}

// unreadable is the report on a file that can't be read, unless the user ended
// the program.
func unreadable(ctx context.Context, name string, err error) (*report.Report, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &report.Report{File: name, Error: &report.Error{Code: report.Unreadable, Message: err.Error()}}, nil
}

// lacksContent says whether a signature or time stamp can't be judged for want of its
// document.
func lacksContent(r *report.Report) bool {
	return slices.ContainsFunc(r.Signatures, func(s *report.Signature) bool {
		return s.SubIndication == report.SignedDataNotFound
	}) || slices.ContainsFunc(r.Timestamps, func(t *report.Timestamp) bool {
		return t.SubIndication == report.SignedDataNotFound
	})
}

// withContentBeside verifies a detached signature or a time stamp with the document that stands
// beside it, under the same name without .p7s or .tsr. Without one the first report
// stands.
func (a *app) withContentBeside(ctx context.Context, signature *input, first *report.Report, o verify.Options) (*report.Report, error) {
	name, err := withoutEnvelope(signature.name)
	if err != nil {
		return first, nil
	}
	content, err := a.openInput(ctx, name)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			a.say("note: %v", err)
		}
		return first, nil
	}
	defer content.close()
	a.say("note: taking %q for the document of %q", name, signature.name)
	o.Content = content.section()
	r, err := verify.File(ctx, signature.section(), o)
	if err != nil {
		return unreadable(ctx, signature.name, err)
	}
	return r, nil
}

// verdictCode is the exit code for one file.
func verdictCode(r *report.Report) exitCode {
	switch {
	case r.Error != nil || r.Verdict == report.Invalid:
		return exitFailed
	case r.Verdict == report.Valid && len(r.Signatures)+len(r.Timestamps) > 0:
		return exitOK
	}
	return exitIndeterminate
}
