// SPDX-License-Identifier: Apache-2.0

package cns

import "time"

// Certification is how long a chip is certified as a device for qualified
// signatures.
type Certification struct {
	// Until is the last day, midnight UTC.
	Until time.Time

	// Source is who published it. Doubt says what of it is not confirmed, empty if
	// nothing is in doubt.
	Source, Doubt string
}

// CertificationOf says until when the chip with this ATR is certified, from a table
// compiled in November 2026. The second result is false for chips that are not in
// it, which says nothing about them.
//
// When it ends, the card is not renewed any more, and its signature certificate
// is revoked although its own dates are still good; the CNS certificate stays.
func CertificationOf(a *ATR) (Certification, bool) {
	chip, _ := ChipOf(a)
	c, ok := certifications[chip.Name]
	return c, ok
}

var certifications = map[string]Certification{
	chipCosmoV9: {
		Until:  time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC),
		Source: "notices of the chambers of commerce (pnud, ptpo, marche, fi) and bbspratiche.it, read November 2026",
	},
	chipCosmoV91: {
		Until:  time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC),
		Source: "notices of the chambers of commerce (pnud, ptpo, marche, fi), read November 2026",
		Doubt:  "the notices speak of Cosmo V9, and do not say whether V9.1 is meant as well",
	},
	chipJSign: {
		Until:  time.Date(2026, time.June, 29, 0, 0, 0, 0, time.UTC),
		Source: "notices of the chambers of commerce (pnud, marche, fi), read November 2026",
		Doubt:  "the notices speak of JSign3, and do not say which ATRs it has; one of them (ptpo) has the year 2025",
	},
}
