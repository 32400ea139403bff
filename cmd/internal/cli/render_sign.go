// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// signView shows what became of the files to sign.
type signView struct {
	app    *app
	signer candidate
}

func (a *app) newSignView() signView { return signView{app: a} }

// signedJSON is the line of --json for a signed file.
type signedJSON struct {
	File        string              `json:"file"`
	Output      string              `json:"output"`
	Format      string              `json:"format"`
	Level       string              `json:"level"`
	Certificate *report.Certificate `json:"certificate"`
	Token       tokenName           `json:"token"`
}

// tokenName says which token was used.
type tokenName struct {
	Label  string `json:"label"`
	Serial string `json:"serial"`
}

// signed shows that a job is done. A document on standard output speaks for
// itself.
func (v signView) signed(j *job) error {
	switch {
	case j.output == stdio:
		return nil
	case v.app.json:
		return v.app.printJSON(signedJSON{
			File: j.file, Output: j.output, Format: formatWord(j.format), Level: "B-B",
			Certificate: verify.DescribeCertificate(v.signer.X509),
			Token:       tokenName{v.signer.card.Label, v.signer.card.Serial},
		})
	}
	return v.app.print(printable(j.file) + " -> " + printable(j.output) + "\n")
}

// failed shows in --json that a file was not signed; people read it on standard
// error.
func (v signView) failed(file string, p *problem) {
	if v.app.json {
		_ = v.app.printJSON(fileError{File: file, Error: p.json()})
	}
}
