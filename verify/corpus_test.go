// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// row is a line of the corpus table: a file of another project's tests and
// what is known of it. Its README says what the columns mean.
type row struct {
	file, format, asserted, observed, integrity, modified, detached, note string
}

// corpus reads the table, or skips where there is none.
func corpus(t *testing.T) (dir string, rows []row) {
	t.Helper()
	dir = os.Getenv("PECTOKEN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	table, err := os.ReadFile(filepath.Join(dir, "corpus.tsv"))
	if err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")
	columns := map[string]int{}
	for i, name := range strings.Split(lines[0], "\t") {
		columns[name] = i
	}
	for _, line := range lines[1:] {
		f := strings.Split(line, "\t")
		rows = append(rows, row{
			f[columns["file"]], f[columns["format"]], f[columns["signatures"]], f[columns["signatures_observed"]],
			f[columns["integrity"]], f[columns["modified_after_signing"]], f[columns["detached_content_file"]], f[columns["note"]],
		})
	}
	return dir, rows
}

// disagreements maps rows where we say something else on purpose to what we
// say; the third column argues why.
func disagreements(t *testing.T) map[string]string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("testdata", "corpus-disagreements.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(list)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 3 || f[2] == "" {
			t.Fatalf("a disagreement without a reason: %q", line)
		}
		said[f[0]] = f[1]
	}
	return said
}

// TestCorpus verifies every CMS and PDF of the corpus and compares the number
// of signatures, their integrity, and whether anything not permitted was changed
// after them with what its table says.
func TestCorpus(t *testing.T) {
	dir, rows := corpus(t)
	said := disagreements(t)
	for _, r := range rows {
		if r.format != "CMS" && r.format != "PDF" {
			continue
		}
		name := r.file
		if r.detached != "" {
			name += " with content"
		}
		t.Run(name, func(t *testing.T) {
			got := verifyRow(t, dir, r)
			answer := summary(got, r.note)
			if want, ok := said[name]; ok {
				delete(said, name)
				if answer != want {
					t.Errorf("got %q, the list of disagreements says %q", answer, want)
				}
			} else if !agrees(answer, r) {
				t.Errorf("got %q, want %s of %s/%s, modified %q (%s)", answer, r.integrity, r.asserted, r.observed, r.modified, r.note)
			}
			if got.Verdict == report.Valid && got.Error == nil {
				t.Error("valid, though nobody is trusted")
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		t.Errorf("the list of disagreements names %q, which is not in the corpus", name)
	}
}

func verifyRow(t *testing.T, dir string, r row) *report.Report {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.file)))
	if err != nil {
		t.Fatal(err)
	}
	o := verify.Options{Now: moment, Name: r.file}
	if first, _, _ := strings.Cut(r.detached, ";"); first != "" {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(first)))
		if err != nil {
			t.Fatal(err)
		}
		o.Content = section(content)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // hostile rows must end; that they hang is what this would show
	defer cancel()
	got, err := verify.File(ctx, io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// summary puts a report into the words of the table: "2 intact", "0 none".
// Counter-signatures count where the note says that there are some.
func summary(r *report.Report, note string) string {
	if r.Error != nil {
		if r.Error.Code == report.NoSignature {
			return "0 none"
		}
		return "0 " + string(r.Error.Code)
	}
	all := r.Signatures
	if strings.Contains(note, "COUNTERSIGNATURES") {
		for _, s := range r.Signatures {
			all = append(slices.Clip(all), s.CounterSignatures...)
		}
	}
	found := map[report.Integrity]bool{}
	for _, s := range all {
		found[s.Integrity] = true
	}
	if len(all) == 0 { // a file of timestamps: the row is about them
		for _, t := range r.Timestamps {
			found[map[bool]report.Integrity{true: report.Broken, false: report.Intact}[t.Verdict == report.Invalid]] = true
		}
	}
	word := "mixed"
	for integrity := range found {
		if len(found) == 1 {
			word = integrity.String()
		}
	}
	return fmt.Sprintf("%d %s", len(r.Signatures), word) + modified(r)
}

// modified says in the summary that something not permitted was changed after a
// signature that is not broken anyway.
func modified(r *report.Report) string {
	for _, s := range r.Signatures {
		if s.ModifiedAfterSigning && s.Covers == report.Revision {
			return " modified"
		}
	}
	return ""
}

// agrees compares a summary with a row. A file to be rejected is broken to us.
func agrees(answer string, r row) bool {
	answer, changed := strings.CutSuffix(answer, " modified")
	if r.modified != "" && changed != (r.modified == "yes") {
		return false
	}
	number, word, _ := strings.Cut(answer, " ")
	if word != r.integrity && (word != "broken" || r.integrity != "rejected") {
		return false
	}
	counters := 0
	if _, after, ok := strings.Cut(r.note, "COUNTERSIGNATURES="); ok {
		counters, _ = strconv.Atoi(after[:1])
	}
	observed, err := strconv.Atoi(r.observed)
	return number == r.asserted || number == r.observed || err == nil && number == strconv.Itoa(observed+counters) ||
		r.asserted == "" && r.observed == ""
}
