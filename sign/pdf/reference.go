// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
)

// references writes the /Reference of a signature dictionary, object at of the
// update: what nobody may change any more (ISO 32000-2, 12.8.2). Nothing when
// the signature says nothing of the kind.
func (p *plan) references(at ref) ([]byte, error) {
	var b bytes.Buffer
	if p.o.Certify != NotCertified {
		fmt.Fprintf(&b, "<< /Type /SigRef /TransformMethod /DocMDP "+
			"/TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>", p.o.Certify)
	}
	if p.target.lock.Action != LockNone {
		_, root, err := p.doc.catalog()
		if err != nil {
			return nil, err
		}
		entries, err := p.target.lock.entries(p.update, at)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "<< /Type /SigRef /TransformMethod /FieldMDP /Data %v "+
			"/TransformParams << /Type /TransformParams /V /1.2 %s >> >>", root, entries)
	}
	if b.Len() == 0 {
		return nil, nil
	}
	return fmt.Appendf(nil, "\n/Reference [%s]", b.Bytes()), nil
}

// enterPermissions names the certification in the catalog, ISO 32000-2, 12.8.6.
func (p *plan) enterPermissions(value ref) error {
	if p.o.Certify == NotCertified {
		return nil
	}
	root, rootAt, err := p.doc.catalog()
	if err != nil {
		return err
	}
	changes, err := p.within(root, "Perms", []change{{"DocMDP", []byte(value.String())}})
	p.edit(rootAt, root, changes...)
	return err
}
