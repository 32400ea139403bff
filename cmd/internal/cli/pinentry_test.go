// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// The window of a pinentry program goes when the user interrupts: it is killed, which
// closes the pipe that it alone holds open.
func TestPinentryInterrupted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the script opens a pipe through /proc, which Linux has")
	}
	pipe, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer theirs.Close()
	program := filepath.Join(t.TempDir(), "pinentry")
	script := fmt.Sprintf("#!/bin/sh\necho OK\nexec 3>/proc/%d/fd/%d\necho asked >&3\nwhile :; do read line || sleep 1; done\n", os.Getpid(), theirs.Fd())
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := askPinentry(ctx, program, "PIN: ")
		done <- err
	}()
	line := make([]byte, 16)
	if n, err := pipe.Read(line); err != nil || string(line[:n]) != "asked\n" {
		t.Fatalf("%q, %v", line[:n], err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected that of the context", err)
	}
	theirs.Close()
	_ = pipe.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := pipe.Read(line); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is still there: read %d bytes, %v", n, err)
	}
}
