// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// SeedError says that the author of a form asks for something of a signature in
// a field (its seed value, ISO 32000-2, 12.7.5.5) that this one does not have.
type SeedError struct {
	Field string
	Key   string // the entry of the seed value dictionary
	Why   string
}

// Error implements error.
func (e *SeedError) Error() string {
	return fmt.Sprintf("signing field %q: its seed value /%s asks for %s", e.Field, e.Key, e.Why)
}

// The flags of a seed value dictionary, ISO 32000-2, table 237: what is not
// flagged is a wish only.
const (
	seedFilter = 1 << iota
	seedSubFilter
	seedVersion
	seedReasons
	seedLegal
	seedRevocation
	seedDigest
	seedLock
	seedAppearance
	seedKnown = 1<<iota - 1
)

// seed is a seed value dictionary with what it is held against.
type seed struct {
	*Document
	*dict
	flags int64
	field string
	o     *SignOptions
}

// obeySeed holds the signature that o describes against the seed value of field
// f. Where o leaves the digest open, it takes one that is asked for.
func (d *Document) obeySeed(f *field, o *SignOptions) error {
	held, err := as[*dict](d, f.dict.get("SV"))
	if err != nil || held == nil {
		return err
	}
	s := &seed{Document: d, dict: held, field: f.name, o: o}
	if s.flags, err = as[int64](d, held.get("Ff")); err != nil {
		return err
	}
	for _, check := range []func() error{s.kinds, s.unsupported, s.reasons, s.digest, s.certification, s.timestamp, s.certificate} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *seed) refuse(key, format string, args ...any) error {
	return &SeedError{s.field, key, fmt.Sprintf(format, args...)}
}

// required reports whether the entry under key must be obeyed.
func (s *seed) required(key name, flag int64) bool {
	return s.flags&flag != 0 && s.get(key) != nil
}

// What this package writes.
const (
	sigFilter    = "Adobe.PPKLite"
	sigSubFilter = "ETSI.CAdES.detached"
)

// kinds obeys Filter and SubFilter.
func (s *seed) kinds() error {
	filter, err := as[name](s.Document, s.get("Filter"))
	if err != nil {
		return err
	}
	if s.required("Filter", seedFilter) && filter != sigFilter {
		return s.refuse("Filter", "the signature handler %q", clip([]byte(filter)))
	}
	kinds, err := as[*array](s.Document, s.get("SubFilter"))
	if err != nil {
		return err
	}
	if s.required("SubFilter", seedSubFilter) && (kinds == nil || !slices.Contains(kinds.items, object(name(sigSubFilter)))) {
		return s.refuse("SubFilter", "another kind of signature than %s", sigSubFilter)
	}
	return nil
}

// maxSeedVersion is the version of seed value dictionaries that is understood:
// that of ISO 32000-2.
const maxSeedVersion = 3

// unsupported refuses what is asked for and not made here.
func (s *seed) unsupported() error {
	version, err := s.resolve(s.get("V"))
	if err != nil {
		return err
	}
	n, _ := version.(int64)
	r, _ := version.(float64)
	revocation, _ := s.get("AddRevInfo").(bool)
	document, _ := s.get("LockDocument").(name)
	switch {
	case s.flags&^seedKnown != 0:
		return s.refuse("Ff", "something that this program does not know")
	case s.required("V", seedVersion) && max(float64(n), r) > maxSeedVersion:
		return s.refuse("V", "a program that knows more")
	case s.required("LegalAttestation", seedLegal):
		return s.refuse("LegalAttestation", "a legal attestation")
	case s.required("AddRevInfo", seedRevocation) && revocation:
		return s.refuse("AddRevInfo", "revocation data inside the signature")
	case s.required("LockDocument", seedLock) && document == "true" && s.o.Certify != NoChanges:
		return s.refuse("LockDocument", "a signature that locks the document")
	case s.required("AppearanceFilter", seedAppearance):
		return s.refuse("AppearanceFilter", "an appearance of its own choice")
	}
	return nil
}

// reasons obeys Reasons: one of those listed, or none at all.
func (s *seed) reasons() error {
	if s.flags&seedReasons == 0 {
		return nil
	}
	list, err := s.plainStrings(s.get("Reasons"))
	switch {
	case err != nil:
		return err
	case len(list) == 0 || len(list) == 1 && list[0] == ".":
		if s.o.Reason != "" {
			return s.refuse("Reasons", "no reason")
		}
	case !slices.Contains(list, s.o.Reason):
		return s.refuse("Reasons", "one of the reasons %s", quoted(list))
	}
	return nil
}

// maxQuoted is how many of a document's strings an error repeats.
const maxQuoted = 10

func quoted(list []string) string {
	var q []string
	for _, s := range list[:min(len(list), maxQuoted)] {
		q = append(q, fmt.Sprintf("%q", clip([]byte(s))))
	}
	return strings.Join(q, ", ")
}

// digests are those that PDF names and cms makes, the usual one first.
var digests = []struct {
	name string
	hash crypto.Hash
}{{"SHA256", crypto.SHA256}, {"SHA384", crypto.SHA384}, {"SHA512", crypto.SHA512}}

// digest obeys DigestMethod.
func (s *seed) digest() error {
	list, err := s.plainStrings(s.get("DigestMethod"))
	if err != nil || !s.required("DigestMethod", seedDigest) {
		return err
	}
	for _, d := range digests {
		asked := s.o.Signer.Hash == 0 || s.o.Signer.Hash == d.hash
		if asked && slices.Contains(list, d.name) {
			s.o.Signer.Hash = d.hash
			return nil
		}
	}
	return s.refuse("DigestMethod", "one of the digests %s", quoted(list))
}

