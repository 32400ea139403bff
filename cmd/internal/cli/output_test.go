// SPDX-License-Identifier: Apache-2.0

package cli

import (
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
