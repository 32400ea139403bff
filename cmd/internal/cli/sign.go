// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/token"
)

type signOptions struct {
	files  []string
	card   cardFlags
	pin    pinFlags
	output outputFlags

	cert         string
	allowExpired bool
	skipSigned   bool

	format, hash  string
	detached, pss bool
	location      string
	level         levelFlags

	pdf        pdfFlags
	options    sign.Options // what the flags say of it
	amend      amendFlags
	attributes attributeFlags
}

func newSignCmd(a *app, runF func(context.Context, *signOptions) error) *cobra.Command {
	o := &signOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *signOptions) error {
			if o.pdf.preview != "" {
				return runPreview(ctx, a, o)
			}
			return runSign(ctx, a, o)
		}
	}
	c := &cobra.Command{
		Use:   "sign FILE...",
		Short: "Sign documents with the key on a card",
		Long:  signText,
		Example: `  pectoken sign contract.pdf
  pectoken sign --output-dir signed *.pdf notes.txt
  pectoken sign --detached --cert DS0 drawing.dwg
  pectoken sign --pin-file pin.txt --json invoice.xml
  pectoken sign --level lta --tsa https://tsa.example.it contract.pdf
  pectoken sign --visible last:bottom-right --picture seal.svg --text 'Firmato da {name}' --preview stamp.png contract.pdf`,
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
	o.register(c)
	return c
}

const signText = `Sign puts a signature into a PDF (name-signed.pdf, PAdES) and every other file
into an envelope (name.ext.p7m, CAdES); with --detached the signature stands
alone (name.ext.p7s).

A signature of --level b is worth as much as its certificate, for a few years. With t
a time stamp proves when it was made, lt adds the proof that no certificate was
revoked, lta a time stamp over all of that, which pectoken extend renews. Authorities
are named as with pectoken timestamp, and a stamp costs money. What can't be reached is
an error, and nothing is written; with --best-effort it is a warning (levelNotReached
with --json). With --trust a stamp by an authority that does not lead there is one as
well (authorityNotTrusted).

A batch asks for one stamp at a time until the first is there, and for none any more
after a failure before that, or by which a stamp may have been used up.

The certificate is the one on the card that is made for signing documents. If
several fit they are listed, and --token and --cert choose. A PIN is asked once
for all files, and never tried twice.

A signature in a PDF is not seen unless --visible says where. It shows name, date,
reason and place, or what --text, --picture and --qr say, in the letters of --font;
--preview draws it beforehand and signs nothing. An encrypted PDF stays encrypted.

A .p7m that is there gets one more signature with --add (in parallel to those in
it) or --counter N (over its signature number N); what was in it stays as it is. With
--level t the new signature gets a time stamp; pectoken extend raises the whole file.

Below level lt it is not checked whether the certificate was revoked, and never what
the documents say or show. The time in a signature is that of this computer's clock,
proven by nobody but a time stamp.

A file of - is standard input; its result goes to standard output, unless
--output says otherwise. Files exist under their final name only when they are
complete.`

func (o *signOptions) register(c *cobra.Command) {
	o.card.register(c)
	o.pin.register(c)
	o.output.register(c)
	flags := c.Flags()
	o.output.registerFolder(c)
	flags.StringVar(&o.cert, "cert", "", "sign with the certificate of this `ID|LABEL|FINGERPRINT`")
	flags.BoolVar(&o.allowExpired, "allow-expired-certificate", false, "sign even though the certificate has expired")
	flags.BoolVar(&o.skipSigned, "skip-signed", false, "leave out the files whose result is there: the same document, signed with the same certificate")
	flags.StringVar(&o.format, "format", "auto", "signature `FORMAT`: auto, pades (PDF only) or cades")
	flags.BoolVar(&o.detached, "detached", false, "write the signature alone, without the document (CAdES)")
	flags.StringVar(&o.hash, "hash", "sha256", "sign with `DIGEST`: sha256, sha384 or sha512")
	flags.BoolVar(&o.pss, "pss", false, "use RSASSA-PSS in place of PKCS #1 v1.5 (RSA keys)")
	flags.StringVar(&o.location, "location", "", "give `TEXT` as the place of signing")
	o.pdf.register(c)
	o.amend.register(c)
	o.attributes.register(c)
	o.level.register(c, "b", "b", "t", "lt", "lta")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"auto", "pades", "cades"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("hash", cobra.FixedCompletions([]string{"sha256", "sha384", "sha512"}, cobra.ShellCompDirectiveNoFileComp))
}

