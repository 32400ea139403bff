// SPDX-License-Identifier: Apache-2.0

package documents_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
)

func TestLarge(t *testing.T) {
	refilled, err := documents.Refill(documents.Form(), 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		pdf  []byte
		show string
		want string
	}{
		{"attachment", written(t, documents.WriteAttachment, 1<<16), "7,0", "/Length 65536"},
		{"scanned", written(t, documents.WriteScanned, 101), "2,0", "/Count 101"},
		{"last-group", written(t, documents.WriteScanned, 101), "7,0", "/Count 1"},
		{"refilled", refilled, "6,0", "/V (Roma 3)"},
		{"look", refilled, "trailer", "/Size 10"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := save(t, documents.Document{Name: test.name, PDF: test.pdf})
			if err := judges.QPDFCheck(t.Context(), path); err != nil {
				t.Error(err)
			}
			out, err := exec.Command(judges.Need(t, "qpdf"), "--show-object="+test.show, path).Output()
			if err != nil || !strings.Contains(string(out), test.want) {
				t.Errorf("%s is %s, want %s (%v)", test.show, out, test.want, err)
			}
		})
	}
	if n := bytes.Count(refilled, []byte("%%EOF")); n != 4 {
		t.Errorf("%d revisions, want 4", n)
	}
}

func written(t *testing.T, write func(io.Writer, int) error, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, n); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestLargeErrors(t *testing.T) {
	if _, err := documents.Refill([]byte("no trailer"), 1); err == nil {
		t.Error("no error for what is no PDF")
	}
	for _, write := range []func(io.Writer, int) error{documents.WriteAttachment, documents.WriteScanned} {
		closed, w := io.Pipe()
		closed.Close()
		if err := write(w, 1); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("error is %v", err)
		}
	}
}
