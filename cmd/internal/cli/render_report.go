// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// reportView shows reports, to a person or in --json.
type reportView struct {
	app      *app
	trusting bool // somebody is trusted
	untold   bool // a signature lacked nothing but somebody to trust
}

func (a *app) newReportView(o verify.Options) *reportView {
	return &reportView{app: a, trusting: o.Trust.Len() > 0}
}

func (v *reportView) show(r *report.Report) error {
	for _, s := range r.Signatures {
		v.untold = v.untold || !v.trusting && s.SubIndication == report.NoCertificateChainFound
	}
	if v.app.json {
		return v.app.printJSON(r)
	}
	return v.app.print(v.text(r, nil))
}

// end says what would have told more.
func (v *reportView) end() {
	if v.untold && !v.app.json {
		fmt.Fprintln(v.app.err, "hint: nobody is trusted yet; name the root certificates you rely on: pectoken verify --trust FILE|FOLDER")
	}
}

// text is a report for a person. Outer are the time stamps of the files that it stands in.
func (v *reportView) text(r *report.Report, outer []*report.Timestamp) string {
	var b strings.Builder
	if r.Error != nil {
		fmt.Fprintf(&b, "%s: %s\n", printable(r.File), v.paint(report.Invalid, "NOT VERIFIED"))
		line(&b, "problem", r.Error.Message)
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %s\n", printable(r.File), v.paint(r.Verdict, strings.ToUpper(r.Verdict.String())))
	stamps := append(outer[:len(outer):len(outer)], r.Timestamps...)
	for _, s := range r.Signatures {
		v.signature(&b, s, stamps)
	}
	for _, t := range r.Timestamps {
		v.timestamp(&b, t)
	}
	warnings(&b, r.Warnings)
	for _, inner := range r.Nested {
		b.WriteString("  inside it:\n" + indent(v.text(inner, stamps)))
	}
	return b.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

// signature writes the lines about one signature, the verdict first. Stamps are those
// of the whole file.
func (v *reportView) signature(b *strings.Builder, s *report.Signature, stamps []*report.Timestamp) {
	fmt.Fprintf(b, "  %s: %s\n", printable(s.ID)+fieldText(s.Field), v.paint(s.Verdict, verdictText(s)))
	if s.Verdict != report.Valid {
		line(b, "problem", s.Reason)
	}
	line(b, "signer", signerText(s.Signer))
	if c := s.Certificate; c != nil {
		line(b, "issuer", c.Issuer)
		line(b, "certificate", fmt.Sprintf("serial %s, valid from %s to %s", c.Serial, day(c.NotBefore), day(c.NotAfter)))
	}
	if s.ClaimedTime != nil {
		line(b, "time", clock(*s.ClaimedTime)+", as the signer claims; nobody proves it")
	}
	judgedAt(b, s.BestTime, append(stamps[:len(stamps):len(stamps)], s.Timestamps...))
	line(b, "revocation", revocationText(s.Revocation))
	for _, t := range s.Timestamps {
		line(b, "time stamp", stampText(t))
	}
	line(b, "covers", coverageText(s))
	changes(b, s.Changes)
	line(b, "kind", strings.Trim(strings.Join([]string{s.Format + " " + s.Level, s.Algorithm}, ", "), ", "))
	for _, w := range s.Warnings {
		if w.Code != "timestampProvesNothing" { // said in the line of the time stamp
			line(b, "note", w.Message)
		}
	}
	for _, c := range s.CounterSignatures {
		v.signature(b, c, stamps)
	}
}

// maxChanges is how many changes a person is told one by one.
const maxChanges = 12

// changes lists what was done to a document after a signature, what isn't
// permitted first.
func changes(b *strings.Builder, list []report.Change) {
	told := 0
	for _, allowed := range []bool{false, true} {
		label := map[bool]string{false: "CHANGED", true: "since"}[allowed]
		for _, c := range list {
			if c.Allowed != allowed {
				continue
			}
			if told++; told <= maxChanges {
				line(b, label, c.What)
			}
		}
	}
	if told > maxChanges {
		line(b, "since", fmt.Sprintf("and %d more changes; --json lists them all", told-maxChanges))
	}
}

// line writes a labelled line, if there is something to say. The text comes
// from files and certificates, so it is made harmless and kept short.
func line(b *strings.Builder, label, text string) {
	if text != "" {
		fmt.Fprintf(b, "    %-12s %s\n", label, clip(text, 400))
	}
}

func warnings(b *strings.Builder, list []report.Warning) {
	for _, w := range list {
		line(b, "note", w.Message)
	}
}

func fieldText(field string) string {
	if field == "" {
		return ""
	}
	return fmt.Sprintf(" (field %s)", clip(field, 60))
}

// verdictText adds to the verdict what was found out of the bytes alone, which
// is worth knowing when the rest is not.
func verdictText(s *report.Signature) string {
	text := s.Verdict.String()
	if s.SubIndication != "" {
		text += ", " + string(s.SubIndication)
	}
	if s.Verdict == report.Indeterminate && s.Integrity == report.Intact {
		text += "; the signed bytes are intact"
	}
	return text
}

func signerText(s *report.Signer) string {
	if s == nil {
		return "unknown"
	}
	parts := []string{}
	for _, part := range []struct{ before, text string }{
		{"", s.Name}, {"codice fiscale ", s.CodiceFiscale}, {"", s.Organization}, {"", s.Country},
	} {
		if part.text != "" {
			parts = append(parts, part.before+part.text)
		}
	}
	return strings.Join(parts, ", ")
}

func coverageText(s *report.Signature) string {
	switch s.Covers {
	case report.WholeFile:
		return "the whole file"
	case report.Revision:
		return "an earlier state of the file, to which something was added since"
	case report.Part:
		return "a part of the file only"
	}
	return ""
}

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// paint colours a verdict on a terminal that has colours.
func (v *reportView) paint(verdict report.Verdict, text string) string {
	colour := map[report.Verdict]string{report.Valid: "32", report.Invalid: "31", report.Indeterminate: "33"}[verdict]
	text = printable(text)
	if !v.app.colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
