// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/token"
)

// pullable is a key on a card that is pulled out after so many signatures.
type pullable struct {
	crypto.Signer
	left *atomic.Int32
}

func (p pullable) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if p.left.Add(-1) < 0 {
		return nil, token.ErrRemoved
	}
	return p.Signer.Sign(random, digest, o)
}

// batchOf is a batch of so many PDFs in a folder, ready to be signed with a key that
// makes so many signatures; what it prints goes to out and stderr.
func batchOf(t *testing.T, files, signatures int) (b *batch, out, stderr *bytes.Buffer) {
	t.Helper()
	folder := t.TempDir()
	signer := pki.New(fixedNow()).Must(t, pki.Signer)
	left := &atomic.Int32{}
	left.Store(int32(signatures))
	out, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	a := &app{out: out, err: stderr, now: fixedNow}
	b = &batch{app: a, options: &signOptions{}, view: a.newSignView(&levelFlags{}), signing: sign.Options{
		Signer: cms.Signer{Key: pullable{signer.Key, left}, Certificate: signer.Certificate, Hash: crypto.SHA256, Rand: rand.Reader},
		Time:   fixedNow(),
	}}
	for i := range files {
		path := filepath.Join(folder, fmt.Sprint(i))
		if err := os.WriteFile(path+".pdf", documents.Plain(), 0o600); err != nil {
			t.Fatal(err)
		}
		b.jobs = append(b.jobs, &job{file: path + ".pdf", output: path + "-signed.pdf", format: sign.PAdES})
	}
	return b, out, stderr
}

