// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// tsa starts a time-stamp authority and puts its address into a variable: tsa TSA.
// With a third word it wants that user and password (lot:secret), answers with that
// HTTP status (500), or with rubbish (garbage).
func (k *kit) tsa(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: tsa VARIABLE [USER:PASSWORD|STATUS|garbage]")
	}
	fault := ""
	if len(args) == 2 {
		fault = args[1]
	}
	dir := ts.MkAbs(".tsa-" + args[0])
	ts.Check(os.Mkdir(dir, 0o700))
	id, err := k.pki.Issue(pki.TSA)
	ts.Check(err)
	openssl, err := judges.OpenSSLAuthority(dir, id, "sha256")
	ts.Check(err)
	count := &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		answerStamp(w, r, openssl, fault)
	}))
	ts.Defer(s.Close)
	k.asked.Store(s.URL, count)
	ts.Setenv(args[0], s.URL)
}

func answerStamp(w http.ResponseWriter, r *http.Request, authority http.Handler, fault string) {
	user, password, isAuthentication := strings.Cut(fault, ":")
	gotUser, gotPassword, _ := r.BasicAuth()
	status, notStatus := strconv.Atoi(fault)
	switch {
	case isAuthentication && (gotUser != user || gotPassword != password):
		w.WriteHeader(http.StatusUnauthorized)
	case fault == "garbage":
		_, _ = w.Write([]byte("garbage"))
	case notStatus == nil:
		w.WriteHeader(status)
	default:
		authority.ServeHTTP(w, r)
	}
}

// wasAsked checks how many requests reached an authority: asked $TSA 2
func (k *kit) wasAsked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: asked ADDRESS TIMES")
	}
	count, known := k.asked.Load(args[0])
	if !known || strconv.FormatInt(count.(*atomic.Int64).Load(), 10) != args[1] {
		ts.Fatalf("%s was asked %d times, want %s", args[0], count.(*atomic.Int64).Load(), args[1])
	}
}

// authorityApp is a world with a configuration file and a keyring.
func authorityApp(t *testing.T, text string, mode os.FileMode, env map[string]string) *app {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "pectoken"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "pectoken", "config")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	a, _ := fakeApp(env, "", "")
	a.configDir = func() (string, error) { return dir, nil }
	a.transport = &http.Transport{}
	a.keyring = func(service, user string) (string, error) {
		if service == "https://c.example" && user == "carla" {
			return "from the keyring", nil
		}
		return "", errors.New("no such secret")
	}
	return a
}

const threeAuthorities = `tsa = https://a.example/tsa
tsa-user = anna
tsa-password = segretissimo
tsa-policy = 1.2.3
tsa-hash = sha512
tsa = https://b.example
tsa = https://c.example
tsa-user = carla
`

// TestStamper has a row for each source of authorities and passwords.
func TestStamper(t *testing.T) {
	for name, c := range map[string]struct {
		flags authorityFlags
		env   map[string]string
		want  string
	}{
		"the configuration file": {want: "https://a.example/tsa anna:segretissimo 1.2.3 SHA-512|https://b.example : - 0|https://c.example carla:from the keyring - 0"},
		"flags":                  {flags: authorityFlags{urls: []string{"https://d.example"}}, env: map[string]string{"PECTOKEN_TSA": "https://e.example"}, want: "https://d.example : - 0"},
		"a flag of the file":     {flags: authorityFlags{urls: []string{"https://a.example/tsa"}, policy: "1.5", hash: "sha384"}, want: "https://a.example/tsa anna:segretissimo 1.5 SHA-384"},
		"the environment":        {env: map[string]string{"PECTOKEN_TSA": " https://e.example  http://f.example "}, want: "https://e.example : - 0|http://f.example : - 0"},
		"its password": {
			env:  map[string]string{"PECTOKEN_TSA": "https://e.example", "PECTOKEN_TSA_USER": "eva", "PECTOKEN_TSA_PASSWORD": "x"},
			want: "https://e.example eva:x - 0",
		},
	} {
		a := authorityApp(t, threeAuthorities, 0o600, c.env)
		client, err := a.stamper(c.flags)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, s := range client.Authorities {
			got = append(got, describe(s))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, want %s", name, strings.Join(got, "|"), c.want)
		}
		if c.env["PECTOKEN_TSA_PASSWORD"] != "" {
			t.Errorf("%s: the password stays in the environment", name)
		}
	}
}

