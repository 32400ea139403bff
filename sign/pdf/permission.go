// SPDX-License-Identifier: Apache-2.0

package pdf

import "fmt"

// noChanges is the DocMDP level that forbids every change, a further signature
// included (ISO 32000-2, table 257).
const noChanges = 1

// permits asks the signature in f, if there is one, whether the document may
// be changed at all.
func (d *Document) permits(f field) error {
	if f.kind != "Sig" || f.value == nil {
		return nil
	}
	signature, err := as[*dict](d, f.value)
	if err != nil || signature == nil {
		return err
	}
	if err := d.permitsBySignature(signature); err != nil {
		return err
	}
	lock, err := as[*dict](d, f.dict.get("Lock"))
	if err != nil {
		return err
	}
	level, err := as[int64](d, lock.get("P"))
	if level == noChanges {
		return &PermissionError{fmt.Sprintf("the lock of signature field %q forbids any change", f.name)}
	}
	return err
}

// permitsByCatalog asks the certification signature that /Perms names.
func (d *Document) permitsByCatalog() error {
	root, _, err := d.catalog()
	if err != nil {
		return err
	}
	perms, err := as[*dict](d, root.get("Perms"))
	if err != nil {
		return err
	}
	certification, err := as[*dict](d, perms.get("DocMDP"))
	if err != nil {
		return err
	}
	return d.permitsBySignature(certification)
}

// permitsBySignature reads the DocMDP transforms of a signature dictionary,
// ISO 32000-2, 12.8.2.2.
func (d *Document) permitsBySignature(signature *dict) error {
	references, err := as[*array](d, signature.get("Reference"))
	if err != nil || references == nil {
		return err
	}
	for _, item := range references.items {
		if err := d.spend(fieldEffort); err != nil {
			return err
		}
		reference, err := as[*dict](d, item)
		if err != nil {
			return err
		}
		method, err := as[name](d, reference.get("TransformMethod"))
		if err != nil {
			return err
		}
		parms, err := as[*dict](d, reference.get("TransformParams"))
		if err != nil {
			return err
		}
		level, err := as[int64](d, parms.get("P"))
		if err != nil {
			return err
		}
		if method == "DocMDP" && level == noChanges {
			return &PermissionError{"the document is certified and its certification forbids any change, further signatures included"}
		}
	}
	return nil
}
