// SPDX-License-Identifier: Apache-2.0

// Package cmd holds the tests of the repository as a whole: which package may
// import which, and the rules every file keeps.
package cmd

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pectoken/pectoken/"

// floors gives each folder its height. A package imports packages of this
// module from lower floors only, and from its own row of this table.
var floors = map[string]int{
	"token": 1, "cns": 1, "sign/cms": 1, "sign/xmlsig": 1, "verify/report": 1,
	"cns/card": 2, "sign/timestamp": 2, "sign/pdf": 2, "sign/smime": 2, "sign/asic": 2,
	"verify/trust": 3, "verify/pec": 3,
	"verify/revocation": 4, "sign": 4,
	"verify":    5,
	"cns/login": 6, "cns/renew": 6,
	"cmd": 7,
}

// apart says who never meets whom, whatever their floors, and why.
var apart = []struct{ from, to, why string }{
	{"sign", "token", "signing meets a card only as crypto.Signer"},
	{"sign", "cns", "signing knows nothing of cards"},
	{"sign", "verify", "signing takes its evidence through an interface of its own"},
	{"verify", "token", "verification needs no card"},
	{"verify", "cns/card", "verification needs no card"},
}

// doors are for callers outside the library: of this module only cmd and the
// tests walk through them.
var doors = []string{"sign", "verify"}

// cgo lists what only token may import, for it to stay the only package that
// needs a C compiler. The fixtures fill a token by the same means.
var cgo = []string{"C", "github.com/miekg/pkcs11", "github.com/eclipse-keypont/crypto11"}

// Fixtures, and the one program that hands them to a person.
const (
	fixtures        = "softhsm-fixtures"
	fixturesSofthsm = "softhsm-fixtures/softhsm"
	fixturesProgram = "cmd/pectoken-fixtures"
)

// TestFloors parses the files itself rather than ask the go command, because
// the test cache does not see what a child process reads.
func TestFloors(t *testing.T) {
	files := 0
	eachFile(t, func(name string, src []byte) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || isTestdata(name) {
			return
		}
		files++
		for _, imported := range imports(t, name, src) {
			if broken := violation(path.Dir(name), imported); broken != "" {
				t.Errorf("%s: %s", name, broken)
			}
		}
	})
	if files == 0 {
		t.Fatal("no Go file found: the test looks in the wrong folder")
	}
}

func TestViolation(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"sign/pdf", module + "sign/cms", ""},
		{"sign/asic", module + "sign/xmlsig", ""},
		{"cns/card", module + "token", ""},
		{"cns/card", module + "cns", ""},
		{"cns/login", module + "token", ""},
		{"verify/trust", module + "sign/cms", ""},
		{"verify/trust", module + "verify/report", ""},
		{"verify/revocation", module + "verify/trust", ""},
		{"verify", module + "cns", ""},
		{"verify", module + "sign/pdf", ""},
		{"sign", module + "sign/timestamp", ""},
		{"cmd/internal/cli", module + "sign", ""},
		{"cmd/internal/cli", module + "verify", ""},
		{"cmd/pectoken", module + "cmd/internal/cli", ""},
		{"cmd/pectoken-fixtures", module + "softhsm-fixtures/pki", ""},
		{"cmd/pectoken-fixtures/internal/x", module + "softhsm-fixtures/pki", ""},
		{"softhsm-fixtures/softhsm", module + "softhsm-fixtures/pki", ""},
		{"softhsm-fixtures/softhsm", "github.com/miekg/pkcs11", ""},
		{"token", "github.com/miekg/pkcs11", ""},
		{"token", "C", ""},
		{"token/tokentest", module + "token", ""},
		{"sign/cms", module + "sign/cms/internal/der", ""},
		{"sign", module + "sign/internal/x", ""},
		{"cns", "crypto/x509", ""},
		{"sign/cms", "golang.org/x/crypto/cryptobyte", ""},

		{"sign/cms", module + "sign/timestamp", "lower floor"},
		{"sign/cms", module + "sign/xmlsig", "lower floor"},
		{"sign/pdf", module + "sign/smime", "lower floor"},
		{"verify/trust", module + "verify/pec", "lower floor"},
		{"verify/report", module + "verify/trust", "lower floor"},
		{"token", module + "cns", "lower floor"},
		{"cns", module + "token", "lower floor"},
		{"sign", module + "cmd/internal/cli", "lower floor"},
		{"sign/pdf", module + "token", "only as crypto.Signer"},
		{"sign", module + "token/tokentest", "only as crypto.Signer"},
		{"sign", module + "cns", "nothing of cards"},
		{"sign/asic", module + "cns/card", "nothing of cards"},
		{"sign", module + "verify/trust", "interface of its own"},
		{"sign/timestamp", module + "verify/report", "interface of its own"},
		{"verify", module + "token", "needs no card"},
		{"verify/trust", module + "cns/card", "needs no card"},
		{"verify", module + "sign", "only cmd"},
		{"cns/login", module + "verify", "only cmd"},
		{"cns/renew", module + "sign", "only cmd"},
		{"sign", module + "softhsm-fixtures/pki", "tests"},
		{"cmd/pectoken", module + "softhsm-fixtures/pki", "tests"},
		{"cmd/internal/cli", module + "softhsm-fixtures/softhsm", "tests"},
		{"softhsm-fixtures/pki", module + "sign/cms", "independent"},
		{"softhsm-fixtures/softhsm", module + "token", "independent"},
		{"cns/card", "github.com/miekg/pkcs11", "only token"},
		{"cns/card", "github.com/miekg/pkcs11/p11", "only token"},
		{"cmd/internal/cli", "C", "only token"},
		{"softhsm-fixtures/softhsm", "C", "only token"},
		{"softhsm-fixtures/pki", "github.com/miekg/pkcs11", "only token"},
		{"cmd/internal/cli", "github.com/eclipse-keypont/crypto11", "only token"},
		{"sign/newformat", module + "sign/cms", "no floor"},
		{"verify", module + "sign/newformat", "no floor"},
		{"util", "fmt", "no floor"},
	} {
		t.Run(c.from+" imports "+c.to, func(t *testing.T) {
			got := violation(c.from, c.to)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("violation is %q, want one that says %q", got, c.want)
			}
		})
	}
}

