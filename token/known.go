// SPDX-License-Identifier: Apache-2.0

package token

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// KnownModule is a place where a PKCS#11 module is known to be installed.
type KnownModule struct {
	Vendor string // who makes it, such as "Bit4id"
	Path   string
}

// KnownModules returns the places where PKCS#11 modules for Italian cards are
// installed on this operating system, best first: the vendors' own modules, then
// OpenSC, which sees only part of many Italian cards, and last SoftHSM. Nothing
// is looked up; see [FindModules].
func KnownModules() []KnownModule { return knownModules(runtime.GOOS, os.Getenv) }

// FindModules returns the known modules that are installed, best first, each file
// once. It only looks whether the files are there: [Open] says whether they work, and
// [Discover] does so without a risk.
func FindModules() []KnownModule { return installed(KnownModules()) }

func installed(candidates []KnownModule) []KnownModule {
	var found []KnownModule
	var seen []os.FileInfo
	for _, m := range candidates {
		info, err := os.Stat(m.Path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		same := func(other os.FileInfo) bool { return os.SameFile(other, info) }
		if !slices.ContainsFunc(seen, same) {
			found, seen = append(found, m), append(seen, info)
		}
	}
	return found
}

// Vendors whose modules come after those made for a card.
const (
	vendorOpenSC  = "OpenSC"
	vendorSoftHSM = "SoftHSM"
)

// location is a file name and the folders it is looked for in.
type location struct {
	vendor  string
	files   []string
	folders []string
}

func knownModules(system string, env func(string) string) []KnownModule {
	var list []KnownModule
	for _, l := range locations(system, env) {
		for _, file := range l.files {
			for _, folder := range l.folders {
				list = append(list, KnownModule{l.vendor, filepath.Join(folder, file)})
			}
		}
	}
	return list
}

func locations(system string, env func(string) string) []location {
	switch system {
	case "darwin":
		return macLocations()
	case "windows":
		return windowsLocations(env)
	}
	return linuxLocations()
}

func linuxLocations() []location {
	lib := []string{
		"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib",
	}
	bit4id := append([]string{"/lib/bit4id", "/usr/lib/bit4id", "/usr/lib/x86_64-linux-gnu/bit4id", "/usr/local/lib/bit4id"}, lib...)
	return []location{
		{"Bit4id", []string{"libbit4xpki.so", "libbit4ipki.so", "libbit4opki.so", "libbit4ihpki.so", "libbit4spki.so", "libbit4p11.so"}, bit4id},
		{"ST Incard", []string{"libincryptoki2.so"}, lib},
		{"Athena", []string{"libASEP11.so", "libaseCnsP11.so"}, append([]string{"/usr/lib/x64-athena", "/lib64"}, lib...)},
		{"IDEMIA", []string{"libOcsCryptoki.so", "libOcsPKCS11Wrapper.so"}, append([]string{"/usr/local/AWP/lib"}, lib...)},
		{"Thales", []string{"libIDPrimePKCS11.so", "libeToken.so", "libeTPkcs11.so"}, lib},
		{"Gemalto", []string{"libgclib.so"}, []string{"/usr/lib/pkcs11"}},
		{"Atos CardOS", []string{"libsiecap11.so"}, []string{"/usr/local/lib"}},
		{"CryptoVision", []string{"libcvP11.so"}, lib},
		{"Charismathics", []string{"libcmP11.so"}, lib},
		{"CIE", []string{"libcie-pkcs11.so"}, []string{"/usr/local/lib", "/usr/lib"}},
		{"Yubico", []string{"libykcs11.so"}, lib},
		{vendorOpenSC, []string{"opensc-pkcs11.so"}, under(lib, "pkcs11", "")},
		{vendorSoftHSM, []string{"libsofthsm2.so"}, under(lib, "softhsm", "")},
	}
}

func macLocations() []location {
	brew := []string{"/opt/homebrew/lib", "/usr/local/lib"}
	bit4id := []string{
		"/Library/bit4id/pkcs11", "/System/Library/bit4id/pkcs11", "/System/Library/bit4id", "/Applications/Dike.app/Contents/p11",
	}
	return []location{
		{"Bit4id", []string{"libbit4xpki.dylib", "libbit4ipki.dylib", "libbit4opki.dylib"}, bit4id},
		{"Athena", []string{"libASEP11.dylib"}, []string{"/Library/Application Support/Athena"}},
		{"IDEMIA", []string{"libOcsCryptoki.dylib"}, []string{"/Library/AWP/lib"}},
		{"Thales", []string{"libIDPrimePKCS11.dylib"}, []string{"/Library/Frameworks/eToken.framework/Versions/A"}},
		{"Thales", []string{"libeTPkcs11.dylib"}, []string{"/usr/local/lib"}},
		{"Charismathics", []string{"libcmP11.dylib"}, []string{"/Applications/Charismathics"}},
		{"CIE", []string{"libcie-pkcs11.dylib"}, []string{"/Library/ipzs"}},
		{"Yubico", []string{"libykcs11.dylib"}, brew},
		{vendorOpenSC, []string{"opensc-pkcs11.so"}, append([]string{"/Library/OpenSC/lib"}, under(brew, "pkcs11", "")...)},
		{vendorSoftHSM, []string{"libsofthsm2.so"}, under(brew, "softhsm")},
	}
}

func windowsLocations(env func(string) string) []location {
	root, programs := env("SystemRoot"), env("ProgramFiles")
	if root == "" {
		root = `C:\Windows`
	}
	if programs == "" {
		programs = `C:\Program Files`
	}
	system := []string{filepath.Join(root, "System32")}
	in := func(elements ...string) []string {
		return []string{filepath.Join(append([]string{programs}, elements...)...)}
	}
	return []location{
		{"Bit4id", []string{"bit4xpki.dll", "bit4ipki.dll", "bit4opki.dll", "bit4cpki.dll", "bit4tpki.dll", "bit4p11.dll"}, system},
		{"ST Incard", []string{"incryptoki2.dll", "IpmPki32.dll", "IPMpkiLC.dll", "IPMpkiLU.dll"}, system},
		{"Athena", []string{"asepkcs.dll"}, system},
		{"IDEMIA", []string{"OcsCryptoki.dll"}, append(append(system, in("IDEMIA", "AWP", "DLLs")...), in("Oberthur Technologies", "AWP", "DLLs")...)},
		{"Thales", []string{"IDPrimePKCS1164.dll"}, in("SafeNet", "Authentication", "SAC", "x64")},
		{"Thales", []string{"eTPKCS11.dll", "eToken.dll"}, system},
		{"Gemalto", []string{"gclib.dll"}, system},
		{"Atos CardOS", []string{"siecap11.dll", "SI_PKCS11.dll", "CardOS_PKCS11.dll", "cnsPKCS11.dll", "SissP11.dll"}, system},
		{"CryptoVision", []string{"cvP11_M4.dll"}, system},
		{"Charismathics", []string{"cmP11.dll"}, system},
		{"CIE", []string{"CIEPKI.dll"}, system},
		{"Yubico", []string{"libykcs11.dll"}, in("Yubico", "Yubico PIV Tool", "bin")},
		{vendorOpenSC, []string{"opensc-pkcs11.dll"}, in("OpenSC Project", "OpenSC", "pkcs11")},
		{vendorSoftHSM, []string{"softhsm2-x64.dll"}, []string{`C:\SoftHSM2\lib`}},
	}
}

// under returns each folder with each name below it.
func under(folders []string, names ...string) []string {
	var list []string
	for _, name := range names {
		for _, folder := range folders {
			list = append(list, filepath.Join(folder, name))
		}
	}
	return list
}
