// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// amendFlags ask for one more signature in a .p7m that is there.
type amendFlags struct {
	add     bool
	counter int // number of the signature to counter-sign, from 1; zero: none
	content string
}

func (f *amendFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.add, "add", false, "add a parallel signature to a .p7m or .p7s that is signed already")
	c.Flags().IntVar(&f.counter, "counter", 0, "counter-sign signature number `N` of a .p7m or .p7s (verify numbers them S1, S2, …)")
	c.Flags().StringVar(&f.content, "content", "", "with --add: the `FILE` that a detached signature is about")
}

func (f *amendFlags) asked() bool { return f.add || f.counter != 0 }

func (f *amendFlags) check(c *cobra.Command, o *signOptions) error {
	switch {
	case f.content != "" && (!f.add || len(o.files) > 1):
		return usageError(helpHint(c), "--content goes with --add and one file")
	case !f.asked() && !c.Flags().Changed("counter"):
		return nil
	case f.add && f.counter != 0:
		return usageError(helpHint(c), "--add and --counter exclude each other")
	case f.counter < 0 || c.Flags().Changed("counter") && f.counter == 0:
		return usageError(helpHint(c), "--counter: signatures are numbered from 1")
	case o.detached, o.format == "pades", o.skipSigned:
		return usageError(helpHint(c), "--add and --counter don't go with --detached, --format pades or --skip-signed")
	case o.level.level != "b" && o.level.level != "t":
		return usageError("sign with --level t, and then type: pectoken extend --level "+o.level.level+" FILE",
			"--add and --counter make signatures of level b or t: pectoken extend raises the whole file afterwards")
	}
	return nil
}

// amendedName is the default name of a .p7m with one more signature:
// contract-signed.pdf.p7m for contract.pdf.p7m.
func amendedName(input string) string { return renamed(input, "-signed") }

// renamed puts a word after the name of a file, before its extensions.
func renamed(input, word string) string {
	folder, base := filepath.Split(input)
	name, extensions, _ := strings.Cut(base, ".")
	if name == "" || extensions == "" {
		return input + word
	}
	return folder + name + word + "." + extensions
}

// preflightAmend refuses what can't get one more signature, and a signature
// that is broken: nobody should put theirs beside it.
func (b *batch) preflightAmend(ctx context.Context, j *job, in *input) error {
	j.format, j.output = sign.CAdES, b.outputOf(j)
	if !cms.Recognize(in.section()) {
		return usageError("pectoken sign --help", "adding to %q: it is no .p7m or .p7s", j.file)
	}
	o := verify.Options{Now: b.app.now(), Name: j.file}
	content, err := b.detachedContent(ctx, j, in)
	if err != nil {
		return err
	}
	if content != nil {
		defer content.close()
		o.Content = content.section()
		if b.options.amend.content == "" {
			j.note("note: taking %q for the document of %q", content.name, j.file)
		}
	}
	r, err := verify.File(ctx, in.section(), o)
	switch {
	case err != nil:
		return fmt.Errorf("adding to %q: %w", j.file, err)
	case r.Error != nil:
		return fmt.Errorf("adding to %q: %s", j.file, r.Error.Message)
	case b.options.amend.counter > len(r.Signatures):
		return usageError("pectoken verify "+shellWord(j.file), "adding to %q: there is no signature %d, it has %d", j.file, b.options.amend.counter, len(r.Signatures))
	}
	return sound(j.file, r, b.options.amend.add)
}

// sound refuses signatures that are not intact; with a content missing that
// can only be told of a counter-signature's.
func sound(file string, r *report.Report, needsContent bool) error {
	for _, s := range r.Signatures {
		switch {
		case s.Verdict == report.Invalid:
			return fmt.Errorf("adding to %q: signature %s is broken: %s", file, s.ID, s.Reason)
		case needsContent && s.SubIndication == report.SignedDataNotFound:
			return usageError("pectoken sign --add --content FILE "+shellWord(file), "adding to %q: the document that it is about is needed", file)
		}
	}
	return nil
}

// detachedContent opens what a detached signature is about: the file that was
// named, or the one beside it. Nil when there is neither.
func (b *batch) detachedContent(ctx context.Context, j *job, in *input) (*input, error) {
	if name := b.options.amend.content; name != "" {
		return b.app.openInput(ctx, name)
	}
	sd, err := cms.Read(in.section(), cms.ReadOptions{})
	if err != nil || sd.Attached {
		return nil, nil // what is wrong with it verify says better
	}
	name, err := withoutEnvelope(j.file)
	if err != nil {
		return nil, nil
	}
	content, _ := b.app.openInput(ctx, name) // without it, verify says that it is missing
	return content, nil
}

// amend writes the file with one more signature.
func (b *batch) amend(ctx context.Context, out io.Writer, j *job, in *input, o sign.Options) error {
	existing := sign.Existing{File: in.section()}
	if n := b.options.amend.counter; n > 0 {
		return sign.CounterSign(ctx, out, existing, n-1, o)
	}
	content, err := b.detachedContent(ctx, j, in)
	if err != nil {
		return err
	}
	if content != nil {
		defer content.close()
		existing.Content = content.section()
	}
	return sign.AddSigner(ctx, out, existing, o)
}

// attributeFlags say more about a signature, in attributes that it covers.
type attributeFlags struct {
	commitment, role, mimeType, description string
}

var commitments = map[string]cms.Commitment{
	"origin": cms.ProofOfOrigin, "receipt": cms.ProofOfReceipt, "delivery": cms.ProofOfDelivery,
	"sender": cms.ProofOfSender, "approval": cms.ProofOfApproval, "creation": cms.ProofOfCreation,
}

func (f *attributeFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.commitment, "commitment", "", "commit to `WHAT`: origin, receipt, delivery, sender, approval or creation")
	c.Flags().StringVar(&f.role, "role", "", "claim to sign in this `ROLE`, such as \"legale rappresentante\"; nobody proves it")
	c.Flags().StringVar(&f.mimeType, "mime-type", "", "say that the document is of this media `TYPE` (CAdES)")
	c.Flags().StringVar(&f.description, "description", "", "describe the document in a `TEXT` (CAdES)")
}

func (f *attributeFlags) check(c *cobra.Command) error {
	if f.commitment != "" {
		if err := oneOf(c, "commitment", f.commitment, "origin", "receipt", "delivery", "sender", "approval", "creation"); err != nil {
			return err
		}
	}
	if _, err := f.build(sign.CAdES, ""); err != nil {
		return usageError(helpHint(c), "%w", err)
	}
	return nil
}

// build makes the attributes for a signature of a format. A PDF has a place of
// its own for the location, and is of no other media type.
func (f *attributeFlags) build(format sign.Format, location string) ([]cms.Attribute, error) {
	var list []cms.Attribute
	var failed error
	add := func(wanted bool, build func() (cms.Attribute, error)) {
		if !wanted {
			return
		}
		attribute, err := build()
		failed = errors.Join(failed, err)
		list = append(list, attribute)
	}
	cades := format == sign.CAdES
	add(f.commitment != "", func() (cms.Attribute, error) { return cms.CommitmentType(commitments[f.commitment]) })
	add(f.role != "", func() (cms.Attribute, error) { return cms.ClaimedRole(f.role) })
	add(cades && location != "", func() (cms.Attribute, error) { return cms.SignerLocation("", location) })
	add(cades && f.mimeType != "", func() (cms.Attribute, error) { return cms.MimeType(f.mimeType) })
	add(cades && f.description != "", func() (cms.Attribute, error) { return cms.ContentHints(f.description) })
	return list, failed
}