func TestResultsInOrder(t *testing.T) {
	const files, broken = 30, 7
	for _, atATime := range []int{1, 4} {
		b, out, stderr := batchOf(t, files, files)
		b.signing.Appearance = &pdf.Appearance{} // they have it in common
		if err := os.WriteFile(b.jobs[broken].file, []byte("%PDF-1.7\nand no more"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.run(t.Context(), atATime)
		var want strings.Builder
		for i, j := range b.jobs {
			if i != broken {
				fmt.Fprintf(&want, "%s -> %s\n", j.file, j.output)
			}
		}
		if out.String() != want.String() {
			t.Errorf("%d at a time:\n%s", atATime, out)
		}
		if b.exit != exitFailed || strings.Count(stderr.String(), "\n") > 2 || !strings.Contains(stderr.String(), b.jobs[broken].file) {
			t.Errorf("%d at a time: exit code %d\n%s", atATime, b.exit, stderr)
		}
	}
}

// What was signed before the card was pulled out is told, and nothing else is.
func TestPulledOutMeanwhile(t *testing.T) {
	const files, signatures = 30, 9
	for _, atATime := range []int{1, 4} {
		b, out, stderr := batchOf(t, files, signatures)
		b.run(t.Context(), atATime)
		if n := strings.Count(out.String(), " -> "); n != signatures || b.exit != exitNoToken {
			t.Errorf("%d at a time: %d told, exit code %d", atATime, n, b.exit)
		}
		for _, j := range b.jobs {
			_, err := os.Stat(j.output)
			told := strings.Contains(out.String(), j.output+"\n")
			left := strings.Contains(stderr.String(), j.file)
			if told != (err == nil) || told && left {
				t.Errorf("%d at a time: %s: there %v, told %v, said to be left %v", atATime, j.output, err == nil, told, left)
			}
		}
		inFolder, err := os.ReadDir(filepath.Dir(b.jobs[0].file))
		if err != nil || len(inFolder) != files+signatures {
			t.Errorf("%d at a time: %d files in the folder (%v)", atATime, len(inFolder), err)
		}
	}
}

// An interrupt leaves whole outputs, and says what is left; the lines of --json stand
// in the order of the files, whatever became of them.
func TestInterruptedMeanwhile(t *testing.T) {
	const files, signatures, broken, done = 30, 9, 3, 5
	for _, atATime := range []int{1, 4} {
		b, out, stderr := batchOf(t, files, files)
		b.app.json, b.app.args = true, []string{"sign", "--json", "it's.pdf"}
		b.view.signer = candidate{Certificate: &token.Certificate{X509: b.signing.Signer.Certificate}, card: &card{}}
		b.jobs[broken].err = errors.New("no PDF")
		b.jobs[done].skipped = true
		ctx, cancel := context.WithCancel(t.Context())
		key := b.signing.Signer.Key.(pullable)
		b.signing.Signer.Key = writer{key, func() error {
			if key.left.Load() == files-signatures+1 {
				cancel()
			}
			return nil
		}}
		b.run(ctx, atATime)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != files || b.exit != exitFailed {
			t.Fatalf("%d at a time: %d lines, exit code %d", atATime, len(lines), b.exit)
		}
		for i, j := range b.jobs {
			var said struct {
				File    string
				Output  string
				Skipped bool
				Error   *errorJSON
			}
			if err := json.Unmarshal([]byte(lines[i]), &said); err != nil || said.File != j.file {
				t.Fatalf("%d at a time: line %d is %s, %v", atATime, i, lines[i], err)
			}
			_, missing := os.Stat(j.output)
			signed := said.Error == nil && !said.Skipped
			if signed != (missing == nil) || signed != j.signed {
				t.Errorf("%d at a time: %s: there %v, said %+v", atATime, j.output, missing == nil, said)
			}
			if said.Error != nil && i != broken && said.Error.Message != "interrupted" {
				t.Errorf("%d at a time: %s: %q", atATime, j.file, said.Error.Message)
			}
			if left := strings.Contains(stderr.String(), j.file); left == (signed || said.Skipped) && i != broken && i < 20 {
				t.Errorf("%d at a time: %s: signed %v, said to be left %v", atATime, j.file, signed, left)
			}
		}
		inFolder, err := os.ReadDir(filepath.Dir(b.jobs[0].file))
		if told := strings.Count(out.String(), `"output"`) - 1; err != nil || told < signatures-1 || len(inFolder) != files+told {
			t.Errorf("%d at a time: %d files in the folder, %d signed (%v)", atATime, len(inFolder), told, err)
		}
		if !strings.Contains(stderr.String(), "pectoken: interrupted; not signed: ") ||
			!strings.Contains(stderr.String(), `hint: to sign them, type: pectoken sign --skip-signed --json 'it'\''s.pdf'`) {
			t.Errorf("%d at a time:\n%s", atATime, stderr)
		}
	}
}

// A result that can't be printed is no success.
func TestOutputThatFails(t *testing.T) {
	b, _, _ := batchOf(t, 2, 2)
	b.app.out = failingWriter{}
	b.run(t.Context(), 1)
	if b.exit != exitFailed {
		t.Errorf("exit code %d", b.exit)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// An input that changes while it is signed gives no output.
func TestChangedMeanwhile(t *testing.T) {
	b, _, _ := batchOf(t, 1, 1)
	j := b.jobs[0]
	key := b.signing.Signer.Key.(pullable)
	b.signing.Signer.Key = writer{key, func() error {
		f, err := os.OpenFile(j.file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString("more")
		return errors.Join(err, f.Close())
	}}
	if err := b.sign(t.Context(), j); !errors.Is(err, errChanged) {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(j.output); err == nil {
		t.Error("there is an output")
	}
}

// writer is a key during whose use something is written.
type writer struct {
	pullable
	write func() error
}

func (w writer) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if err := w.write(); err != nil {
		return nil, err
	}
	return w.pullable.Sign(random, digest, o)
}

// Who repeats a batch of many files is told of the first outputs that exist, and how many
// more there are.
func TestManyOutputsExist(t *testing.T) {
	const more = 7
	b, _, stderr := batchOf(t, mostMistakes+more, 0)
	for _, j := range b.jobs {
		if err := os.WriteFile(j.output, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.checkOutputs(newFileSet(nil))
	if b.mayStart() || b.end() == nil || b.exit != exitUsage {
		t.Errorf("exit code %d", b.exit)
	}
	text := stderr.String()
	if n := strings.Count(text, "it exists already"); n != mostMistakes || !strings.Contains(text, fmt.Sprintf("pectoken: %d more files", more)) {
		t.Errorf("%d of %d are said:\n%s", n, len(b.jobs), text)
	}
	for _, j := range b.jobs {
		if !j.told {
			t.Errorf("%s is left out of --json", j.file)
		}
	}
}
