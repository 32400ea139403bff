// SPDX-License-Identifier: Apache-2.0

package report

import "encoding/json"

// MarshalJSON writes the stable form: lists are [] and never null, and a
// report with an Error has neither a verdict nor signatures.
func (r *Report) MarshalJSON() ([]byte, error) {
	if r.Error != nil {
		return json.Marshal(struct {
			File   string `json:"file"`
			Format string `json:"format,omitempty"`
			Error  *Error `json:"error"`
		}{r.File, r.Format, r.Error})
	}
	type plain Report
	out := plain(*r)
	out.Signatures = notNil(out.Signatures)
	out.Timestamps = notNil(out.Timestamps)
	out.Nested = notNil(out.Nested)
	return json.Marshal(&out)
}

// MarshalJSON writes the stable form: lists are [] and never null, and an
// empty qualification is "unknown".
func (s *Signature) MarshalJSON() ([]byte, error) {
	type plain Signature
	out := plain(*s)
	out.Changes = notNil(out.Changes)
	out.CounterSignatures = notNil(out.CounterSignatures)
	out.Timestamps = notNil(out.Timestamps)
	out.Warnings = notNil(out.Warnings)
	if out.Qualification == "" {
		out.Qualification = QualificationUnknown
	}
	return json.Marshal(&out)
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
