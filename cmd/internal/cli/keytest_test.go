// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/token"
	"github.com/pectoken/pectoken/token/tokentest"
)

// scriptedCard is a card with two keys, and its script. The second wants the PIN for every
// signature, the first if it is told to.
func scriptedCard(t *testing.T, both bool) (*card, *tokentest.Module) {
	t.Helper()
	p := pki.New(time.Now())
	var objects []*tokentest.Object
	for i, name := range []pki.Name{pki.CNS, pki.Signer} {
		entity, id := p.Must(t, name), fmt.Sprint("KEY", i)
		objects = append(objects, tokentest.Identity{
			ID: []byte(id), Label: id, Key: entity.Key, Certificate: entity.Certificate, AlwaysAuthenticate: both || i == 1,
		}.Objects()...)
	}
	scripted := tokentest.New(tokentest.NewToken("Firma", "123456", objects...))
	module, err := token.OpenScripted("scripted.so", scripted)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = module.Close() })
	tokens, _, err := module.Tokens(t.Context())
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	c := &card{Info: tokens[0].Info, module: "scripted.so", live: tokens[0], through: module}
	c.read(t.Context(), tokens[0])
	return c, scripted
}

// TestKeyTestAsksOnce has one PIN, of which each key has a copy, and a card that refuses
// it, or says neither yes nor no: it is sent once.
func TestKeyTestAsksOnce(t *testing.T) {
	const functionFailed = 0x6
	for _, c := range []struct {
		name, pin, call string // call is what is answered with CKR_FUNCTION_FAILED
		both            bool   // keys want the PIN for every signature
		checks          string // the status of each
		logins, context int
		exit            exitCode
	}{
		{"right", "123456", "", true, "ok ok", 1, 2, exitOK},
		{"right, one overwrites its copy at once", "123456", "", false, "ok ok", 1, 1, exitOK},
		{"wrong", "999999", "", true, "", 1, 0, exitPIN},
		{"doubtful login", "123456", "C_Login user", true, "fault unknown", 1, 0, exitOK},
		{"doubtful signature", "123456", "C_Login context", true, "fault unknown", 1, 1, exitOK},
		{"letters", "abcdef", "", true, "", 0, 0, exitPIN},
	} {
		t.Run(c.name, func(t *testing.T) {
			onCard, scripted := scriptedCard(t, c.both)
			scripted.Script = tokentest.Answer(c.call, functionFailed)
			a, _ := fakeApp(map[string]string{"PECTOKEN_PIN": c.pin}, "", "")
			flags := pinFlags{secretFlags: secretFlags{fd: noFD}}
			w := &wallet{cards: []*card{onCard}}
			test := &keyTest{app: a, wallet: w, ask: a.pinSource(flags), flags: flags, pins: map[*card][]byte{}}
			checks, err := test.run(t.Context(), w.candidates())
			var statuses []string
			for _, got := range checks {
				statuses = append(statuses, string(got.Status))
			}
			if got := strings.Join(statuses, " "); got != c.checks {
				t.Errorf("checks %q, want %q: %+v", got, c.checks, checks)
			}
			if err != nil && problemOf(err).exit != c.exit || err == nil && c.exit != exitOK {
				t.Errorf("error %v, want exit code %d", err, c.exit)
			}
			if user, context := scripted.Count("C_Login user"), scripted.Count("C_Login context"); user != c.logins || context != c.context {
				t.Errorf("%d logins and %d for signatures, want %d and %d", user, context, c.logins, c.context)
			}
		})
	}
}
