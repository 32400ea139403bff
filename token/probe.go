// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// probeArgument is the first argument of a program that is to call ProbeMain. The
// module's path and a time limit follow.
const probeArgument = "--pectoken-probe-module"

// probeMark begins the lines of the answer, because modules write to standard
// output whatever they like.
const probeMark = "pectoken-probe: "

// probeLine is what a child says: how far it is, or the answer.
type probeLine struct {
	Stage  string       `json:"stage,omitempty"`
	Answer *probeAnswer `json:"answer,omitempty"`
}

// probeAnswer is what a module shows.
type probeAnswer struct {
	Library Library       `json:"library"`
	Tokens  []probeToken  `json:"tokens"`
	Skipped []probeSlot   `json:"skipped,omitempty"`
	Refused *probeProblem `json:"refused,omitempty"` // the module could not be used
}

type probeToken struct {
	Info         Info               `json:"info"`
	Certificates []probeCertificate `json:"certificates"`
	Problem      *probeProblem      `json:"problem,omitempty"`
}

type probeCertificate struct {
	ID                 []byte `json:"id"`
	Label              string `json:"label"`
	Raw                []byte `json:"raw"`
	HasPrivateKey      bool   `json:"hasPrivateKey"`
	AlwaysAuthenticate bool   `json:"alwaysAuthenticate"`
}

type probeSlot struct {
	Slot    uint          `json:"slot"`
	Reader  string        `json:"reader"`
	Problem *probeProblem `json:"problem"`
}

// probeProblem is an error on its way between two processes.
type probeProblem struct {
	Text string `json:"text"`
	Code Code   `json:"code,omitempty"`
}

func problemOf(err error) *probeProblem {
	if err == nil {
		return nil
	}
	p := &probeProblem{Text: err.Error()}
	errors.As(err, &p.Code)
	return p
}

// err returns the error again, with its code.
func (p *probeProblem) err() error {
	if p == nil {
		return nil
	}
	return p
}

func (p *probeProblem) Error() string { return p.Text }

func (p *probeProblem) Unwrap() error {
	if p.Code == 0 {
		return nil
	}
	return p.Code
}

// ProbeMain makes a program one that [Discover] can load modules in. Call it first
// of all in main, with os.Args and os.Stdout, and end the program if it returns
// true:
//
//	if token.ProbeMain(os.Args, os.Stdout) {
//		return
//	}
//
// With the arguments that Discover gives, it loads a module, writes what the module
// shows to stdout, and returns true; it asks nothing and logs in nowhere. If that
// takes far too long it ends the process itself, in case nobody waits any more. With
// any other arguments it does nothing and returns false.
func ProbeMain(args []string, stdout io.Writer) bool {
	if len(args) != 4 || args[1] != probeArgument {
		return false
	}
	limit, err := time.ParseDuration(args[3])
	if err != nil {
		return false
	}
	defer time.AfterFunc(2*limit, func() { os.Exit(1) }).Stop()
	_ = DisableCoreDumps() // a module that crashes is expected here
	defaultSignals()
	say := func(line probeLine) {
		text, err := json.Marshal(line)
		if err == nil {
			_, err = fmt.Fprintf(stdout, "\n%s%s\n", probeMark, text)
		}
		_ = err // nobody is left to hear of it
	}
	answer, module := probeModule(context.Background(), args[2], Open, func(stage string) { say(probeLine{Stage: stage}) })
	say(probeLine{Answer: &answer})
	if module != nil {
		_ = module.Close() // the answer is given
	}
	return true
}

// probeModule opens a module and reads what it shows. The module is to be closed,
// unless it is nil.
func probeModule(ctx context.Context, path string, open func(string) (*Module, error), stage func(string)) (probeAnswer, *Module) {
	stage("starting")
	m, err := open(path)
	if err != nil {
		var refused *ModuleError
		if errors.As(err, &refused) {
			return probeAnswer{Refused: &probeProblem{Text: refused.Reason, Code: problemOf(err).Code}}, nil
		}
		return probeAnswer{Refused: problemOf(err)}, nil
	}
	stage("listing tokens")
	tokens, skipped, err := m.Tokens(ctx)
	if err != nil {
		return probeAnswer{Refused: problemOf(err)}, m
	}
	var answer probeAnswer
	answer.Library, _ = m.Library(ctx) // a module that says nothing of itself is as good
	for _, s := range skipped {
		answer.Skipped = append(answer.Skipped, probeSlot{s.Slot, s.Reader, problemOf(s.Err)})
	}
	stage("reading certificates")
	for _, t := range tokens {
		answer.Tokens = append(answer.Tokens, t.probe(ctx))
	}
	return answer, m
}

func (t *Token) probe(ctx context.Context) probeToken {
	p := probeToken{Info: t.Info}
	certificates, err := t.Certificates(ctx)
	p.Problem = problemOf(err)
	for _, c := range certificates {
		p.Certificates = append(p.Certificates, probeCertificate{c.ID, c.Label, c.Raw, c.HasPrivateKey, c.AlwaysAuthenticate})
	}
	return p
}

// module makes of an answer what it says of the module.
func (a probeAnswer) module(c Candidate) *FoundModule {
	m := &FoundModule{Candidate: c, Library: a.Library}
	for _, s := range a.Skipped {
		m.Skipped = append(m.Skipped, &SlotError{Slot: s.Slot, Reader: s.Reader, Err: s.Problem.err()})
	}
	for _, t := range a.Tokens {
		found := &FoundToken{Info: t.Info, Module: m, Problem: t.Problem.err()}
		for _, c := range t.Certificates {
			found.Certificates = append(found.Certificates, c.certificate())
		}
		m.Tokens = append(m.Tokens, found)
	}
	return m
}

func (p probeCertificate) certificate() *Certificate {
	c := &Certificate{ID: p.ID, Label: p.Label, Raw: p.Raw, HasPrivateKey: p.HasPrivateKey, AlwaysAuthenticate: p.AlwaysAuthenticate}
	c.parse()
	return c
}

// probeHere looks into a module in this process.
func (o DiscoverOptions) probeHere(p *patience, path string) (probeAnswer, error) {
	done := make(chan probeAnswer, 1)
	go func() {
		answer, m := probeModule(p, path, o.Open, func(string) {})
		if m != nil {
			_ = m.Close() // what was read is read
		}
		done <- answer
	}()
	select {
	case answer := <-done:
		return answer, answer.refused(path)
	case <-p.Done():
		return probeAnswer{}, p.timedOut("answering")
	}
}

func (a probeAnswer) refused(path string) error {
	if a.Refused == nil {
		return nil
	}
	return &ModuleError{Path: path, Reason: a.Refused.Text, Err: a.Refused}
}
