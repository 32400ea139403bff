// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

// inChildren are options that load modules in processes of this test program.
func inChildren(t *testing.T) DiscoverOptions {
	t.Helper()
	needCgo(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return DiscoverOptions{Command: []string{self}, Timeout: 20 * time.Second}
}

func given(paths ...string) []Candidate {
	return Places{Paths: paths, P11Kit: []string{}, Known: []KnownModule{}}.Candidates()
}

func hsmWithFirma(t *testing.T) *softhsm.HSM {
	t.Helper()
	h := softhsm.New(t)
	firma := firma(t)
	if _, err := h.AddToken(firma.label, firma.pin, firma.objects...); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestDiscoverFaults puts a good module beside every kind of bad one.
func TestDiscoverFaults(t *testing.T) {
	o := inChildren(t)
	h := hsmWithFirma(t)
	cases := []struct {
		fault tokentest.Fault
		want  string
	}{
		{tokentest.CrashStarting, "crashed (signal 11) while starting"},
		{tokentest.AbortStarting, "crashed (signal 6) while starting"},
		{tokentest.CrashListing, "crashed (signal 11) while listing tokens"},
		{tokentest.ExitStarting, "ended without an answer while starting"},
		{tokentest.RefuseStarting, "the module does not start: CKR_DEVICE_ERROR (0x30)"},
		{tokentest.Chatter, "answered garbage while starting"},
		{tokentest.NoFunctionList, "not a PKCS#11 module: it has no function C_GetFunctionList"},
		{tokentest.BadFunctionList, "C_GetFunctionList fails: CKR_FUNCTION_FAILED (0x6)"},
		{tokentest.OtherProcessor, "built for "},
		{tokentest.Text, "not a shared library"},
	}
	paths := []string{filepath.Join(t.TempDir(), "missing.so")}
	for _, c := range cases {
		paths = append(paths, tokentest.Library(t, c.fault))
	}
	empty := tokentest.Library(t, tokentest.Empty)
	d, err := Discover(t.Context(), given(append(paths, h.Module(), empty)...), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Modules) != 2 || len(d.Modules[0].Tokens) != 1 || len(d.Certificates) != 2 || len(d.Modules[1].Tokens) != 0 {
		t.Errorf("modules %v, certificates %v", d.Modules, d.Certificates)
	}
	for i, p := range d.Problems {
		want := "no such file"
		if i > 0 {
			want = cases[i-1].want
		}
		if p.Path != paths[i] || !strings.Contains(p.Error(), want) {
			t.Errorf("%v, want %q", p, want)
		}
	}
	if len(d.Problems) != len(paths) {
		t.Errorf("%d problems: %v", len(d.Problems), d.Problems)
	}
}

// TestDiscoverHangs gives modules that never answer a short time.
func TestDiscoverHangs(t *testing.T) {
	o := inChildren(t)
	o.Timeout = time.Second
	d, err := Discover(t.Context(), given(tokentest.Library(t, tokentest.HangStarting), tokentest.Library(t, tokentest.HangForked)), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Problems {
		if p.Reason != "did not answer within 4s while starting" || !errors.Is(p, context.DeadlineExceeded) {
			t.Error(p)
		}
	}
	if len(d.Problems) != 2 {
		t.Errorf("problems %v", d.Problems)
	}
}

// TestPatience ends the wait for the others at the limit when a token was shown, and as
// soon as one is after it.
func TestPatience(t *testing.T) {
	over := func(p *patience) { p.note(func() { p.over = true }) }
	for name, steps := range map[string][2]func(*patience){
		"shown, then the limit": {(*patience).shown, over},
		"the limit, then shown": {over, (*patience).shown},
	} {
		p := newPatience(t.Context(), time.Hour)
		steps[0](p)
		if p.Err() != nil {
			t.Errorf("%s: the wait ended with the first", name)
		}
		steps[1](p)
		if p.Err() == nil {
			t.Errorf("%s: the wait goes on", name)
		}
		p.end()
	}
}

func TestDiscoverCancelled(t *testing.T) {
	o := inChildren(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Discover(ctx, given(tokentest.Library(t, tokentest.HangStarting)), o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestDiscoverForeignProgram runs a program that does not answer with ProbeMain.
func TestDiscoverForeignProgram(t *testing.T) {
	o := inChildren(t)
	h := hsmWithFirma(t)
	for _, c := range []struct{ program, want string }{
		{"/bin/true", "ended"}, {"/bin/false", "ended with exit status 1"}, {"/nowhere/pectoken", "starting a process"},
	} {
		o.Command = []string{c.program}
		d, err := Discover(t.Context(), given(h.Module()), o)
		if err != nil || len(d.Problems) != 1 || !strings.Contains(d.Problems[0].Reason, c.want) {
			t.Errorf("%s: %v, %v", c.program, d, err)
		}
	}
}

// TestDiscoverAsOpened compares what a child saw with what this process sees.
func TestDiscoverAsOpened(t *testing.T) {
	o := inChildren(t)
	h := hsmWithFirma(t)
	d, err := Discover(t.Context(), given(h.Module()), o)
	if err != nil || len(d.Certificates) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	m := mustOpen(t, h.Module())
	for _, c := range d.Certificates {
		token, err := m.Find(t.Context(), c.Ways[0].Token.Info)
		if err != nil {
			t.Fatal(err)
		}
		certificates, err := token.Certificates(t.Context())
		same := func(o *Certificate) bool {
			return c.X509.Equal(o.X509) && string(c.ID) == string(o.ID) && c.Label == o.Label && c.HasPrivateKey == o.HasPrivateKey
		}
		if err != nil || token.Info != c.Ways[0].Token.Info || !slices.ContainsFunc(certificates, same) {
			t.Errorf("%+v is %+v, %v", c.Ways[0].Token.Info, token.Info, err)
		}
	}
}

// twoViews are a card as the vendor's module and as OpenSC show it, and a module
// that hangs.
func twoViews(t *testing.T) (open func(string) (*Module, error)) {
	t.Helper()
	view := func(objects ...softhsm.Object) *Module {
		return newFake(tokenOf{"Firma", rightPIN, objects}).open(t)
	}
	cns := object(t, "CNS0", pki.CNS)
	cns.NoPublicKey = true
	modules := map[string]*Module{
		"/opt/opensc-pkcs11.so": view(object(t, "01", pki.CNS)),
		"/opt/unknown.so":       view(object(t, "1", pki.CNS)),
		"/opt/libbit4xpki.so":   view(cns, object(t, "DS0", pki.Signer)),
	}
	return func(path string) (*Module, error) {
		if modules[path] == nil {
			return nil, &ModuleError{Path: path, Reason: "not today"}
		}
		return modules[path], nil
	}
}

// TestDiscoverMergesWays shows one certificate through three modules.
func TestDiscoverMergesWays(t *testing.T) {
	var candidates []Candidate
	for _, path := range []string{"/opt/unknown.so", "/opt/opensc-pkcs11.so", "/opt/libbit4xpki.so", "/opt/bad.so"} {
		candidates = append(candidates, Candidate{Path: path, Source: SourceP11Kit})
	}
	candidates[1].Vendor, candidates[2].Vendor = vendorOpenSC, "Bit4id"
	d, err := Discover(t.Context(), candidates, DiscoverOptions{Open: twoViews(t)})
	if err != nil || len(d.Certificates) != 2 || len(d.Problems) != 1 || d.Problems[0].Reason != "not today" {
		t.Fatalf("%+v, %v", d, err)
	}
	var ids []string
	for _, w := range d.Certificates[0].Ways {
		ids = append(ids, w.Token.Module.Vendor+" "+string(w.Certificate.ID))
	}
	if !slices.Equal(ids, []string{"Bit4id CNS0", "OpenSC 01", " 1"}) || string(d.Certificates[0].ID) != "CNS0" {
		t.Errorf("ways %q", ids)
	}
	candidates[0].Source = SourceGiven
	again, err := Discover(t.Context(), candidates[:1], DiscoverOptions{Open: twoViews(t)})
	if err != nil || again.Modules[0].rank() != 0 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestWaysWithAndWithoutKey(t *testing.T) {
	module := &FoundModule{}
	visible, hidden := &Certificate{Raw: []byte("x"), HasPrivateKey: true}, &Certificate{Raw: []byte("x")}
	module.Tokens = []*FoundToken{{Module: module, Certificates: []*Certificate{hidden}}, {Module: module, Certificates: []*Certificate{visible}}}
	list := certificatesOf([]*FoundModule{module})
	if len(list) != 1 || list[0].Certificate != visible || len(list[0].Ways) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestDiscoverHereHangs(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	o := DiscoverOptions{Timeout: time.Millisecond, Open: func(string) (*Module, error) {
		<-block
		return nil, errors.New("never")
	}}
	d, err := Discover(t.Context(), []Candidate{{Path: "/opt/a.so"}}, o)
	if err != nil || len(d.Problems) != 1 || !strings.Contains(d.Problems[0].Reason, "did not answer within 4ms") {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestDiscoverKeepsCodes wants the code of a slot that could not be read to survive.
func TestDiscoverKeepsCodes(t *testing.T) {
	f := newFake(firma(t))
	f.Script = tokentest.Answer("C_GetTokenInfo 0", cryptoki.CKR_TOKEN_NOT_RECOGNIZED)
	m := f.open(t)
	d, err := Discover(t.Context(), []Candidate{{Path: "a"}}, DiscoverOptions{Open: func(string) (*Module, error) { return m, nil }})
	if err != nil || len(d.Modules) != 1 || len(d.Modules[0].Skipped) != 1 || !isCode(d.Modules[0].Skipped[0], cryptoki.CKR_TOKEN_NOT_RECOGNIZED) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestProbeMainIsNotForOthers(t *testing.T) {
	for _, args := range [][]string{nil, {"pectoken"}, {"pectoken", "sign", "a.pdf", "b"}, {"p", probeArgument, "a.so", "soon"}, {"p", probeArgument}} {
		if ProbeMain(args, nil) {
			t.Errorf("answers to %q", args)
		}
	}
}

func TestWithoutPIN(t *testing.T) {
	got := withoutPIN([]string{"HOME=h", "PECTOKEN_PIN=123456", "PECTOKEN_PIN_FILE=x", "pectoken_pin=1", "PECTOKEN_MODULE=a"})
	if !slices.Equal(got, []string{"HOME=h", "PECTOKEN_MODULE=a"}) {
		t.Errorf("environment %q", got)
	}
}

func TestCandidates(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	vendor, opensc, other := file("libbit4xpki.so"), file("opensc-pkcs11.so"), file("other.so")
	link := filepath.Join(dir, "link.so")
	if err := os.Symlink(other, link); err != nil {
		t.Fatal(err)
	}
	p := Places{
		Paths:  []string{link, ""},
		Config: []string{filepath.Join(dir, "gone.so")},
		Getenv: func(name string) string {
			if name == "PECTOKEN_MODULE" {
				return opensc + string(filepath.ListSeparator) + other
			}
			return ""
		},
		P11Kit: []string{dir},
		Known:  []KnownModule{{"Bit4id", vendor}, {"Bit4id", filepath.Join(dir, "missing.so")}, {vendorOpenSC, opensc}},
	}
	want := []Candidate{
		{link, "", SourceGiven}, {opensc, vendorOpenSC, SourceEnvironment},
		{filepath.Join(dir, "gone.so"), "", SourceConfig}, {vendor, "Bit4id", SourceKnown},
	}
	if got := p.Candidates(); !slices.Equal(got, want) {
		t.Errorf("candidates %v", got)
	}
	if got := (Places{}).Candidates(); slices.ContainsFunc(got, func(c Candidate) bool { return c.Source < SourceP11Kit }) {
		t.Errorf("candidates of nothing: %v", got)
	}
	if SourceP11Kit.String() != "p11-kit" || Source(99).String() != "unknown" {
		t.Error("words of sources")
	}
}

func TestP11Kit(t *testing.T) {
	system, user := t.TempDir(), t.TempDir()
	put := func(folder, name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(system, "a.module", "# Bit4id\nmodule: /opt/a.so\npriority: 3\n")
	put(system, "b.module", "module: /opt/b.so\n")
	put(user, "b.module", "module:\n")
	put(system, "c.module", "module: /opt/c.so\ndisable-in: firefox, pectoken\n")
	put(system, "d.module", "module: /opt/d.so\nenable-in: firefox thunderbird\n")
	put(system, "e.module", "module: /opt/e.so\nenable-in: pectoken,firefox\n")
	put(system, "f.module", "module: /opt/trust.so\ntrust-policy: yes\n")
	put(system, "g.module", "remote: ssh user@host p11-kit remote /opt/g.so\nmodule: /opt/g.so")
	put(system, "h.module", "module: /opt/h.so\n")
	put(user, "h.module", "module: /home-made/h.so\n")
	put(system, "i.module", "module: /opt/i.so\nenable-in: firefox\n")
	put(user, "i.module", "enable-in: pectoken\n")
	put(system, "j.module", "module: nowhere-to-be-found.so\n")
	put(system, "k.module", "no settings at all\n\x00")
	put(system, "l.txt", "module: /opt/l.so\n")
	want := []string{"/opt/a.so", "/opt/e.so", "/home-made/h.so", "/opt/i.so"}
	if got := p11kitModules([]string{system, filepath.Join(system, "missing"), user}); !slices.Equal(got, want) {
		t.Errorf("modules %q", got)
	}
	home := func(name string) string { return map[string]string{"HOME": "/casa"}[name] }
	if got := p11kitFolders(home); len(got) != 3 || got[2] != "/casa/.config/pkcs11/modules" {
		t.Errorf("folders %q", got)
	}
}

// FuzzChildOutput reads whatever a process may write.
func FuzzChildOutput(f *testing.F) {
	f.Add([]byte("hello\n\n" + probeMark + `{"stage":"starting"}` + "\n\n" + probeMark + `{"answer":{"tokens":[{"info":{"Slot":1},"certificates":[{"raw":"MA=="}]}]}}` + "\n"))
	f.Add([]byte("\n" + probeMark + `{"answer":{"skipped":[{"slot":1}]}}` + "\n"))
	f.Fuzz(func(t *testing.T, output []byte) {
		o := &childOutput{answered: func() {}, overflow: func() {}}
		if n, err := o.Write(output); n != len(output) || err != nil {
			t.Fatal(n, err)
		}
		answer, stage := o.read()
		if stage == "" && answer == nil {
			t.Error("no stage")
		}
		if answer == nil {
			return
		}
		for _, m := range answer.module(Candidate{}).Tokens {
			for _, c := range m.Certificates {
				if c.X509 == nil && c.ParseError == nil {
					t.Errorf("certificate %+v", c)
				}
			}
		}
	})
}

// FuzzP11Kit reads whatever stands in a module file.
func FuzzP11Kit(f *testing.F) {
	f.Add([]byte("module: /opt/a.so\nenable-in: pectoken\n"))
	f.Add([]byte("module: a.so\n#disable-in: x\n:::\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if path := p11kitModule(p11kitSettings(content)); path != "" && !filepath.IsAbs(path) {
			t.Errorf("path %q", path)
		}
	})
}
