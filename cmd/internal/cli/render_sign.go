// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// signView shows what became of the files to sign.
type signView struct {
	app    *app
	level  *levelFlags
	signer candidate
}

func (a *app) newSignView(f *levelFlags) signView { return signView{app: a, level: f} }

// signedJSON is the line of --json for a signed file.
type signedJSON struct {
	File        string              `json:"file"`
	Output      string              `json:"output"`
	Format      string              `json:"format"`
	Level       string              `json:"level"`
	Certificate *report.Certificate `json:"certificate"`
	Token       tokenName           `json:"token"`
	Warnings    []warningJSON       `json:"warnings,omitempty"`
	Skipped     bool                `json:"skipped,omitempty"` // it was there already
}

// tokenName says which token was used.
type tokenName struct {
	Label  string `json:"label"`
	Serial string `json:"serial"`
}

// signed shows that a job is done. A document on standard output speaks for
// itself.
func (v signView) signed(j *job) error {
	j.warnings = append(v.app.warnings(j.file, j.result), v.level.doubts(v.app, j.file, j.receipts.Tokens())...)
	if j.output == stdio {
		return nil
	}
	return v.show(j, " -> "+printable(j.output))
}

// skipped shows that a job was done before.
func (v signView) skipped(j *job) error {
	return v.show(j, ": skipped, it is signed in "+printable(j.output))
}

func (v signView) show(j *job, text string) error {
	if !v.app.json {
		return v.app.print(printable(j.file) + text + "\n")
	}
	return v.app.printJSON(signedJSON{
		File: j.file, Output: j.output, Format: formatWord(j.format), Level: j.result.level.String(),
		Certificate: verify.DescribeCertificate(v.signer.X509),
		Token:       tokenName{v.signer.card.Label, v.signer.card.Serial}, Skipped: j.skipped, Warnings: j.warnings,
	})
}

// failed shows in --json that a file was not signed; people read it on standard
// error.
func (v signView) failed(file string, p *problem) {
	if v.app.json {
		_ = v.app.printJSON(fileError{File: file, Error: p.json()})
	}
}
