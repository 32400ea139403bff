// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// Reason is a CRLReason of RFC 5280, section 5.3.1.
type Reason int

// The reasons. RemoveFromCRL stands in delta lists only.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

// register is what each authority knows of the certificates it issued.
type register map[pki.Name]*record

// record is the history of one authority. Its changes are numbered from 1.
type record struct {
	changes int
	entries []entry
	unknown []*big.Int // serial numbers it will not know
}

// entry is a revocation, or a suspension, with the numbers of the changes that
// made and ended it.
type entry struct {
	serial *big.Int
	at     time.Time
	reason Reason
	since  int // 0 when it was there from the start
	until  int // 0 while it lasts
}

// clone copies a register, so that a request sees one moment of it.
func (r register) clone() register {
	copied := make(register, len(r))
	for name, rec := range r {
		copied[name] = &record{rec.changes, slices.Clone(rec.entries), slices.Clone(rec.unknown)}
	}
	return copied
}

// current is the entry that holds for a serial number now; nil when there is none.
func (r *record) current(serial *big.Int) *entry {
	for i := len(r.entries) - 1; i >= 0; i-- {
		if e := &r.entries[i]; e.until == 0 && e.serial.Cmp(serial) == 0 {
			return e
		}
	}
	return nil
}

// after is what holds after a number of changes.
func (r *record) after(change int) []entry {
	var entries []entry
	for _, e := range r.entries {
		if e.since <= change && (e.until == 0 || e.until > change) {
			entries = append(entries, e)
		}
	}
	return entries
}

// delta is what changed since the start: for each serial number the last of it
// (RFC 5280, section 5.2.4).
func (r *record) delta() []entry {
	var entries []entry
	for i, e := range r.entries {
		later := slices.ContainsFunc(r.entries[i+1:], func(o entry) bool { return o.serial.Cmp(e.serial) == 0 })
		if later || e.since == 0 && e.until == 0 {
			continue
		}
		if e.until > 0 {
			e.reason = RemoveFromCRL
		}
		entries = append(entries, e)
	}
	return entries
}

// record returns that of an authority, which begins with what the description
// of the PKI says is revoked.
func (s *Server) record(r register, name pki.Name) *record {
	if r[name] == nil {
		rec := &record{}
		for _, e := range s.pki.RevokedBy(name) {
			rec.entries = append(rec.entries, entry{serial: e.SerialNumber, at: e.RevocationTime, reason: Reason(e.ReasonCode)})
		}
		r[name] = rec
	}
	return r[name]
}

// Revoke has the issuer of c say that c is revoked since a time, for a reason;
// a suspension of c ends with that. It is an error if no authority of the PKI
// issued c, or c is revoked already.
func (s *Server) Revoke(c *x509.Certificate, at time.Time, reason Reason) error {
	return s.change("revoking", c, func(r *record) error {
		e := r.current(c.SerialNumber)
		if e != nil && e.reason != CertificateHold {
			return errors.New("it is revoked already")
		}
		r.changes++
		if e != nil {
			e.until = r.changes
		}
		r.entries = append(r.entries, entry{serial: c.SerialNumber, at: at, reason: reason, since: r.changes})
		return nil
	})
}

// Suspend is Revoke for certificateHold, which [Server.Lift] ends.
func (s *Server) Suspend(c *x509.Certificate, at time.Time) error {
	return s.Revoke(c, at, CertificateHold)
}

// Lift ends the suspension of c: lists leave it out again, delta lists say
// removeFromCRL. It is an error if c is not suspended.
func (s *Server) Lift(c *x509.Certificate) error {
	return s.change("lifting suspension", c, func(r *record) error {
		e := r.current(c.SerialNumber)
		if e == nil || e.reason != CertificateHold {
			return errors.New("it is not suspended")
		}
		r.changes++
		e.until = r.changes
		return nil
	})
}

// Disown has the responder of the issuer of c say that it does not know c.
func (s *Server) Disown(c *x509.Certificate) error {
	return s.change("disowning", c, func(r *record) error {
		r.unknown = append(r.unknown, c.SerialNumber)
		return nil
	})
}

// change changes the record of the issuer of c.
func (s *Server) change(doing string, c *x509.Certificate, do func(*record) error) error {
	issuer, err := s.issuerOf(c)
	if err != nil {
		return fmt.Errorf("%s %s: %w", doing, c.Subject.CommonName, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := do(s.record(s.register, issuer)); err != nil {
		return fmt.Errorf("%s %s: %w", doing, c.Subject.CommonName, err)
	}
	return nil
}

// issuerOf finds the authority that issued c by the key identifier.
func (s *Server) issuerOf(c *x509.Certificate) (pki.Name, error) {
	for _, name := range pki.Authorities() {
		authority, err := s.pki.Issue(name)
		if err != nil {
			return "", err
		}
		if bytes.Equal(authority.Certificate.SubjectKeyId, c.AuthorityKeyId) {
			return name, nil
		}
	}
	return "", errors.New("no authority of the PKI issued it")
}

func isAuthority(name pki.Name) bool { return slices.Contains(pki.Authorities(), name) }
