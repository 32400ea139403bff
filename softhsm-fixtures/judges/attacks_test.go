// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/attacks"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// victim is who signed what the attackers change.
const victim = "MARIO ROSSI"

// forgers have the victim sign, and Lucia Verdi, whom the judges trust as well,
// attack.
func forgers(t *testing.T, p *pki.PKI) attacks.Signers {
	return attacks.Signers{
		Sign: func(document []byte, how attacks.Signing) ([]byte, error) {
			o := pdf.SignOptions{Signer: ours(p.Must(t, pki.Signer)), SigningTime: time.Now(), Certify: pdf.Certification(how.Certify)}
			if how.Visible {
				o.Appearance = &pdf.Appearance{Border: true}
			}
			var out bytes.Buffer
			err := pdf.Sign(t.Context(), &out, bytes.NewReader(document), int64(len(document)), o)
			return out.Bytes(), err
		},
		VictimCMS:   func(content []byte) ([]byte, error) { return detached(p.Must(t, pki.Signer), content) },
		AttackerCMS: func(content []byte) ([]byte, error) { return detached(p.Must(t, pki.SecondSigner), content) },
	}
}

// detached returns a signature as one in a PDF is: without the time.
func detached(identity *pki.Identity, content []byte) ([]byte, error) {
	signer := ours(identity)
	signer.SigningTime = time.Time{}
	var out bytes.Buffer
	err := cms.Sign(&out, bytes.NewReader(content), cms.Options{Signers: []cms.Signer{signer}, Detached: true})
	return out.Bytes(), err
}

// opinion is what a judge says of the victim's signature.
type opinion string

const (
	accepts opinion = "accepts"
	warns   opinion = "warns"   // accepts, and says that something is strange
	refuses opinion = "refuses" // does not find it valid, or does not find it
)

// pdfsigVersion is that of Debian 12; another has other opinions. The other judges
// are pinned.
const pdfsigVersion = "22.12"

// judgeOf is a judge of forged files.
type judgeOf struct {
	name string
	need func(*testing.T) func(path string) (opinion, error)
}

func judgesOfForgeries(root string, anchors *trust.Anchors) []judgeOf {
	return []judgeOf{
		{"pectoken", func(t *testing.T) func(string) (opinion, error) {
			return func(path string) (opinion, error) {
				said, err := verify.File(t.Context(), section(t, path), verify.Options{Trust: anchors, Now: time.Now()})
				switch {
				case err != nil:
					return "", err
				case said.Verdict == report.Valid:
					return accepts, nil
				case said.Verdict != report.Invalid:
					return "", fmt.Errorf("the verdict is %v", said.Verdict)
				case !strings.HasPrefix(filepath.Base(path), "usf-") && !slices.ContainsFunc(said.Signatures, isIntact):
					return "", errors.New("the forgery is not made well: no digest matches")
				}
				return refuses, nil
			}
		}},
		{"pdfsig", func(t *testing.T) func(string) (opinion, error) {
			if said, _ := exec.Command(judges.Need(t, "pdfsig"), "-v").CombinedOutput(); !bytes.Contains(said, []byte(pdfsigVersion)) {
				t.Skipf("the table is that of pdfsig %s", pdfsigVersion)
			}
			return func(path string) (opinion, error) { return ofPDFSig(judges.PDFSig(t.Context(), path)) }
		}},
		{"pyHanko", func(t *testing.T) func(string) (opinion, error) {
			pyHanko := judges.NeedPyHanko(t)
			return func(path string) (opinion, error) {
				return ofPyHanko(pyHanko.Validate(t.Context(), judges.Ask{File: path, Trust: root}))
			}
		}},
		{"DSS", func(t *testing.T) func(string) (opinion, error) {
			dss := judges.NeedDSS(t)
			return func(path string) (opinion, error) {
				return ofDSS(dss.Validate(t.Context(), judges.Ask{File: path, Trust: root}))
			}
		}},
	}
}

func isIntact(s *report.Signature) bool { return s.Integrity == report.Intact }