// check finds the mistakes that show in the command line alone.
func (o *signOptions) check(a *app, c *cobra.Command) error {
	return cmp.Or(
		o.pin.check(c),
		o.card.check(c, o.cert),
		oneOf(c, "format", o.format, "auto", "pades", "cades"),
		oneOf(c, "hash", o.hash, "sha256", "sha384", "sha512"),
		o.level.check(c, "b", "t", "lt", "lta"),
		o.amend.check(c, o),
		o.attributes.check(c),
		o.pdf.options(c, &o.options),
		o.checkOutput(a, c),
	)
}

func (o *signOptions) checkOutput(a *app, c *cobra.Command) error {
	if o.pdf.preview != "" {
		return o.checkPreview(a, c)
	}
	if o.detached && o.format == "pades" {
		return usageError(helpHint(c), "%w", sign.ErrDetachedPDF)
	}
	if err := o.output.checkBatch(c, o.files); err != nil {
		return err
	}
	if slices.Contains(o.files, stdio) && o.pin.usesInput() {
		return usageError(helpHint(c), "standard input can't be both the document and the PIN")
	}
	return a.checkStream(c, o.output.path)
}

// runSign does everything that can fail without the card first, and everything
// that can fail without the PIN second.
func runSign(ctx context.Context, a *app, o *signOptions) error {
	ask := a.pinSource(o.pin)
	batch := a.planBatch(ctx, o)
	defer batch.close()
	if !batch.mayStart() {
		return batch.end()
	}
	w, err := a.openWallet(ctx, o.card, o.suits(a))
	if err != nil {
		return batch.fail(err)
	}
	chosen, err := o.choose(a, w)
	if err != nil {
		return batch.fail(err)
	}
	batch.view.signer = chosen
	batch.skipSigned(ctx, chosen.X509)
	if !batch.mayStart() || !batch.pending() {
		return batch.end()
	}
	onCard, module, err := w.use(ctx, chosen.card)
	if err != nil {
		return batch.fail(err)
	}
	batch.module = module
	var key *token.Signer
	err = untilInterrupted(ctx, graceLimit, func() (err error) {
		key, err = onCard.Signer(ctx, chosen.Certificate, a.tellCIE(chosen.card, o.pin, ask), a.loginOptions(chosen.card, o.pin))
		return err
	})
	if err != nil {
		return batch.fail(explainCIE(chosen.card, noKeyProblem(err)))
	}
	batch.with(chosen, key)
	batch.run(ctx, o.atATime(key))
	closeAll([]*token.Signer{key})
	return batch.end()
}

func (o *signOptions) choice(a *app) choice {
	return choice{command: "pectoken sign %s FILE", wanted: o.cert, uri: o.card.uri, now: a.now(), allowExpired: o.allowExpired}
}

// suits says whether a wallet holds the one certificate to sign with.
func (o *signOptions) suits(a *app) func(*wallet) bool {
	return func(w *wallet) bool {
		_, err := o.choice(a).signer(w.candidates())
		return err == nil
	}
}

// choose finds the certificate and checks that it can do what was asked.
func (o *signOptions) choose(a *app, w *wallet) (candidate, error) {
	chosen, err := o.choice(a).signer(w.candidates())
	if err != nil {
		return candidate{}, errors.Join(err, a.sayNotes(w))
	}
	if _, isRSA := chosen.X509.PublicKey.(*rsa.PublicKey); o.pss && !isRSA {
		return candidate{}, usageError("pectoken sign --help", "--pss needs an RSA key, and that of %s is another", nameOf(chosen.X509))
	}
	if authenticates(chosen.kind) {
		a.say("warning: this %s certificate is for logging in; what it signs is not a qualified signature", kindText(chosen.kind))
	}
	return chosen, nil
}

// noKeyProblem explains a certificate without its key.
func noKeyProblem(err error) error {
	if !errors.Is(err, token.ErrNoKey) {
		return err
	}
	return &problem{exit: exitNoToken, code: "noKey", err: err,
		hint: []string{"another driver may show it: pectoken tokens lists what each one sees"}}
}

// signing is what package sign needs to know, but for the key.
func (o *signOptions) signing(a *app) sign.Options {
	s := o.options
	s.Signer = cms.Signer{Hash: hashes[o.hash], PSS: o.pss, Rand: rand.Reader}
	s.Time = a.now()
	s.Format = formats[o.format]
	s.Detached = o.detached
	s.Location = o.location
	return s
}

var formats = map[string]sign.Format{"auto": sign.Auto, "pades": sign.PAdES, "cades": sign.CAdES}

var hashes = map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}

// formatWord is a format's word in --json.
func formatWord(f sign.Format) string {
	for word, format := range formats {
		if format == f {
			return word
		}
	}
	return fmt.Sprint(int(f))
}
