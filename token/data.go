// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"fmt"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// DataObject is a data object on a token (CKO_DATA), such as the personal data of a
// CNS where the module shows them so.
type DataObject struct {
	Label       string // CKA_LABEL
	Application string // CKA_APPLICATION
	ObjectID    []byte // CKA_OBJECT_ID, DER
	Value       []byte // CKA_VALUE, empty if the token does not show it
}

// DataObjects lists the data objects that the token shows without a PIN (PKCS #11
// v2.40, section 4.5).
func (t *Token) DataObjects(ctx context.Context) ([]*DataObject, error) {
	if err := t.module.enter(); err != nil {
		return nil, err
	}
	defer t.module.leave()
	objects, err := t.dataObjects(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading data of token %q: %w", t.Label, err)
	}
	return objects, nil
}

func (t *Token) dataObjects(ctx context.Context) (list []*DataObject, err error) {
	s, err := t.openSession(ctx, false)
	if err != nil {
		return nil, err
	}
	defer s.closeAfter(&err)
	handles, err := s.objects(ctx, cryptoki.CKO_DATA)
	if err != nil {
		return nil, err
	}
	for _, handle := range handles {
		v, err := s.attributes(ctx, handle, cryptoki.CKA_LABEL, cryptoki.CKA_APPLICATION, cryptoki.CKA_OBJECT_ID, cryptoki.CKA_VALUE)
		if err != nil {
			return nil, err
		}
		list = append(list, &DataObject{Label: clean(string(v[0])), Application: clean(string(v[1])), ObjectID: v[2], Value: v[3]})
	}
	return list, nil
}
