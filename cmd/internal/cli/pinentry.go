// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"

	"github.com/twpayne/go-pinentry/v4"
)

// askPinentry asks with a program of the pinentry family, which shows a window or
// takes over the terminal. When ctx ends it is killed, for its window would be left.
func askPinentry(ctx context.Context, program, prompt string) ([]byte, error) {
	process := &pinentryProcess{}
	pin, err := unlessDone(ctx, func() ([]byte, error) { return process.ask(program, prompt) })
	if ctx.Err() != nil {
		process.kill()
	}
	return pin, err
}

// kill ends the program, or has Start do it if it is at that.
func (p *pinentryProcess) kill() {
	p.unwanted.Store(true)
	if running := p.running.Load(); running != nil {
		_ = running.Kill() // fails only if it ended
	}
}

// ask has the program ask.
func (p *pinentryProcess) ask(program, prompt string) (pin []byte, err error) {
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("the pinentry program %q: %w", program, errors.Unwrap(err))
	}
	about, _ := strings.CutSuffix(prompt, ": ")
	client, err := pinentry.NewClient(
		pinentry.WithProcess(p), pinentry.WithBinaryName(program), pinentry.WithGPGTTY(),
		pinentry.WithTitle("pectoken"), pinentry.WithDesc(about), pinentry.WithPrompt("PIN:"),
	)
	if err != nil {
		return nil, fmt.Errorf("starting %q: %w", program, err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	_, err = client.GetPIN()
	switch {
	case err == nil:
		return p.pin, nil
	case pinentry.IsCancelled(err):
		err = errors.New("it was not typed")
	default:
		err = errors.New("the pinentry program failed") // what it said may hold what was typed
	}
	clear(p.pin)
	return nil, err
}

// pinentryProcess runs a pinentry program for the library, and keeps the PIN from it,
// which would make texts of it that nothing can overwrite.
type pinentryProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	pin     []byte

	running  atomic.Pointer[os.Process] // for another goroutine to kill
	unwanted atomic.Bool                // it was killed, or is to be
}

// Start starts the program.
func (p *pinentryProcess) Start(name string, args []string) (err error) {
	p.command = exec.Command(name, args...)
	if p.in, err = p.command.StdinPipe(); err != nil {
		return err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return err
	}
	p.running.Store(p.command.Process)
	if p.unwanted.Load() {
		p.kill()
	}
	return nil
}

// Write sends a line.
func (p *pinentryProcess) Write(line []byte) (int, error) { return p.in.Write(line) }

// ReadLine receives a line. One with data is taken out.
func (p *pinentryProcess) ReadLine() (line []byte, isPrefix bool, err error) {
	line, isPrefix, err = p.out.ReadLine()
	data, is := bytes.CutPrefix(line, []byte("D "))
	if err != nil || !is {
		return line, isPrefix, err
	}
	clear(p.pin)
	p.pin = unescaped(data)
	clear(data)
	if isPrefix {
		return nil, false, errors.New("the answer is longer than any PIN")
	}
	return []byte("D "), false, nil
}

// Close ends the conversation, and the program.
func (p *pinentryProcess) Close() error { return errors.Join(p.in.Close(), p.command.Wait()) }

// unescaped undoes the percent-encoding of Assuan, the protocol of pinentry.
func unescaped(data []byte) []byte {
	text := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		var b [1]byte
		if data[i] == '%' && i+2 < len(data) {
			if _, err := hex.Decode(b[:], data[i+1:i+3]); err == nil {
				text = append(text, b[0])
				i += 2
				continue
			}
		}
		text = append(text, data[i])
	}
	return text
}
