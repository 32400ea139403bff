// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// maxAnswer bounds what a judge may answer, in bytes.
const maxAnswer = 4 << 20

// service is a judge that takes long to start and is therefore asked many
// times: a JSON object a line for a question, one for the answer. It starts
// at the first question, and anew after one that it did not survive.
type service struct {
	name    string
	command []string

	mu      sync.Mutex // held from the question to the answer
	running *process   // nil when it is not
}

// RefusedError is returned when a judge could be asked and did not do as
// asked, such as when it can't make sense of a file.
type RefusedError struct {
	Judge string
	Says  string
}

// Error implements the error interface.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("asking %s: it refuses: %s", e.Judge, e.Says)
}

// ask puts a question and reads the answer, for which the judge has [Timeout]
// at the most. A judge that dies of the question, or does not answer in time,
// gives an error with the last it wrote to standard error.
func (s *service) ask(ctx context.Context, question, answer any) error {
	line, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("asking %s: %w", s.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	said, err := s.exchange(ctx, append(line, '\n'))
	if err != nil {
		return fmt.Errorf("asking %s: %w", s.name, err)
	}
	var refusal struct{ Refused string }
	if err := json.Unmarshal(said, &refusal); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", s.name, err)
	}
	if refusal.Refused != "" {
		return &RefusedError{Judge: s.name, Says: refusal.Refused}
	}
	return json.Unmarshal(said, answer)
}

// exchange returns the line that answers another, valid until the next one.
func (s *service) exchange(ctx context.Context, line []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, s.running.kill)
	answer, err := s.running.exchange(line)
	if killed := !stop(); killed {
		err = ctx.Err()
	}
	if err != nil {
		words := s.stop()
		return nil, fmt.Errorf("%w: %s", err, said(words))
	}
	return answer, nil
}

func (s *service) start() (err error) {
	if s.running == nil {
		s.running, err = startProcess(s.command)
	}
	return err
}

// stop ends the process, if there is one, and returns the last of its words.
func (s *service) stop() string {
	if s.running == nil {
		return ""
	}
	words := s.running.end()
	s.running = nil
	return words
}

// close ends the service when no question is open.
func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// process is one run of a service.
type process struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  io.ReadCloser
	answers *bufio.Reader // of stdout
	stderr  *tail
}

func startProcess(command []string) (*process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	// UTF-8, for the names of files.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LANGUAGE=", "TZ=UTC")
	cmd.WaitDelay = time.Second
	p := &process{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = p.stderr
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.answers = bufio.NewReaderSize(p.stdout, maxAnswer)
	return p, cmd.Start()
}

func (p *process) exchange(line []byte) ([]byte, error) {
	if _, err := p.stdin.Write(line); err != nil {
		return nil, err
	}
	answer, err := p.answers.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	case errors.Is(err, io.EOF):
		return nil, errors.New("it ended without an answer")
	}
	return answer, err
}

// kill also ends a wait for an answer that a child of the process keeps up.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.stdout.Close()
}

// end lets the process end by itself, or else kills it, and returns the last
// it wrote to standard error.
func (p *process) end() string {
	p.stdin.Close()
	p.stdout.Close()
	timer := time.AfterFunc(2*time.Second, p.kill)
	defer timer.Stop()
	p.cmd.Wait() // how it ends does not matter any more
	return p.stderr.String()
}

// tail keeps the last that is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, b...)
	if over := len(t.last) - maxSaid; over > 0 {
		t.last = bytes.Clone(t.last[over:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}

// path is the path of a file, which a service is told from the root, as it may
// have been started in another folder.
type path string

// MarshalText implements [encoding.TextMarshaler].
func (p path) MarshalText() ([]byte, error) {
	absolute, err := filepath.Abs(string(p))
	return []byte(absolute), err
}
