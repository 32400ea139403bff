// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// tmpfs mounts a file system of so many bytes on a new folder, for the length
// of the script: tmpfs small 64k
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs FOLDER SIZE")
	}
	folder := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(folder, 0o700))
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+args[1]); err != nil {
		ts.Fatalf("mounting a tmpfs: %v", err)
	}
	ts.Defer(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
}

// ended runs a command and sends it a signal as soon as a file of this pattern
// exists: ended KILL .a.p7m.pectoken-* pectoken sign a
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ended KILL|TERM PATTERN COMMAND...")
	}
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	c := exec.Command(path, args[3:]...)
	c.Dir, c.Env = ts.MkAbs("."), scriptEnv(ts)
	ts.Check(c.Start())
	for range 10_000 {
		if found, _ := filepath.Glob(ts.MkAbs(args[1])); len(found) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Check(c.Process.Signal(map[string]os.Signal{"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM}[args[0]]))
	if err := c.Wait(); err == nil {
		ts.Fatalf("the command ended by itself")
	}
}

// scriptEnv is the part of the script's environment that a token needs.
func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "SOFTHSM2_CONF", "PECTOKEN_MODULE", "FORWARD_TO", "GO_WRONG"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}
