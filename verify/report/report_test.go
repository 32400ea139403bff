// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/verify/report"
)

// TestZeroIsNeverGood guards the one promise of this package: what nobody
// filled in does not read as a good answer.
func TestZeroIsNeverGood(t *testing.T) {
	out, err := json.Marshal(&report.Report{Signatures: []*report.Signature{{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"verdict":"indeterminate"`, `"indication":"INDETERMINATE"`, `"integrity":"unknown"`, `"trusted":false`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	out, err := json.Marshal(&report.Report{Signatures: []*report.Signature{{CounterSignatures: []*report.Signature{{}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "null") {
		t.Errorf("a list is null: %s", out)
	}
}

func TestErrorReportHasNoVerdict(t *testing.T) {
	out, err := json.Marshal(&report.Report{File: "a.zip", Error: &report.Error{Code: report.UnsupportedFormat, Message: "neither"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":"a.zip","error":{"code":"unsupportedFormat","message":"neither"}}`
	if string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestWorst(t *testing.T) {
	const i, v, x = report.Indeterminate, report.Valid, report.Invalid
	for _, c := range []struct{ a, b, want report.Verdict }{
		{v, v, v}, {v, i, i}, {i, v, i}, {v, x, x}, {i, x, x}, {x, i, x}, {i, i, i},
	} {
		if got := report.Worst(c.a, c.b); got != c.want {
			t.Errorf("Worst(%v, %v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestOutcomeWordsRoundTrip(t *testing.T) {
	for _, v := range []report.Verdict{report.Indeterminate, report.Valid, report.Invalid} {
		text, _ := v.MarshalText()
		var back report.Verdict
		if err := back.UnmarshalText(text); err != nil || back != v {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
	}
	var v report.Verdict
	if err := v.UnmarshalText([]byte("fine")); err == nil {
		t.Error("an unknown word was taken for a verdict")
	}
	if got := report.Verdict(99).String(); got != "indeterminate" {
		t.Errorf("a value out of range reads as %q", got)
	}
}

func ExampleReport() {
	r := &report.Report{
		File: "contract.pdf.p7m", Format: "cades", Verdict: report.Invalid,
		Signatures: []*report.Signature{{ID: "S1", Indication: report.TotalFailed, SubIndication: report.HashFailure}},
	}
	fmt.Println(r.Verdict, r.Signatures[0].Indication, r.Signatures[0].SubIndication)
	// Output: invalid TOTAL-FAILED HASH_FAILURE
}
