// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of pectoken-fixtures: one file a command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs the program with its arguments and returns the exit code: 0 done,
// 1 failed or a judge said no, 2 wrong usage; or that of the command that card
// or serve ran. The main function has to call [virtualcard.Hook] before.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := noteStart(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ended := new(endedError); errors.As(err, &ended) {
		return ended.code
	}
	fmt.Fprintf(stderr, "pectoken-fixtures: %v\n", err)
	if !*started {
		return 2
	}
	return 1
}

// noteStart makes the commands of root note that one of them began its work,
// which is when an error is no longer one of usage.
func noteStart(root *cobra.Command) *bool {
	var started bool
	for _, cmd := range root.Commands() {
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			started = true
			return run(cmd, args)
		}
	}
	return &started
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "pectoken-fixtures",
		Short:         "Make tokens, certificates and documents to try pectoken with",
		Long:          "Make tokens, certificates and documents to try pectoken with, without a card.\n\nNothing made here is worth anything outside a test: the holders are invented, the PINs are told.",
		SilenceUsage:  true,
		SilenceErrors: true,
		// Few commands, typed rarely: nothing to complete.
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddCommand(newToken(), newCard(), newReader(), newPKI(), newServe(), newJudge(), newForge(), newBench())
	return root
}

// requiredDir adds the flag --dir, which must be given.
func requiredDir(cmd *cobra.Command, dir *string, usage string) {
	cmd.Flags().StringVar(dir, "dir", "", usage)
	if err := cmd.MarkFlagRequired("dir"); err != nil {
		panic(err) // only if there were no such flag
	}
}
