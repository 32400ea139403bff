// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The names that a skipped test gives.
const (
	pyHankoName = "pyHanko"
	dssName     = "DSS"
	veraPDFName = "veraPDF"
)

// sources are what the judges that `make judges` installs are made from. An
// installation keeps a copy: one that differs is of another version of pectoken.
//
//go:embed pyhanko/requirements.txt dss/pom.xml dss/src verapdf/pom.xml verapdf/src
var sources embed.FS

// installation returns the folder that .ci/judges installs name in, once what
// it was made from is what it would be made from now.
func installation(name string) (string, error) {
	root, err := installationRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, name), fs.WalkDir(sources, name, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return sameAsInstalled(root, file)
	})
}

// installationRoot is found by the rules of .ci/judges.
func installationRoot() (string, error) {
	root := os.Getenv("PECTOKEN_JUDGES")
	if root == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			cache = filepath.Join(os.Getenv("HOME"), ".cache")
		}
		root = filepath.Join(cache, "pectoken-judges")
	}
	if !filepath.IsAbs(root) {
		return "", fmt.Errorf("the folder of the judges, %q, is not an absolute path", root)
	}
	return root, nil
}

func sameAsInstalled(root, file string) error {
	want, err := sources.ReadFile(file)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("not installed")
	case err != nil:
		return err
	case !bytes.Equal(have, want):
		return errors.New("installed as another version")
	}
	return nil
}

// absentService ends a test for want of a judge that `make judges` installs:
// no distribution has it, so that PECTOKEN_NO_SKIP=1 alone does not demand it.
func absentService(t testing.TB, name string, why error) {
	t.Helper()
	if os.Getenv("PECTOKEN_JUDGES_REQUIRED") == "1" {
		t.Fatalf("%s is %v, and PECTOKEN_JUDGES_REQUIRED=1 demands it: make judges", name, why)
	}
	t.Skipf("%s is %v: make judges", name, why)
}
