// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// PersonalData is EF_DatiPersonali, the file of a CNS with what is printed on
// the card: who holds it, since when and until when. Anybody can read it without
// a PIN, and nothing in it is signed.
//
// Texts are fit to be shown: characters that cannot be printed are taken out.
// What the file leaves empty is empty here. Dates are midnight UTC; one that is
// empty, or is no date, is the zero time.
type PersonalData struct {
	Raw    []byte   // the file as it was read, padding included
	Fields []string // every field as it stands in the file, in order, those unknown to us included

	IssuerCode       string // of the administration, such as 6090
	Issued           time.Time
	Expires          time.Time // of the card, not of its certificates
	Surname, Name    string
	Born             time.Time
	Sex              Sex
	Height           string
	CodiceFiscale    string // as it is written, checked or not: see Warnings
	Citizenship      string
	BirthPlace       string // Belfiore code of the town
	BirthCountry     string
	BirthAct         string // registration of the birth
	Residence        string // Belfiore code of the town; on older cards that of ISTAT
	Address          string
	ExpatriationNote string
	Warnings         []string // what is odd about the content
}

// Sizes in EF_DatiPersonali.
const (
	personalDataSize   = 400 // of the file on a CNS (0x190)
	personalDataLimit  = 64 << 10
	lengthSize         = 6 // hexadecimal digits of the length in front
	fieldLengthSize    = 2 // hexadecimal digits of the length of a field
	personalDataFields = 16
)

// ParsePersonalData takes EF_DatiPersonali apart: six hexadecimal digits, the
// length of what follows; then fields, each of two hexadecimal digits, its
// length, and that many bytes; then padding.
//
// A structure that does not add up is an error. A file that has fewer fields than
// the sixteen of the CNS, or more, or a field whose content is wrong, such as a day
// that does not exist or a codice fiscale that is not one, is read; Warnings says
// so in a short phrase each.
func ParsePersonalData(raw []byte) (*PersonalData, error) {
	fields, end, err := personalFields(raw)
	if err != nil {
		return nil, fmt.Errorf("parsing personal data: %w", err)
	}
	d := &PersonalData{Raw: bytes.Clone(raw), Fields: fields}
	d.assign()
	if n := len(fields); n != personalDataFields {
		d.warn("%d fields instead of %d", n, personalDataFields)
	}
	if !isPadding(raw[end:]) {
		d.warn("something other than padding follows the fields")
	}
	d.compareHolder()
	return d, nil
}

// personalFields returns the fields and where they end.
func personalFields(raw []byte) (fields []string, end int, err error) {
	switch {
	case len(raw) > personalDataLimit:
		return nil, 0, fmt.Errorf("%d bytes are too many", len(raw))
	case len(raw) > 0 && isPadding(raw):
		return nil, 0, errors.New("the file is blank")
	}
	length, ok := hexNumber(raw, lengthSize)
	if !ok {
		return nil, 0, errors.New("it does not begin with a length of six hexadecimal digits")
	}
	if length > len(raw)-lengthSize {
		return nil, 0, fmt.Errorf("fields of %d bytes are announced, and %d bytes follow", length, len(raw)-lengthSize)
	}
	end = lengthSize + length
	for rest := raw[lengthSize:end]; len(rest) > 0; {
		size, ok := hexNumber(rest, fieldLengthSize)
		if !ok {
			return nil, 0, fmt.Errorf("field %d does not begin with a length of two hexadecimal digits", len(fields))
		}
		if rest = rest[fieldLengthSize:]; size > len(rest) {
			return nil, 0, fmt.Errorf("field %d has %d bytes, and %d are left", len(fields), size, len(rest))
		}
		fields, rest = append(fields, string(rest[:size])), rest[size:]
	}
	return fields, end, nil
}

// hexNumber reads the number that the first digits of data are.
func hexNumber(data []byte, digits int) (int, bool) {
	if len(data) < digits {
		return 0, false
	}
	decoded := make([]byte, digits/2)
	if _, err := hex.Decode(decoded, data[:digits]); err != nil {
		return 0, false
	}
	n := 0
	for _, b := range decoded {
		n = n<<8 | int(b)
	}
	return n, true
}

