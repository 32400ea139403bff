// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What tells the host that it is one, and where things are. dropVariable names
// the folder of USB drivers to the service.
const (
	hostVariable    = "PECTOKEN_VIRTUALCARD_HOST"
	serviceVariable = "PECTOKEN_VIRTUALCARD_PCSCD"
	dropVariable    = "PCSCLITE_HP_DROPDIR"
)

// The names in the host's folder.
const (
	driversName = "drivers"
	readersName = "readers"
)

const (
	firstPort  = 0x8C7B // where the driver waits for the first card; the second is next to it
	runFolder  = "/run" // where the service has its socket: that is compiled in
	maxMessage = 8 << 10
	starting   = 20 * time.Second
)

// verdict is the first byte of a message from the host. The rest is the reason.
type verdict byte

const (
	verdictYes          verdict = '+'
	verdictNo           verdict = '-'
	verdictNotPermitted verdict = '!'
)

// Hook is the first thing in the main function, or in TestMain, of a program that
// calls [Open] or [Start]. In the process that they start it runs the service and
// does not return; otherwise it does nothing.
func Hook() {
	dir := os.Getenv(hostVariable)
	if dir == "" {
		hooked.Store(true)
		return
	}
	os.Exit(runHost(dir))
}

// runHost runs the service until the connection ends. Everything in the
// namespaces ends with this process, which is the first one in them.
func runHost(dir string) (code int) {
	control, err := unixConn(os.NewFile(3, "control"))
	if err != nil {
		return 1
	}
	if err := serve(control, &host{dir: dir}); err != nil {
		tell(control, namespaceVerdict(err), err.Error())
		return 1
	}
	return 0
}

// namespaceVerdict tells a namespace in which nothing may be done, which is what
// some systems give to users, from other failures.
func namespaceVerdict(err error) verdict {
	if errors.Is(err, ErrNotPermitted) {
		return verdictNotPermitted
	}
	return verdictNo
}

// serve sets the namespaces up, starts the service and connects cards.
func serve(control *net.UnixConn, h *host) error {
	if err := furnish(h.dir); err != nil {
		return namespaceError(err)
	}
	ended, err := startService(h)
	if err != nil {
		return err
	}
	if err := h.reachable(ended); err != nil {
		return err
	}
	tell(control, verdictYes, "")
	for {
		slot := make([]byte, 1)
		if n, err := control.Read(slot); err != nil || n == 0 {
			return nil
		}
		connect(control, slot[0])
	}
}

// furnish puts the host's folder in the place of /run, and switches the loopback
// on.
func furnish(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to ourselves: %w", err)
	}
	if err := unix.Mount(dir, runFolder, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s: %w", runFolder, err)
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("switching the loopback on: %w", err)
	}
	return nil
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback)
}

// startService starts pcscd, and returns what is closed when it ends.
func startService(h *host) (ended <-chan struct{}, err error) {
	log, err := os.Create(h.logFile())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	program := os.Getenv(serviceVariable)
	cmd := exec.Command(program, serviceOptions(program, filepath.Join(runFolder, readersName))...)
	cmd.Env = append(os.Environ(), dropVariable+"="+filepath.Join(runFolder, driversName))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return done, nil
}

// serviceOptions are those of pcscd. Where it asks polkit who may use cards,
// which is not running in here, it is told not to.
func serviceOptions(program, readers string) []string {
	options := []string{"--foreground", "--config", readers}
	const noPolkit = "--disable-polkit"
	if help, err := exec.Command(program, "--help").Output(); err == nil && strings.Contains(string(help), noPolkit) {
		options = append(options, noPolkit)
	}
	return options
}

// reachable waits until the service answers: by then it has its readers.
func (h *host) reachable(ended <-chan struct{}) error {
	return retry(func() error {
		select {
		case <-ended:
			return giveUp{fmt.Errorf("pcscd ended: %s", h.log())}
		default:
		}
		conn, err := net.Dial("unix", h.socket())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// giveUp is an error after which there is no point in trying again.
type giveUp struct{ error }

func (g giveUp) Unwrap() error { return g.error }

// retry does something until it succeeds or has had its time.
func retry(do func() error) error {
	deadline := time.Now().Add(starting)
	for {
		err := do()
		if err == nil || errors.As(err, new(giveUp)) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// connect sends a connection to the reader's driver.
func connect(control *net.UnixConn, slot byte) {
	file, err := dialDriver(slot)
	if err != nil {
		tell(control, verdictNo, err.Error())
		return
	}
	defer file.Close()
	// The other end sees by itself when it gets nothing.
	_, _, _ = control.WriteMsgUnix([]byte{byte(verdictYes)}, unix.UnixRights(int(file.Fd())), nil)
}

func dialDriver(slot byte) (file *os.File, err error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+int(slot)))
	err = retry(func() error {
		conn, err := net.Dial("tcp4", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		if err != nil {
			return giveUp{err}
		}
		defer conn.Close()
		file, err = conn.(*net.TCPConn).File()
		return err
	})
	return file, err
}

// tell sends a message without a file; when the other end is gone there is nobody
// to tell.
func tell(control *net.UnixConn, v verdict, reason string) {
	message := append([]byte{byte(v)}, reason...)
	_, _ = control.Write(message[:min(len(message), maxMessage)])
}
