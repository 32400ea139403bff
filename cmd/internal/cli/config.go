// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// config is what the configuration file says.
type config struct {
	modules     []string
	pinentry    string
	authorities []authoritySetting
	exposed     string // the path of the file, when others than its owner can read it
}

const configText = `The configuration file is not needed. It is looked for as

  Linux    $XDG_CONFIG_HOME/pectoken/config, else ~/.config/pectoken/config
  macOS    ~/Library/Application Support/pectoken/config
  Windows  %AppData%\pectoken\config

and has one setting a line; what follows a # at the begin of a line is a remark:

  # the driver of my kit, in an unusual place; may be repeated
  module = /opt/kit/libbit4xpki.so
  # ask for PINs with this program, where no flag says otherwise
  pinentry = pinentry-gnome3

  # an authority for time stamps, and what follows belongs to it
  tsa = https://tsa.example.it/stamp
  tsa-user = lot-4711
  tsa-password = secret
  tsa-policy = 1.3.6.1.4.1.29741.1.1.6
  tsa-hash = sha512
  # a certificate for TLS, and its key, in PEM
  tsa-certificate = /etc/ssl/tsa.pem
  tsa-key = /etc/ssl/tsa.key

The authorities are asked in the order of the file: the next one when one can't be
reached or refuses. While a tsa-password stands here nobody else may be able to read
the file (chmod 600), else it isn't used. Without tsa-password the password of
tsa-user is looked for in the keyring of the system, under the address as service:

  secret-tool store --label=pectoken service https://tsa.example.it/stamp username lot-4711

Modules named here are tried beside those found by themselves, and are preferred
to them. A file with a mistake in it is an error, not passed over, and so is one that
others may write to, since it names what is run.`

// longestConfig is the most that is read of the file, in bytes.
const longestConfig = 64 << 10

// readConfig reads the configuration file. None is an empty one. One that others may
// write to is refused, as ssh does with its own: whose file it is, runs code as the user.
func (a *app) readConfig() (config, error) {
	folder, err := a.configDir()
	if err != nil {
		return config{}, nil // no home folder, and nothing in it
	}
	path := filepath.Join(folder, "pectoken", "config")
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return config{}, nil
	case err != nil:
		return config{}, usageError("pectoken help config", "reading %q: %w", path, bare(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return config{}, usageError("pectoken help config", "reading %q: %w", path, bare(err))
	}
	if othersMayWrite(info) {
		return config{}, usageError("chmod go-w "+shellWord(path)+", and make it your own file",
			"reading %q: others may write to it, and it names programs and drivers that are run", path)
	}
	c, err := parseConfig(path, file)
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		c.exposed = path
	}
	return c, err
}

func parseConfig(path string, r io.Reader) (config, error) {
	var c config
	lines := bufio.NewScanner(io.LimitReader(r, longestConfig))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !c.set(key, value) && !c.setAuthority(key, value) {
			return c, usageError("pectoken help config", "reading %q: line %d is not understood: %s", path, number, c.mistake(key, value))
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = errors.New("a line is too long")
	}
	if err != nil {
		return c, usageError("pectoken help config", "reading %q: %w", path, bare(err))
	}
	return c, nil
}

// mistake says what is wrong with a line. It repeats nothing of it: there may be a
// password.
func (c *config) mistake(key, value string) string {
	switch {
	case key == "" || value == "":
		return "it has to be a name, = and a value"
	case strings.HasPrefix(key, "tsa-") && len(c.authorities) == 0:
		return "the tsa that it belongs to has to stand before it"
	}
	return "there is no setting of that name"
}

// set takes a setting, and says whether it is one.
func (c *config) set(key, value string) bool {
	switch {
	case value == "":
		return false
	case key == "module":
		c.modules = append(c.modules, value)
	case key == "pinentry":
		c.pinentry = value
	default:
		return false
	}
	return true
}
