// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/term"

	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

// Main runs the program with the arguments of the process and returns its exit
// code. The first interrupt lets it clean up, the second kills it, and so does time.
//
// First of all it is a program in which another one of its kind loads a PKCS#11
// module; see [token.ProbeMain].
func Main() int {
	if token.ProbeMain(os.Args, os.Stdout) {
		return int(exitOK)
	}
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop()
		endFor(lastLimit, os.Exit)
	})
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

	known      []token.KnownModule // nil: those that token knows
	probe      []string            // the program that loads modules for this one; nil: itself
	openModule func(path string) (*token.Module, error)
	crashTo    func(exitCode int) // has a crash in a driver end the program so from now on; nil: it ends as Go likes
	readers    func(context.Context) ([]cnscard.Reader, error)
	readCard   func(context.Context) (*cnscard.Facts, error) // that in the reader, without a driver
	cacheDir   func() (string, error)                        // where to remember things
	configDir  func() (string, error)

	transport http.RoundTripper                          // to time-stamp authorities
	keyring   func(service, user string) (string, error) // passwords that the system keeps

	askPIN func(ctx context.Context, prompt string) ([]byte, error)

	args []string
	json bool // --json was given
	busy bool // a progress line is shown on err

	wallets []*wallet // to be closed at the end
}

func systemApp() *app {
	a := &app{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		outIsTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		errIsTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		now:           time.Now,
		getenv:        os.Getenv,
		unsetenv:      os.Unsetenv,
		openModule:    token.Open,
		crashTo:       token.CrashTo,
		readers:       cnscard.Readers,
		readCard:      func(ctx context.Context) (*cnscard.Facts, error) { return cnscard.ReadReader(ctx, "") },
		cacheDir:      os.UserCacheDir,
		configDir:     os.UserConfigDir,
		transport:     http.DefaultTransport, // with the proxy of the environment
		keyring:       keyring.Get,
		askPIN:        askOnTerminal,
	}
	if program, err := os.Executable(); err == nil {
		a.probe = []string{program}
	}
	a.colour = a.outIsTerminal && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
	return a
}

// run runs one command line.
func (a *app) run(ctx context.Context, args []string) exitCode {
	a.args, a.json = args, wantsJSON(args)
	root := newRootCmd(a)
	root.SetArgs(args)
	return a.end(a.finish(root.ExecuteContext(ctx)))
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
