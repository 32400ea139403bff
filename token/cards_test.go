// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
	"github.com/pectoken/pectoken/token/tokentest"
)

func TestCards(t *testing.T) {
	f := newFake(tokenOf{"Token PIN", rightPIN, nil}, tokenOf{"Altra", rightPIN, nil}, tokenOf{"Digital Signature PIN", wrongPIN, nil},
		tokenOf{"Senza numero", rightPIN, nil}, tokenOf{"Senza numero", rightPIN, nil})
	f.Token(2).Serial = f.Token(0).Serial
	f.Token(3).Serial, f.Token(4).Serial = "", ""
	tokens := tokensOf(t, f.open(t))
	var got [][]string
	for _, card := range Cards(tokens) {
		var labels []string
		for _, token := range card {
			labels = append(labels, token.Label)
		}
		got = append(got, labels)
	}
	if fmt.Sprint(got) != "[[Token PIN Digital Signature PIN] [Altra] [Senza numero] [Senza numero]]" {
		t.Errorf("cards %q", got)
	}
	m := &FoundModule{}
	for _, token := range tokens {
		m.Tokens = append(m.Tokens, &FoundToken{Info: token.Info})
	}
	if cards := m.Cards(); len(cards) != 4 || len(cards[0]) != 2 {
		t.Errorf("cards %v", cards)
	}
	if Cards(nil) != nil {
		t.Error("cards of nothing")
	}
}

func TestDataObjects(t *testing.T) {
	f := newFake(tokenOf{"CNS", rightPIN, nil})
	f.Token(0).Objects = []*tokentest.Object{tokentest.Data("EF_DatiPersonali\x00", "CNS", []byte("000018"))}
	token := tokensOf(t, f.open(t))[0]
	got, err := token.DataObjects(t.Context())
	if err != nil || len(got) != 1 || got[0].Label != "EF_DatiPersonali" || got[0].Application != "CNS" || string(got[0].Value) != "000018" || got[0].ObjectID != nil {
		t.Errorf("%+v, %v", got, err)
	}
	f.Script = tokentest.Answer("C_FindObjectsInit", cryptoki.CKR_DEVICE_REMOVED)
	if _, err := token.DataObjects(t.Context()); !errors.Is(err, ErrRemoved) {
		t.Errorf("error %v", err)
	}
}

func TestWatch(t *testing.T) {
	f := newFake(tokenOf{"Prima", rightPIN, nil})
	first := f.Token(0)
	m := f.open(t)
	second := tokentest.NewToken("Seconda", rightPIN)
	second.Serial = "7430000000000002"
	bad := tokentest.Answer("C_GetTokenInfo 5", cryptoki.CKR_TOKEN_NOT_RECOGNIZED)
	steps := []func(){
		func() { f.Insert(3, second) },
		func() { f.Remove(0); f.Insert(9, first); f.Remove(3) }, // the first only moved
		func() { f.Insert(9, second) },                          // one for the other
		func() { f.Insert(5, tokentest.NewToken("Estranea", rightPIN)); f.Script = bad },
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	for e, err := range m.Watch(ctx, time.Microsecond) {
		if err != nil {
			t.Fatal(err)
		}
		name := ""
		if e.Kind == EventUnreadable {
			name = e.Slot.Err.Error()
		} else {
			name = e.Token.Label
		}
		got = append(got, e.Kind.String()+" "+name)
		switch {
		case e.Kind == EventRemoved && name == "Prima": // its step is not over
		case len(steps) == 0:
			cancel()
		default:
			steps[0]()
			steps = steps[1:]
		}
	}
	want := []string{"inserted Prima", "inserted Seconda", "removed Seconda", "removed Prima", "inserted Seconda", "unreadable CKR_TOKEN_NOT_RECOGNIZED (0xe1)"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q", got)
	}
	if EventKind(77).String() != "unknown" {
		t.Error("words of events")
	}
}

func TestWatchErrors(t *testing.T) {
	f := newFake()
	m := f.open(t)
	f.Script = tokentest.Answer("C_GetSlotList", cryptoki.CKR_GENERAL_ERROR)
	n := 0
	for _, err := range m.Watch(t.Context(), time.Microsecond) {
		if !isCode(err, cryptoki.CKR_GENERAL_ERROR) {
			t.Errorf("error %v", err)
		}
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d errors", n)
	}
}
