// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/pectoken/pectoken/token"
)

// Main runs the program with the arguments of the process and returns its exit
// code. The first interrupt lets it clean up, the second kills it.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return int(systemApp().run(ctx, os.Args[1:]))
}

// endings are the signals that ask a program to end. A hangup that nohup
// ignores stays ignored.
func endings() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// app is the program's world: everything a command takes from the process.
type app struct {
	in  io.Reader
	out io.Writer
	err io.Writer

	outIsTerminal bool
	errIsTerminal bool
	colour        bool // on out

	now      func() time.Time
	getenv   func(string) string
	unsetenv func(string) error
	modules  func() []token.KnownModule
	askPIN   func(ctx context.Context, prompt string) ([]byte, error)

	json bool // --json was given
	busy bool // a progress line is shown on err
}

func systemApp() *app {
	a := &app{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		outIsTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		errIsTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		now:           time.Now,
		getenv:        os.Getenv,
		unsetenv:      os.Unsetenv,
		modules:       token.FindModules,
		askPIN:        askOnTerminal,
	}
	a.colour = a.outIsTerminal && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
	return a
}

// run runs one command line.
func (a *app) run(ctx context.Context, args []string) exitCode {
	a.json = wantsJSON(args)
	root := newRootCmd(a)
	root.SetArgs(args)
	return a.finish(root.ExecuteContext(ctx))
}

// wantsJSON looks for --json before the flags are parsed, so that mistakes in
// the flags are told in the form that was asked for.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}
