// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"strings"
	"testing"
	"time"
)

func TestParseCodiceFiscale(t *testing.T) {
	rossi := Codice{
		Code: "RSSMRA80A01H501U", Plain: "RSSMRA80A01H501U", Surname: "RSS", Name: "MRA",
		Year: 80, Month: time.January, Day: 1, Sex: Male, Place: "H501",
	}
	small, omocode := rossi, rossi
	omocode.Code, omocode.Omocode = "RSSMRA80A01H50MM", true
	cases := map[string]Codice{
		"RSSMRA80A01H501U": rossi,
		"rssmra80a01h501u": small,
		"RSSMRA80A01H50MM": omocode,
		"VRDLGU75C41F205E": {
			Code: "VRDLGU75C41F205E", Plain: "VRDLGU75C41F205E", Surname: "VRD", Name: "LGU",
			Year: 75, Month: time.March, Day: 1, Sex: Female, Place: "F205",
		},
		"01879020517": {Code: "01879020517", Plain: "01879020517", Provisional: true},
	}
	for s, want := range cases {
		got, err := ParseCodiceFiscale(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
}

func TestParseCodiceFiscaleRefuses(t *testing.T) {
	cases := []struct{ name, code, want string }{
		{"empty", "", "0 characters"},
		{"short", "RSSMRA80A01H501", "15 characters"},
		{"long", strings.Repeat("A", 1<<20), "characters instead"},
		{"check character", "RSSMRA80A01H501V", "'V' instead of 'U'"},
		{"exchanged digits", "RSSMRA08A01H501U", "check character"},
		{"digit for a letter", "RSSMR180A01H501U", "where a letter belongs"},
		{"letter that stands for no digit", "RSSMRA8AA01H501U", "where a digit belongs"},
		{"no such month", withCheck("RSSMRA80F01H501"), "no day"},
		{"no such day", withCheck("RSSMRA80A00H501"), "no day"},
		{"a day too many", withCheck("RSSMRA80D31H501"), "no day"},
		{"no leap year", withCheck("RSSMRA81B29H501"), "no day"},
		{"between the sexes", withCheck("RSSMRA80A35H501"), "no day"},
		{"woman's day too many", withCheck("RSSMRA80A72H501"), "no day"},
		{"another alphabet", "RſSMRA80A01H501U", "characters instead"},
		{"control character", "RSSMRA80A01H50\x00U", "where a digit belongs"},
		{"eleven letters", "ABCDEFGHIJK", "where a digit belongs"},
		{"check digit", "01879020518", "wrong check digit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCodiceFiscale(c.code)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := ParseCodiceFiscale(withCheck("RSSMRA80B29H501")); err != nil {
		t.Errorf("a day in a leap year: %v", err)
	}
}

func withCheck(code string) string { return code + string(checkCharacter(code)) }

// TestOmocodes makes all 128 forms of one code; each leads back to the first.
func TestOmocodes(t *testing.T) {
	const plain = "RSSMRA80A01H501U"
	places := []int{6, 7, 9, 10, 12, 13, 14}
	seen := map[string]bool{}
	for form := range 128 {
		code := []byte(plain[:15])
		for bit, place := range places {
			if form>>bit&1 == 1 {
				code[place] = omocodeDigits[code[place]-'0']
			}
		}
		s := withCheck(string(code))
		got, err := ParseCodiceFiscale(s)
		if err != nil || got.Plain != plain || got.Omocode != (form != 0) || got.Day != 1 || got.Place != "H501" {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
		seen[s] = true
	}
	if len(seen) != 128 {
		t.Errorf("%d forms", len(seen))
	}
}

// FuzzParseCodiceFiscale wants what is taken to be whole: it reads back the same,
// and no other check character does.
func FuzzParseCodiceFiscale(f *testing.F) {
	for _, s := range []string{"RSSMRA80A01H501U", "VRDLGU75C41F205E", "RSSMRA80A01H50MM", "01879020517", "rssmra80a01h501u", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCodiceFiscale(s)
		if err != nil {
			return
		}
		again, err := ParseCodiceFiscale(c.Code)
		if err != nil || again != c || len(c.Code) != len(s) {
			t.Errorf("%q: %+v, then %+v, %v", s, c, again, err)
		}
		if _, err := ParseCodiceFiscale(c.Plain); err != nil {
			t.Errorf("%q: plain form %q: %v", s, c.Plain, err)
		}
		last := c.Code[len(c.Code)-1] ^ 1
		if _, err := ParseCodiceFiscale(c.Code[:len(c.Code)-1] + string(last)); err == nil {
			t.Errorf("%q is taken with another check character too", s)
		}
	})
}
