// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// needCgo skips a test that loads libraries in a build without cgo.
func needCgo(t *testing.T) {
	t.Helper()
	if Available() != nil {
		t.Skip("cgo")
	}
}

func TestOpenRefuses(t *testing.T) {
	needCgo(t)
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "missing.so"), "no such file"},
		{"a folder", dir, "not a file"},
		{"empty", write("empty.so", nil), "nearly empty"},
		{"a text", write("text.so", []byte("INPUT ( libreal.so )")), "not a shared library"},
		{"only a magic number", write("magic.so", []byte(elf.ELFMAG+"\x02\x01\x01")), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.path)
			var refused *ModuleError
			if !errors.As(err, &refused) || refused.Path != c.path || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := Open(cases[0].path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestOpenForeignLibrary opens real libraries that are no PKCS#11 modules.
func TestOpenForeignLibrary(t *testing.T) {
	needCgo(t)
	libc := ""
	for _, path := range []string{"/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6"} {
		if _, err := os.Stat(path); err == nil {
			libc = path
		}
	}
	if libc == "" {
		t.Skip("libm.so.6 is not here")
	}
	_, err := Open(libc)
	if err == nil || !strings.Contains(err.Error(), "C_GetFunctionList") {
		t.Errorf("error %v", err)
	}
}

// TestOpenBrokenLibrary opens a library that the system's loader refuses, and
// wants its reason.
func TestOpenBrokenLibrary(t *testing.T) {
	needCgo(t)
	path := filepath.Join(t.TempDir(), "broken.so")
	header := elfFile(t, elf.ET_DYN, thisELF(t))
	if err := os.WriteFile(path, header, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	if err == nil || !strings.Contains(err.Error(), "the system does not load it") {
		t.Errorf("error %v", err)
	}
}

func thisELF(t *testing.T) elf.Machine {
	t.Helper()
	for m, goarch := range elfProcessors {
		if runtime.GOOS == "linux" && goarch == runtime.GOARCH && m.class == elf.ELFCLASS64 && m.data == elf.ELFDATA2LSB {
			return m.machine
		}
	}
	t.Skipf("no ELF libraries on %s/%s", runtime.GOOS, runtime.GOARCH)
	return 0
}

// elfFile returns a header without anything behind it.
func elfFile(t *testing.T, kind elf.Type, machine elf.Machine) []byte {
	t.Helper()
	h := elf.Header64{Type: uint16(kind), Machine: uint16(machine), Version: 1, Ehsize: 64, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	return encoded(t, binary.LittleEndian, h)
}

func machoFile(t *testing.T, kind macho.Type, cpu macho.Cpu) []byte {
	t.Helper()
	// the 64-bit header has four more bytes at its end
	return append(encoded(t, binary.LittleEndian, macho.FileHeader{Magic: macho.Magic64, Cpu: cpu, Type: kind}), 0, 0, 0, 0)
}

func fatFile(t *testing.T, cpus ...macho.Cpu) []byte {
	t.Helper()
	file := encoded(t, binary.BigEndian, []uint32{macho.MagicFat, uint32(len(cpus))})
	slice := machoFile(t, macho.TypeDylib, 0)
	offset := 8 + 20*len(cpus)
	var slices []byte
	for _, cpu := range cpus {
		file = append(file, encoded(t, binary.BigEndian, macho.FatArchHeader{Cpu: cpu, Offset: uint32(offset + len(slices)), Size: uint32(len(slice))})...)
		slices = append(slices, machoFile(t, macho.TypeDylib, cpu)...)
	}
	return append(file, slices...)
}

func peFile(t *testing.T, machine, characteristics uint16) []byte {
	t.Helper()
	dos := make([]byte, 0x60)
	copy(dos, "MZ")
	dos[0x3c] = 0x60
	return append(append(dos, "PE\x00\x00"...), encoded(t, binary.LittleEndian, pe.FileHeader{Machine: machine, Characteristics: characteristics})...)
}

func encoded(t *testing.T, order binary.ByteOrder, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, order, v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnfit(t *testing.T) {
	linux, mac, windows := platform{"linux", "amd64"}, platform{"darwin", "arm64"}, platform{"windows", "amd64"}
	cases := []struct {
		name string
		file []byte
		on   platform
		want string // "" for a file that fits
	}{
		{"ELF", elfFile(t, elf.ET_DYN, elf.EM_X86_64), linux, ""},
		{"ELF of another processor", elfFile(t, elf.ET_DYN, elf.EM_AARCH64), linux, "built for arm64, this program is x86_64"},
		{"ELF of a processor without a name", elfFile(t, elf.ET_DYN, elf.EM_SPARCV9), linux, ""},
		{"ELF program", elfFile(t, elf.ET_EXEC, elf.EM_X86_64), linux, "not a shared library: an ELF file of another kind"},
		{"ELF cut short", elfFile(t, elf.ET_DYN, elf.EM_X86_64)[:40], linux, "not a shared library: damaged ELF file"},
		{"ELF on macOS", elfFile(t, elf.ET_DYN, elf.EM_X86_64), mac, "built for Linux, this program is for macOS"},
		{"Mach-O", machoFile(t, macho.TypeDylib, macho.CpuArm64), mac, ""},
		{"Mach-O of another processor", machoFile(t, macho.TypeDylib, macho.CpuAmd64), mac, "built for x86_64, this program is arm64"},
		{"Mach-O bundle", machoFile(t, macho.TypeBundle, macho.CpuArm64), mac, ""},
		{"Mach-O program", machoFile(t, macho.TypeExec, macho.CpuArm64), mac, "not a shared library: a Mach-O file of another kind"},
		{"Mach-O cut short", machoFile(t, macho.TypeDylib, macho.CpuArm64)[:9], mac, "not a shared library: damaged Mach-O file"},
		{"Mach-O for both processors", fatFile(t, macho.CpuAmd64, macho.CpuArm64), mac, ""},
		{"Mach-O for two others", fatFile(t, macho.CpuAmd64, macho.Cpu386), mac, "built for x86_64 and 32-bit x86, this program is arm64"},
		{"Mach-O on Linux", machoFile(t, macho.TypeDylib, macho.CpuAmd64), linux, "built for macOS, this program is for Linux"},
		{"DLL", peFile(t, pe.IMAGE_FILE_MACHINE_AMD64, pe.IMAGE_FILE_DLL), windows, ""},
		{"DLL of 32 bits", peFile(t, pe.IMAGE_FILE_MACHINE_I386, pe.IMAGE_FILE_DLL), windows, "built for 32-bit x86, this program is x86_64"},
		{"Windows program", peFile(t, pe.IMAGE_FILE_MACHINE_AMD64, 0), windows, "not a shared library: a Windows program"},
		{"DLL cut short", peFile(t, 0, 0)[:0x50], windows, "not a shared library: damaged PE file"},
		{"DLL on Linux", peFile(t, pe.IMAGE_FILE_MACHINE_AMD64, pe.IMAGE_FILE_DLL), linux, "built for Windows, this program is for Linux"},
		{"a text", []byte("#!/bin/sh\n"), linux, "not a shared library"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := unfit(bytes.NewReader(c.file), c.on); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOpenTwice opens one file twice, the second time by another name, and
// closes the first while the second is in use.
func TestOpenTwice(t *testing.T) {
	h := softhsm.New(t)
	firma := firma(t)
	if _, err := h.AddToken(firma.label, firma.pin, firma.objects...); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.so")
	if err := os.Symlink(h.Module(), link); err != nil {
		t.Fatal(err)
	}
	first, second := mustOpen(t, h.Module()), mustOpen(t, link)
	if first.Path() != h.Module() || second.Path() != link {
		t.Errorf("paths %q and %q", first.Path(), second.Path())
	}
	token, certificate := find(t, second, "Firma", "DS0")
	s := mustSigner(t, token, certificate, &prompt{pin: rightPIN})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(nil, digestOf(crypto.SHA256, "x"), crypto.SHA256); err != nil {
		t.Errorf("after closing the other module: %v", err)
	}
}

// TestOpenAgain opens a module anew after it was closed, as programs that watch
// for cards do.
func TestOpenAgain(t *testing.T) {
	h := softhsm.New(t)
	for i := range 2 {
		if _, err := h.AddToken("Firma", rightPIN); err != nil {
			t.Fatal(err)
		}
		m := mustOpen(t, h.Module())
		if n := len(tokensOf(t, m)); n != i+1 {
			t.Errorf("round %d: %d tokens", i, n)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKnownModules(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		list := knownModules(system, func(string) string { return "" })
		rank := map[string]int{}
		for i, m := range list {
			if m.Vendor == "" || filepath.Base(m.Path) == m.Path {
				t.Errorf("%s: %+v", system, m)
			}
			rank[m.Vendor] = i
		}
		if rank["Bit4id"] > rank["OpenSC"] || rank["OpenSC"] > rank["SoftHSM"] || rank["SoftHSM"] != len(list)-1 {
			t.Errorf("%s: order %v", system, rank)
		}
	}
}

func TestFindModules(t *testing.T) {
	known := KnownModules()
	for _, m := range FindModules() {
		if info, err := os.Stat(m.Path); err != nil || info.IsDir() || !slices.Contains(known, m) {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func TestInstalled(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a.so"), filepath.Join(dir, "b.so")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	got := installed([]KnownModule{{"missing", filepath.Join(dir, "c.so")}, {"folder", dir}, {"first", link}, {"second", file}})
	if len(got) != 1 || got[0].Vendor != "first" {
		t.Errorf("found %v", got)
	}
}

func TestCode(t *testing.T) {
	cases := map[Code]string{
		0: "CKR_OK (0x0)", 0xa0: "CKR_PIN_INCORRECT (0xa0)", 0x32: "CKR_DEVICE_REMOVED (0x32)",
		0x4: "CKR_UNKNOWN (0x4)", 0x80000001: "CKR_VENDOR_DEFINED (0x80000001)",
	}
	for code, want := range cases {
		if got := code.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !errors.Is(Code(cryptoki.CKR_TOKEN_NOT_PRESENT), ErrRemoved) || errors.Is(Code(cryptoki.CKR_GENERAL_ERROR), ErrRemoved) || errors.Is(Code(cryptoki.CKR_DEVICE_REMOVED), ErrClosed) {
		t.Error("removed cards are not told from others")
	}
}

func TestPointX(t *testing.T) {
	x := bytes.Repeat([]byte{4}, 32)
	raw := append(append([]byte{4}, x...), bytes.Repeat([]byte{9}, 32)...)
	long := append([]byte{4}, make([]byte, 2*66)...)
	cases := []struct {
		name  string
		value []byte
		want  int // length of X
	}{
		{"raw", raw, 32},
		{"wrapped", append([]byte{4, 65}, raw...), 32},
		{"compressed", append([]byte{2}, x...), 32},
		{"wrapped and compressed", append([]byte{4, 33, 3}, x...), 32},
		{"P-521 wrapped", append([]byte{4, 0x81, 133}, long...), 66},
		{"empty", nil, 0},
		{"cut short", raw[:64], 0},
		{"another tag", append([]byte{5, 65}, raw...), 0},
		{"two bytes", []byte{4, 0}, 0},
	}
	for _, c := range cases {
		if got := pointX(c.value); len(got) != c.want || c.want == 32 && !bytes.Equal(got, x) {
			t.Errorf("%s: %x", c.name, got)
		}
	}
}

// FuzzUnfit looks at damaged libraries: whatever they are, there is an answer.
func FuzzUnfit(f *testing.F) {
	f.Add([]byte(elf.ELFMAG))
	f.Add([]byte("MZ"))
	f.Add([]byte("\xca\xfe\xba\xbe\x00\x00\x00\x02"))
	f.Add([]byte("\xcf\xfa\xed\xfe"))
	f.Fuzz(func(t *testing.T, file []byte) {
		fits := 0
		for _, system := range []string{"linux", "darwin", "windows"} {
			if unfit(bytes.NewReader(file), platform{system, "amd64"}) == "" {
				fits++
			}
		}
		if fits > 1 {
			t.Errorf("a library for %d systems", fits)
		}
	})
}
