// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// cardOptions are the flags of card.
type cardOptions struct {
	dir      string
	kind     string
	delay    time.Duration
	keyDelay time.Duration
	empty    bool
}

// cardKinds are the cards to choose from. It is never written to.
var cardKinds = map[string]virtualcard.ATR{
	"cns11": virtualcard.CNS11, "cns10": virtualcard.CNS10, "sticard": virtualcard.STIncard,
}

func newCard() *cobra.Command {
	var o cardOptions
	cmd := &cobra.Command{
		Use:   "card --dir FOLDER [-- COMMAND [ARGUMENT]...]",
		Short: "Run a command, or a shell, with a virtual CNS in a virtual reader",
		Long: "Run a command, or a shell, with a virtual CNS in a virtual reader.\n\n" +
			"The card is that of MARIO ROSSI, with an authentication and a signature certificate, and documents to sign beside it in FOLDER.\n" +
			"The first run makes the card. Later ones find its keys and certificates there; its PINs, and the tries left, are always as at first.\n" +
			"It needs the programs pcscd and vpcd, runs them out of sight of the rest of the system, and ends them with the command.\n\n" +
			"The exit code is that of the command.",
		Example: "  pectoken-fixtures card --dir kit\n" +
			"  pectoken-fixtures card --dir kit -- pectoken tokens\n" +
			"  pectoken-fixtures card --dir kit --kind cns10 --key-delay 400ms -- pkcs11-tool -L",
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCard(cmd.Context(), cmd.ErrOrStderr(), o, args)
		},
	}
	requiredDir(cmd, &o.dir, "folder of the card")
	flags := cmd.Flags()
	flags.StringVar(&o.kind, "kind", "cns11", "what the card says it is: cns11, cns10 (OpenSC does no RSA-2048 with it), sticard")
	flags.DurationVar(&o.delay, "delay", 0, "how long the card takes for a command")
	flags.DurationVar(&o.keyDelay, "key-delay", 0, "how much longer it takes for a signature")
	flags.BoolVar(&o.empty, "empty", false, "start without the card in the reader (see the command reader)")
	return cmd
}

// check says what is wrong with how the command was used.
func (o cardOptions) check() error {
	if _, ok := cardKinds[o.kind]; !ok {
		return fmt.Errorf("no kind of card is called %q", o.kind)
	}
	return nil
}

// runCard makes or finds the card, and runs the command with it.
func runCard(ctx context.Context, out io.Writer, o cardOptions, args []string) error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	profile, err := cardProfile(dir)
	if err != nil {
		return fmt.Errorf("making card: %w", err)
	}
	profile.ATR, profile.Delay, profile.KeyDelay = cardKinds[o.kind].Bytes(), o.delay, o.keyDelay
	card, err := virtualcard.New(profile)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		if err := tellCard(out, dir); err != nil {
			return err
		}
	}
	return withCard(ctx, dir, card, o.empty, command(args))
}

// command is what to run: a shell, when nothing else was asked for.
func command(args []string) []string {
	if len(args) == 0 {
		return []string{cmp.Or(os.Getenv("SHELL"), "sh")}
	}
	return args
}

// withCard runs a command while the card is in the reader.
func withCard(ctx context.Context, dir string, card *virtualcard.Card, empty bool, args []string) (err error) {
	pcsc, err := virtualcard.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pcsc.Close()) }()
	if !empty {
		if err := pcsc.First.Insert(card); err != nil {
			return err
		}
	}
	stop, err := listen(dir, &desk{reader: pcsc.First, card: card})
	if err != nil {
		return err
	}
	defer stop()
	return runWith(args, pcsc.Env())
}

// endedError is the end of the command that was run, when that is not 0. The
// command said what there is to say.
type endedError struct{ code int }

func (e *endedError) Error() string { return fmt.Sprintf("the command ended with %d", e.code) }

// runWith runs a command on our streams with more variables. An interrupt from
// the keyboard is the command's affair; a request to end is handed on.
func runWith(args []string, env ...string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	err := cmd.Run()
	if ended := new(exec.ExitError); errors.As(err, &ended) {
		return &endedError{max(1, ended.ExitCode())}
	}
	if err != nil {
		return fmt.Errorf("running %q: %w", args[0], err)
	}
	return nil
}

// cardProfile is the card of the folder, which is made if it has none.
func cardProfile(dir string) (virtualcard.Profile, error) {
	identities := filepath.Join(dir, "card")
	if _, err := os.Lstat(identities); errors.Is(err, os.ErrNotExist) {
		if err := writeCard(dir, identities); err != nil {
			return virtualcard.Profile{}, err
		}
	}
	authentication, err := readIdentity(identities, pki.CNS)
	if err != nil {
		return virtualcard.Profile{}, err
	}
	signature, err := readIdentity(identities, pki.Signer)
	return virtualcard.Profile{Authentication: authentication, Signature: signature}, err
}

// writeCard makes a card and what goes with it. The card comes last, because it
// is what a later run looks for.
func writeCard(dir, identities string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	p := pki.New(time.Now())
	files, err := offlineKit(p)
	if err != nil {
		return err
	}
	err = writeAll(dir, append(files,
		kitFile{"pin", []byte(virtualcard.StandardPIN), 0o600},
		kitFile{"signature-pin", []byte(virtualcard.StandardSignaturePIN), 0o600}))
	if err != nil {
		return err
	}
	return p.Write(identities, pki.CNS, pki.Signer)
}

func tellCard(out io.Writer, dir string) error {
	_, err := fmt.Fprintf(out, `a shell with a CNS in the reader; the folder is %s:
  pin                       the PIN of the authentication key (CNS0), %s; its PUK is %s
  signature-pin             the PIN of the signature key (CNS1), %s; its PUK is %s
  root.pem                  the root and the issuers of the certificates, to verify with
  root.crl, qualified-ca.crl
                            who was revoked, good for a week
  contract.pdf, notes.txt   documents to sign

pull the card out and put it back, or ask it what it was asked:
  pectoken-fixtures reader --dir %s remove | insert | report
`, dir, virtualcard.StandardPIN, virtualcard.StandardPUK,
		virtualcard.StandardSignaturePIN, virtualcard.StandardSignaturePUK, quote(dir))
	return err
}
