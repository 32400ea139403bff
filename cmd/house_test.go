// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const licenceLine = "// SPDX-License-Identifier: Apache-2.0\n\n"

// rules are what a text file of this repository must not contain. The
// expressions are written so that they do not match themselves.
var rules = []struct {
	name       string
	testdata   bool // also in testdata, which otherwise is as others wrote it
	expression *regexp.Regexp
}{
	{"work left for later", false, regexp.MustCompile(`\b(TO[D]O|FIX[M]E|XX[X])\b`)},
	{"a line that ends in CR LF", false, regexp.MustCompile(`\r\n`)},
	{"a path of one machine", true, regexp.MustCompile(`(^|[^\w.>})-])/(home|root|work|Users)/\w`)},
	{"a package registry's host", true, regexp.MustCompile(
		`(proxy|sum)\.golang\.org|(deb|snapshot)\.debian\.org|archive\.ubuntu\.com|pypi\.org|registry\.npmjs`)},
}

func TestHouseRules(t *testing.T) {
	eachFile(t, func(name string, content []byte) {
		for _, rule := range broken(name, content) {
			t.Errorf("%s: %s", name, rule)
		}
	})
}

func TestBroken(t *testing.T) {
	goFile := func(text string) string { return licenceLine + text }
	for _, c := range []struct{ name, content, want string }{
		{"a.go", goFile("package a\n"), ""},
		{"a.go", "package a\n", "licence"},
		{"a.go", "// SPDX-License-Identifier: Apache-2.0\npackage a\n", "licence"},
		{"testdata/a.go", "package a\n", ""},
		{"a.md", "TO" + "DO: say more\n", "left for later"},
		{"a.md", "il todo list\n", ""},
		{"testdata/a.txt", "TO" + "DO\n", ""},
		{"a.md", "one\r\ntwo\n", "CR LF"},
		{"testdata/mail.eml", "one\r\ntwo\r\n", ""},
		{"a.md", "see /ho" + "me/rossi/a.pdf\n", "one machine"},
		{"testdata/a.txtar", "exec cat /ro" + "ot/x\n", "one machine"},
		{"a.md", "https://example.test/root/ca.crt\n", ""},
		{"a.md", "./root/ca.crt and $HOME/work/x\n", ""},
		{"a.md", "https://proxy" + ".golang.org/x\n", "registry"},
		{"a.p7m", "\x30\x80\x00\xff /ho" + "me/x TO" + "DO", ""},
	} {
		t.Run(c.name+" "+c.content, func(t *testing.T) {
			got := strings.Join(broken(c.name, []byte(c.content)), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("broken is %q, want one that says %q", got, c.want)
			}
		})
	}
}

// broken names the rules that a file breaks. Binary files break none.
func broken(name string, content []byte) []string {
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	var names []string
	if path.Ext(name) == ".go" && !isTestdata(name) && !bytes.HasPrefix(content, []byte(licenceLine)) {
		names = append(names, "does not begin with the licence line and an empty one")
	}
	for _, rule := range rules {
		if found := rule.expression.Find(content); found != nil && (rule.testdata || !isTestdata(name)) {
			names = append(names, rule.name+": "+string(found))
		}
	}
	return names
}
