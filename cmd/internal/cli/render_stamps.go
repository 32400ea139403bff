// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/pectoken/pectoken/verify/report"
)

// timestamp writes the lines about a time stamp of a whole file.
func (v *reportView) timestamp(b *strings.Builder, t *report.Timestamp) {
	text := t.Verdict.String()
	if t.SubIndication != "" {
		text += ", " + string(t.SubIndication)
	}
	fmt.Fprintf(b, "  %s (%s): %s\n", printable(t.ID), stampKind(t.Kind), v.paint(t.Verdict, text))
	if t.Verdict != report.Valid {
		line(b, "problem", t.Reason)
	}
	if !t.Time.IsZero() {
		line(b, "time", clock(t.Time))
	}
	line(b, "authority", t.Authority)
	warnings(b, t.Warnings)
}

func stampKind(k report.TimestampKind) string {
	return map[report.TimestampKind]string{
		report.ContentTimestamp: "of the content", report.SignatureTimestamp: "of the signature", report.ArchiveTimestamp: "of the whole proof",
		report.DocumentTimestamp: "of the document", report.FileTimestamp: "of the file",
	}[k]
}

// stampText is a time stamp of a signature in one line: who, when, and whether it
// proves anything.
func stampText(t *report.Timestamp) string {
	text := t.ID
	if of := stampKind(t.Kind); of != "" {
		text += " " + of
	}
	if !t.Time.IsZero() {
		text += ", " + clock(t.Time)
	}
	if t.Authority != "" {
		text += " by " + t.Authority
	}
	if t.Verdict == report.Valid {
		return text + ": good"
	}
	return text + ": proves nothing (" + string(t.SubIndication) + "), " + t.Reason
}

// judgedAt says as of when a signature was judged, and how that moment is known. That it
// is now goes without saying.
func judgedAt(b *strings.Builder, best *report.BestTime, stamps []*report.Timestamp) {
	switch {
	case best == nil || best.Source == report.FromNow:
		return
	case best.Source == report.FromGiven:
		line(b, "judged", "as of "+clock(best.Time)+", as you asked")
		return
	}
	by := ""
	for _, t := range stamps {
		if t.Verdict == report.Valid && t.Kind != report.ContentTimestamp && t.Time.Equal(best.Time) && t.Authority != "" {
			by = " of " + t.Authority
			break
		}
	}
	line(b, "signed", "before "+clock(best.Time)+", proven by a time stamp"+by)
}

func revocationText(r *report.Revocation) string {
	if r == nil {
		return ""
	}
	source := " (" + strings.ToUpper(r.Kind)
	if r.Source != "" {
		source += ", " + r.Source
	}
	source += ")"
	asOf := " as of " + clock(r.ThisUpdate)
	switch r.Status {
	case report.RevocationGood:
		return "not revoked" + asOf + source
	case report.RevocationRevoked:
		return fmt.Sprintf("revoked on %s, %s%s", clock(r.RevokedAt), r.Reason, source)
	case report.RevocationSuspended:
		return fmt.Sprintf("suspended since %s%s%s", clock(r.RevokedAt), asOf, source)
	}
	return "not known"
}