// certification obeys MDP, which has no flag: 0 asks for a signature that does
// not certify.
func (s *seed) certification() error {
	mdp, err := as[*dict](s.Document, s.get("MDP"))
	if err != nil || mdp == nil {
		return err
	}
	level, err := as[int64](s.Document, mdp.get("P"))
	if err != nil || level == int64(s.o.Certify) {
		return err
	}
	if level == 0 {
		return s.refuse("MDP", "a signature that does not certify the document")
	}
	return s.refuse("MDP", "a signature that certifies the document with level %d", level)
}

// timestamp refuses where a timestamp is required and nobody could add one.
func (s *seed) timestamp() error {
	wish, err := as[*dict](s.Document, s.get("TimeStamp"))
	if err != nil {
		return err
	}
	if flags, _ := wish.integer("Ff"); flags&1 != 0 && s.o.Complete == nil {
		return s.refuse("TimeStamp", "a timestamp")
	}
	return nil
}

// The flags of a certificate seed value dictionary, ISO 32000-2, table 238.
const (
	seedCertSubject = 1 << iota
	seedCertIssuer
	seedCertPolicy
	seedCertSubjectDN
	_
	seedCertKeyUsage
)

// certificate obeys Cert, as far as it can be said before a certificate is known.
func (s *seed) certificate() error {
	asked, err := as[*dict](s.Document, s.get("Cert"))
	c := s.o.Signer.Certificate
	if err != nil || asked == nil || c == nil {
		return err
	}
	flags, err := as[int64](s.Document, asked.get("Ff"))
	if err != nil {
		return err
	}
	for _, check := range []struct {
		flag int64
		key  name
		fits func(*x509.Certificate, object) (bool, error)
		want string
	}{
		{seedCertSubject, "Subject", s.isListed, "one of certain certificates"},
		{seedCertIssuer, "Issuer", s.isIssued, "a certificate of certain issuers"},
		{seedCertPolicy, "OID", s.hasPolicy, "a certificate of certain policies"},
		{seedCertSubjectDN, "SubjectDN", s.isNamed, "a certificate of certain subjects"},
		{seedCertKeyUsage, "KeyUsage", s.hasUsage, "a certificate with certain key usages"},
	} {
		if flags&check.flag == 0 {
			continue
		}
		ok, err := check.fits(c, asked.get(check.key))
		if err != nil {
			return err
		}
		if !ok {
			return s.refuse("Cert", "%s (/%s)", check.want, check.key)
		}
	}
	return nil
}

// eachString calls match with the byte strings of an array until one fits.
func (s *seed) eachString(o object, match func([]byte) bool) (bool, error) {
	list, err := as[*array](s.Document, o)
	if err != nil || list == nil {
		return false, err
	}
	for _, item := range list.items {
		t, err := as[*text](s.Document, item)
		if err != nil {
			return false, err
		}
		if t == nil {
			continue
		}
		b, err := s.plaintext(t)
		if err != nil || match(b) {
			return err == nil, err
		}
	}
	return false, nil
}

func (s *seed) isListed(c *x509.Certificate, o object) (bool, error) {
	return s.eachString(o, func(der []byte) bool { return bytes.Equal(der, c.Raw) })
}

// isIssued: a listed certificate is in the chain, the signer's own included. A
// chain may stop before it: then the name of the issuer must do, and its key.
func (s *seed) isIssued(c *x509.Certificate, o object) (bool, error) {
	chain := append([]*x509.Certificate{c}, s.o.Signer.Chain...)
	return s.eachString(o, func(der []byte) bool {
		issuer, err := x509.ParseCertificate(der)
		return err == nil && slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
			return bytes.Equal(c.Raw, der) || c.CheckSignatureFrom(issuer) == nil
		})
	})
}

func (s *seed) hasPolicy(c *x509.Certificate, o object) (bool, error) {
	return s.eachString(o, func(oid []byte) bool {
		return slices.ContainsFunc(c.Policies, func(p x509.OID) bool { return p.String() == string(oid) })
	})
}

// isNamed: a subject has all attributes of one of the dictionaries listed.
func (s *seed) isNamed(c *x509.Certificate, o object) (bool, error) {
	list, err := as[*array](s.Document, o)
	if err != nil || list == nil {
		return false, err
	}
	for _, item := range list.items {
		names, err := as[*dict](s.Document, item)
		if err != nil {
			return false, err
		}
		ok, err := s.hasNames(c, names)
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// nameTypes are the attributes that seed values name by a word.
var nameTypes = map[name]string{
	"CN": "2.5.4.3", "SN": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11",
	"T": "2.5.4.12", "GN": "2.5.4.42", "E": "1.2.840.113549.1.9.1",
}

func (s *seed) hasNames(c *x509.Certificate, names *dict) (bool, error) {
	for _, e := range names.all() {
		want, err := s.plainString(e.value)
		if err != nil {
			return false, err
		}
		has := false
		for _, n := range c.Subject.Names {
			kind := n.Type.String()
			has = has || (kind == string(e.key) || kind == nameTypes[e.key]) && fmt.Sprint(n.Value) == want
		}
		if !has {
			return false, nil
		}
	}
	return names != nil, nil
}

// hasUsage: the usages fit one of the patterns, in which 1 asks for a bit, 0
// forbids it and X leaves it open.
func (s *seed) hasUsage(c *x509.Certificate, o object) (bool, error) {
	return s.eachString(o, func(pattern []byte) bool {
		for i, want := range pattern[:min(len(pattern), 9)] {
			has := c.KeyUsage&(1<<i) != 0
			if want == '1' && !has || want == '0' && has {
				return false
			}
		}
		return true
	})
}
