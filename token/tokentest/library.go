// SPDX-License-Identifier: Apache-2.0

package tokentest

import (
	"debug/elf"
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Fault is what is wrong with a module in a file.
type Fault string

// Faults of modules that only a child process survives, and of files that are no
// modules.
const (
	CrashStarting   Fault = "CRASH_STARTING"    // a fault of memory in C_Initialize
	AbortStarting   Fault = "ABORT_STARTING"    // abort in C_Initialize
	ExitStarting    Fault = "EXIT_STARTING"     // ends the process in C_Initialize, as if all were well
	HangStarting    Fault = "HANG_STARTING"     // C_Initialize never returns
	HangForked      Fault = "HANG_FORKED"       // the same, and so does a process of its own that keeps the output open
	RefuseStarting  Fault = "REFUSE_STARTING"   // C_Initialize answers CKR_DEVICE_ERROR
	CrashListing    Fault = "CRASH_LISTING"     // a fault of memory in C_GetSlotList
	Chatter         Fault = "CHATTER"           // writes to standard output without end
	NoFunctionList  Fault = "NO_FUNCTION_LIST"  // a library that is no PKCS#11 module
	BadFunctionList Fault = "BAD_FUNCTION_LIST" // C_GetFunctionList fails
	StaleSlots      Fault = "STALE_SLOTS"       // C_GetSlotList fails unless it was asked for the length just before
	Empty           Fault = "EMPTY"             // nothing is wrong, but no slot has a card

	// Forwarding does what the module that the environment names by FORWARD_TO does,
	// until GO_WRONG is set: "listing" is a fault of memory in C_GetSlotList; with
	// "ending" C_Finalize never returns, and with "signing" C_Sign; "crashing" is an
	// abort in C_Finalize.
	Forwarding Fault = "FORWARDING"

	MissingLibrary Fault = "missing library" // needs libpcsclite.so.0, which is not there
	OtherProcessor Fault = "other processor" // a library for another kind of computer
	Text           Fault = "text"            // not a library at all
)

//go:embed testdata/library.c
var source []byte

// Library makes a module with a fault, and returns its path. Where there is no C
// compiler (gcc) the test is skipped, unless the file needs none.
func Library(t testing.TB, f Fault) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lib"+string(f)+".so")
	switch f {
	case OtherProcessor:
		write(t, path, otherProcessor(t))
	case Text:
		write(t, path, []byte("INPUT ( libreal.so )\n"))
	case MissingLibrary:
		needed := filepath.Join(filepath.Dir(path), "libpcsclite.so.0")
		compile(t, needed, "-Wl,-soname,libpcsclite.so.0", "-DEMPTY")
		compile(t, path, "-DEMPTY", "-Wl,--no-as-needed", needed)
		if err := os.Remove(needed); err != nil {
			t.Fatal(err)
		}
	default:
		compile(t, path, "-D"+string(f))
	}
	return path
}

func compile(t testing.TB, path string, options ...string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed")
	}
	c := path + ".c"
	write(t, c, source)
	out, err := exec.Command(gcc, append([]string{"-shared", "-fPIC", "-o", path, c}, options...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("compiling a module: %v\n%s", err, out)
	}
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// otherProcessor is the header of a library for a processor that is not this one.
func otherProcessor(t testing.TB) []byte {
	t.Helper()
	machine := elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		machine = elf.EM_X86_64
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Ehsize: 64, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	file, err := binary.Append(nil, binary.LittleEndian, h)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
