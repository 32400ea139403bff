// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/token"
)

func newPINCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "pin",
		Short: "Check, change or unblock the PIN of a card; where a PIN can come from",
		Long: `The PIN is asked on the terminal, where it is not shown. For scripts it comes from

  --pin-file FILE   the first line of a file; - is standard input
  --pin-fd N        the first line of an open file descriptor
  PECTOKEN_PIN      an environment variable, which other programs of the same
                    user may read
  --pinentry PROG   a pinentry program, also by the configuration file

in this order. There is no flag for the PIN itself, because the arguments of a
program can be seen by every other.

A card counts wrong PINs and locks after a few, so a PIN is sent once and never
again by itself. A card with one try left is sent a PIN only with --last-try; where the
driver doesn't say how many are left, that is after two wrong ones from this program,
which knows of no others. A PIN of a length that the card rules out is refused without
asking the card, and so is one for an Italian card with anything but digits in it, were
it a space.

An electronic identity card (CIE) that was paired with this computer wants only the
last four of the eight digits of its PIN.`,
		Args: cobra.ArbitraryArgs,
		RunE: runGroup,
	}
	c.AddCommand(newPINVerifyCmd(a, nil), newPINChangeCmd(a, nil), newPINUnblockCmd(a, nil))
	return c
}

type pinVerifyOptions struct {
	card cardFlags
	pin  pinFlags

	command *cobra.Command
}

func newPINVerifyCmd(a *app, runF func(context.Context, *pinVerifyOptions) error) *cobra.Command {
	o := &pinVerifyOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *pinVerifyOptions) error { return runPINVerify(ctx, a, o) }
	}
	o.command = &cobra.Command{
		Use:   "verify",
		Short: "Say whether a PIN is correct, using one try at the most",
		Long: `Verify sends the PIN to the card once and says whether it was correct. A wrong
one uses up a try.

Some cards have a second PIN for the signature key: that one is not checked.`,
		Example: `  pectoken pin verify
  pectoken pin verify --token 6090000000000001 --pin-file pin.txt --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(o.pin.check(c), o.card.check(c)); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(o.command)
	o.pin.register(o.command)
	return o.command
}

func runPINVerify(ctx context.Context, a *app, o *pinVerifyOptions) error {
	ask := a.pinSource(o.pin)
	return a.withOne(ctx, o.card, o.command, func(c *card, t *token.Token) error {
		err := explainCIE(c, t.VerifyPIN(ctx, a.tellCIE(c, o.pin, ask), a.loginOptions(c, o.pin)))
		var refused *token.PINError
		if err != nil && (!errors.As(err, &refused) || !refused.Sent) {
			return err
		}
		return a.pinResult(c, refused, err)
	})
}
