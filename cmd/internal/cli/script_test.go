// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
	"github.com/pectoken/pectoken/token/tokentest"
	"github.com/pectoken/pectoken/verify/report"
)

func TestMain(m *testing.M) {
	virtualcard.Hook()
	testscript.Main(m, map[string]func(){
		"pectoken": func() { os.Exit(Main()) },
		"exits":    exits,
	})
}

// exits runs a command and succeeds if it ends with the exit code that is
// expected: exits 4 pectoken sign a.txt
func exits() {
	want, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "exits:", err)
		os.Exit(2)
	}
	c := exec.Command(os.Args[2], os.Args[3:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := c.Run(); err != nil && c.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "exits:", err)
		os.Exit(2)
	}
	if got := c.ProcessState.ExitCode(); got != want {
		fmt.Fprintf(os.Stderr, "exits: the exit code is %d, want %d\n", got, want)
		os.Exit(1)
	}
}

// TestScripts runs every script of every folder, so that no folder is
// forgotten. A script finds in its folder what setup puts there.
func TestScripts(t *testing.T) {
	if !hasCgo {
		t.Skip("built without cgo: no tokens")
	}
	if _, err := softhsm.FindModule(); err != nil {
		judges.Absent(t, "softhsm2")
	}
	folders, err := filepath.Glob("testdata/script/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no scripts found (%v)", err)
	}
	kit := &kit{pki: pki.New(time.Now()), faults: faults(t)}
	kit.services = authority.Start(t, kit.pki, authority.Options{Clock: time.Now})
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                 folder,
				Setup:               kit.setup,
				Condition:           condition,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"token": kit.token,
					"flip":  flip,
					"shape": shape,
					"tmpfs": tmpfs,
					"ended": ended,
					"tsa":   kit.tsa,
					"asked": kit.wasAsked,
					"fails": kit.fails,
				},
			})
		})
	}
}

// kit makes what scripts work with.
type kit struct {
	pki      *pki.PKI
	services *authority.Server // OCSP, CRLs and certificates of issuers
	faults   map[string]string // modules with a fault, by the variable that names them
	asked    sync.Map          // the address of an authority -> *atomic.Int64
}

// faults makes modules that crash, hang, or are none. There are none without gcc.
func faults(t *testing.T) map[string]string {
	paths := map[string]string{}
	if _, err := exec.LookPath("gcc"); err != nil {
		return paths
	}
	for _, f := range []tokentest.Fault{
		tokentest.CrashStarting, tokentest.HangStarting, tokentest.CrashListing, tokentest.NoFunctionList,
		tokentest.OtherProcessor, tokentest.Text, tokentest.Empty, tokentest.Forwarding,
	} {
		paths[strings.ToUpper(strings.ReplaceAll(string(f), " ", "_"))] = tokentest.Library(t, f)
	}
	return paths
}

// setup prepares a script's folder: an empty SoftHSM, its module, a right and a
// wrong PIN, the root certificates, and documents to sign.
func (k *kit) setup(env *testscript.Env) error {
	hsm, err := softhsm.Create(filepath.Join(env.WorkDir, ".hsm"))
	if err != nil {
		return err
	}
	env.Values["hsm"] = hsm
	env.Setenv("PECTOKEN_MODULE", hsm.Module())
	conf, value, _ := strings.Cut(hsm.Env(), "=")
	env.Setenv(conf, value)
	env.Setenv("HSM", hsm.Module())
	env.Setenv("AUTHORITY", k.services.URL(authority.TSA))
	for name, path := range k.faults {
		env.Setenv(name, path)
	}
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
	alt, err := k.pki.Issue(pki.AltRoot)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"root.pem": k.pki.RootPEM(), "alt-root.pem": alt.CertificatePEM(),
		"pin": []byte(softhsm.StandardPIN + "\n"), "wrong-pin": []byte("999999\n"),
		"hsm-config":   []byte("module = " + hsm.Module() + "\n"),
		"contract.pdf": documents.Plain(), "notes.txt": []byte("to be signed\n"),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(env.WorkDir, name), content, 0o600))
	}
	return err
}

// token adds a token with the standard PIN and puts its serial number into a
// variable: token SERIAL Firma signer cns. An object is an entity of the PKI,
// and is called DS0, DS1, …, or CNS0; a ! before it makes its key ask for the
// PIN at every signature. "ca" is the certificate of the signers' CA alone.
func (k *kit) token(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: token VARIABLE LABEL [OBJECT...]")
	}
	var objects []softhsm.Object
	for i, arg := range args[2:] {
		objects = append(objects, k.object(ts, i, arg))
	}
	if len(objects) > 0 {
		ca, err := k.pki.Issue(pki.QualifiedCA)
		ts.Check(err)
		objects = append(objects, softhsm.Object{ID: []byte("CA0"), Label: "CA0", Certificate: ca.Certificate})
	}
	hsm := ts.Value("hsm").(*softhsm.HSM)
	serial, err := hsm.AddToken(args[1], softhsm.StandardPIN, objects...)
	ts.Check(err)
	ts.Setenv(args[0], serial)
}

