// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/token"
)

// newSecretFlags say where the new PIN and the PUK come from.
type newSecretFlags struct {
	newPIN secretFlags
	puk    secretFlags
}

type pinChangeOptions struct {
	card cardFlags
	pin  pinFlags
	newSecretFlags

	command *cobra.Command
}

func newPINChangeCmd(a *app, runF func(context.Context, *pinChangeOptions) error) *cobra.Command {
	o := &pinChangeOptions{}
	o.puk.fd = noFD
	if runF == nil {
		runF = func(ctx context.Context, o *pinChangeOptions) error { return runPINChange(ctx, a, o) }
	}
	o.command = &cobra.Command{
		Use:   "change",
		Short: "Change the PIN, using one try of the old one at the most",
		Long: `Change asks for the present PIN, and twice for the new one, and hands both to the
card. A wrong present PIN uses up a try. A new PIN of a length that the card rules
out, or with other characters than digits where the card wants digits, is refused
without asking the card.

A card with two PINs is shown as two tokens: --token says which is meant.`,
		Example: `  pectoken pin change
  pectoken pin change --pin-file old.txt --new-pin-file new.txt`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(o.pin.check(c), o.newPIN.check(c, "new-pin"), o.card.check(c), oneStdin(c, o.pin.secretFlags, o.newPIN)); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(o.command)
	o.pin.register(o.command)
	o.newPIN.register(o.command, "new-pin", "the new PIN")
	return o.command
}

type pinUnblockOptions struct {
	card cardFlags
	pin  pinFlags // only how to ask
	newSecretFlags

	command *cobra.Command
}

func newPINUnblockCmd(a *app, runF func(context.Context, *pinUnblockOptions) error) *cobra.Command {
	o := &pinUnblockOptions{}
	o.pin.fd = noFD
	if runF == nil {
		runF = func(ctx context.Context, o *pinUnblockOptions) error { return runPINUnblock(ctx, a, o) }
	}
	o.command = &cobra.Command{
		Use:   "unblock",
		Short: "Set a new PIN with the PUK, using one try of the PUK at the most",
		Long: `Unblock asks for the PUK, which came with the card, and twice for a new PIN, and sets
it, whether the old one is locked or not. A wrong PUK uses up one of its tries; a card
whose PUK locks is lost, and nothing brings it back.

A card with two PINs is shown as two tokens, each with a PUK of its own: --token says
which is meant.`,
		Example: `  pectoken pin unblock
  pectoken pin unblock --token "MARIO ROSSI (PIN CNS1)"
  pectoken pin unblock --puk-file puk.txt --new-pin-file new.txt`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(o.puk.check(c, "puk"), o.newPIN.check(c, "new-pin"), o.card.check(c), oneStdin(c, o.puk, o.newPIN)); err != nil {
				return err
			}
			return runF(c.Context(), o)
		},
	}
	o.card.register(o.command)
	o.puk.register(o.command, "puk", "the PUK")
	o.newPIN.register(o.command, "new-pin", "the new PIN")
	flags := o.command.Flags()
	flags.BoolVar(&o.pin.lastTry, "last-try", false, "send the PUK also when one more wrong one is the end of the card")
	flags.StringVar(&o.pin.pinentry, "pinentry", "", "ask for the PUK and the PIN with this pinentry `PROGRAM`")
	return o.command
}

// oneStdin refuses to read two secrets from standard input.
func oneStdin(c *cobra.Command, first, second secretFlags) error {
	if first.usesInput() && second.usesInput() {
		return usageError(helpHint(c), "standard input can't be two secrets")
	}
	return nil
}

func runPINChange(ctx context.Context, a *app, o *pinChangeOptions) error {
	ask := a.secrets(o.pin, o.newSecretFlags)
	return a.withOne(ctx, o.card, o.command, func(c *card, t *token.Token) error {
		err := explainCIE(c, t.ChangePIN(ctx, ask, a.loginOptions(c, o.pin)))
		return a.pinSet(c, "changed", err)
	})
}

func runPINUnblock(ctx context.Context, a *app, o *pinUnblockOptions) error {
	ask := a.secrets(o.pin, o.newSecretFlags)
	restore, err := a.allowUnblock()
	if err != nil {
		return err
	}
	defer restore()
	return a.withOne(ctx, o.card, o.command, func(c *card, t *token.Token) error {
		err := t.UnblockPIN(ctx, ask, a.loginOptions(c, o.pin))
		return a.pinSet(c, "unblocked", err)
	})
}

// withOne does something with the one token there is.
func (a *app) withOne(ctx context.Context, f cardFlags, command *cobra.Command, do func(*card, *token.Token) error) error {
	w, err := a.openWallet(ctx, f, nil)
	if err != nil {
		return err
	}
	w.narrow(f)
	c, err := w.only(command)
	if err != nil {
		return err
	}
	t, _, err := w.use(ctx, c)
	if err != nil {
		return err
	}
	return untilInterrupted(ctx, graceLimit, func() error { return do(c, t) })
}

// secrets returns what gets the PIN, the new PIN or the PUK when they are wanted.
func (a *app) secrets(f pinFlags, n newSecretFlags) token.PINPrompt {
	present := a.pinSource(f)
	n.newPIN.closeOnExec()
	n.puk.closeOnExec()
	return func(ctx context.Context, r token.PINRequest) ([]byte, error) {
		var secret []byte
		var err error
		switch {
		case r.Use == token.PINUseNew && n.newPIN.given():
			secret, err = a.readSecret(ctx, n.newPIN)
		case r.Use == token.PINUseNew:
			secret, err = a.askTwice(ctx, f, r)
		case r.Use == token.PINUsePUK && n.puk.given():
			secret, err = a.readSecret(ctx, n.puk)
		case r.Use == token.PINUsePUK:
			secret, err = a.ask(ctx, f, fmt.Sprintf("PUK for %s: ", about(r)))
		default:
			return present(ctx, r)
		}
		return checkedSecret(ctx, r.Use, secret, err)
	}
}

// errDiffer is why a new PIN is not set.
var errDiffer = errors.New("the new PIN was typed in two ways")

// askTwice asks for a new PIN, whose slips would show when it is too late.
func (a *app) askTwice(ctx context.Context, f pinFlags, r token.PINRequest) ([]byte, error) {
	first, err := a.ask(ctx, f, fmt.Sprintf("new PIN for %s: ", about(r)))
	if err != nil {
		return nil, err
	}
	second, err := a.ask(ctx, f, "the new PIN again: ")
	defer clear(second)
	if err == nil && !bytes.Equal(first, second) {
		err = errDiffer
	}
	if err != nil {
		clear(first)
		return nil, err
	}
	return first, nil
}