func describe(a timestamp.Authority) string {
	policy, hash := "-", "0"
	if a.Policy != nil {
		policy = a.Policy.String()
	}
	if a.Hash != 0 {
		hash = a.Hash.String()
	}
	return a.URL + " " + a.User + ":" + a.Password + " " + policy + " " + hash
}

func TestStamperRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		mode  os.FileMode
		flags authorityFlags
		env   map[string]string
		want  string
	}{
		"nobody":                {mode: 0o600, want: "no time-stamp authority is named"},
		"a file others read":    {text: threeAuthorities, mode: 0o640, want: "others than its owner can read it"},
		"no password":           {text: "tsa = https://a.example\ntsa-user = ugo\n", mode: 0o600, want: "no password for user"},
		"whose password":        {text: threeAuthorities, mode: 0o600, env: map[string]string{"PECTOKEN_TSA_USER": "x"}, want: "3 are named"},
		"a password in an URL":  {flags: authorityFlags{urls: []string{"https://u:segretissimo@a.example"}}, mode: 0o600, want: "don't belong into the address"},
		"no URL":                {flags: authorityFlags{urls: []string{"a.example"}}, mode: 0o600, want: "begins with https://"},
		"a policy that is none": {text: "tsa = https://a.example\ntsa-policy = x\n", mode: 0o600, want: "is no policy"},
		"an unknown digest":     {text: "tsa = https://a.example\ntsa-hash = md5\n", mode: 0o600, want: "is not known"},
		"no certificate":        {text: "tsa = https://a.example\ntsa-certificate = missing\n", mode: 0o600, want: "tsa-certificate"},
	} {
		_, err := authorityApp(t, c.text, c.mode, c.env).stamper(c.flags)
		if err == nil || !strings.Contains(err.Error(), c.want) || problemOf(err).exit != exitUsage || strings.Contains(err.Error(), "segretissimo") {
			t.Errorf("%s: %v, want a usage error that says %q, without the password", name, err, c.want)
		}
	}
	for _, text := range []string{"tsa-user = x", "tsa =", "tsa = x\ntsa-colour = red"} {
		if _, err := parseConfig("config", strings.NewReader(text)); err == nil {
			t.Errorf("%q is understood", text)
		}
	}
}

func TestTimestampFlags(t *testing.T) {
	o, err := parse(t, newTimestampCmd, "a.pdf")
	if err != nil || o.as != "tsd" || o.authorities.timeout != timestamp.DefaultTimeout {
		t.Errorf("the defaults are %+v, %v", o, err)
	}
	for _, args := range [][]string{
		{}, {"a", "--as", "zip"}, {"a", "--hash", "sha1"}, {"a", "--policy", "x"}, {"a", "--timeout", "0s"}, {"a", "b", "-o", "c"},
		{"-", "a"}, {"a", "--as", "tsr", "--protect-name"}, {"-", "--output-dir", "x"},
	} {
		if _, err := parse(t, newTimestampCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("%q gives %v, want a usage error", args, err)
		}
	}
	if _, err := parse(t, newSplitCmd, "a.tsd", "--as", "tsd"); err == nil || problemOf(err).exit != exitUsage {
		t.Errorf("split --as tsd gives %v, want a usage error", err)
	}
	for _, args := range [][]string{{"a"}, {"a", "-"}, {"a", "b", "--as", "tsr"}} {
		if _, err := parse(t, newJoinCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("join %q gives %v, want a usage error", args, err)
		}
	}
}
