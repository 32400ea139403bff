// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/hex"
	"time"

	"github.com/pectoken/pectoken/sign/timestamp"
)

// stampedJSON is the line of --json for a file that was written because of a time
// stamp: with it, or out of a container of it.
type stampedJSON struct {
	File      string    `json:"file"`
	Output    string    `json:"output"`
	Time      time.Time `json:"time,omitzero"`       // this and the others: absent when the token can't be read
	Authority string    `json:"authority,omitempty"` // the name in its certificate, trusted by nobody
	Serial    string    `json:"serial,omitempty"`
	Policy    string    `json:"policy,omitempty"`
	Hash      string    `json:"hash,omitempty"`
}

// wrote shows a file that was written, and the time that its stamp states.
func (a *app) wrote(file, output string, t *timestamp.Token) error {
	line := stampedJSON{File: file, Output: output}
	if t != nil {
		line.Time, line.Authority, line.Policy = t.Info.Time, authorityOf(t), t.Info.Policy.String()
		line.Serial, line.Hash = hex.EncodeToString(t.Info.SerialNumber.Bytes()), t.Info.Hash.String()
	}
	switch {
	case a.json:
		return a.printJSON(line)
	case output == stdio:
		return nil
	}
	text := printable(file) + " -> " + printable(output)
	if t != nil {
		text += " (stamped " + line.Time.Format("2006-01-02 15:04:05 MST")
		if line.Authority != "" {
			text += " by " + line.Authority
		}
		text += ")"
	}
	return a.print(text + "\n")
}

// authorityOf is the name in the certificate of whoever made a token; empty when it
// has none.
func authorityOf(t *timestamp.Token) string {
	check := t.Check()
	if check.Signature == nil || check.Signature.Certificate == nil {
		return ""
	}
	return nameOf(check.Signature.Certificate)
}
