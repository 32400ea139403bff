// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWarningCodesAreDocumented: the codes of warnings are stable words, so package report
// lists each that package verify uses.
func TestWarningCodesAreDocumented(t *testing.T) {
	files, err := filepath.Glob("../verify/*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]string{}
	code := regexp.MustCompile(`(?:\bwarn\((?:s, )?|report\.Warning\{\s*Code:\s*)"(\w+)"`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range code.FindAllSubmatch(source, -1) {
			used[string(found[1])] = file
		}
	}
	documented, err := os.ReadFile("../verify/report/report.go")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^//   - ([\w, ]+):`)
	for _, line := range list.FindAllSubmatch(documented, -1) {
		for word := range strings.SplitSeq(string(line[1]), ", ") {
			if used[word] == "" {
				t.Errorf("%s is listed, and no code of a warning", word)
			}
			delete(used, word)
		}
	}
	for word, file := range used {
		t.Errorf("%s in %s is not listed at report.Warning", word, file)
	}
}
