// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// module stands for a token whose module shows the files of the card, as OpenSC's
// does.
type module struct{}

func (module) DataObjects(context.Context) ([]card.DataObject, error) {
	return []card.DataObject{
		{Label: "EF_IDCarta", Value: []byte(pki.CardID)},
		{Label: "EF_DatiPersonali", Value: pki.PersonalData()},
	}, nil
}

func ExampleRead() {
	facts, err := card.Read(context.Background(), module{}, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("card", facts.CardID, "of", facts.PersonalData.Name, facts.PersonalData.Surname)
	fmt.Println("read through the", facts.Source)
	// Output:
	// card 6090000000000001 of MARIO ROSSI
	// read through the module
}

// bankCard stands for a card that has no files of a CNS.
type bankCard struct{}

func (bankCard) Transmit([]byte) ([]byte, error) { return []byte{0x6a, 0x82}, nil }

func ExampleReadFiles() {
	_, err := card.ReadFiles(context.Background(), bankCard{})
	fmt.Println(err)

	var foreign *card.ForeignCardError
	fmt.Println(errors.As(err, &foreign))
	// Output:
	// reading card: not a CNS: selecting EF_IDCarta: the card answers 6A82 (no such file)
	// true
}
