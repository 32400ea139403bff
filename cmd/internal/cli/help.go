// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/spf13/cobra"

// newHelpCmd is cobra's, except that a topic there isn't is a mistake.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command or topic]",
		Short: "Explain a command or a topic",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			found, _, err := c.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, below := range found.Commands() {
				if !below.Hidden {
					names = append(names, cobra.CompletionWithDesc(below.Name(), below.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(c.Root(), args[len(args)-max(len(rest), 1)])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func helpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText},
		{Use: "environment", Short: "The environment variables that are read", Long: environmentText},
		{Use: "config", Short: "The configuration file", Long: configText},
	}
}

const exitCodesText = `The program ends with

  0  done; or every signature is valid
  1  failed; or a signature is invalid, or a file holds none or can't be read
  2  wrong use: an unknown flag, an output that exists
  3  indeterminate: could not find out, for instance for want of trust anchors, or
     whether a certificate was revoked
  4  the PIN: wrong, locked, at its last try, or nowhere to get it from
  5  no token, or no driver for it

With several files it is the worst of them: 1 before 4, 5, 3. A wrong use is
noticed before anything is done, and then nothing is.`

const environmentText = `PECTOKEN_PIN     the PIN, where a terminal can't be asked; see pectoken help pin
PECTOKEN_MODULE  the PKCS#11 module (driver) to use, as with --module; or several,
                 divided as in PATH
PECTOKEN_TSA     the address of a time-stamp authority, as with --tsa; or several,
                 divided by spaces
PECTOKEN_TSA_USER, PECTOKEN_TSA_PASSWORD
                 for the authority, where only one is named
HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                 the proxy on the way to it, and to those who know of revocation
XDG_CONFIG_HOME  the folder of the configuration file (pectoken help config)
XDG_CACHE_HOME   the folder where cards that were seen, wrong PINs that were sent (their
                 number) and answers about revocation are remembered
NO_COLOR         when set, no colours
TMPDIR           where standard input is kept while it is worked on

A module may have variables of its own, such as SOFTHSM2_CONF.`
