// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"fmt"
	"strings"
)

// personalDataSize is the size of EF_DatiPersonali, the file of a CNS card
// with the holder's data.
const personalDataSize = 400

// PersonalData returns EF_DatiPersonali (the personal data file) of the card
// CNS belongs to: six hexadecimal digits with the length of what follows, then
// fields of two hexadecimal digits of length and a value, then zeros up to 400
// bytes.
func PersonalData() []byte {
	fields := []string{
		"6090",             // issuer
		"01012024",         // issued on
		"31122029",         // expires on
		"ROSSI",            // surname
		"MARIO",            // name
		"01011980",         // born on
		"M",                // sex
		"",                 // height
		"RSSMRA80A01H501U", // codice fiscale
		"",                 // citizenship
		"H501",             // town of birth
		"",                 // country of birth
		"",                 // number of the birth act
		"H501",             // town of residence
		"",                 // address
		"",                 // note on expatriation
	}
	var body strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&body, "%02X%s", len(f), f)
	}
	data := make([]byte, personalDataSize)
	copy(data, fmt.Sprintf("%06X%s", body.Len(), body.String()))
	return data
}
