// SPDX-License-Identifier: Apache-2.0

package cli

import "fmt"

// showChecks shows checks and returns the exit code that they make.
func (a *app) showChecks(checks []check) (exitCode, error) {
	exit := exitOK
	for _, c := range checks {
		if c.Status == statusFault {
			exit = worst(exit, max(c.exit, exitFailed))
		}
		if err := a.showCheck(c); err != nil {
			return exit, err
		}
	}
	return exit, nil
}

func (a *app) showCheck(c check) error {
	c.What = printable(c.What)
	if a.json {
		return a.printJSON(c)
	}
	text := fmt.Sprintf("%s  %-11s  %s\n", a.statusText(c.Status), c.Check, c.What)
	if c.Todo != "" && c.Status != statusOK {
		text += fmt.Sprintf("         %-11s  -> %s\n", "", printable(c.Todo))
	}
	return a.print(text)
}

// statusText is a status in a column of seven, in colour where there are any.
func (a *app) statusText(s status) string {
	word := fmt.Sprintf("%-7s", s)
	colours := map[status]string{statusOK: "32", statusWarning: "33", statusFault: "31"}
	if colour, some := colours[s]; some && a.colour {
		return "\x1b[" + colour + "m" + word + "\x1b[0m"
	}
	return word
}
