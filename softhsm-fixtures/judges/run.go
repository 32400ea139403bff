// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Timeout is how long a program may take; the context may allow less.
const Timeout = 2 * time.Minute

// maxSaid bounds what an error quotes of a program's output.
const maxSaid = 4 << 10

// program is one run of a program.
type program struct {
	name string
	args []string
	home string // HOME, when not the caller's
	dir  string // where it runs, when not where the caller does
}

// run returns what the program wrote to standard output. The error has what
// it wrote to standard error, or else to standard output.
func (p program) run(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, p.name, p.args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANGUAGE=", "TZ=UTC")
	cmd.Dir = p.dir
	if p.home != "" {
		cmd.Env = append(cmd.Env, "HOME="+p.home)
	}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second // for children that keep the pipes open
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("running %s: not installed", p.name)
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("running %s: %w: %s", p.name, err, said(stderr.String(), stdout.String()))
	}
	return stdout.String(), nil
}

// run is the run of a program with nothing special about it.
func run(ctx context.Context, name string, args ...string) (string, error) {
	return program{name: name, args: args}.run(ctx)
}

// said is the first output that is not empty, on one line and not too long.
func said(outputs ...string) string {
	for _, o := range outputs {
		if o = strings.Join(strings.Fields(o), " "); o != "" {
			return o[:min(len(o), maxSaid)]
		}
	}
	return "it said nothing"
}

// exitCode is the exit code behind an error of run; -1 when there is none.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// inTemp runs do with a folder that is gone afterwards.
func inTemp(do func(dir string) error) error {
	dir, err := os.MkdirTemp("", "judges-")
	if err != nil {
		return err
	}
	return errors.Join(do(dir), os.RemoveAll(dir))
}
