// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pectoken/pectoken/cns"
)

// directoryNameError says that an authority gave a name that it may not give.
type directoryNameError struct {
	authority, certificate *x509.Certificate
}

func (e *directoryNameError) Error() string {
	return fmt.Sprintf("%q may not issue certificates for the name %q",
		cns.DistinguishedName(e.authority.Subject), cns.DistinguishedName(e.certificate.Subject))
}

// checkDirectoryNames checks the names of people and organisations in a path, the anchor
// last, against the name constraints of the authorities above them (RFC 5280, section
// 4.2.1.10). Package x509 does so for all other kinds of names: of these it refuses
// constraints that are critical, and passes over others.
func checkDirectoryNames(path []*x509.Certificate) error {
	for i, authority := range path {
		limits, err := directoryLimitsOf(authority)
		if err != nil {
			return err
		}
		for below, c := range path[:i] {
			if below > 0 && bytes.Equal(c.RawSubject, c.RawIssuer) {
				continue // self-issued: a new key of the same authority
			}
			if !limits.allow(c) {
				return &directoryNameError{authority, c}
			}
		}
	}
	return nil
}

// directoryLimits are the subtrees of names that an authority may give, all if there are
// none, and those that it may not.
type directoryLimits struct{ permitted, excluded []name }

// name is a distinguished name for comparing, from the country down.
type name []string

var (
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}

	directoryName = cbasn1.Tag(4).ContextSpecific().Constructed()
)

func directoryLimitsOf(c *x509.Certificate) (l directoryLimits, err error) {
	in := cryptobyte.String(extension(c, oidNameConstraints))
	if in.Empty() {
		return l, nil
	}
	var constraints cryptobyte.String
	if !in.ReadASN1(&constraints, cbasn1.SEQUENCE) || !readSubtrees(&constraints, 0, &l.permitted) || !readSubtrees(&constraints, 1, &l.excluded) {
		return l, fmt.Errorf("the name constraints of %q can't be read", cns.DistinguishedName(c.Subject))
	}
	return l, nil
}

// readSubtrees reads the bases of GeneralSubtrees that are directory names.
func readSubtrees(in *cryptobyte.String, tag uint8, list *[]name) bool {
	var trees, tree, base cryptobyte.String
	var kind cbasn1.Tag
	if !in.ReadOptionalASN1(&trees, nil, cbasn1.Tag(tag).ContextSpecific().Constructed()) {
		return false
	}
	for !trees.Empty() {
		if !trees.ReadASN1(&tree, cbasn1.SEQUENCE) || !tree.ReadAnyASN1(&base, &kind) {
			return false
		}
		if kind != directoryName {
			continue
		}
		n, ok := parseName(base)
		if !ok {
			return false
		}
		*list = append(*list, n)
	}
	return true
}

// allow says whether a certificate may bear its names.
func (l directoryLimits) allow(c *x509.Certificate) bool {
	if len(l.permitted)+len(l.excluded) == 0 {
		return true
	}
	names, ok := directoryNamesOf(c)
	return ok && !slices.ContainsFunc(names, func(n name) bool {
		return len(l.permitted) > 0 && !slices.ContainsFunc(l.permitted, n.within) || slices.ContainsFunc(l.excluded, n.within)
	})
}

// directoryNamesOf returns the subject, unless it is empty, and the directory names among
// the alternative names.
func directoryNamesOf(c *x509.Certificate) (names []name, ok bool) {
	subject, ok := parseName(c.RawSubject)
	if !ok {
		return nil, false
	}
	if len(subject) > 0 {
		names = append(names, subject)
	}
	in := cryptobyte.String(extension(c, oidSubjectAltName))
	if in.Empty() {
		return names, true
	}
	var list, value cryptobyte.String
	var kind cbasn1.Tag
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) {
		return nil, false
	}
	for !list.Empty() {
		if !list.ReadAnyASN1(&value, &kind) {
			return nil, false
		}
		if kind != directoryName {
			continue
		}
		n, ok := parseName(value)
		if !ok {
			return nil, false
		}
		names = append(names, n)
	}
	return names, true
}

// parseName reads a Name. Upper case, white space and the type of a string make no
// difference (RFC 5280, section 7.1).
func parseName(der []byte) (name, bool) {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 {
		return nil, false
	}
	n := make(name, len(sequence))
	for i, set := range sequence {
		var parts []string
		for _, attribute := range set {
			value := strings.ToLower(strings.Join(strings.Fields(fmt.Sprint(attribute.Value)), " "))
			parts = append(parts, fmt.Sprintf("%v=%q", attribute.Type, value))
		}
		slices.Sort(parts)
		n[i] = strings.Join(parts, "+")
	}
	return n, true
}

// within says whether a name stands in the subtree of another.
func (n name) within(base name) bool {
	return len(n) >= len(base) && slices.Equal(n[:len(base)], base)
}

// extension returns the value of an extension, nil if there is none.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}
