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

// killed runs a command and kills it as soon as a file of this pattern exists:
// killed .a.p7m.pectoken-* pectoken sign a
func killed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: killed PATTERN COMMAND...")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	c := exec.Command(path, args[2:]...)
	c.Dir, c.Env = ts.MkAbs("."), scriptEnv(ts)
	ts.Check(c.Start())
	for range 10_000 {
		if found, _ := filepath.Glob(ts.MkAbs(args[0])); len(found) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Check(c.Process.Kill())
	if err := c.Wait(); err == nil {
		ts.Fatalf("the command ended before it was killed")
	}
}

// scriptEnv is the part of the script's environment that a token needs.
func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "SOFTHSM2_CONF", "PECTOKEN_MODULE"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}
