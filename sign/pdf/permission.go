// SPDX-License-Identifier: Apache-2.0

package pdf

import "fmt"

// Certification is a level of the DocMDP transform, ISO 32000-2, table 257: what
// a certified document lets others do.
type Certification int

// The levels.
const (
	NotCertified Certification = iota
	NoChanges                  // nothing at all, further signatures included
	FormFilling                // filling in forms, and signing
	Annotations                // annotations too
)

// standing is what the form, its signatures and the encryption say of one
// signature more.
type standing struct {
	*Document
	asked  string
	taken  map[string]bool
	found  *field // the one that was asked for
	signed bool
	// certified: a DocMDP transform stands in the document.
	certified bool
	locks     []heldLock

	signatures int
}

// heldLock is a lock in force.
type heldLock struct {
	FieldLock
	by string // the signed field
}

// stand looks through the form and asks every signature in it for permission.
func (d *Document) stand(asked string) (*standing, error) {
	s := &standing{Document: d, asked: asked, taken: map[string]bool{}}
	if err := d.eachField(s.visit); err != nil {
		return nil, err
	}
	return s, s.permitsByCatalog()
}

func (s *standing) visit(f field) error {
	if f.name == s.asked && s.asked != "" && s.found == nil {
		s.found = &f
	}
	s.taken[f.name] = true
	if f.kind != "Sig" || f.value == nil {
		return nil
	}
	signature, err := as[*dict](s.Document, f.value)
	if err != nil || signature == nil {
		return err
	}
	s.signed = true
	if s.signatures++; s.signatures > maxSignatures {
		return tooManySignatures()
	}
	if err := s.permitsBySignature(signature, f.name); err != nil {
		return err
	}
	l, err := s.readLock(f.dict.get("Lock"))
	if l.level == NoChanges {
		return &PermissionError{fmt.Sprintf("the lock of signature field %q forbids any change", f.name)}
	}
	s.locks = append(s.locks, heldLock{l.FieldLock, f.name})
	return err
}

// permitsByCatalog asks the certification signature that /Perms names.
func (s *standing) permitsByCatalog() error {
	root, _, err := s.catalog()
	if err != nil {
		return err
	}
	perms, err := as[*dict](s.Document, root.get("Perms"))
	if err != nil {
		return err
	}
	certification, err := as[*dict](s.Document, perms.get("DocMDP"))
	if err != nil {
		return err
	}
	return s.permitsBySignature(certification, "")
}

// permitsBySignature reads the transforms of a signature dictionary, ISO
// 32000-2, 12.8.2: DocMDP may forbid everything, FieldMDP locks fields.
func (s *standing) permitsBySignature(signature *dict, field string) error {
	references, err := as[*array](s.Document, signature.get("Reference"))
	if err != nil || references == nil {
		return err
	}
	for _, item := range references.items {
		if err := s.spend(fieldEffort); err != nil {
			return err
		}
		reference, err := as[*dict](s.Document, item)
		if err != nil {
			return err
		}
		if err := s.permitsByTransform(reference, field); err != nil {
			return err
		}
	}
	return nil
}

func (s *standing) permitsByTransform(reference *dict, field string) error {
	method, err := as[name](s.Document, reference.get("TransformMethod"))
	if err != nil {
		return err
	}
	l, err := s.readLock(reference.get("TransformParams"))
	if err != nil {
		return err
	}
	s.certified = s.certified || method == "DocMDP"
	switch {
	case (method == "DocMDP" || method == "FieldMDP") && l.level == NoChanges:
		return &PermissionError{"the document is certified and its certification forbids any change, further signatures included"}
	case method == "FieldMDP":
		s.locks = append(s.locks, heldLock{l.FieldLock, field})
	}
	return nil
}

// permits asks the locks and the encryption about the field that is to be
// signed. A new field is a change of the form like any other.
func (s *standing) permits(field string, isNew bool) error {
	for _, l := range s.locks {
		if l.covers(field) {
			return &PermissionError{fmt.Sprintf("the signature in field %q locks the field %q", l.by, field)}
		}
	}
	if s.Encrypted() {
		return s.security.permitsSigning(isNew)
	}
	return nil
}

// permitsCertification: only the first signature of a document can certify it,
// ISO 32000-2, 12.8.2.2.1.
func (s *standing) permitsCertification() error {
	list, err := s.Signatures()
	if err != nil {
		return err
	}
	if s.signed || len(list) > 0 {
		return &PermissionError{"the document is signed already, and only its first signature can certify it"}
	}
	return nil
}
