// SPDX-License-Identifier: Apache-2.0

package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// DiscoverOptions say how [Discover] looks into modules.
type DiscoverOptions struct {
	// Command is a program and its first arguments that answers with ProbeMain,
	// mostly this program: {os.Executable()}. Each module is then loaded in a
	// process of its own, which may crash or hang. Nil: modules are loaded in this
	// process, a crash is the end of it, and one that hangs leaves a goroutine behind.
	Command []string

	// Timeout is how long a module may take to answer; 0 means 5 seconds. It is four
	// times as long while no module has shown a token: a slow card keeps all of them
	// waiting.
	Timeout time.Duration

	// Open opens a module when there is no Command, for Discover to look into and
	// close; nil means the function Open.
	Open func(path string) (*Module, error)
}

// Discovery is what modules were found and what they show.
type Discovery struct {
	Modules  []*FoundModule // those that answered, best first
	Problems []*ModuleError // those that did not

	// Certificates lists each certificate once, whatever number of modules show it.
	Certificates []*FoundCertificate
}

// FoundModule is a module that answered.
type FoundModule struct {
	Candidate
	Library Library // what it says about itself; empty if it says nothing
	Tokens  []*FoundToken
	Skipped []*SlotError // slots that could not be read
}

// FoundToken is a token as one module shows it. To use it, open the module and
// find it again with [Module.Find].
type FoundToken struct {
	Info
	Module       *FoundModule
	Certificates []*Certificate
	Problem      error // why the certificates could not be read
}

// FoundCertificate is a certificate and the ways to reach it.
type FoundCertificate struct {
	*Certificate       // as the best way shows it
	Ways         []Way // best first
}

// Way is a certificate on a token as one module shows it.
type Way struct {
	Token       *FoundToken
	Certificate *Certificate
}

// Discover loads the modules, all at the same time, and lists their tokens and
// certificates. It needs no PIN and spends no try. What is wrong with a module
// goes to Problems, in words; no module keeps the others from being listed. The
// error is that of the context.
//
// Of several ways to a certificate the best is through a module that the user
// named, then through the vendor's own, then OpenSC, then any other; of those
// the one that shows the key.
func Discover(ctx context.Context, candidates []Candidate, o DiscoverOptions) (*Discovery, error) {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Open == nil {
		o.Open = Open
	}
	found, problems := make([]*FoundModule, len(candidates)), make([]*ModuleError, len(candidates))
	var wait sync.WaitGroup
	p := newPatience(ctx, o.Timeout)
	defer p.end()
	for i, c := range candidates {
		wait.Go(func() {
			if found[i], problems[i] = o.look(p, c); found[i] != nil && len(found[i].Tokens) > 0 {
				p.shown()
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("looking for modules: %w", err)
	}
	d := &Discovery{
		Modules:  slices.DeleteFunc(found, func(m *FoundModule) bool { return m == nil }),
		Problems: slices.DeleteFunc(problems, func(p *ModuleError) bool { return p == nil }),
	}
	slices.SortStableFunc(d.Modules, func(a, b *FoundModule) int { return cmp.Compare(a.rank(), b.rank()) })
	d.Certificates = certificatesOf(d.Modules)
	return d, nil
}

// patience is how long all modules are waited for.
type patience struct {
	context.Context // ends when it does
	limit           time.Duration
	end             context.CancelFunc

	mu      sync.Mutex
	over    bool // the limit is past
	content bool // a token was shown
}

// longer is how many times the limit they are waited for while none shows a token.
const longer = 4

func newPatience(ctx context.Context, limit time.Duration) *patience {
	p := &patience{limit: limit}
	var cancel context.CancelFunc
	p.Context, cancel = context.WithTimeout(ctx, longer*limit)
	timer := time.AfterFunc(limit, func() { p.note(func() { p.over = true }) })
	p.end = func() { timer.Stop(); cancel() }
	return p
}

// shown says that there is a token.
func (p *patience) shown() { p.note(func() { p.content = true }) }

// note changes the state, and ends the wait when both are true.
func (p *patience) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if change(); p.over && p.content {
		p.end()
	}
}

// timedOut says that a module was too slow, and at what.
func (p *patience) timedOut(stage string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := longer * p.limit
	if p.content {
		waited = p.limit
	}
	return &ModuleError{Reason: fmt.Sprintf("did not answer within %v while %s", waited, stage), Err: context.DeadlineExceeded}
}

// look finds out what one module shows, or what is wrong with it.
func (o DiscoverOptions) look(p *patience, c Candidate) (*FoundModule, *ModuleError) {
	answer, err := o.probe(p, c.Path)
	var problem *ModuleError
	if errors.As(err, &problem) {
		return nil, &ModuleError{Path: c.Path, Reason: problem.Reason, Err: problem.Err}
	}
	if err != nil {
		return nil, &ModuleError{Path: c.Path, Reason: err.Error(), Err: err}
	}
	return answer.module(c), nil
}

func (o DiscoverOptions) probe(p *patience, path string) (probeAnswer, error) {
	if o.Command == nil {
		return o.probeHere(p, path)
	}
	if err := Available(); err != nil {
		return probeAnswer{}, err
	}
	return o.probeInChild(p, path)
}

// certificatesOf merges what the modules show, which are ordered best first.
func certificatesOf(modules []*FoundModule) []*FoundCertificate {
	var list []*FoundCertificate
	seen := map[[sha256.Size]byte]*FoundCertificate{}
	for way := range ways(modules) {
		fingerprint := sha256.Sum256(way.Certificate.Raw)
		if seen[fingerprint] == nil {
			seen[fingerprint] = &FoundCertificate{}
			list = append(list, seen[fingerprint])
		}
		seen[fingerprint].Ways = append(seen[fingerprint].Ways, way)
	}
	for _, c := range list {
		slices.SortStableFunc(c.Ways, Way.compare)
		c.Certificate = c.Ways[0].Certificate
	}
	return list
}

// ways goes through all certificates that hold anything.
func ways(modules []*FoundModule) func(yield func(Way) bool) {
	return func(yield func(Way) bool) {
		for _, m := range modules {
			for _, t := range m.Tokens {
				for _, c := range t.Certificates {
					if len(c.Raw) > 0 && !yield(Way{t, c}) {
						return
					}
				}
			}
		}
	}
}

// compare puts the better way first.
func (w Way) compare(other Way) int {
	hidden := func(c *Certificate) int {
		if c.HasPrivateKey {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(w.Token.Module.rank(), other.Token.Module.rank()),
		cmp.Compare(hidden(w.Certificate), hidden(other.Certificate)))
}
