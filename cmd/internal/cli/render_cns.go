// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/pectoken/pectoken/cns"
)

// showCNS shows a CNS, as text or as one object.
func (a *app) showCNS(r cnsReport) error {
	if a.json {
		return a.printJSON(r)
	}
	t := &facts{}
	r.Certificate.text(t)
	r.Card.text(t)
	r.PersonalData.text(t)
	if len(r.Checks) > 0 {
		t.section("cross-checks")
	}
	for _, c := range r.Checks {
		t.add(answerWord(c.Answer), c.What)
	}
	if len(r.Gaps) > 0 {
		t.section("not read")
	}
	for _, gap := range r.Gaps {
		t.add("", gap)
	}
	return a.print(t.String())
}

// answerWord is an answer as a mark at the begin of a line.
func answerWord(answer cns.Answer) string {
	switch answer {
	case cns.Yes:
		return "ok"
	case cns.No:
		return "NO"
	}
	return "unknown"
}

// facts is a text of names and values in sections.
type facts struct{ strings.Builder }

func (t *facts) section(title string) { t.WriteString(title + "\n") }

// add writes a line, unless there is no value.
func (t *facts) add(name, value string) {
	const longest = 300
	if value != "" {
		fmt.Fprintf(t, "  %-14s  %s\n", name, clip(value, longest))
	}
}

func (c *cnsCertificateJSON) text(t *facts) {
	if c == nil {
		t.section("certificate: not read")
		return
	}
	t.section("certificate")
	t.add("kind", kindText(c.Kind))
	for _, reason := range c.Reasons {
		t.add("", "- "+reason)
	}
	t.add("holder", c.Subject)
	c.CodiceFiscale.text(t)
	t.add("issuer", c.Issuer)
	t.add("valid", fmt.Sprintf("from %s to %s", day(c.NotBefore), day(c.NotAfter)))
	t.add("policies", strings.Join(c.Policies, ", "))
	t.add("SHA-256", c.SHA256)
}

func (c *codiceJSON) text(t *facts) {
	if c == nil {
		t.add("codice fiscale", "none")
		return
	}
	text := c.Code
	if c.Day > 0 {
		text += fmt.Sprintf(": %s, born on %d %s of a year that ends in %02d, place %s", c.Sex, c.Day, time.Month(c.Month), c.Year, c.Place)
	}
	if c.Omocode {
		text += ", changed because somebody else would have the same (omocodia)"
	}
	t.add("codice fiscale", text)
}

func (c cnsCardJSON) text(t *facts) {
	t.section("card")
	t.add("number", c.ID)
	t.add("chip", c.Chip)
	t.add("ATR", c.ATR)
	t.add("reader", c.Reader)
	if c.Token != "" {
		t.add("token", fmt.Sprintf("%s (serial %s)", c.Token, c.Serial))
	}
	t.add("module", c.Module)
	if c.Source != "unknown" {
		t.add("read through", "the "+c.Source)
	}
}

func (p *personalDataJSON) text(t *facts) {
	if p == nil {
		t.section("personal data: not read")
		return
	}
	t.section("personal data")
	t.add("name", strings.TrimSpace(p.Name+" "+p.Surname))
	t.add("codice fiscale", p.CodiceFiscale)
	t.add("born", strings.TrimSpace(p.Born+" "+p.BirthPlace))
	t.add("sex", p.Sex)
	t.add("citizenship", p.Citizenship)
	t.add("residence", strings.TrimSpace(p.Residence+" "+p.Address))
	t.add("issued by", p.IssuerCode)
	t.add("issued", p.Issued)
	t.add("expires", p.Expires)
	for _, warning := range p.Warnings {
		t.add("note", warning)
	}
}
