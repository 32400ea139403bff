// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"slices"

	"github.com/xdg-go/stringprep"
	"golang.org/x/text/unicode/norm"
)

// passwordForms are the bytes that a password can stand for, the likeliest first.
// Writers differ in how far they follow the standard, so what was typed is always
// tried as well.
func passwordForms(revision int64, password string) [][]byte {
	var forms [][]byte
	switch {
	case revision >= 5: // the profile SASLprep, RFC 4013; it refuses some passwords
		if prepared, err := stringprep.SASLprep.Prepare(password); err == nil {
			forms = append(forms, truncated(prepared))
		}
		forms = append(forms, truncated(password))
	default: // PDFDocEncoding, which has no combining accents
		if encoded, ok := docEncoded(norm.NFC.String(password)); ok {
			forms = append(forms, encoded)
		}
		forms = append(forms, []byte(password))
	}
	return slices.CompactFunc(forms, slices.Equal)
}

// maxPassword is how many bytes of a password count from revision 5 on, ISO
// 32000-2, 7.6.4.3.3.
const maxPassword = 127

func truncated(password string) []byte { return []byte(password)[:min(len(password), maxPassword)] }
