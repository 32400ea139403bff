// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
)

// attributeNames are the attribute types that Italian certificates use and
// that have a name (RFC 4514, section 3, and the descriptors of RFC 4519 and
// ETSI EN 319 412-1).
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description",
	"2.5.4.42": "GN", "2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym", "2.5.4.97": "organizationIdentifier",
	"1.2.840.113549.1.9.1": "emailAddress", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
}

// DistinguishedName writes a name as RFC 4514 does, the most specific
// attribute first, but with the names of the attributes that Italian
// certificates use instead of their numbers. Characters that can't be printed
// are taken out.
func DistinguishedName(name pkix.Name) string {
	parts := make([]string, 0, len(name.Names))
	for _, a := range slices.Backward(name.Names) {
		kind, ok := attributeNames[a.Type.String()]
		if !ok {
			kind = a.Type.String()
		}
		parts = append(parts, kind+"="+escapeValue(printable(fmt.Sprint(a.Value))))
	}
	return strings.Join(parts, ",")
}

// special are the characters with a meaning in a name.
var special = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `+`, `\+`, `"`, `\"`, `<`, `\<`, `>`, `\>`, `;`, `\;`)

// escapeValue escapes what would end a value or be lost at its ends (RFC 4514,
// section 2.4).
func escapeValue(v string) string {
	v = special.Replace(v)
	if strings.HasPrefix(v, "#") || strings.HasPrefix(v, " ") {
		v = `\` + v
	}
	return v
}
