// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

// needs are the ways to need what `make judges` installs; each tells whether it
// got it.
var needs = map[string]func(testing.TB) bool{
	"pyhanko": func(t testing.TB) bool { return judges.NeedPyHanko(t) != nil },
	"dss":     func(t testing.TB) bool { return judges.NeedDSS(t) != nil },
	"verapdf": func(t testing.TB) bool { return judges.NeedVeraPDF(t) != nil },
}

func TestNeedOfWhatIsNotInstalled(t *testing.T) {
	empty, other := t.TempDir(), t.TempDir()
	for _, file := range []string{"pyhanko/requirements.txt", "dss/pom.xml", "verapdf/pom.xml"} {
		if err := os.MkdirAll(filepath.Join(other, filepath.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, file), []byte("of last year\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ folder, noSkip, required, want string }{
		{empty, "", "", "skipped"},
		{empty, "1", "", "skipped"},
		{empty, "", "0", "skipped"},
		{empty, "", "1", "failed"},
		{other, "1", "", "skipped"},
		{other, "", "1", "failed"},
		{"relative", "", "1", "failed"},
	} {
		t.Setenv("PECTOKEN_JUDGES", c.folder)
		t.Setenv("PECTOKEN_NO_SKIP", c.noSkip)
		t.Setenv("PECTOKEN_JUDGES_REQUIRED", c.required)
		for name, need := range needs {
			r := &recorder{}
			if got := need(r); got || len(r.said) == 0 || r.said[0] != c.want {
				t.Errorf("%s, %+v: %v, %v", name, c, got, r.said)
			}
		}
	}
}

func TestNeedLooksInTheCache(t *testing.T) {
	t.Setenv("PECTOKEN_JUDGES", "")
	t.Setenv("PECTOKEN_JUDGES_REQUIRED", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", t.TempDir())
	// A copy of the sources is what an installation is known by.
	sources, err := os.ReadFile("pyhanko/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(os.Getenv("HOME"), ".cache", "pectoken-judges", "pyhanko")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "requirements.txt"), sources, 0o600); err != nil {
		t.Fatal(err)
	}
	if judges.NeedPyHanko(t) == nil {
		t.Error("pyHanko is not found in the cache")
	}
	r := &recorder{}
	if needs["dss"](r) || !slices.Equal(r.said, []string{"skipped"}) {
		t.Errorf("DSS is found: %v", r.said)
	}
}
