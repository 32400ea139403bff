// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"strings"
	"time"
)

// RenewalWindow is when a certificate can be renewed online with the card it is
// on. Before it opens and after it closes the provider refuses.
type RenewalWindow struct {
	// Opens and Closes are the first and the last moment. The zero time means that it
	// is not known.
	Opens, Closes time.Time

	// Provider whose rule it is, Source who published the rule. Doubt says what is
	// not confirmed, empty if nothing is in doubt.
	Provider, Source, Doubt string
}

// RenewalOf returns the window for a certificate, by its issuer and by who issued
// the card, from a table compiled in November 2026. The second result is false
// for providers that are not in it: their rule is not known, and to assume
// another's would be a guess. [CertificationOf] may forbid a renewal all the same.
func RenewalOf(c *x509.Certificate) (RenewalWindow, bool) {
	if c == nil {
		return RenewalWindow{}, false
	}
	for _, rule := range renewalRules {
		if !rule.covers(c) {
			continue
		}
		w := RenewalWindow{Provider: rule.provider, Source: rule.source, Doubt: rule.doubt}
		w.Opens = c.NotAfter.AddDate(0, -rule.opensMonths, -rule.opensDays)
		if rule.closeKnown {
			w.Closes = c.NotAfter.AddDate(0, 0, -rule.closesDays)
		}
		return w, true
	}
	return RenewalWindow{}, false
}

// renewalRule is one provider's rule, counted back from the certificate's expiry.
type renewalRule struct {
	provider               string
	words                  []string // one is in the certificate's organizations, in small letters
	ofIssuer               bool     // in those of the issuer; otherwise of issuer or subject
	opensMonths, opensDays int
	closesDays             int
	closeKnown             bool
	source, doubt          string
}

// renewalRules, the narrower first: a chamber of commerce gives out cards whose
// certificates another company issues.
var renewalRules = []renewalRule{
	{
		provider: "Camera di Commercio", words: []string{"camera di commercio", "camere di commercio"},
		opensDays: 90, closesDays: 2, closeKnown: true,
		source: "fi.camcom.gov.it and fe.camcom.it, read November 2026",
		doubt:  "it closes one or two days before the expiry, by chamber; the earlier is given",
	},
	{
		provider: "CONAF", words: []string{"conaf"}, opensDays: 60,
		source: "CONAF, read November 2026",
		doubt:  "when it closes, and by which words its certificates name it, is not confirmed",
	},
	{
		provider: "Aruba", words: []string{"arubapec", "aruba pec"}, ofIssuer: true,
		opensMonths: 2, closeKnown: true,
		source: "guide.pec.it on Aruba Enroll, read November 2026",
	},
}

func (r renewalRule) covers(c *x509.Certificate) bool {
	names := append(append([]string{c.Issuer.CommonName}, c.Issuer.Organization...), c.Issuer.OrganizationalUnit...)
	if !r.ofIssuer {
		names = append(append(names, c.Subject.Organization...), c.Subject.OrganizationalUnit...)
	}
	all := strings.ToLower(strings.Join(names, "\n"))
	for _, word := range r.words {
		if strings.Contains(all, word) {
			return true
		}
	}
	return false
}
