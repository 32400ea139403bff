// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"testing"

	"github.com/pectoken/pectoken/token"
)

// A count is kept of each PIN by itself, and ends with a right one.
func TestCountWrong(t *testing.T) {
	folder := t.TempDir()
	a := &app{cacheDir: func() (string, error) { return folder, nil }}
	cns0, cns1 := &card{Info: token.Info{Serial: "1", Label: "CNS0"}}, &card{Info: token.Info{Serial: "1", Label: "CNS1"}}
	wrong, locked := &token.PINError{Reason: token.PINWrong}, &token.PINError{Reason: token.PINLocked}
	for i, step := range []struct {
		card   *card
		puk    bool
		answer error
		want   wrongCount // of the card
	}{
		{cns0, false, nil, wrongCount{}},
		{cns0, false, wrong, wrongCount{PIN: 1}},
		{cns0, false, token.ErrRemoved, wrongCount{PIN: 1}},
		{cns0, false, &token.PINError{Reason: token.PINLength}, wrongCount{PIN: 1}},
		{cns1, false, wrong, wrongCount{PIN: 1}},
		{cns0, true, wrong, wrongCount{PIN: 1, PUK: 1}},
		{cns0, false, wrong, wrongCount{PIN: 2, PUK: 1}},
		{cns0, false, nil, wrongCount{PUK: 1}},
		{cns1, false, locked, wrongCount{}},
		{cns0, false, wrong, wrongCount{PIN: 1, PUK: 1}},
		{cns0, true, nil, wrongCount{}},
	} {
		a.countWrong(step.card, step.puk, step.answer)
		if got := a.wrongSecrets()[wrongKey(step.card)]; got != step.want {
			t.Errorf("after step %d it is %+v, expected %+v", i, got, step.want)
		}
	}
	if left := a.wrongSecrets(); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// Where nothing can be kept nobody is stopped.
func TestCountWrongNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	a := &app{cacheDir: func() (string, error) { return "", errors.New("no home") }}
	a.countWrong(&card{}, false, &token.PINError{Reason: token.PINWrong})
	if n := len(a.wrongSecrets()); n != 0 {
		t.Errorf("%d counts", n)
	}
}
