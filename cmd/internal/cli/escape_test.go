// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", `Rossi, "Mario" \ è 日本`, `Rossi, "Mario" \ è 日本`},
		{"escape sequence", "a\x1b[31mb", `a\x1b[31mb`},
		{"lines", "a\nb\rc\td", `a\nb\rc\td`},
		{"null and delete", "a\x00b\x7fc", `a\x00b\x7fc`},
		{"C1 control", "a\u009bb", `a\u009bb`},
		{"bidirectional override", "a\u202eb", `a\u202eb`},
		{"isolate and mark", "a\u2066b\u200fc", `a\u2066b\u200fc`},
		{"zero width", "a\u200bb\ufeffc", `a\u200bb\ufeffc`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"invalid UTF-8", "a\xffb", `a\xffb`},
		{"a replacement character that is there", "a\ufffdb", "a\ufffdb"},
		{"invisible tag", "a\U000e0041b", `a\U000e0041b`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := printable(c.text); got != c.want {
				t.Errorf("printable(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31m\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		if strings.ContainsAny(got, "\n\r\x1b\x00\u202e\u2066\u200b\u009b") {
			t.Errorf("printable(%q) = %q", text, got)
		}
		if again := printable(got); again != got {
			t.Errorf("printable twice gives %q, once %q", again, got)
		}
	})
}

func TestClip(t *testing.T) {
	if got := clip("abcdef", 4); got != "abc…" {
		t.Errorf("clip gives %q", got)
	}
	if got := clip("èèèè", 4); got != "èèèè" {
		t.Errorf("clip gives %q", got)
	}
}

func TestTextID(t *testing.T) {
	for id, want := range map[string]string{"DS0": "DS0", "\x01": "01", "a b": "612062", "": ""} {
		if got := textID([]byte(id)); got != want {
			t.Errorf("textID(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{"DS0": "DS0", "a/b.p7m": "a/b.p7m", "": "''", "a b": "'a b'", "a'b": `'a'\''b'`, "$x": "'$x'"} {
		if got := shellWord(text); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", text, got, want)
		}
	}
}