// violation says which rule the package in folder from breaks when it imports
// the package imported, outside its tests; nothing when it breaks none.
func violation(from, imported string) string {
	if broken := cgoViolation(from, imported); broken != "" {
		return broken
	}
	to, ours := strings.CutPrefix(imported, module)
	if under(from, fixtures) || ours && under(to, fixtures) {
		return fixturesViolation(from, to, ours)
	}
	if row(from) == "" {
		return fmt.Sprintf("%s has no floor: give it one in the table", from)
	}
	if !ours {
		return ""
	}
	return floorViolation(from, to)
}

func cgoViolation(from, imported string) string {
	for _, name := range cgo {
		if !under(imported, name) || from == "token" || from == fixturesSofthsm && name != "C" {
			continue
		}
		return fmt.Sprintf("imports %s, which only token may", imported)
	}
	return ""
}

func fixturesViolation(from, to string, ours bool) string {
	switch {
	case !under(from, fixtures) && !under(from, fixturesProgram):
		return fmt.Sprintf("imports %s, which is for tests and %s", to, fixturesProgram)
	case under(from, fixtures) && ours && !under(to, fixtures):
		return fmt.Sprintf("imports %s, and fixtures are independent of what they test", to)
	}
	return ""
}

func floorViolation(from, to string) string {
	for _, pair := range apart {
		if under(from, pair.from) && under(to, pair.to) {
			return fmt.Sprintf("imports %s, and %s", to, pair.why)
		}
	}
	switch {
	case row(to) == "":
		return fmt.Sprintf("%s has no floor: give it one in the table", to)
	case slices.Contains(doors, to) && !under(from, "cmd"):
		return fmt.Sprintf("imports %s, a door that only cmd walks through", to)
	case row(from) != row(to) && floors[row(from)] <= floors[row(to)]:
		return fmt.Sprintf("imports %s, which is not on a lower floor", to)
	}
	return ""
}

// row is the row of the table of floors that a folder belongs to, empty if
// none. A new folder beside the ones listed has to be listed itself, unless
// it is internal.
func row(folder string) string {
	public, _, _ := strings.Cut(folder, "/internal")
	for name := public; name != "."; name = path.Dir(name) {
		if _, listed := floors[name]; listed && (name == public || !hasRowsBelow(name)) {
			return name
		}
	}
	return ""
}

func hasRowsBelow(folder string) bool {
	for name := range floors {
		if strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}

func under(pkg, folder string) bool { return strings.HasPrefix(pkg+"/", folder+"/") }

func imports(t *testing.T, name string, src []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}

// eachFile calls visit for every file of the repository, without those of git
// and those that make build made.
func eachFile(t *testing.T, visit func(name string, content []byte)) {
	t.Helper()
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == ".git" || name == "bin" { // .git is a file in a worktree
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if err == nil {
			visit(name, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isTestdata(name string) bool { return strings.Contains("/"+name, "/testdata/") }