// ofPDFSig: a file that pdfsig can't read, it does not accept.
func ofPDFSig(found []judges.PDFSignature, err error) (opinion, error) {
	found = slices.DeleteFunc(found, func(s judges.PDFSignature) bool { return s.Signer != victim && s.Signed && s.Signer != "" })
	switch {
	case err != nil || !slices.ContainsFunc(found, func(s judges.PDFSignature) bool { return s.Valid }):
		return refuses, nil
	case !slices.ContainsFunc(found, func(s judges.PDFSignature) bool { return s.TotalDocument }):
		return warns, nil
	}
	return accepts, nil
}

func ofPyHanko(found []judges.PyHankoSignature, err error) (opinion, error) {
	var refused *judges.RefusedError
	switch {
	case err != nil && !errors.As(err, &refused):
		return "", err
	case slices.ContainsFunc(found, func(s judges.PyHankoSignature) bool { return s.Signer == victim && s.Accepted }):
		return accepts, nil
	}
	return refuses, nil
}

func ofDSS(found []judges.DSSSignature, err error) (opinion, error) {
	var refused *judges.RefusedError
	if err != nil && !errors.As(err, &refused) {
		return "", err
	}
	said := refuses
	for _, s := range found {
		switch {
		case s.Signer != victim || s.Indication != "TOTAL_PASSED":
		case len(s.Warnings) > 0:
			said = warns
		default:
			return accepts, nil
		}
	}
	return said, nil
}

// TestInteropAttacks compares what every judge says of forged files with the
// table in the README.
func TestInteropAttacks(t *testing.T) {
	p := pki.New(time.Now())
	root, anchors := file(t, "root.pem", p.RootPEM()), trust.NewAnchors(p.Must(t, pki.Root).Certificate)
	signers := forgers(t, p)
	all, err := attacks.All(signers)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, a := range all {
		keep(t, dir, a.Name, a.PDF)
	}
	honest, err := signers.Sign(attacks.Contract(), attacks.Signing{})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, dir, "honest", honest)
	table := readmeTable(t)
	for i, judge := range judgesOfForgeries(root, anchors) {
		t.Run(judge.name, func(t *testing.T) {
			ask := judge.need(t)
			if said, err := ask(filepath.Join(dir, "honest.pdf")); said != accepts || err != nil {
				t.Fatalf("of the honest file: %s, %v", said, err)
			}
			found, files := map[string]map[opinion]int{}, map[string]int{}
			for _, a := range all {
				said, err := ask(filepath.Join(dir, a.Name+".pdf"))
				if err != nil {
					t.Errorf("%s: %v", a.Name, err)
				}
				if judge.name == "pectoken" && said != refuses {
					t.Errorf("%s: pectoken %s it", a.Name, said)
				}
				t.Logf("%s: %s", a.Name, said)
				if found[a.Class] == nil {
					found[a.Class] = map[opinion]int{}
				}
				found[a.Class][said]++
				files[a.Class]++
			}
			for _, class := range attacks.Classes() {
				if got, want := inWords(found[class]), table[class][1+i]; got != want || fmt.Sprint(files[class]) != table[class][0] {
					t.Errorf("%s: the README has %q of %s files, and it is %q of %d", class, want, table[class][0], got, files[class])
				}
			}
		})
	}
}

// inWords is a cell of the table.
func inWords(count map[opinion]int) string {
	var parts []string
	for _, o := range []opinion{accepts, warns, refuses} {
		if len(count) == 1 && count[o] > 0 {
			return string(o)
		}
		if count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", o, count[o]))
		}
	}
	return strings.Join(parts, ", ")
}

// readmeTable returns the rows of the README's table, by class. Their cells are
// the number of files and a column for each judge.
func readmeTable(t *testing.T) map[string][]string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if slices.Contains(attacks.Classes(), cells[0]) {
			rows[cells[0]] = cells[1:]
		}
	}
	for _, class := range attacks.Classes() {
		if len(rows[class]) != 5 {
			t.Errorf("the README's table has no row of five cells for %q", class)
			rows[class] = make([]string, 5)
		}
	}
	return rows
}
