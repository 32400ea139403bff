// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"fmt"
	"strings"
	"time"
)

// Sex is the sex that a codice fiscale encodes.
type Sex uint8

// Values of Sex.
const (
	SexUnknown Sex = iota
	Male
	Female
)

// Codice is a codice fiscale (the Italian tax code) taken apart. A provisional
// one, of eleven digits, says nothing about its holder.
type Codice struct {
	Code        string // in capitals, as it is written
	Provisional bool   // eleven digits, as of organisations and of some persons at first

	Surname, Name string     // three letters each
	Year          int        // of birth, the last two digits
	Month         time.Month // of birth
	Day           int        // of birth
	Sex           Sex
	Place         string // Belfiore code of the place of birth; Z and three digits are a foreign state

	// Omocode says that letters stand in for digits, because another person
	// would have the same code. Plain is the code without that, with its own check
	// character: the code of somebody else, so good for hints alone.
	Omocode bool
	Plain   string
}

// ParseCodiceFiscale reads a codice fiscale and checks all that can be checked of
// it: characters, check character, and that there is such a day. Small letters
// are taken. It does not know which places exist or whom a code was given to.
func ParseCodiceFiscale(s string) (Codice, error) {
	code := upperASCII(s)
	var c Codice
	var err error
	switch {
	case len(code) == 11:
		c, err = parseProvisional(code)
	case len(code) == 16:
		c, err = parsePersonal(code)
	default:
		err = fmt.Errorf("%d characters instead of 16 or 11", len(code))
	}
	if err != nil {
		return Codice{}, fmt.Errorf("parsing codice fiscale %.32q: %w", s, err)
	}
	return c, nil
}

// upperASCII leaves everything but small letters alone: strings.ToUpper would
// turn letters of other alphabets into ours.
func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// parseProvisional checks eleven digits by the formula of Luhn, which the
// partita IVA (VAT number) has as well.
func parseProvisional(code string) (Codice, error) {
	sum := 0
	for i, r := range []byte(code) {
		if r < '0' || r > '9' {
			return Codice{}, fmt.Errorf("character %q where a digit belongs", r)
		}
		n := int(r - '0')
		if i%2 == 1 {
			n = n*2/10 + n*2%10
		}
		sum += n
	}
	if sum%10 != 0 {
		return Codice{}, fmt.Errorf("wrong check digit")
	}
	return Codice{Code: code, Plain: code, Provisional: true}, nil
}

const (
	layout        = "LLLLLLDDLDDLDDDL" // letters and digits of a personal code
	omocodeDigits = "LMNPQRSTUV"       // the letters that may stand in for 0 to 9
	months        = "ABCDEHLMPRST"
)

func parsePersonal(code string) (Codice, error) {
	plain, err := withoutOmocodes(code)
	if err != nil {
		return Codice{}, err
	}
	if want := checkCharacter(code); code[15] != want {
		return Codice{}, fmt.Errorf("check character %q instead of %q", code[15], want)
	}
	c := Codice{
		Code: code, Surname: code[:3], Name: code[3:6], Place: plain[11:15],
		Omocode: plain[:15] != code[:15], Plain: plain,
		Year: number(plain[6:8]), Month: time.Month(strings.IndexByte(months, plain[8]) + 1), Day: number(plain[9:11]), Sex: Male,
	}
	if c.Day > 40 {
		c.Day, c.Sex = c.Day-40, Female
	}
	if !c.isDay() {
		return Codice{}, fmt.Errorf("no day of birth is written %s", plain[6:11])
	}
	return c, nil
}

// withoutOmocodes checks every character against the layout, puts digits for the
// letters that stand in for them, and the check character that results.
func withoutOmocodes(code string) (string, error) {
	plain := []byte(code)
	for i, r := range plain {
		isDigit, isLetter := '0' <= r && r <= '9', 'A' <= r && r <= 'Z'
		standIn := strings.IndexByte(omocodeDigits, r)
		switch {
		case layout[i] == 'L' && !isLetter:
			return "", fmt.Errorf("character %q where a letter belongs", r)
		case layout[i] == 'D' && isDigit, layout[i] == 'L':
		case standIn < 0:
			return "", fmt.Errorf("character %q where a digit belongs", r)
		default:
			plain[i] = '0' + byte(standIn)
		}
	}
	plain[15] = checkCharacter(string(plain))
	return string(plain), nil
}

// oddValues are the values, in the check character's sum, of 0 to 9 and A to J,
// and of all letters, when they stand in the first, third … place.
var oddValues = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// checkCharacter computes the 16th character from 15 digits and letters.
func checkCharacter(code string) byte {
	sum := 0
	for i := range 15 {
		value := int(code[i]) - 'A'
		if code[i] <= '9' {
			value = int(code[i]) - '0'
		}
		if i%2 == 0 {
			value = oddValues[value]
		}
		sum += value
	}
	return 'A' + byte(sum%26)
}

// isDay says whether there is such a day. The century is not known, so 29
// February is taken in every fourth year.
func (c Codice) isDay() bool {
	if c.Month < time.January || c.Day < 1 {
		return false
	}
	const century = 2000 // its year 00 is a leap year
	return time.Date(century+c.Year, c.Month, c.Day, 0, 0, 0, 0, time.UTC).Day() == c.Day
}

// IsBirthday says whether the code is of somebody born on the day of t. The code
// does not say the century.
func (c Codice) IsBirthday(t time.Time) bool {
	const century = 100
	return !c.Provisional && t.Year()%century == c.Year && t.Month() == c.Month && t.Day() == c.Day
}

// number reads digits that were checked.
func number(digits string) int {
	n := 0
	for _, d := range []byte(digits) {
		n = n*10 + int(d-'0')
	}
	return n
}