func (k *kit) object(ts *testscript.TestScript, number int, arg string) softhsm.Object {
	name, always := strings.CutPrefix(arg, "!")
	id := fmt.Sprintf("DS%d", number)
	if pki.Name(name) == pki.CNS {
		id = "CNS0"
	}
	entity, err := k.pki.Issue(pki.Name(name))
	ts.Check(err)
	return softhsm.Object{
		ID: []byte(id), Label: id + " of the kit", Key: entity.Key, Certificate: entity.Certificate, AlwaysAuthenticate: always,
	}
}

// flip inverts a bit of the first byte of a text in a file, or of the byte at
// an offset from the end: flip a.p7m 'to be signed'; flip a.p7m -20
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE TEXT|-OFFSET")
	}
	content := []byte(ts.ReadFile(args[0]))
	at := strings.Index(string(content), args[1])
	if offset, err := strconv.Atoi(args[1]); err == nil && offset < 0 {
		at = len(content) + offset
	}
	if at < 0 || at >= len(content) {
		ts.Fatalf("flip: %s does not contain %q", args[0], args[1])
	}
	content[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}

// shapes are the documented forms of the lines of --json.
var shapes = map[string]func() any{
	"cns":     func() any { return &map[string]any{} },
	"doctor":  func() any { return &checkShape{} },
	"error":   func() any { return &fileError{} },
	"extend":  func() any { return &extendedJSON{} },
	"extract": func() any { return &extractedJSON{} },
	"pin":     func() any { return &pinResultShape{} },
	"pin-set": func() any { return &pinSetJSON{} },
	"problem": func() any { return &moduleProblemJSON{} },
	"sign":    func() any { return &signedJSON{} },
	"stamped": func() any { return &stampedJSON{} },
	"tokens":  func() any { return &tokenShape{} },
	"watch":   func() any { return &watchShape{} },
	"verify":  func() any { return &report.Report{} },
	"version": func() any { return &versionJSON{} },
}

// shape checks the lines of standard output of the last command, in order:
// shape sign error
func shape(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.SplitAfter(strings.TrimSuffix(ts.ReadFile("stdout"), "\n"), "\n")
	if neg || len(lines) != len(args) {
		ts.Fatalf("standard output has %d lines, want %d", len(lines), len(args))
	}
	for i, name := range args {
		decoder := json.NewDecoder(strings.NewReader(lines[i]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(shapes[name]()); err != nil {
			ts.Fatalf("line %d is no %s: %v", i+1, name, err)
		}
	}
}

// tokenShape and those after it are the documented forms whose words can't be
// read back into the types that write them.
type tokenShape struct {
	Module, Reader, Label, Serial, Model, Manufacturer string
	Slot                                               uint
	PIN                                                struct {
		State    string
		Min, Max int
		Pad      bool
	}
	Certificates []struct {
		ID, Label, Subject, CodiceFiscale, Kind, SHA256 string
		NotBefore, NotAfter                             time.Time
		PrivateKey, AlwaysAuthenticate                  bool
		AlsoBy                                          []string
	}
}

type watchShape struct {
	Event string
	Token tokenShape
}

type checkShape struct{ Check, Status, What, Todo string }

type pinResultShape struct {
	Token, Serial string
	PIN           struct {
		Correct bool
		State   string
	}
}

// awaits waits for a file to hold a text: awaits events inserted
func awaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: awaits FILE TEXT")
	}
	for range 300 {
		if content, _ := os.ReadFile(ts.MkAbs(args[0])); strings.Contains(string(content), args[1]) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s never holds %q", args[0], args[1])
}

// pdfsigValid has pdfsig judge that each signature in PDFs is right.
func pdfsigValid(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		signatures, err := judges.PDFSig(context.Background(), ts.MkAbs(name))
		ts.Check(err)
		if neg || len(signatures) == 0 {
			ts.Fatalf("pdfsig finds %d signatures in %s", len(signatures), name)
		}
		for _, s := range signatures {
			if !s.Valid || !s.TotalDocument {
				ts.Fatalf("pdfsig says of %s: %+v", name, s)
			}
		}
	}
}

// condition says whether something is there that a script may need:
// [root], to mount file systems, and [gcc].
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "gcc":
		_, err := exec.LookPath("gcc")
		return err == nil, nil
	}
	return false, fmt.Errorf("there is no condition %q", name)
}
