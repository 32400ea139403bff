// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// The programs with the bare calls. What the one in Go takes longer is the price of Go.
var (
	//go:embed testdata/bare.c
	bareSource []byte
	//go:embed testdata/bare.go
	bareGoSource []byte
)

// Ratio is how long pectoken takes with a token, in times of a program that makes
// the bare calls of PKCS#11 and nothing else.
type Ratio struct {
	Task   string
	ToBare float64 // of the medians
}

// pair is a task that both do, with what was measured of each. They take turns.
type pair struct {
	task         string
	repeat       int // turns in a round, for tasks that are short
	ours, bare   func(context.Context) (time.Duration, error)
	mine, theirs []time.Duration
}

func (p *pair) title() string { return p.task }

func (p *pair) run(ctx context.Context) error {
	for range p.repeat {
		mine, err := p.ours(ctx)
		if err != nil {
			return err
		}
		theirs, err := p.bare(ctx)
		if err != nil {
			return err
		}
		p.mine, p.theirs = append(p.mine, mine), append(p.theirs, theirs)
	}
	return nil
}

func ratios(pairs []*pair) []Ratio {
	var list []Ratio
	for _, p := range pairs {
		list = append(list, Ratio{p.task, ratio(median(p.mine), median(p.theirs))})
	}
	return list
}

// compileBare makes the programs with the bare calls.
func (b *bench) compileBare(ctx context.Context) error {
	inC, inGo := b.path("bare.c"), b.path("bare.go")
	return errors.Join(
		compile(ctx, inC, bareSource, "gcc", "-O2", "-o", b.path("bare"), inC, "-ldl", "-lpthread"),
		compile(ctx, inGo, bareGoSource, "go", "build", "-o", b.path("bare-go"), inGo))
}

func compile(ctx context.Context, path string, source []byte, command ...string) error {
	if err := os.WriteFile(path, source, 0o600); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("compiling a program to compare with: %w: %s", err, out)
	}
	return nil
}

// pairs lists what is compared with bare calls.
func (b *bench) pairs(signatures int) []*pair {
	const turns = 15 // of programs that take a few milliseconds
	pairs := []*pair{
		{task: "pectoken tokens, module remembered", repeat: turns, ours: b.tokens, bare: b.bareTokens("bare")},
		{task: "pectoken tokens, beside bare calls in Go", repeat: turns, ours: b.tokens, bare: b.bareTokens("bare-go")},
	}
	if b.signer == nil {
		return pairs
	}
	for _, sessions := range []int{1, 4} {
		task := fmt.Sprintf("%d RSA-2048 signatures, %d at a time", signatures, sessions)
		ours := func(ctx context.Context) (time.Duration, error) { return b.signatures(ctx, signatures, sessions) }
		pairs = append(pairs,
			&pair{task: task, repeat: 5, ours: ours, bare: b.bareSignatures("bare", signatures, sessions)},
			&pair{task: task + ", beside bare calls in Go", repeat: 5, ours: ours, bare: b.bareSignatures("bare-go", signatures, sessions)})
	}
	return pairs
}

// tokens runs pectoken tokens, which finds in its cache what the first turn of all
// remembered.
func (b *bench) tokens(ctx context.Context) (time.Duration, error) {
	return b.timed(ctx, b.program, "tokens", "--module", b.hsm.Module())
}

func (b *bench) bareTokens(program string) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		return b.timed(ctx, b.path(program), b.hsm.Module(), "tokens")
	}
}

func (b *bench) timed(ctx context.Context, name string, args ...string) (time.Duration, error) {
	cmd := b.command(ctx, name, args...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return time.Since(start), nil
}

func (b *bench) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), b.kitEnv()...)
	return cmd
}

// kitEnv leads to the token, and to a cache of our own.
func (b *bench) kitEnv() []string { return []string{b.hsm.Env(), "XDG_CACHE_HOME=" + b.path("cache")} }

func (b *bench) bareSignatures(program string, n, sessions int) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		cmd := b.command(ctx, b.path(program), b.hsm.Module(), "sign", softhsm.StandardPIN, strconv.Itoa(n), strconv.Itoa(sessions))
		out, err := cmd.Output()
		if err != nil {
			return 0, err
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		return time.Duration(seconds * float64(time.Second)), err
	}
}

// signatures has pectoken's own code make signatures, in this process.
func (b *bench) signatures(ctx context.Context, n, sessions int) (time.Duration, error) {
	name, conf, _ := strings.Cut(b.hsm.Env(), "=")
	if err := os.Setenv(name, conf); err != nil {
		return 0, err
	}
	return b.signer(ctx, b.hsm.Module(), softhsm.StandardPIN, n, sessions)
}
