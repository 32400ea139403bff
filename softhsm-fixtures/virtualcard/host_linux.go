// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopping is how long the host may take to end by itself.
const stopping = 10 * time.Second

// What is one for a process, because the PC/SC library reads once where the
// service is.
var (
	folder  = sync.OnceValues(newFolder)
	running atomic.Bool
	hooked  atomic.Bool
)

// newFolder finds a name for the host's folder. The path of a socket is short, so
// the name is as well.
func newFolder() (string, error) {
	dir, err := os.MkdirTemp("", "vc")
	if err != nil {
		return "", err
	}
	longest := len(unix.RawSockaddrUnix{}.Path) - 1
	if socket := (&host{dir: dir}).socket(); len(socket) > longest {
		return "", errors.Join(fmt.Errorf("the path of a socket, %q, would be longer than %d bytes: set TMPDIR to a shorter one", socket, longest), os.Remove(dir))
	}
	return dir, os.Remove(dir)
}

// startHost makes the folder and starts the host in it.
func startHost(ctx context.Context) (*host, error) {
	if !hooked.Load() {
		return nil, errors.New("virtualcard.Hook was not called: it has to be the first thing in main, or in TestMain")
	}
	found, err := findParts()
	if err != nil {
		return nil, err
	}
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	if !running.CompareAndSwap(false, true) {
		return nil, errors.New("there is one in this process, and there can be no second")
	}
	h, err := startIn(ctx, dir, found)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return h, nil
}

func startIn(ctx context.Context, dir string, found parts) (h *host, err error) {
	defer func() {
		if err != nil {
			running.Store(false)
		}
	}()
	if err := prepare(dir, found); err != nil {
		return nil, err
	}
	// Root's namespaces need no namespace of users, and some systems allow it to
	// root alone. In a container root may lack the right, and users have it.
	err = ErrNotPermitted
	if os.Geteuid() == 0 {
		h, err = spawn(ctx, dir, found, 0)
	}
	if errors.Is(err, ErrNotPermitted) {
		h, err = spawn(ctx, dir, found, syscall.CLONE_NEWUSER)
	}
	return h, err
}

// prepare makes the folder: the service's configuration, which names the reader,
// and no driver of any other reader.
func prepare(dir string, found parts) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"pcscd", driversName} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	reader := fmt.Sprintf("FRIENDLYNAME %q\nDEVICENAME /dev/null:%#X\nLIBPATH %s\nCHANNELID %#X\n", readerName, firstPort, found.driver, firstPort)
	return os.WriteFile(filepath.Join(dir, readersName), []byte(reader), 0o600)
}

// spawn runs this program once more as the host, in namespaces of its own. The
// host ends when the connection to it does, and the service with the host.
func spawn(ctx context.Context, dir string, found parts, flags uintptr) (*host, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := connection()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), hostVariable+"="+dir, serviceVariable+"="+found.service)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | flags}
	if flags&syscall.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, namespaceError(err)
	}
	h := &host{dir: dir, control: ours, wait: waiting(cmd)}
	if err := h.ready(ctx); err != nil {
		return nil, errors.Join(err, h.end())
	}
	return h, nil
}

// namespaceError marks the ways of the kernel to refuse namespaces: for want of a
// right, by a limit of zero, or because it has none.
func namespaceError(err error) error {
	for _, no := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EINVAL, syscall.ENOSYS, syscall.EUSERS} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w: %w", ErrNotPermitted, err)
		}
	}
	return err
}

// waiting waits for a process that was told to end, and kills it when it
// doesn't.
func waiting(cmd *exec.Cmd) func() error {
	return func() error {
		timer := time.AfterFunc(stopping, func() { _ = cmd.Process.Kill() }) // fails only if it ended
		defer timer.Stop()
		return cmd.Wait()
	}
}

// connection makes two ends of a connection that keeps messages apart.
func connection() (ours *net.UnixConn, theirs *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(ends[1]), "host")
	ours, err = unixConn(os.NewFile(uintptr(ends[0]), "control"))
	if err != nil {
		theirs.Close()
	}
	return ours, theirs, err
}

// unixConn turns a file into the connection that it is.
func unixConn(file *os.File) (*net.UnixConn, error) {
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// ready waits for the host's first message, which says that the service runs.
func (h *host) ready(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = h.control.SetReadDeadline(time.Now()) }) // wakes the read below
	defer stop()
	_, err := h.message()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// dial asks the host for a connection to the reader's driver, and gets it as a
// file: a socket belongs to the network that it was made in, whoever holds it.
func (h *host) dial(slot byte) (net.Conn, error) {
	if _, err := h.control.Write([]byte{slot}); err != nil {
		return nil, err
	}
	file, err := h.message()
	if err != nil {
		return nil, err
	}
	if file == nil {
		return nil, errors.New("the host sent no connection")
	}
	defer file.Close()
	return net.FileConn(file)
}

// message reads a message of the host, with the file that may come with it.
func (h *host) message() (*os.File, error) {
	text, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := h.control.ReadMsgUnix(text, rights)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("the host ended: %s", h.log())
	}
	switch verdict(text[0]) {
	case verdictNo:
		return nil, errors.New(string(text[1:n]))
	case verdictNotPermitted:
		return nil, fmt.Errorf("%w: %s", ErrNotPermitted, text[1:n])
	}
	return received(rights[:m])
}

// received is the file in control messages, nil if there is none.
func received(rights []byte) (*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if files, err := unix.ParseUnixRights(&m); err == nil && len(files) == 1 {
			unix.CloseOnExec(files[0])
			return os.NewFile(uintptr(files[0]), "reader"), nil
		}
	}
	return nil, errors.New("the host sent no file")
}

// end hangs up on the host and waits for its end.
func (h *host) end() error {
	h.control.Close()
	return h.wait()
}

// stop ends the host and removes its folder.
func (h *host) stop() error {
	defer running.Store(false)
	return errors.Join(h.end(), os.RemoveAll(h.dir))
}

// quickAck acknowledges what comes next without delay.
func quickAck(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// Without it all is slow, and nothing wrong.
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
}
