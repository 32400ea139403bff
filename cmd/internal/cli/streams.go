// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// say writes a line for the user on standard error.
func (a *app) say(format string, args ...any) {
	if a.busy {
		fmt.Fprint(a.err, clearLine)
	}
	fmt.Fprintf(a.err, "pectoken: %s\n", printable(fmt.Sprintf(format, args...)))
}

// printJSON writes one object on one line of standard output.
func (a *app) printJSON(v any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing result: %w", err)
	}
	return a.print(line.String())
}

// print writes finished text on standard output.
func (a *app) print(text string) error {
	if _, err := fmt.Fprint(a.out, text); err != nil {
		return fmt.Errorf("writing result: %w", err)
	}
	return nil
}

// progress shows which of several files is being worked on, in one line of a
// terminal that the next call writes over. The zero value shows nothing.
type progress struct {
	app   *app
	total int
}

func (a *app) newProgress(total int) progress {
	if !a.errIsTerminal || total < 2 {
		return progress{}
	}
	return progress{a, total}
}

const clearLine = "\r\x1b[K"

func (p progress) show(number int, name string) {
	if p.app != nil {
		p.app.busy = true
		fmt.Fprintf(p.app.err, "%s[%d/%d] %s…", clearLine, number, p.total, clip(name, 60))
	}
}

// clear makes place for other lines.
func (p progress) clear() {
	if p.app != nil {
		p.app.busy = false
		fmt.Fprint(p.app.err, clearLine)
	}
}
