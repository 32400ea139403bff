// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"io"
	"runtime"
	"strings"
)

// platform is what a library must be built for: GOOS and GOARCH words.
type platform struct{ system, processor string }

func thisPlatform() platform { return platform{runtime.GOOS, runtime.GOARCH} }

// unfit says why a file cannot be loaded as a library on p, or "" if nothing
// speaks against it. An unknown processor is left for the system to judge.
func unfit(f io.ReaderAt, p platform) string {
	magic := make([]byte, 4)
	if n, _ := f.ReadAt(magic, 0); n < len(magic) {
		return "not a shared library: the file is nearly empty"
	}
	switch {
	case bytes.Equal(magic, []byte(elf.ELFMAG)):
		return unfitELF(f, p)
	case bytes.HasPrefix(magic, []byte("MZ")):
		return unfitPE(f, p)
	case isMachO(magic):
		return unfitMachO(f, p)
	}
	return "not a shared library"
}

func unfitELF(f io.ReaderAt, p platform) string {
	if p.system == "windows" || p.system == "darwin" {
		return wrongSystem("Linux", p)
	}
	file, err := elf.NewFile(f)
	if err != nil {
		return "not a shared library: damaged ELF file"
	}
	if file.Type != elf.ET_DYN {
		return "not a shared library: an ELF file of another kind"
	}
	return wrongProcessor(p, elfProcessors[elfMachine{file.Machine, file.Class, file.Data}])
}

func unfitPE(f io.ReaderAt, p platform) string {
	if p.system != "windows" {
		return wrongSystem("Windows", p)
	}
	file, err := pe.NewFile(f)
	if err != nil {
		return "not a shared library: damaged PE file"
	}
	if file.Characteristics&pe.IMAGE_FILE_DLL == 0 {
		return "not a shared library: a Windows program"
	}
	return wrongProcessor(p, peProcessors[file.Machine])
}

func isMachO(magic []byte) bool {
	switch string(magic) {
	case "\xca\xfe\xba\xbe", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf":
		return true
	}
	return false
}

func unfitMachO(f io.ReaderAt, p platform) string {
	if p.system != "darwin" {
		return wrongSystem("macOS", p)
	}
	if fat, err := macho.NewFatFile(f); err == nil {
		built := make([]string, len(fat.Arches))
		for i, arch := range fat.Arches {
			built[i] = machoProcessors[arch.Cpu]
		}
		return wrongProcessor(p, built...)
	}
	file, err := macho.NewFile(f)
	if err != nil {
		return "not a shared library: damaged Mach-O file"
	}
	if file.Type != macho.TypeDylib && file.Type != macho.TypeBundle {
		return "not a shared library: a Mach-O file of another kind"
	}
	return wrongProcessor(p, machoProcessors[file.Cpu])
}

func wrongSystem(built string, p platform) string {
	names := map[string]string{"darwin": "macOS", "windows": "Windows", "linux": "Linux"}
	here := names[p.system]
	if here == "" {
		here = p.system
	}
	return fmt.Sprintf("built for %s, this program is for %s", built, here)
}

// wrongProcessor compares GOARCH words; an empty one is a processor we have no
// word for.
func wrongProcessor(p platform, built ...string) string {
	names := make([]string, len(built))
	for i, b := range built {
		if b == p.processor || b == "" {
			return ""
		}
		names[i] = processorName(b)
	}
	return fmt.Sprintf("built for %s, this program is %s", strings.Join(names, " and "), processorName(p.processor))
}

// processorName returns the word that vendors and systems use for a GOARCH.
func processorName(goarch string) string {
	switch goarch {
	case "amd64":
		return "x86_64"
	case "386":
		return "32-bit x86"
	}
	return goarch
}

type elfMachine struct {
	machine elf.Machine
	class   elf.Class
	data    elf.Data
}

var elfProcessors = map[elfMachine]string{
	{elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB}:    "amd64",
	{elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB}:       "386",
	{elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB}:   "arm64",
	{elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB}:       "arm",
	{elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "riscv64",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "ppc64le",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB}:     "ppc64",
	{elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB}:      "s390x",
	{elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB}: "loong64",
}

var peProcessors = map[uint16]string{
	pe.IMAGE_FILE_MACHINE_AMD64: "amd64",
	pe.IMAGE_FILE_MACHINE_I386:  "386",
	pe.IMAGE_FILE_MACHINE_ARM64: "arm64",
	pe.IMAGE_FILE_MACHINE_ARMNT: "arm",
}

var machoProcessors = map[macho.Cpu]string{
	macho.CpuAmd64: "amd64",
	macho.Cpu386:   "386",
	macho.CpuArm64: "arm64",
	macho.CpuArm:   "arm",
}
