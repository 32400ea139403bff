// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package bench_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/bench"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// standIn makes the test binary play pectoken: it copies what it is to sign,
// finds everything valid, and takes as many MiB as the variable says.
const standIn = "PECTOKEN_BENCH_STANDIN"

func TestMain(m *testing.M) {
	if size := os.Getenv(standIn); size != "" {
		os.Exit(play(size, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func play(size string, args []string) int {
	var mebibytes int
	fmt.Sscan(size, &mebibytes)
	ballast := make([]byte, mebibytes<<20)
	for i := 0; i < len(ballast); i += 1 << 10 {
		ballast[i] = 1
	}
	defer runtime.KeepAlive(ballast)
	if err := ask(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if args[0] == "verify" || args[0] == "tokens" {
		return 0
	}
	at := slices.Index(args, "--output")
	if at < 0 {
		return 0 // a batch
	}
	output := args[at+1]
	input := args[len(args)-1]
	if args[0] != "sign" {
		input = args[1]
	}
	content, err := os.ReadFile(input)
	if err == nil {
		err = os.WriteFile(output, content, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// ask asks the authority that the arguments name, if they do, as often as the command
// has to.
func ask(args []string) error {
	at := slices.Index(args, "--tsa")
	if at < 0 {
		return nil
	}
	times := 1
	switch args[0] {
	case "extend":
		times = 2
	case "sign":
		times = strings.Count(strings.Join(args, "\n"), ".txt")
	}
	for range times {
		response, err := http.Post(args[at+1], "application/timestamp-query", nil)
		if err != nil {
			return err
		}
		response.Body.Close()
	}
	return nil
}

// measure runs the benchmark on a small file with the stand-in.
func measure(t *testing.T, mebibytes string) *bench.Result {
	t.Helper()
	judges.Need(t, "openssl")
	judges.Need(t, "gcc")
	for _, tool := range []string{"pdfsig", "certutil", "pk12util"} {
		judges.Need(t, tool)
	}
	softhsm.New(t) // skips where there is none
	t.Setenv(standIn, mebibytes)
	dir := t.TempDir()
	result, err := bench.Run(t.Context(), bench.Options{
		Size: 1 << 20, Large: 2, Signers: []int{1, 3}, Segments: []int{10, 20}, Runs: 1, Count: 8, PDF: smallPDFs, Stamped: 3,
		Signer: idle, Program: os.Args[0], Dir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return result
}

var smallPDFs = bench.PDFOptions{Pages: 3, Revisions: 8, Files: 2}

// idle takes a second for any number of signatures.
func idle(_ context.Context, module, pin string, _, _ int) (time.Duration, error) {
	if module == "" || pin == "" {
		return 0, errors.New("no module, or no PIN")
	}
	return time.Second, nil
}

func TestRun(t *testing.T) {
	result := measure(t, "1")
	if err := result.Err(); err != nil {
		t.Error(err)
	}
	var table strings.Builder
	if err := result.Write(&table); err != nil {
		t.Fatal(err)
	}
	for _, task := range []string{"SHA-256 alone", "openssl cms -sign", "openssl cms -sign -stream", "pectoken sign", "openssl cms -verify (DER)", "pectoken verify, openssl's BER"} {
		if !strings.Contains(table.String(), "  "+task+"\n") {
			t.Errorf("no row for %s in\n%s", task, table.String())
		}
	}
	for _, ratio := range result.Ratios {
		if ratio.ToBare <= 0 || !strings.Contains(table.String(), "  "+ratio.Task+"\n") {
			t.Errorf("%+v is not in\n%s", ratio, table.String())
		}
	}
	if len(result.Ratios) != 8 {
		t.Errorf("%d ratios, want 8", len(result.Ratios))
	}
	for _, c := range result.Comparisons {
		for i, row := range c.Rows {
			if row.Seconds <= 0 || row.ToFirst <= 0 || (i == 0) != (row.ToFirst == 1) || !strings.Contains(table.String(), "  "+row.Task+"\n") {
				t.Errorf("%s: %+v is not right, or not in\n%s", c.Title, row, table.String())
			}
		}
	}
	if len(result.Comparisons) != 7 {
		t.Errorf("%d comparisons, want 7", len(result.Comparisons))
	}
	checkGrowth(t, result.Growth, table.String())
	for _, row := range result.Rows {
		if row.Seconds <= 0 || row.ToHash <= 0 {
			t.Errorf("%+v", row)
		}
		if ours := strings.HasPrefix(row.Task, "pectoken"); ours != (row.ToPeer > 0) {
			t.Errorf("%s: in times of openssl %f", row.Task, row.ToPeer)
		}
	}
}

// checkGrowth looks for every task that grows, in the order of its sizes.
func checkGrowth(t *testing.T, list []bench.Growth, table string) {
	t.Helper()
	want := []struct {
		task string
		much float64
	}{
		{"pectoken sign", 1}, {"pectoken sign, 2 times the size", 2},
		{"pectoken verify, its own", 1}, {"pectoken verify, its own, 2 times the size", 2},
		{"pectoken verify, 1 signers", 1}, {"pectoken verify, 3 signers", 3},
		{"pectoken verify, 10 segments", 1}, {"pectoken verify, 20 segments", 2},
	}
	if len(list) != len(want) {
		t.Fatalf("%d tasks grow, want %d: %+v", len(list), len(want), list)
	}
	for i, g := range list {
		if g.Task != want[i].task || g.Much != want[i].much || g.Seconds <= 0 || g.Long <= 0 || g.Worked <= 0 || g.Much == 1 && (g.Long != 1 || g.Worked != 1) {
			t.Errorf("%+v, want %+v", g, want[i])
		}
		if !strings.Contains(table, "  "+g.Task+"\n") {
			t.Errorf("%s is not in\n%s", g.Task, table)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("peak memory is not known on this system")
	}
	err := measure(t, "100").Err()
	if err == nil || !strings.Contains(err.Error(), "pectoken sign took") || !strings.Contains(err.Error(), "a PDF of one page: pectoken sign took") || strings.Contains(err.Error(), "openssl cms") {
		t.Errorf("error is %v", err)
	}
}

func TestFailureOfProgram(t *testing.T) {
	judges.Need(t, "openssl")
	judges.Need(t, "gcc")
	softhsm.New(t)
	dir := t.TempDir()
	_, err := bench.Run(t.Context(), bench.Options{Size: 1 << 10, Runs: 1, Program: filepath.Join(dir, "missing"), Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "measuring pectoken sign") {
		t.Errorf("error is %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNoSpace(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("free space is not known on this system")
	}
	_, err := bench.Run(t.Context(), bench.Options{Size: 1 << 58, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "are needed") {
		t.Errorf("error is %v", err)
	}
}

func TestWriteError(t *testing.T) {
	r := &bench.Result{Rows: []bench.Row{{Task: "x"}}}
	closed, w := io.Pipe()
	closed.Close()
	if err := r.Write(w); err == nil {
		t.Error("writing to a closed pipe is no error")
	}
}
