// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/tls"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign/timestamp"
)

// authoritySetting is a time-stamp authority of the configuration file.
type authoritySetting struct {
	url, user, password string
	policy, hash        string
	certificate, key    string // files
}

// setAuthority takes a setting of an authority, and says whether it is one. All but
// the first belong to the tsa before them.
func (c *config) setAuthority(key, value string) bool {
	if key == "tsa" && value != "" {
		c.authorities = append(c.authorities, authoritySetting{url: value})
		return true
	}
	if len(c.authorities) == 0 || value == "" {
		return false
	}
	last := &c.authorities[len(c.authorities)-1]
	field := map[string]*string{
		"tsa-user": &last.user, "tsa-password": &last.password, "tsa-policy": &last.policy, "tsa-hash": &last.hash,
		"tsa-certificate": &last.certificate, "tsa-key": &last.key,
	}[key]
	if field == nil {
		return false
	}
	*field = value
	return true
}

// authorityFlags say which time-stamp authorities to ask, and for what.
type authorityFlags struct {
	urls    []string
	policy  string
	hash    string
	timeout time.Duration
}

func (f *authorityFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.urls, "tsa", nil, "ask the authority at `URL`; several are asked one after the other")
	flags.StringVar(&f.policy, "policy", "", "ask for a stamp under the policy of this `OID`")
	flags.StringVar(&f.hash, "hash", "", "stamp a `DIGEST`: sha256 (otherwise used), sha384 or sha512")
	flags.DurationVar(&f.timeout, "timeout", timestamp.DefaultTimeout, "wait so long for each authority")
}

func (f *authorityFlags) check(c *cobra.Command) error {
	if f.hash != "" {
		if err := oneOf(c, "hash", f.hash, "sha256", "sha384", "sha512"); err != nil {
			return err
		}
	}
	if _, err := parsePolicy(f.policy); err != nil {
		return usageError(helpHint(c), "--policy: %w", err)
	}
	if f.timeout <= 0 {
		return usageError(helpHint(c), "--timeout is %v, and must be longer than nothing", f.timeout)
	}
	return nil
}

// stamper returns the client that asks the authorities.
func (a *app) stamper(f authorityFlags) (*timestamp.Client, error) {
	c, err := a.readConfig()
	if err != nil {
		return nil, err
	}
	settings := f.settings(c, a.getenv("PECTOKEN_TSA"))
	if len(settings) == 0 {
		return nil, usageError("pectoken help config", "no time-stamp authority is named: --tsa, PECTOKEN_TSA or the configuration file can")
	}
	if err := a.environmentPassword(settings); err != nil {
		return nil, err
	}
	client := &timestamp.Client{Transport: a.transport, Timeout: f.timeout, Now: a.now}
	for _, s := range settings {
		authority, err := a.authority(c, s)
		if err != nil {
			return nil, err
		}
		client.Authorities = append(client.Authorities, authority)
	}
	return client, nil
}

// settings are those of the authorities named in flags, else in the environment,
// else in the configuration file, which may say more on any of them.
func (f authorityFlags) settings(c config, environment string) []authoritySetting {
	urls := f.urls
	if len(urls) == 0 {
		urls = strings.Fields(environment)
	}
	list := slices.Clone(c.authorities)
	if len(urls) > 0 {
		list = nil
		for _, url := range urls {
			list = append(list, c.authoritySetting(url))
		}
	}
	for i := range list {
		if f.policy != "" {
			list[i].policy = f.policy
		}
		if f.hash != "" {
			list[i].hash = f.hash
		}
	}
	return list
}

func (c config) authoritySetting(url string) authoritySetting {
	for _, s := range c.authorities {
		if s.url == url {
			return s
		}
	}
	return authoritySetting{url: url}
}

// environmentPassword takes user and password of the environment, and removes the
// password, so that no other program is handed it. With several authorities nobody
// could tell whose it is.
func (a *app) environmentPassword(list []authoritySetting) error {
	user, password := a.getenv("PECTOKEN_TSA_USER"), a.getenv("PECTOKEN_TSA_PASSWORD")
	_ = a.unsetenv("PECTOKEN_TSA_PASSWORD")
	if user == "" {
		return nil
	}
	if len(list) > 1 {
		return usageError("pectoken help config", "PECTOKEN_TSA_USER is for one authority, and %d are named: the configuration file can have one for each", len(list))
	}
	list[0].user, list[0].password = user, password
	return nil
}

// authority is what package timestamp needs to know of a setting.
func (a *app) authority(c config, s authoritySetting) (timestamp.Authority, error) {
	wrong := func(err error) (timestamp.Authority, error) {
		return timestamp.Authority{}, usageError("pectoken help config", "%w", err)
	}
	policy, err := parsePolicy(s.policy)
	if err != nil {
		return wrong(err)
	}
	if s.hash != "" && hashes[s.hash] == 0 {
		return wrong(fmt.Errorf("the digest %q is not known: sha256, sha384 and sha512 are", s.hash))
	}
	authority := timestamp.Authority{URL: s.url, User: s.user, Policy: policy, Hash: hashes[s.hash]}
	if err := authority.Check(); err != nil {
		return wrong(err)
	}
	if authority.Password, err = a.authorityPassword(c, s); err != nil {
		return timestamp.Authority{}, err
	}
	if authority.SendsPasswordInClear() {
		a.say("warning: the password for %s is sent in clear; ask the authority for an https address", s.url)
	}
	if s.certificate != "" || s.key != "" {
		if authority.Transport, err = a.withCertificate(s); err != nil {
			return wrong(err)
		}
	}
	return authority, nil
}

// authorityPassword is the password of the setting, which nobody else may be able to
// read, else that in the keyring.
func (a *app) authorityPassword(c config, s authoritySetting) (string, error) {
	if s.user == "" {
		return "", nil
	}
	if s.password == "" {
		password, err := a.keyring(s.url, s.user)
		if err != nil {
			return "", usageError("pectoken help config", "no password for user %q of %s: neither the configuration file nor the environment nor the keyring has one (%w)", s.user, s.url, err)
		}
		return password, nil
	}
	if c.exposed != "" && c.authoritySetting(s.url).password == s.password {
		return "", usageError("chmod 600 "+shellWord(c.exposed), "%q holds a password, and others than its owner can read it", c.exposed)
	}
	return s.password, nil
}

// withCertificate is a transport that shows a certificate to the authority.
func (a *app) withCertificate(s authoritySetting) (http.RoundTripper, error) {
	plain, ok := a.transport.(*http.Transport)
	if !ok {
		return nil, errors.New("this transport takes no certificates")
	}
	certificate, err := tls.LoadX509KeyPair(s.certificate, s.key)
	if err != nil {
		return nil, fmt.Errorf("reading tsa-certificate %q and tsa-key %q: %w", s.certificate, s.key, err)
	}
	own := plain.Clone()
	if own.TLSClientConfig == nil {
		own.TLSClientConfig = &tls.Config{}
	}
	own.TLSClientConfig.Certificates = []tls.Certificate{certificate}
	return own, nil
}

// parsePolicy reads an object identifier; an empty one is none.
func parsePolicy(text string) (asn1.ObjectIdentifier, error) {
	if text == "" {
		return nil, nil
	}
	var id asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is no policy: one looks like 1.3.6.1.4.1.29741.1.1.6", text)
		}
		id = append(id, n)
	}
	if _, err := asn1.Marshal(id); err != nil {
		return nil, fmt.Errorf("%q is no policy: one looks like 1.3.6.1.4.1.29741.1.1.6", text)
	}
	return id, nil
}
