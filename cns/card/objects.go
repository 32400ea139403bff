// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// DataObject is a data object of a PKCS#11 token (CKO_DATA; PKCS #11 v2.40,
// section 4.5).
type DataObject struct {
	Label       string // CKA_LABEL
	Application string // CKA_APPLICATION
	Value       []byte // CKA_VALUE
}

// Objects is a token that shows its data objects to whoever asks, without a PIN.
type Objects interface {
	DataObjects(ctx context.Context) ([]DataObject, error)
}

// ReadObjects reads what a module shows of the card's files as data objects with
// their names, as OpenSC does. The error is [ErrNotShown] if it shows none, and
// what is wrong with the content if none can be read.
func ReadObjects(ctx context.Context, objects Objects) (*Facts, error) {
	list, err := objects.DataObjects(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing data objects: %w", err)
	}
	facts := &Facts{Source: SourceModule}
	for _, file := range []elementaryFile{idCarta, datiPersonali} {
		if object, ok := find(list, file.name); ok {
			facts.take(file.name, object.Value, nil)
		} else {
			facts.Gaps = append(facts.Gaps, Gap{file.name, ErrNotShown})
		}
	}
	if facts.CardID != "" || facts.PersonalData != nil {
		return facts, nil
	}
	err = ErrNotShown
	for _, gap := range facts.Gaps {
		if !errors.Is(gap.Err, ErrNotShown) {
			err = gap.Err
		}
	}
	return nil, fmt.Errorf("reading data objects: %w", err)
}

// find returns the object of a name that has content. OpenSC sets both names.
func find(list []DataObject, name string) (DataObject, bool) {
	for _, o := range list {
		named := strings.EqualFold(strings.TrimSpace(o.Label), name) || strings.EqualFold(strings.TrimSpace(o.Application), name)
		if named && len(o.Value) > 0 {
			return o, true
		}
	}
	return DataObject{}, false
}
