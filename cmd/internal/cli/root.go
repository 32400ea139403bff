// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "pectoken",
		Short: "Sign with an Italian signature kit, and verify what others signed",
		Long: `Pectoken signs documents with the key on a card or USB token, and verifies
documents that others signed.

PDFs get a signature inside (PAdES); every other file is put into a .p7m beside
it (CAdES). The card's driver, the card and the certificate are found by
themselves where there is one that fits.`,
		Example: `  pectoken tokens
  pectoken doctor
  pectoken sign contract.pdf
  pectoken verify contract-signed.pdf`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	version := root.Flags().Bool("version", false, "say which pectoken this is")
	root.RunE = func(c *cobra.Command, args []string) error {
		if *version && len(args) == 0 {
			return a.showVersion()
		}
		return runGroup(c, args)
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVar(&a.json, "json", a.json, "print one JSON object a line, and nothing else, on standard output")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return flagError(c, err)
	})
	addCommands(a, root)
	return root
}

// addCommands adds the command that the line begins with; all, and the help topics, if it
// begins with none.
func addCommands(a *app, root *cobra.Command) {
	if c := newNamedCmd(a); c != nil {
		root.AddCommand(c)
		root.CompletionOptions.DisableDefaultCmd = true
		return
	}
	for _, c := range commands() {
		built := c.build(a)
		built.SuggestFor = otherWords[c.name]
		root.AddCommand(built)
	}
	root.AddCommand(helpTopics()...)
	root.SetHelpCommand(newHelpCmd())
	tameCompletion(root)
}

// command is one that does something.
type command struct {
	name  string
	build func(*app) *cobra.Command
}

// commands lists them in the order of the help.
func commands() []command {
	return []command{
		{"tokens", func(a *app) *cobra.Command { return newTokensCmd(a, nil) }},
		{"doctor", func(a *app) *cobra.Command { return newDoctorCmd(a, nil) }},
		{"pin", newPINCmd},
		{"cns", newCNSCmd},
		{"sign", func(a *app) *cobra.Command { return newSignCmd(a, nil) }},
		{"timestamp", func(a *app) *cobra.Command { return newTimestampCmd(a, nil) }},
		{"extend", func(a *app) *cobra.Command { return newExtendCmd(a, nil) }},
		{"verify", func(a *app) *cobra.Command { return newVerifyCmd(a, nil) }},
		{"extract", func(a *app) *cobra.Command { return newExtractCmd(a, nil) }},
		{"split", func(a *app) *cobra.Command { return newSplitCmd(a, nil) }},
		{"join", func(a *app) *cobra.Command { return newJoinCmd(a, nil) }},
		{"version", newVersionCmd},
	}
}

// otherWords are what else people call a command, in Italian for the most part. It is
// never written to.
var otherWords = map[string][]string{
	"tokens":    {"certificati", "certs", "dispositivi", "list", "lista", "ls"},
	"doctor":    {"diagnosi", "diagnostica"},
	"pin":       {"cambia", "puk", "sblocca", "unblock"},
	"cns":       {"tessera", "ts"},
	"sign":      {"controfirma", "firma", "firmare"},
	"timestamp": {"marca", "marcatura", "stamp", "tsa"},
	"extend":    {"estendi", "ltv"},
	"verify":    {"check", "controlla", "validate", "verifica", "verificare"},
	"extract":   {"apri", "estrai", "estrarre", "open", "sbusta"},
	"split":     {"separa"},
	"join":      {"associa", "unisci"},
}

// newNamedCmd makes the command that the line begins with, and none of the others: to
// make all of them takes a part of the time of listing a token that shows. It is nil if
// the line begins with something else.
func newNamedCmd(a *app) *cobra.Command {
	for _, c := range commands() {
		if len(a.args) > 0 && a.args[0] == c.name {
			return c.build(a)
		}
	}
	return nil
}

// tameCompletion makes a wrong use of cobra's own command one like any other.
func tameCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args, c.RunE = cobra.ArbitraryArgs, runGroup
		for _, shell := range c.Commands() {
			shell.Args = noArguments
		}
	}
}

// runGroup is what a command does that only has commands below it: alone it
// shows its help, which is no JSON, with anything else the user meant a command there
// isn't.
func runGroup(c *cobra.Command, args []string) error {
	wantsJSON, _ := c.Flags().GetBool("json") // there is such a flag
	switch {
	case len(args) == 0 && wantsJSON:
		return usageError(helpHint(c), "which command? none was given")
	case len(args) == 0:
		return c.Help()
	}
	return unknownCommand(c, args[0])
}

func unknownCommand(c *cobra.Command, name string) error {
	hint := c.CommandPath() + " --help"
	c.SuggestionsMinimumDistance = 2
	if !c.HasParent() && isThere(name) {
		file := shellWord(name)
		return usageError(fmt.Sprintf("pectoken sign %s signs it, pectoken verify %s verifies it", file, file), "what to do with %q? a command has to stand before it", name)
	}
	if guesses := c.SuggestionsFor(name); len(guesses) > 0 {
		closestFirst(guesses, name)
		hint = fmt.Sprintf("did you mean %s %s?", c.CommandPath(), strings.Join(guesses, " or "))
	}
	if strings.ContainsAny(name, "0123456789") { // a PIN, typed where none is taken, isn't said again
		return usageError(hint, "unknown command")
	}
	return usageError(hint, "unknown command %q", name)
}

func helpHint(c *cobra.Command) string { return c.CommandPath() + " --help" }

// files accepts one or more FILE arguments.
func files(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError(helpHint(c), "which file? none was named")
	}
	return emptyName(c, args)
}

// oneFile accepts one FILE argument.
func oneFile(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return files(c, args)
	}
	if len(args) != 1 {
		return usageError(helpHint(c), "one file has to be named, not %d", len(args))
	}
	return emptyName(c, args)
}

func emptyName(c *cobra.Command, args []string) error {
	for _, name := range args {
		if name == "" {
			return usageError(helpHint(c), "a file name is empty")
		}
	}
	return nil
}

// noArguments accepts flags only.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError(helpHint(c), "this command takes no arguments") // which are not repeated: one may be a PIN
	}
	return nil
}

// notEmpty refuses flags whose value is empty: a script whose variable isn't set means
// something else than one that leaves the flag out.
func notEmpty(c *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if f := c.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return usageError(helpHint(c), "--%s is empty: give it a value, or leave it out", name)
		}
	}
	return nil
}

// oneOf checks the value of a flag with few choices.
func oneOf(c *cobra.Command, flag, value string, choices ...string) error {
	for _, choice := range choices {
		if value == choice {
			return nil
		}
	}
	return usageError(helpHint(c), "--%s is %q, and can be %s", flag, value, strings.Join(choices, ", "))
}
