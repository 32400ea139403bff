// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/token"
)

// exitCode is how the program ends: see the help topic exit-codes.
type exitCode int

// The exit codes.
const (
	exitOK            exitCode = 0
	exitFailed        exitCode = 1
	exitUsage         exitCode = 2
	exitIndeterminate exitCode = 3
	exitPIN           exitCode = 4
	exitNoToken       exitCode = 5
)

// severity orders the exit codes from the best to the worst. A command that
// meets several ends with the worst.
var severity = map[exitCode]int{
	exitOK: 0, exitIndeterminate: 1, exitNoToken: 2, exitPIN: 3, exitFailed: 4, exitUsage: 5,
}

func worst(a, b exitCode) exitCode {
	if severity[a] >= severity[b] {
		return a
	}
	return b
}

// problem is an error with what the program does about it.
type problem struct {
	exit exitCode
	code string   // the stable word of --json
	hint []string // what to do next, best a command to type
	err  error
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

// usageError is a mistake in the command line.
func usageError(hint, format string, args ...any) error {
	return &problem{exit: exitUsage, code: "usage", hint: []string{hint}, err: fmt.Errorf(format, args...)}
}

// outcome ends the program with a code when everything has been said.
type outcome exitCode

func (o outcome) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// ending is the error that ends a command whose results were shown.
func ending(code exitCode) error {
	if code == exitOK {
		return nil
	}
	return outcome(code)
}

// finish shows the error that ended a command, and returns the exit code.
func (a *app) finish(err error) exitCode {
	var done outcome
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &done):
		return exitCode(done)
	}
	p := problemOf(err)
	if a.json {
		_ = a.printJSON(fileError{Error: p.json()})
	}
	a.complain(p)
	return p.exit
}

// complain shows a problem on standard error.
func (a *app) complain(p *problem) {
	a.say("%s", p.Error())
	for _, hint := range p.hint {
		fmt.Fprintf(a.err, "hint: %s\n", printable(hint))
	}
}

// json is the form of a problem in --json.
func (p *problem) json() *errorJSON {
	return &errorJSON{Code: p.code, Message: p.Error(), Hints: p.hint}
}

// errorJSON is what --json says of an error.
type errorJSON struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Hints   []string `json:"hints,omitempty"`
}

// fileError is the line of --json for a file, or a command, that came to
// nothing.
type fileError struct {
	File  string     `json:"file,omitempty"`
	Error *errorJSON `json:"error"`
}

// problemOf decides what an error means to the user.
func problemOf(err error) *problem {
	p := &problem{exit: exitFailed, code: "failed", err: err}
	var known *problem
	var pin *token.PINError
	var module *token.ModuleError
	switch {
	case errors.As(err, &known):
		return &problem{exit: known.exit, code: known.code, hint: known.hint, err: err}
	case errors.As(err, &pin):
		return pinProblem(err, pin)
	case errors.Is(err, context.Canceled) && !errors.As(err, new(*sign.LostStampsError)):
		p.code, p.err = "interrupted", interrupted(err)
	case errors.Is(err, context.Canceled):
		p.code = "interrupted"
	case errors.Is(err, token.ErrNoCgo):
		p.exit, p.code = exitNoToken, "noModule"
	case errors.As(err, &module):
		p.exit, p.code, p.hint = exitNoToken, "noModule", []string{"pectoken doctor tries every driver that is installed, and says what is wrong with each"}
	case errors.Is(err, token.ErrNoUnblock):
		p.code, p.hint = "unsupported", []string{"the program that came with the kit can do it"}
	case errors.Is(err, token.ErrRemoved):
		if code := token.Code(0); errors.As(err, &code) {
			p.err = fmt.Errorf("%w: %w", err, token.ErrRemoved)
		}
		p.exit, p.code, p.hint = exitNoToken, "noToken", []string{"put the card in again, and type pectoken tokens"}
	case errors.Is(err, outfile.ErrExists):
		p.exit, p.code, p.hint = exitUsage, "outputExists", []string{"--overwrite replaces it"}
	case errors.Is(err, outfile.ErrFolder):
		p.exit, p.code, p.hint = exitUsage, "outputExists", []string{"--output names a file, --output-dir the folder to put it in"}
	default:
		fileProblem(p)
	}
	return p
}

