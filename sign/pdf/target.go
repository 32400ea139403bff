// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"strings"
)

// target is the field that gets the signature.
type target struct {
	name     string
	existing *field // nil for a new one
	lock     lock   // of the field itself, or the one that was asked for
}

// target settles which field is signed: the empty one of the asked name, or a
// new one.
func (s *standing) target(o SignOptions) (*target, error) {
	t := &target{name: o.FieldName, existing: s.found}
	if o.Lock != nil {
		t.lock.FieldLock = *o.Lock
	}
	if t.name == "" {
		t.name = s.free("Signature")
	}
	var err error
	if t.existing != nil {
		err = s.reuse(t, o)
	} else if strings.Contains(t.name, ".") {
		err = &FieldError{t.name, "there is no such field, and a new one has no full stop in its name"}
	}
	if err == nil && o.Lock != nil {
		err = s.checkLock(t.name, *o.Lock)
	}
	if err == nil {
		err = s.permits(t.name, t.existing == nil)
	}
	return t, err
}

// free finds a name that no field has: the stem with a number.
func (s *standing) free(stem string) string {
	for i := 1; ; i++ {
		if free := fmt.Sprintf("%s%d", stem, i); !s.taken[free] {
			return free
		}
	}
}

// reuse checks that the field can take a signature.
func (s *standing) reuse(t *target, o SignOptions) error {
	f := t.existing
	held, err := s.resolve(f.value)
	switch {
	case err != nil:
		return err
	case f.kind != "Sig":
		return &FieldError{t.name, "the document already has a field of that name, which is not for signatures"}
	case held != nil:
		return &FieldError{t.name, "it is signed already"}
	case f.at == (ref{}):
		return &FieldError{t.name, "it is written inside another object, where it cannot be filled in"}
	}
	own, err := s.readLock(f.dict.get("Lock"))
	if err != nil {
		return err
	}
	if own.Action != LockNone && o.Lock != nil {
		return &FieldError{t.name, "it brings a lock of its own"}
	}
	if own.Action != LockNone || own.level != 0 {
		t.lock = own
	}
	return nil
}

// checkLock refuses a lock that says nothing, or names what is not there.
func (s *standing) checkLock(field string, l FieldLock) error {
	if l.Action.String() == "" || l.Action != LockAll && len(l.Fields) == 0 {
		return &FieldError{field, "its lock does not say which fields it means"}
	}
	for _, f := range l.Fields {
		if !s.taken[f] && f != field {
			return &FieldError{field, fmt.Sprintf("its lock names the field %q, which the document does not have", f)}
		}
	}
	return nil
}

// dictionary writes the field, merged with its widget, as object at of u. The
// flags are Print, which PDF/A wants, and Locked. more is the rest of its entries.
func (t *target) dictionary(u *update, at, value, page ref, more string) ([]byte, error) {
	fieldName, err := u.text(at, t.name)
	if err != nil {
		return nil, err
	}
	if t.lock.Action != LockNone {
		lockAt := u.allocate()
		entries, err := t.lock.entries(u, lockAt)
		if err != nil {
			return nil, err
		}
		if _, err := u.put(lockAt, fmt.Appendf(nil, "<< /Type /SigFieldLock %s >>", entries)); err != nil {
			return nil, err
		}
		more += fmt.Sprintf(" /Lock %v", lockAt)
	}
	return fmt.Appendf(nil, "<< /FT /Sig /T %s /V %v /Type /Annot /Subtype /Widget /F 132 /P %v%s >>",
		fieldName, value, page, more), nil
}
