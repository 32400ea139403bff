// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// program is the name by which p11-kit's enable-in and disable-in know us.
const program = "pectoken"

// p11kitFolders returns the folders of p11-kit's module files, of low priority
// first: pkcs11.conf(5).
func p11kitFolders(getenv func(string) string) []string {
	folders := []string{"/usr/share/p11-kit/modules", "/etc/pkcs11/modules"}
	if home := getenv("HOME"); home != "" {
		folders = append(folders, filepath.Join(home, ".config", "pkcs11", "modules"))
	}
	return folders
}

// p11kitLibraries is where p11-kit keeps modules that are named without a path.
var p11kitLibraries = []string{
	"/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/aarch64-linux-gnu/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11",
}

// p11kitModules returns the modules that p11-kit's files in the folders register
// for this program. A file of a higher folder overrides the one of the same name
// below it, setting by setting. Files that cannot be read are passed over.
func p11kitModules(folders []string) []string {
	merged := map[string]map[string]string{}
	for _, folder := range folders {
		files, _ := filepath.Glob(filepath.Join(folder, "*.module")) // the pattern is right
		for _, file := range files {
			name := filepath.Base(file)
			if merged[name] == nil {
				merged[name] = map[string]string{}
			}
			maps.Copy(merged[name], p11kitFile(file))
		}
	}
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		if path := p11kitModule(merged[name]); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// maxP11KitFile bounds what is read of a module file: they have a few lines.
const maxP11KitFile = 64 << 10

func p11kitFile(path string) map[string]string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxP11KitFile))
	if err != nil {
		return nil
	}
	return p11kitSettings(content)
}

// p11kitSettings reads "name: value" lines; # begins a comment line.
func p11kitSettings(content []byte) map[string]string {
	settings := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), ":")
		if name = strings.TrimSpace(name); ok && !strings.HasPrefix(name, "#") {
			settings[name] = strings.TrimSpace(value)
		}
	}
	return settings
}

// p11kitModule returns the path of a registered module, empty if it is disabled,
// not for this program, no card's (trust-policy), or on another machine (remote).
func p11kitModule(settings map[string]string) string {
	path := settings["module"]
	enabled, limited := settings["enable-in"]
	switch {
	case path == "", settings["trust-policy"] == "yes", settings["remote"] != "":
		return ""
	case limited && !namesProgram(enabled), namesProgram(settings["disable-in"]):
		return ""
	case filepath.IsAbs(path):
		return path
	}
	for _, folder := range p11kitLibraries {
		if _, err := os.Stat(filepath.Join(folder, path)); err == nil {
			return filepath.Join(folder, path)
		}
	}
	return ""
}

// namesProgram reads a list of programs, which commas or spaces divide.
func namesProgram(list string) bool {
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	return slices.Contains(names, program)
}
