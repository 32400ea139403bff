// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxAnswer bounds what a child may write.
const maxAnswer = 4 << 20

// goodbye is how long a child that has answered may take to end: some modules hang
// in C_Finalize.
const goodbye = time.Second

// probeInChild looks into a module in a process of its own. That process has an
// empty input, no PIN in its environment, and is killed with what it started.
func (o DiscoverOptions) probeInChild(p *patience, path string) (probeAnswer, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return probeAnswer{}, err
	}
	if _, err := checkFile(absolute); err != nil {
		return probeAnswer{}, err
	}
	ctx, cancel := context.WithCancel(p)
	defer cancel()
	var once sync.Once
	out := &childOutput{
		answered: func() { once.Do(func() { time.AfterFunc(goodbye, cancel) }) },
		overflow: cancel,
	}
	cmd := exec.CommandContext(ctx, o.Command[0], slices.Concat(o.Command[1:], []string{probeArgument, absolute, (longer * p.limit).String()})...)
	cmd.Env = withoutPIN(os.Environ())
	cmd.Stdout = out
	cmd.WaitDelay = goodbye
	killGroup(cmd)
	err = cmd.Run()
	return p.childAnswer(out, err)
}

// childAnswer makes sense of how a child ended. An answer that is whole counts,
// however the child ended after it.
func (p *patience) childAnswer(out *childOutput, ended error) (probeAnswer, error) {
	answer, stage := out.read()
	var exit *exec.ExitError
	reason := ""
	switch {
	case answer != nil:
		return *answer, answer.refused("")
	case out.tooMuch():
		reason = "answered garbage while " + stage
	case p.Err() != nil:
		return probeAnswer{}, p.timedOut(stage)
	case errors.As(ended, &exit):
		reason = fmt.Sprintf("%s while %s", howItEnded(exit.ProcessState), stage)
	case ended != nil && !errors.Is(ended, exec.ErrWaitDelay):
		return probeAnswer{}, fmt.Errorf("starting a process to load the module in: %w", ended)
	default:
		reason = "ended without an answer while " + stage
	}
	return probeAnswer{}, &ModuleError{Reason: reason, Err: ended}
}

// withoutPIN leaves out of an environment everything a PIN may be in.
func withoutPIN(environment []string) []string {
	return slices.DeleteFunc(environment, func(v string) bool { return strings.HasPrefix(strings.ToUpper(v), "PECTOKEN_PIN") })
}

// childOutput keeps what a child writes, up to a limit.
type childOutput struct {
	answered, overflow func()

	mu   sync.Mutex
	kept []byte
	full bool
}

func (o *childOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.kept)+len(p) > maxAnswer {
		o.full = true
		o.overflow()
		return len(p), nil
	}
	o.kept = append(o.kept, p...)
	if answer, _ := o.parse(); answer != nil {
		o.answered()
	}
	return len(p), nil
}

func (o *childOutput) tooMuch() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.full
}

// read returns the answer, nil if there is none, and how far the child got.
func (o *childOutput) read() (*probeAnswer, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.parse()
}

func (o *childOutput) parse() (answer *probeAnswer, stage string) {
	stage = "starting"
	for rest := o.kept; ; {
		_, after, marked := bytes.Cut(rest, []byte("\n"+probeMark))
		end := bytes.IndexByte(after, '\n')
		if !marked || end < 0 {
			return answer, stage
		}
		var line probeLine
		if json.Unmarshal(after[:end], &line) == nil {
			if line.Stage != "" {
				stage = clean(line.Stage)
			}
			if line.Answer != nil {
				answer = line.Answer
			}
		}
		rest = after[end:]
	}
}
