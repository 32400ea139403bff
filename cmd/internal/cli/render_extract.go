// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/pectoken/pectoken/verify/report"

// extractedJSON is the line of --json for an extracted document.
type extractedJSON struct {
	File      string           `json:"file"`
	Output    string           `json:"output"`
	Integrity report.Integrity `json:"integrity"`
	Verdict   report.Verdict   `json:"verdict"`
	Content   *report.Content  `json:"content"`
}

// extracted says what is known of what was written, and returns how the command
// ends.
func (a *app) extracted(o *extractOptions, r *report.Report) error {
	state := integrity(r)
	switch {
	case state != report.Intact:
		a.say("warning: the signature is not intact: %s", brokenReason(r))
		return ending(exitFailed)
	case o.judge.Trust.Len() == 0:
		a.say("the signature is intact; by whom, and whether to trust them, was not checked")
		return nil
	}
	a.say("the signature is intact, and the verdict is %s", r.Verdict)
	return ending(verdictCode(r))
}

// extractedLine shows one document that was written.
func (a *app) extractedLine(o *extractOptions, e envelope) error {
	switch {
	case a.json:
		return a.printJSON(extractedJSON{o.file, e.output, integrity(e.report), e.report.Verdict, e.report.Content})
	case e.output == stdio:
		return nil
	}
	return a.print(printable(o.file) + " -> " + printable(e.output) + "\n")
}
