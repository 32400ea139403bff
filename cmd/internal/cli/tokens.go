// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type tokensOptions struct {
	card  cardFlags
	watch bool
}

func newTokensCmd(a *app, runF func(context.Context, *tokensOptions) error) *cobra.Command {
	o := &tokensOptions{}
	if runF == nil {
		runF = func(ctx context.Context, o *tokensOptions) error { return runTokens(ctx, a, o) }
	}
	c := &cobra.Command{
		Use:   "tokens",
		Short: "List cards and tokens, and what is on them",
		Long: `Tokens lists the cards and tokens in reach, the state of their PIN, and the
certificates on them. It finds the modules (drivers) by itself, tries each in a
process of its own, and says what is wrong with those that fail. It asks for
no PIN and uses up no try. What two modules show is shown once, with the name of
the other one. A card with two PINs is one card with two tokens.

The certificates are shown as they are: neither who issued them nor whether they
were revoked is checked. A card has no counter of tries that can be read this
way, only the states ok, low (a wrong PIN was given), final (one try left) and
locked. Of a card whose driver doesn't say even that, the wrong PINs that pectoken
itself sent in a row are shown.`,
		Example: `  pectoken tokens
  pectoken tokens --json
  pectoken tokens --watch
  pectoken tokens --module /usr/lib/bit4id/libbit4xpki.so`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.card.check(c); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(c)
	c.Flags().BoolVar(&o.watch, "watch", false, "show the cards that come and go, until interrupted")
	return c
}

func runTokens(ctx context.Context, a *app, o *tokensOptions) error {
	if o.watch {
		return a.watch(ctx, o.card)
	}
	w, err := a.openWallet(ctx, o.card, nil)
	if err != nil {
		return err
	}
	if err := a.sayNotes(w); err != nil {
		return err
	}
	if a.json {
		return a.tokensJSON(w.cards)
	}
	return a.tokensText(w.cards)
}
