// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"crypto"
	"slices"
	"sync"
)

// index finds certificates by what a signer says of its own, so that a file
// with thousands of both takes no thousand times longer than one with some.
type index struct {
	all      []*Certificate
	byName   map[string][]*Certificate // issuer and serial number
	stranger *Certificate              // an end-entity certificate that no signer names

	mu       sync.Mutex // guards what is filled when first asked for
	byKeyID  map[string][]*Certificate
	byDigest map[crypto.Hash]map[string][]*Certificate
}

// index returns the index, built when it is first asked for.
func (sd *SignedData) index() *index {
	sd.indexOnce.Do(func() {
		x := &index{all: slices.Concat(sd.Certificates, sd.given), byDigest: map[crypto.Hash]map[string][]*Certificate{}}
		x.byName = group(x.all, func(c *Certificate) string {
			if c.issuer == nil {
				return ""
			}
			return nameKey(c.issuer, c.serial)
		})
		x.stranger = x.findStranger(sd.Signers, sd.Certificates)
		sd.certificateIndex = x
	})
	return sd.certificateIndex
}

// group sorts certificates by a key; those with an empty one are left out.
func group(certificates []*Certificate, key func(*Certificate) string) map[string][]*Certificate {
	m := map[string][]*Certificate{}
	for _, c := range certificates {
		if k := key(c); k != "" {
			m[k] = append(m[k], c)
		}
	}
	return m
}

func nameKey(issuer, serial []byte) string { return string(issuer) + "\x00" + string(serial) }

// findStranger returns the first certificate of a signer that nobody in the
// file claims, counter-signers included.
func (x *index) findStranger(signers []*SignerInfo, inFile []*Certificate) *Certificate {
	claimed := map[*Certificate]bool{}
	for _, s := range signers {
		for _, who := range append(s.CounterSignatures(), s) {
			for _, c := range x.named(who) {
				claimed[c] = true
			}
		}
	}
	for _, c := range inFile {
		if !claimed[c] && c.isSigners() {
			return c
		}
	}
	return nil
}

func (x *index) keyIDs() map[string][]*Certificate {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byKeyID == nil {
		x.byKeyID = group(x.all, func(c *Certificate) string {
			if parsed, err := c.X509(); err == nil {
				return string(parsed.SubjectKeyId)
			}
			return ""
		})
	}
	return x.byKeyID
}

func (x *index) digests(h crypto.Hash) map[string][]*Certificate {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byDigest[h] == nil {
		x.byDigest[h] = group(x.all, func(c *Certificate) string { return string(digestOf(h, c.Raw)) })
	}
	return x.byDigest[h]
}

// named returns the certificates that the signer identifier names (RFC 5652,
// section 5.3).
func (x *index) named(s *SignerInfo) []*Certificate {
	if s.SubjectKeyID != nil {
		return x.keyIDs()[string(s.SubjectKeyID)]
	}
	return x.byName[nameKey(s.Issuer, s.serial)]
}

// candidates returns a certificate that the signer identifier names, and one
// that the reference matches, the same if there is such a one; nil for none.
func (x *index) candidates(s *SignerInfo, r *certificateReference) (named, referenced *Certificate) {
	if list := x.named(s); len(list) > 0 {
		named = list[0]
	}
	if r == nil {
		return named, nil
	}
	for _, c := range x.digests(r.hash)[string(r.digest)] {
		switch {
		case !r.agrees(c):
		case c.named(s):
			return c, c
		case referenced == nil:
			referenced = c
		}
	}
	return named, referenced
}
