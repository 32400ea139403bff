// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// TestCardScripts runs the scripts that need a card in a reader, one after the other:
// a virtual CNS, reached through PC/SC and OpenSC as a user's card is.
func TestCardScripts(t *testing.T) {
	if !hasCgo {
		t.Skip("built without cgo: no tokens")
	}
	virtualcard.OpenSC(t)
	judges.Need(t, "pdfsig")
	judges.Need(t, "openssl")
	scripts, err := filepath.Glob("testdata/card/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts found (%v)", err)
	}
	p := pki.New(time.Now())
	authority.Start(t, p, authority.Options{Clock: time.Now})
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			d := &desk{pcsc: virtualcard.Start(t), cards: map[string]*virtualcard.Card{}}
			d.make(t, p)
			testscript.Run(t, testscript.Params{
				Files:               []string{script},
				Setup:               func(env *testscript.Env) error { return d.setup(env, p) },
				Condition:           condition,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"card": d.card, "shape": shape, "many": many, "pdfsig": pdfsigValid, "awaits": awaits,
				},
			})
		})
	}
}

// desk is a table with two readers, and cards to put into them.
type desk struct {
	pcsc  *virtualcard.PCSC
	cards map[string]*virtualcard.Card
}

// make makes the cards that scripts call by name.
func (d *desk) make(t *testing.T, p *pki.PKI) {
	alone := func(profile *virtualcard.Profile) { profile.Signature = nil }
	d.cards["cns"] = virtualcard.Make(t, p)
	d.cards["authentication"] = virtualcard.Make(t, p, alone)
	d.cards["old"] = virtualcard.Make(t, p, func(profile *virtualcard.Profile) { profile.ATR = virtualcard.CNS10.Bytes() })
	d.cards["second"] = virtualcard.Make(t, p, func(profile *virtualcard.Profile) {
		profile.Number, profile.Authentication = "6090000000000002", nil
		profile.Signature = p.Must(t, pki.SecondSigner)
	})
	d.cards["other"] = virtualcard.Make(t, p, func(profile *virtualcard.Profile) {
		lucia := p.Must(t, pki.SecondSigner).Certificate.Subject
		past := func(c *x509.Certificate) {
			c.Subject = pkix.Name{ExtraNames: lucia.Names}
			c.NotBefore, c.NotAfter = p.Now().AddDate(-4, 0, 0), p.Now().AddDate(-1, 0, 0)
		}
		ended, err := p.IssueCustom(pki.QualifiedCA, profile.Signature.Key, past)
		if err != nil {
			t.Fatal(err)
		}
		profile.Number, profile.Signature = "6090000000000003", ended
	})
	d.cards["slow"] = virtualcard.Make(t, p, func(profile *virtualcard.Profile) {
		profile.Delay, profile.KeyDelay = 5*time.Millisecond, 400*time.Millisecond
	})
	d.cards["foreign"] = virtualcard.Foreign()
}

// setup prepares a script's folder as TestScripts does, but with a fresh home, no
// module named anywhere, and no token in software.
func (d *desk) setup(env *testscript.Env, p *pki.PKI) error {
	hsm, err := softhsm.Create(filepath.Join(env.WorkDir, ".hsm"))
	if err != nil {
		return err
	}
	for _, variable := range []string{hsm.Env(), d.pcsc.Env(), "HOME=" + filepath.Join(env.WorkDir, "home")} {
		name, value, _ := strings.Cut(variable, "=")
		env.Setenv(name, value)
	}
	ca, err := p.Issue(pki.QualifiedCA)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"root.pem": string(p.RootPEM()) + string(ca.CertificatePEM()), "contract.pdf": string(documents.Plain()), "notes.txt": "to be signed\n",
		"pin": virtualcard.StandardPIN + "\n", "puk": virtualcard.StandardPUK + "\n",
		"signature-pin": virtualcard.StandardSignaturePIN + "\n", "signature-puk": virtualcard.StandardSignaturePUK + "\n",
		"wrong-pin": "99999999\n", "other-pin": "24682468\n",
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(env.WorkDir, name), []byte(content), 0o600))
	}
	return errors.Join(err, os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700))
}

// card handles cards: card insert cns [second-reader]; card remove [second-reader];
// card pull cns 2, out after so many signatures; card report cns FIELD VALUE..., which
// compares its counters.
func (d *desk) card(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: card insert|remove|pull|report ...")
	}
	reader := d.pcsc.First
	if slices.Contains(args, "second-reader") {
		reader = d.pcsc.Second
	}
	switch args[0] {
	case "insert":
		ts.Check(reader.Insert(d.cards[args[1]]))
	case "remove":
		ts.Check(reader.Remove())
	case "pull":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		d.cards[args[1]].SetFaults(virtualcard.PulledAfterSignatures(n))
	case "mend":
		d.cards[args[1]].SetFaults()
	case "report":
		d.report(ts, d.cards[args[1]], args[2:])
	}
}

// report compares counters: verifies 1 signatures 2 signaturePIN.triesLeft 3
func (d *desk) report(ts *testscript.TestScript, card *virtualcard.Card, want []string) {
	r := card.Report()
	text, err := json.Marshal(r)
	ts.Check(err)
	var all map[string]any
	ts.Check(json.Unmarshal(text, &all))
	for i := 0; i+1 < len(want); i += 2 {
		var got any
		switch want[i] {
		case "verifies":
			got = r.Verifies()
		case "signatures":
			got = r.KeyUses()
		default:
			secret, field, _ := strings.Cut(want[i], ".")
			got = all[secret].(map[string]any)[field]
		}
		if s, _ := json.Marshal(got); strings.Trim(string(s), `"`) != want[i+1] {
			ts.Fatalf("%s is %s, want %s: %s", want[i], s, want[i+1], text)
		}
	}
}

// many makes numbered copies of a file: many 50 notes.txt
func many(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	content := ts.ReadFile(args[1])
	var names []string
	for i := range n {
		name := strconv.Itoa(i+1) + "-" + args[1]
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(content+strconv.Itoa(i)), 0o600))
		names = append(names, name)
	}
	ts.Setenv("MANY", strings.Join(names, " "))
}