// fileProblem finds the word for errors about files and documents.
func fileProblem(p *problem) {
	var writing *outfile.Error
	var encrypted *pdf.EncryptedError
	var damaged *pdf.DamagedError
	var password *pdf.PasswordError
	var forbidden *pdf.PermissionError
	var seed *pdf.SeedError
	var hinting interface{ Hint() string }
	switch {
	case errors.As(p.err, &writing):
		p.code = "unwritable"
		if folder := filepath.Dir(writing.Path); errors.Is(p.err, fs.ErrNotExist) && !isThere(folder) {
			p.hint = []string{fmt.Sprintf("there is no folder %q; make it first", folder)}
		}
	case errors.As(p.err, &encrypted):
		p.code = "encrypted"
	case errors.As(p.err, &damaged):
		p.code = "damaged"
	case errors.As(p.err, &forbidden), errors.As(p.err, &seed):
		p.code = "notPermitted"
	case errors.Is(p.err, fs.ErrNotExist), errors.Is(p.err, fs.ErrPermission):
		p.code = "unreadable"
	}
	if errors.As(p.err, &hinting) && hinting.Hint() != "" {
		p.hint = []string{hinting.Hint()}
	}
	if errors.As(p.err, &password) {
		p.code, p.hint = "password", []string{"--password opens it"}
	}
}

// damagedInput says of an error in the structure of a file that the file is damaged. An
// error of the disk and an interrupt are left as they are.
func damagedInput(err error) error {
	structure := errors.As(err, new(*cms.FormatError)) || errors.As(err, new(*timestamp.FormatError))
	if !structure || errors.As(err, new(*fs.PathError)) || errors.Is(err, context.Canceled) {
		return err
	}
	return &problem{exit: exitFailed, code: "damaged", err: fmt.Errorf("the file is damaged or cut short: %w", err)}
}

// pinProblems gives each reason of a [token.PINError] its word and hint.
var pinProblems = map[token.PINReason]struct{ code, hint string }{
	token.PINWrong:   {"wrongPIN", "a card locks after a few wrong PINs, mostly three; pectoken tokens shows how it stands, as far as that is known"},
	token.PINLocked:  {"pinLocked", "pectoken pin unblock sets a new PIN with the PUK"},
	token.PINLastTry: {"lastTry", "when you are sure of the PIN, repeat the command with --last-try"},
	token.PINLength:  {"pinLength", ""},
	token.PINInvalid: {"pinInvalid", "the PIN and the PUK of an Italian card are made of digits"},
	token.PINExpired: {"pinExpired", "pectoken pin change sets a new one"},
	token.PINNotSet:  {"pinNotSet", "set it with the program that came with the kit"},
}

// pukProblems does the same when it is about the PUK.
var pukProblems = map[token.PINReason]struct{ code, hint string }{
	token.PINWrong:   {"wrongPUK", "a card whose PUK locks, after a few wrong ones, is lost"},
	token.PINLocked:  {"pukLocked", "nothing unlocks the PUK: ask the provider for a new kit"},
	token.PINLastTry: {"lastTry", "when you are sure of the PUK, repeat the command with --last-try; a wrong one is the end of the card"},
}

func pinProblem(err error, pin *token.PINError) *problem {
	p := &problem{exit: exitPIN, code: "pin", err: err}
	known, ok := pinProblems[pin.Reason]
	if puk, other := pukProblems[pin.Reason]; pin.PUK && other {
		known, ok = puk, true
	}
	if ok {
		p.code = known.code
		if pin.Reason == token.PINWrong && !pin.PUK && pin.Left == token.TriesOne {
			known.hint = "one more wrong PIN locks the card; then pectoken pin unblock sets a new one with the PUK"
		}
		if known.hint != "" {
			p.hint = []string{known.hint}
		}
	}
	return p
}

// explainCIE adds to an error about the PIN what holders of a CIE stumble over.
func explainCIE(c *card, err error) error {
	var pin *token.PINError
	if !c.isCIE() || !errors.As(err, &pin) || pin.Reason != token.PINWrong && pin.Reason != token.PINLength {
		return err
	}
	p := pinProblem(err, pin)
	p.hint = append(p.hint, lastFour)
	return p
}

const lastFour = "a CIE that was paired (abbinata) with this computer wants only the last four of its eight digits"

// tellCIE has holders of a CIE told before they type a PIN, for those who don't know
// lose a try.
func (a *app) tellCIE(c *card, f pinFlags, ask token.PINPrompt) token.PINPrompt {
	if !c.isCIE() || f.given() {
		return ask
	}
	return func(ctx context.Context, r token.PINRequest) ([]byte, error) {
		a.say("note: %s", lastFour)
		return ask(ctx, r)
	}
}
