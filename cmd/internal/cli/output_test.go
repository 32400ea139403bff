// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/sign"
)

func TestSignedName(t *testing.T) {
	for _, c := range []struct {
		input    string
		format   sign.Format
		detached bool
		want     string
	}{
		{"a.pdf", sign.PAdES, false, "a-signed.pdf"},
		{"dir.pdf/A.PDF", sign.PAdES, false, "dir.pdf/A-signed.PDF"},
		{"report", sign.PAdES, false, "report-signed.pdf"},
		{"report.doc", sign.PAdES, false, "report.doc-signed.pdf"},
		{"a.txt", sign.CAdES, false, "a.txt.p7m"},
		{"a.pdf", sign.CAdES, false, "a.pdf.p7m"},
		{"a.p7m", sign.CAdES, false, "a.p7m.p7m"},
		{"a.txt", sign.CAdES, true, "a.txt.p7s"},
	} {
		if got := signedName(c.input, c.format, c.detached); got != c.want {
			t.Errorf("signedName(%q, %v, %v) = %q, want %q", c.input, c.format, c.detached, got, c.want)
		}
	}
}

func TestWithoutEnvelope(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt.p7m": "a.txt", "d/a.pdf.P7S": "d/a.pdf", "a.p7m.p7m": "a.p7m", "a.p7e": "a", "a.p7m.tsr": "a.p7m", "a.tst": "a",
		"a.txt": "", "p7m": "", ".p7m": "", "d/.p7m": "", "": "",
	} {
		got, err := withoutEnvelope(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("withoutEnvelope(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}

// The .p7m in a .m7m is called one, whatever the .m7m is called: under the name of a PDF
// nobody could open it.
func TestContentName(t *testing.T) {
	for _, c := range []struct {
		envelope  string
		signature bool
		want      string
	}{
		{"contract.pdf.m7m", true, "contract.pdf.p7m"}, {"contract.pdf.p7m.m7m", true, "contract.pdf.p7m"},
		{"d/letter.tsd", true, "d/letter.p7m"}, {"contract.pdf.P7M.tsd", true, "contract.pdf.P7M"}, {"drawing.p7s.tsd", true, "drawing.p7s"},
		{"contract.pdf.tsd", false, "contract.pdf"}, {"contract.pdf", true, ""},
	} {
		got, err := contentName(c.envelope, c.signature)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("contentName(%q, %v) = %q, %v, want %q", c.envelope, c.signature, got, err, c.want)
		}
	}
}

// A file is an input under whatever name, a hard link's as well.
func TestOutputIsInput(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	var inputs []os.FileInfo
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(in(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(in(name))
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, info, nil)
	}
	if err := os.Link(in("b"), in("linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, refused := range map[string]bool{"a": true, "linked": true, "other": false, "none": false, "../" + filepath.Base(folder) + "/b": true} {
		if err := notInput(in(name), inputs...); (err != nil) != refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	unnamed := fileSet{others: inputs[:1]}
	if unnamed.refuse(in("a")) == nil || unnamed.refuse(in("b")) != nil {
		t.Error("without numbers, files are told apart wrongly")
	}
}

// What an input held when it was opened is read, in memory or not, and that it changed
// since is noticed.
func TestInputThatChanges(t *testing.T) {
	for _, size := range []int{0, 100, inMemory, inMemory + 1} {
		path := filepath.Join(t.TempDir(), "a")
		content := bytes.Repeat([]byte("x"), size)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := (&app{}).openInput(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(in.section()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %d are read, %v", size, len(got), err)
		}
		if err := in.unchanged(); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err := os.WriteFile(path, append(content, 'y'), 0o600); err != nil {
			t.Fatal(err)
		}
		if in.unchanged() == nil {
			t.Errorf("%d bytes: a change is not noticed", size)
		}
		in.close()
	}
}
