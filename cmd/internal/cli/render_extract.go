// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"github.com/pectoken/pectoken/verify/report"
)

// extractedJSON is the line of --json for an extracted document.
type extractedJSON struct {
	File       string              `json:"file"`
	Output     string              `json:"output"`
	Integrity  report.Integrity    `json:"integrity"`
	Verdict    report.Verdict      `json:"verdict"`
	Content    *report.Content     `json:"content"`
	Timestamps []*report.Timestamp `json:"timestamps,omitempty"` // of the .tsd or .m7m that it was in
}

// extracted says what is known of what was written, and returns how the command
// ends.
func (a *app) extracted(o *extractOptions, r *report.Report) error {
	state := integrity(r)
	switch {
	case state != report.Intact:
		a.say("warning: %s not intact: %s", whatIs(r), brokenReason(r))
		return ending(exitFailed)
	case o.judge.Trust.Len() == 0:
		a.say("%s intact; by whom, and whether to trust them, was not checked", whatIs(r))
		return nil
	}
	a.say("%s intact, and the verdict is %s", whatIs(r), r.Verdict)
	return ending(verdictCode(r))
}

// extractedLine shows one document that was written.
func (a *app) extractedLine(o *extractOptions, e envelope) error {
	switch {
	case a.json:
		return a.printJSON(extractedJSON{o.file, e.output, integrity(e.report), e.report.Verdict, e.report.Content, e.stamps})
	case e.output == stdio:
		return nil
	}
	text := printable(o.file) + " -> " + printable(e.output)
	if len(e.stamps) > 0 && !e.stamps[0].Time.IsZero() {
		text += " (stamped " + e.stamps[0].Time.Format(time.DateTime+" MST") + ")"
	}
	return a.print(text + "\n")
}