// isPadding says whether a card would fill unused space with these bytes: zeros,
// or the FF of memory that was never written, or blanks.
func isPadding(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	first := data[0]
	return (first == 0 || first == 0xff || first == ' ') && len(bytes.TrimLeft(data, string(data[:1]))) == 0
}

// assign gives the fields that are there their meaning, by their place.
func (d *PersonalData) assign() {
	text := func(i int) string {
		if i >= len(d.Fields) {
			return ""
		}
		return printable(utf8Text(d.Fields[i]))
	}
	d.IssuerCode = text(0)
	d.Issued = d.date("date of issue", text(1))
	d.Expires = d.date("date of expiry", text(2))
	d.Surname, d.Name = text(3), text(4)
	d.Born = d.date("date of birth", text(5))
	d.Sex = d.sex(text(6))
	d.Height = text(7)
	d.CodiceFiscale = text(8)
	d.Citizenship = text(9)
	d.BirthPlace, d.BirthCountry, d.BirthAct = text(10), text(11), text(12)
	d.Residence, d.Address = text(13), text(14)
	d.ExpatriationNote = text(15)
}

// utf8Text reads what is not UTF-8 as ISO 8859-1, in which every byte is a
// character.
func utf8Text(s string) string {
	if strings.ToValidUTF8(s, "") == s {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// date reads DDMMYYYY.
func (d *PersonalData) date(what, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse("02012006", s)
	if err != nil || t.IsZero() {
		d.warn("the %s is no date: %.16q", what, s)
		return time.Time{}
	}
	return t
}

func (d *PersonalData) sex(s string) Sex {
	switch s {
	case "M":
		return Male
	case "F":
		return Female
	case "":
	default:
		d.warn("the sex is neither M nor F: %.16q", s)
	}
	return SexUnknown
}

// compareHolder checks the codice fiscale, and what it says of its holder
// against the rest of the file.
func (d *PersonalData) compareHolder() {
	if d.CodiceFiscale == "" {
		return
	}
	c, err := ParseCodiceFiscale(d.CodiceFiscale)
	if err != nil {
		d.warn("%v", err)
		return
	}
	if c.Provisional {
		return
	}
	if !d.Born.IsZero() && !c.IsBirthday(d.Born) {
		d.warn("the codice fiscale is of somebody born on another day")
	}
	if d.Sex != SexUnknown && d.Sex != c.Sex {
		d.warn("the codice fiscale is of somebody of the other sex")
	}
}

func (d *PersonalData) warn(format string, arguments ...any) {
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, arguments...))
}

// CardLifeEnd returns the day on which a card issued on a day ends its life: six
// years later (DPR 117/2004, article 5). Its certificates end earlier, and are
// renewed at most once.
func CardLifeEnd(issued time.Time) time.Time {
	const years = 6
	return issued.AddDate(years, 0, 0)
}

// cardIDSize is the length of a card number, and of EF_IDCarta.
const cardIDSize = 16

// ParseCardID reads EF_IDCarta: the sixteen digits of the card's number, or
// capital letters. Padding may follow. It is the number in the common name of
// the card's CNS certificate, and the serial number of its PKCS#11 token; see
// [SameCard].
func ParseCardID(raw []byte) (string, error) {
	if len(raw) < cardIDSize || !isPadding(raw[cardIDSize:]) || !isCardID(string(raw[:cardIDSize])) {
		return "", fmt.Errorf("parsing card number: %.40q is not sixteen digits", raw)
	}
	return string(raw[:cardIDSize]), nil
}

func isCardID(s string) bool { return len(s) == cardIDSize && isAlphanumeric(s) }

// isAlphanumeric says whether s is of digits and capital letters.
func isAlphanumeric(s string) bool {
	for _, b := range []byte(s) {
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') {
			return false
		}
	}
	return true
}
