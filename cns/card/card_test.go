// SPDX-License-Identifier: Apache-2.0

package card

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// shown is a module that shows these objects.
type shown struct {
	list []DataObject
	err  error
}

func (s shown) DataObjects(context.Context) ([]DataObject, error) { return s.list, s.err }

var (
	objectID   = DataObject{Label: "EF_IDCarta", Application: "EF_IDCarta", Value: []byte(pki.CardID)}
	objectData = DataObject{Label: "EF_DatiPersonali", Value: pki.PersonalData()}
	other      = DataObject{Label: "EF_DatiPersonaliAggiuntivi", Value: []byte("x")}
)

func TestReadObjects(t *testing.T) {
	facts, err := ReadObjects(t.Context(), shown{list: []DataObject{other, objectData, objectID}})
	if err != nil || facts.Source != SourceModule || facts.CardID != pki.CardID || facts.PersonalData.Surname != "ROSSI" || len(facts.Gaps) > 0 {
		t.Fatalf("%+v, %v", facts, err)
	}
	byApplication := DataObject{Application: "ef_idcarta ", Value: []byte(pki.CardID)}
	facts, err = ReadObjects(t.Context(), shown{list: []DataObject{{Label: "EF_IDCarta"}, byApplication}})
	if err != nil || facts.CardID != pki.CardID || facts.PersonalData != nil || len(facts.Gaps) != 1 || !errors.Is(facts.Gaps[0].Err, ErrNotShown) {
		t.Errorf("%+v, %v", facts, err)
	}
	if _, err := ReadObjects(t.Context(), shown{list: []DataObject{other}}); !errors.Is(err, ErrNotShown) {
		t.Errorf("%v", err)
	}
	if _, err := ReadObjects(t.Context(), shown{err: errWire}); !errors.Is(err, errWire) {
		t.Errorf("%v", err)
	}
	blank := DataObject{Label: "EF_DatiPersonali", Value: make([]byte, 400)}
	if _, err := ReadObjects(t.Context(), shown{list: []DataObject{blank}}); err == nil || !strings.Contains(err.Error(), "blank") {
		t.Errorf("%v", err)
	}
}

// TestRead goes through what two ways can say together.
func TestRead(t *testing.T) {
	everything, err := ReadFiles(t.Context(), newCard(t))
	if err != nil {
		t.Fatal(err)
	}
	another := *everything
	another.CardID = "7430000000000001"
	stranger := another
	strangers := *everything.PersonalData
	strangers.Fields = []string{"6090"}
	stranger.PersonalData = &strangers

	both, id, data := shown{list: []DataObject{objectID, objectData}}, shown{list: []DataObject{objectID}}, shown{list: []DataObject{objectData}}
	cases := []struct {
		name    string
		objects Objects
		reader  *Facts // nil: there is no card
		source  Source // unknown: an error
		gap     string
	}{
		{"no module", nil, everything, SourceReader, ""},
		{"no module, no reader", nil, nil, SourceUnknown, ""},
		{"the module shows all", both, nil, SourceModule, ""},
		{"the module shows the number", id, everything, SourceReader, ""},
		{"the module shows the data", data, everything, SourceReader, ""},
		{"the module shows the number alone", id, nil, SourceModule, ErrNoCard.Error()},
		{"the module shows nothing", shown{}, everything, SourceReader, ""},
		{"the module fails", shown{err: errWire}, everything, SourceReader, ""},
		{"both fail", shown{err: errWire}, nil, SourceUnknown, ""},
		{"another card in the reader", id, &another, SourceModule, "another card"},
		{"another person's card in the reader", data, &stranger, SourceModule, "another card"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			facts, err := read(t.Context(), c.objects, func() (*Facts, error) {
				if c.reader == nil {
					return nil, codeNoSmartcard.explained()
				}
				return c.reader, nil
			})
			if c.source == SourceUnknown {
				if facts != nil || !errors.Is(err, ErrNoCard) || c.objects != nil && !errors.Is(err, errWire) {
					t.Errorf("%+v, %v", facts, err)
				}
				return
			}
			if err != nil || facts.Source != c.source {
				t.Fatalf("%+v, %v", facts, err)
			}
			last := ""
			if len(facts.Gaps) > 0 {
				last = facts.Gaps[len(facts.Gaps)-1].Err.Error()
			}
			if !strings.Contains(last, c.gap) || c.gap == "" && last != "" {
				t.Errorf("gaps %v", facts.Gaps)
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	facts, err := read(ctx, shown{err: ctx.Err()}, func() (*Facts, error) {
		t.Error("the reader is asked")
		return nil, nil
	})
	if facts != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", facts, err)
	}
}
