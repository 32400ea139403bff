// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"testing"
)

// VeraPDF holds files against PDF/A (ISO 19005) and PDF/UA (ISO 14289).
type VeraPDF struct{ service *service }

// NeedVeraPDF returns veraPDF, which runs until the test ends. Where it is not
// installed, which `make judges` does, the test is skipped by its name; with
// PECTOKEN_JUDGES_REQUIRED=1 in the environment it fails instead.
func NeedVeraPDF(t testing.TB) *VeraPDF {
	t.Helper()
	folder, err := installation("verapdf")
	if err != nil {
		absentService(t, veraPDFName, err)
		return nil
	}
	s := &service{name: veraPDFName, command: javaCommand(folder)}
	t.Cleanup(s.close)
	return &VeraPDF{s}
}

// Conformance is what veraPDF says of a file.
type Conformance struct {
	Flavour string   // what the file claims to be: 1a to 4e of PDF/A, ua1 or ua2 of PDF/UA
	Broken  []string // rules of it that are broken, 20 at the most; none: the file is what it claims
}

type veraPDFQuestion struct {
	Do   string `json:"do"`
	File path   `json:"file,omitempty"`
}

// Version returns the version of veraPDF.
func (v *VeraPDF) Version(ctx context.Context) (string, error) {
	var answer struct{ Version string }
	err := v.service.ask(ctx, veraPDFQuestion{Do: "version"}, &answer)
	return answer.Version, err
}

// Validate says whether a file is what it claims to be. One that can't be read is a
// [RefusedError].
func (v *VeraPDF) Validate(ctx context.Context, file string) (Conformance, error) {
	var answer Conformance
	err := v.service.ask(ctx, veraPDFQuestion{Do: "validate", File: path(file)}, &answer)
	return answer, err
}
