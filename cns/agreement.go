// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// CardIDs are the three places that name a card. Empty is not known.
type CardIDs struct {
	Card       string // EF_IDCarta, as ParseCardID returns it
	CommonName string // CommonName.CardID of the CNS certificate
	Token      string // serial number of the PKCS#11 token
}

// SameCard says whether what is known of a card's number is the same everywhere:
// a certificate that names another card was not issued for this one. One number
// alone answers nothing. The findings name what was compared.
//
// Modules are free to make up the serial number of a token, so a difference there
// may be the module's alone.
func SameCard(ids CardIDs) (Answer, []Finding) {
	var findings []Finding
	compare := func(nameA, a, nameB, b string) {
		a, b = cleanID(a), cleanID(b)
		switch {
		case a == "" || b == "":
		case a == b:
			findings = append(findings, Finding{Yes, fmt.Sprintf("%s and %s are the same", nameA, nameB)})
		default:
			findings = append(findings, Finding{No, fmt.Sprintf("%s is %.40q, and %s is %.40q", nameA, a, nameB, b)})
		}
	}
	const card, name, token = "the number in the card", "that in the certificate", "the token's serial number"
	compare(card, ids.Card, name, ids.CommonName)
	compare(card, ids.Card, token, ids.Token)
	if cleanID(ids.Card) == "" {
		compare("the number in the certificate", ids.CommonName, token, ids.Token)
	}
	return all(findings), findings
}

func cleanID(s string) string { return upperASCII(strings.TrimSpace(s)) }

// HolderMatch says whether two codici fiscali are of one person.
type HolderMatch uint8

// Values of HolderMatch.
const (
	HolderUnknown HolderMatch = iota // one of the codes is missing or wrong
	SameHolder                       // the same code
	OtherHolder                      // codes of two persons

	// OmocodeHint is for codes that differ only in the letters of an omocodia. They
	// exist because two persons would have the same code, so this is a hint at
	// a code written before and after its correction, and no more.
	OmocodeHint
)

// String returns the word of the JSON form: unknown, same, other or omocodeHint.
func (h HolderMatch) String() string {
	words := [...]string{"unknown", "same", "other", "omocodeHint"}
	if int(h) >= len(words) {
		return words[HolderUnknown]
	}
	return words[h]
}

// MarshalText returns what String does.
func (h HolderMatch) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// CompareCodes compares two codici fiscali. Capital and small letters are the same.
func CompareCodes(a, b string) HolderMatch {
	first, errA := ParseCodiceFiscale(a)
	second, errB := ParseCodiceFiscale(b)
	switch {
	case errA != nil || errB != nil:
		return HolderUnknown
	case first.Code == second.Code:
		return SameHolder
	case first.Plain == second.Plain:
		return OmocodeHint
	}
	return OtherHolder
}

// CompareHolders says whether two certificates are of one person, by the codici
// fiscali that [CodiceFiscale] finds in them. Names are not compared.
func CompareHolders(a, b *x509.Certificate) HolderMatch {
	first, _ := CodiceFiscale(a)
	second, _ := CodiceFiscale(b)
	return CompareCodes(first, second)
}
