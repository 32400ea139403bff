// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// largest is the number that is still believed.
const largest = 1e9

// scanner reads numbers one after the other, the way SVG writes them: parted by
// white space, commas, or nothing where none is needed.
type scanner struct{ rest string }

func (s *scanner) skip() { s.rest = strings.TrimLeft(s.rest, " \t\r\n\f,") }

// number reads a number; false when none comes.
func (s *scanner) number() (float64, bool) {
	s.skip()
	end := numberEnd(s.rest)
	n, err := strconv.ParseFloat(s.rest[:end], 64)
	if err != nil || math.Abs(n) > largest {
		return 0, false
	}
	s.rest = s.rest[end:]
	return n, true
}

// numberEnd returns the length of the number that text begins with.
func numberEnd(text string) int {
	i := 0
	sign := func() {
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
	}
	digits := func() int {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i - from
	}
	sign()
	n := digits()
	if i < len(text) && text[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return 0
	}
	if before := i; i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		sign()
		if digits() == 0 {
			i = before // the e of em
		}
	}
	return i
}

// flag reads a single 0 or 1, as an arc has them.
func (s *scanner) flag() (bool, bool) {
	s.skip()
	if s.rest == "" || s.rest[0] != '0' && s.rest[0] != '1' {
		return false, false
	}
	set := s.rest[0] == '1'
	s.rest = s.rest[1:]
	return set, true
}

// numbers reads a list.
func numbers(text string) ([]float64, error) {
	s := scanner{text}
	var list []float64
	for s.skip(); s.rest != ""; s.skip() {
		n, ok := s.number()
		if !ok {
			return nil, fmt.Errorf("%.40q is no list of numbers", text)
		}
		list = append(list, n)
	}
	return list, nil
}

// units are how many pixels of CSS they have.
var units = map[string]float64{"": 1, "px": 1, "pt": 4.0 / 3, "pc": 16, "in": 96, "mm": 96 / 25.4, "cm": 96 / 2.54}

// length reads a number and its unit.
func length(text string) (float64, error) {
	s := scanner{text}
	n, ok := s.number()
	factor, known := units[strings.TrimSpace(s.rest)]
	if !ok || !known {
		return 0, fmt.Errorf("%.40q is no length that is understood here", text)
	}
	return n * factor, nil
}

// share reads a number from 0 to 1, or a percentage, and keeps it in there.
func share(text string) (float64, error) {
	n, err := proportion(text)
	return math.Min(math.Max(n, 0), 1), err
}

// proportion reads a number or a percentage.
func proportion(text string) (float64, error) {
	s := scanner{text}
	n, ok := s.number()
	switch rest := strings.TrimSpace(s.rest); {
	case ok && rest == "":
		return n, nil
	case ok && rest == "%":
		return n / 100, nil
	}
	return 0, fmt.Errorf("%.40q is neither a number nor a percentage", text)
}

// parseColour reads a colour of CSS.
func parseColour(text string) (color.NRGBA, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "transparent" {
		return color.NRGBA{}, nil
	}
	if c, ok := colornames.Map[text]; ok {
		return color.NRGBA(c), nil // all of them are opaque
	}
	var c color.NRGBA
	var ok bool
	switch name, inside, isCall := strings.Cut(text, "("); {
	case strings.HasPrefix(text, "#"):
		c, ok = hexColour(text[1:])
	case isCall && (name == "rgb" || name == "rgba"):
		c, ok = callColour(strings.TrimSuffix(inside, ")"))
	}
	if !ok {
		return c, fmt.Errorf("%.40q is no colour that is understood here", text)
	}
	return c, nil
}

// hexColour reads 3, 4, 6 or 8 hexadecimal digits.
func hexColour(digits string) (color.NRGBA, bool) {
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return color.NRGBA{}, false
	}
	switch len(digits) {
	case 3:
		n = n<<4 | 0xf
		fallthrough
	case 4:
		return color.NRGBA{17 * uint8(n>>12&0xf), 17 * uint8(n>>8&0xf), 17 * uint8(n>>4&0xf), 17 * uint8(n&0xf)}, true
	case 6:
		n = n<<8 | 0xff
		fallthrough
	case 8:
		return color.NRGBA{uint8(n >> 24), uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
	}
	return color.NRGBA{}, false
}

// callColour reads what stands in rgb() or rgba().
func callColour(text string) (color.NRGBA, bool) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,/\t\r\n", r) })
	if len(parts) != 3 && len(parts) != 4 {
		return color.NRGBA{}, false
	}
	v := [4]float64{3: 1}
	for i, part := range parts {
		n, err := proportion(part)
		if err != nil {
			return color.NRGBA{}, false
		}
		if i < 3 && !strings.HasSuffix(part, "%") {
			n /= 255
		}
		v[i] = math.Min(math.Max(n, 0), 1)
	}
	to8 := func(n float64) uint8 { return uint8(n*255 + 0.5) }
	return color.NRGBA{to8(v[0]), to8(v[1]), to8(v[2]), to8(v[3])}, true
}

// faded returns c with its opacity multiplied.
func faded(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(float64(c.A)*opacity + 0.5)
	return c
}

// reference returns the id in url(#id), and what is to be used in its place when
// that is not there.
func reference(value string) (id, otherwise string, ok bool) {
	inside, ok := strings.CutPrefix(value, "url(")
	if !ok {
		return "", "", false
	}
	inside, otherwise, _ = strings.Cut(inside, ")")
	return strings.TrimPrefix(strings.Trim(inside, ` "'`), "#"), strings.TrimSpace(otherwise), true
}
