// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// rossi is the personal data of an invented holder, without padding.
const rossi = "00005F0460900801012024083112202905ROSSI05MARIO080101198001M0010RSSMRA80A01H501U0004H501000004H5010000"

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// padded fills a file up to the size it has on a card.
func padded(content string) []byte {
	return append([]byte(content), make([]byte, personalDataSize-len(content))...)
}

// file writes fields as a card has them.
func file(fields ...string) string {
	var body strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&body, "%02X%s", len(f), f)
	}
	return fmt.Sprintf("%06X%s", body.Len(), &body)
}

func TestParsePersonalData(t *testing.T) {
	for name, raw := range map[string][]byte{"padded": padded(rossi), "bare": []byte(rossi), "fixture": pki.PersonalData()} {
		t.Run(name, func(t *testing.T) {
			d, err := ParsePersonalData(raw)
			if err != nil {
				t.Fatal(err)
			}
			want := PersonalData{
				Raw: raw, IssuerCode: "6090", Issued: day(2024, time.January, 1), Expires: day(2029, time.December, 31),
				Surname: "ROSSI", Name: "MARIO", Born: day(1980, time.January, 1), Sex: Male,
				CodiceFiscale: "RSSMRA80A01H501U", BirthPlace: "H501", Residence: "H501",
				Fields: []string{
					"6090", "01012024", "31122029", "ROSSI", "MARIO", "01011980", "M", "", "RSSMRA80A01H501U",
					"", "H501", "", "", "H501", "", "",
				},
			}
			if got, want := fmt.Sprintf("%+v", *d), fmt.Sprintf("%+v", want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// whole returns sixteen fields of which some are changed.
func whole(changes map[int]string) []string {
	fields := []string{
		"6090", "01012024", "31122029", "ROSSI", "MARIO", "01011980", "M", "180", "RSSMRA80A01H501U",
		"ITALIANA", "H501", "", "12 p. 1", "F205", "VIA ROMA 1", "VALIDA",
	}
	for i, v := range changes {
		fields[i] = v
	}
	return fields
}

func TestPersonalDataWarnings(t *testing.T) {
	cases := []struct {
		name string
		file string
		want []string // one part of each warning
	}{
		{"nothing odd", file(whole(nil)...), nil},
		{"small hexadecimal digits", strings.Replace(rossi, "00005F", "00005f", 1), nil},
		{"fewer fields", file(whole(nil)[:9]...), []string{"9 fields instead of 16"}},
		{"no field", "000000", []string{"0 fields instead of 16"}},
		{"more fields", file(append(whole(nil), "x", "y")...), []string{"18 fields instead of 16"}},
		{"no such day", file(whole(map[int]string{1: "31022024"})...), []string{"date of issue is no date"}},
		{"half a date", file(whole(map[int]string{2: "2029"})...), []string{"date of expiry is no date"}},
		{"no sex known to us", file(whole(map[int]string{6: "X"})...), []string{"neither M nor F"}},
		{"another sex", file(whole(map[int]string{6: "F"})...), []string{"other sex"}},
		{"another birthday", file(whole(map[int]string{5: "02011980"})...), []string{"another day"}},
		{"another century is not seen", file(whole(map[int]string{5: "01011880"})...), nil},
		{"wrong codice fiscale", file(whole(map[int]string{8: "RSSMRA80A01H501X"})...), []string{"check character"}},
		{"provisional codice fiscale", file(whole(map[int]string{8: "01879020517"})...), nil},
		{"no codice fiscale", file(whole(map[int]string{8: ""})...), nil},
		{"padded with FF", rossi + strings.Repeat("\xff", 20), nil},
		{"padded with blanks", rossi + strings.Repeat(" ", 20), nil},
		{"something behind", rossi + "\x00\x00x", []string{"other than padding"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := ParsePersonalData([]byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Warnings) != len(c.want) {
				t.Fatalf("warnings %q", d.Warnings)
			}
			for i, want := range c.want {
				if !strings.Contains(d.Warnings[i], want) {
					t.Errorf("warning %q does not say %q", d.Warnings[i], want)
				}
			}
		})
	}
}

func TestPersonalDataText(t *testing.T) {
	fields := whole(map[int]string{3: "D'AGOST\xc0", 4: "NICOL\u00d2\x1b[2J\u202e", 14: "VIA\x00ROMA 1"})
	d, err := ParsePersonalData([]byte(file(append(fields, "\x01extra")...)))
	if err != nil {
		t.Fatal(err)
	}
	if d.Surname != "D'AGOSTÀ" || d.Name != "NICOLÒ[2J" || d.Address != "VIAROMA 1" {
		t.Errorf("%q %q %q", d.Surname, d.Name, d.Address)
	}
	if d.Fields[3] != "D'AGOST\xc0" || d.Fields[16] != "\x01extra" {
		t.Errorf("fields are not as in the file: %q", d.Fields)
	}
	if d.Height != "180" || d.Citizenship != "ITALIANA" || d.BirthAct != "12 p. 1" || d.ExpatriationNote != "VALIDA" {
		t.Errorf("%+v", d)
	}
}

func TestParsePersonalDataRefuses(t *testing.T) {
	cases := []struct{ name, file, want string }{
		{"empty", "", "six hexadecimal digits"},
		{"blank", strings.Repeat("\x00", 400), "blank"},
		{"never written", strings.Repeat("\xff", 400), "blank"},
		{"half a length", "00005", "six hexadecimal digits"},
		{"not a length", "00x05F" + rossi[6:], "six hexadecimal digits"},
		{"signed length", "-0005F" + rossi[6:], "six hexadecimal digits"},
		{"cut short", rossi[:len(rossi)-1], "are announced"},
		{"the longest length", "FFFFFF" + rossi[6:], "are announced"},
		{"no length of a field", "000004" + "zz00", "field 0"},
		{"half a length of a field", "000003" + "000", "field 1"},
		{"a field that is too long", "000006" + "05abcd", "field 0 has 5 bytes, and 4 are left"},
		{"a field beyond the fields", "000006" + "FFabcd" + strings.Repeat("x", 300), "field 0 has 255 bytes"},
		{"huge", "000000" + strings.Repeat("\x00", personalDataLimit), "too many"},
		{"DER", "\x30\x82\x01\x00abcdef", "six hexadecimal digits"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := ParsePersonalData([]byte(c.file))
			if err == nil || d != nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}

func TestParseCardID(t *testing.T) {
	for raw, ok := range map[string]bool{
		"6090000000000001": true, "609000000000000A": true, "6090000000000001\x00\x00": true, "6090000000000001\xff": true,
		"": false, "609000000000001": false, "60900000000000011": false, "609000000000000a": false,
		"609000000000000\x00": false, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": false,
	} {
		id, err := ParseCardID([]byte(raw))
		if (err == nil) != ok || ok && id != raw[:16] {
			t.Errorf("%q: %q, %v", raw, id, err)
		}
	}
}

func TestCardLifeEnd(t *testing.T) {
	if got := CardLifeEnd(day(2024, time.January, 1)); !got.Equal(day(2030, time.January, 1)) {
		t.Error(got)
	}
}

func TestParseCommonName(t *testing.T) {
	const digest = "b6sR+ohoFtM3/f3NaH5B7i8sv3E="
	cases := []struct {
		cn       string
		want     CommonName
		conforms bool
	}{
		{"RSSMRA80A01H501U/6090000000000001." + digest, CommonName{"RSSMRA80A01H501U", "6090000000000001", digest}, true},
		{"rssmra80a01h501u/6090000000000001." + digest, CommonName{"RSSMRA80A01H501U", "6090000000000001", digest}, true},
		{"RSSMRA80A01H501U/7430000000000001", CommonName{"RSSMRA80A01H501U", "7430000000000001", ""}, false},
		{"RSSMRA80A01H501U/743.x.y/z", CommonName{"RSSMRA80A01H501U", "743", "x.y/z"}, false},
		{"RSSMRA80A01H501U/6090000000000001.b6sR", CommonName{"RSSMRA80A01H501U", "6090000000000001", "b6sR"}, false},
		{"RSSMRA80A01H501U/6090000000000001." + digest + "\n", CommonName{"RSSMRA80A01H501U", "6090000000000001", digest + "\n"}, false},
		{"RSSMRA80A01H501U/609000000000001." + digest, CommonName{"RSSMRA80A01H501U", "609000000000001", digest}, false},
	}
	for _, c := range cases {
		got, err := ParseCommonName(c.cn)
		if err != nil || got != c.want || got.Conforms() != c.conforms {
			t.Errorf("%q: %+v, conforms %t, %v", c.cn, got, got.Conforms(), err)
		}
	}
	for _, cn := range []string{"", "/", "MARIO ROSSI", "RSSMRA80A01H501U", "RSSMRA80A01H501X/6090000000000001.x", "01879020517/6090000000000001.x"} {
		if got, err := ParseCommonName(cn); err == nil || got != (CommonName{}) || got.Conforms() {
			t.Errorf("%q: %+v, %v", cn, got, err)
		}
	}
}

func TestMatchHash(t *testing.T) {
	hash := func(b []byte) string {
		sum := sha1.Sum(b)
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	bare, full := []byte(rossi), padded(rossi)
	cases := []struct {
		name string
		hash string
		file []byte
		want HashInput
	}{
		{"file", "b6sR+ohoFtM3/f3NaH5B7i8sv3E=", full, HashOfFile},
		{"file, read without its padding", "b6sR+ohoFtM3/f3NaH5B7i8sv3E=", bare, HashOfFile},
		{"content", "xUeY5byGcuq7nltNYQERMv2Gu4E=", full, HashOfContent},
		{"content, bare", "xUeY5byGcuq7nltNYQERMv2Gu4E=", bare, HashOfContent},
		{"fields", hash(bare[6:]), full, HashOfFields},
		{"another file", hash([]byte("x")), full, HashInputNone},
		{"a changed file", "b6sR+ohoFtM3/f3NaH5B7i8sv3E=", padded(strings.Replace(rossi, "MARIO", "MARIA", 1)), HashInputNone},
		{"wrong length in the file", hash(bare[6:]), padded("FFFFFF" + rossi[6:]), HashInputNone},
		{"no structure, but the same", hash(padded("zz")), padded("zz"), HashOfFile},
		{"no file", hash(make([]byte, 400)), nil, HashInputNone},
		{"no hash", "", full, HashInputNone},
		{"half a hash", "b6sR+ohoFtM3", full, HashInputNone},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.file)
			if got := (CommonName{Hash: c.hash}).MatchHash(c.file); got != c.want {
				t.Errorf("%v instead of %v", got, c.want)
			}
			if !bytes.Equal(before, c.file) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestMatchHashOfFixture(t *testing.T) {
	n, err := ParseCommonName(issuer().Must(t, pki.CNS).Certificate.Subject.CommonName)
	if err != nil || !n.Conforms() || n.CardID != pki.CardID || n.MatchHash(pki.PersonalData()) != HashOfFile {
		t.Errorf("%+v, %v", n, err)
	}
}

// FuzzParsePersonalData wants what is taken to add up: the fields written again
// are the file, and the texts are fit to be shown.
func FuzzParsePersonalData(f *testing.F) {
	for _, s := range []string{rossi, "", "000000", "000002" + "00", file(whole(nil)[:3]...), file(append(whole(nil), "\xff\x00")...), rossi + "\x00\x00", rossi + "\x00x"} {
		f.Add([]byte(s))
	}
	f.Add(padded(rossi))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := ParsePersonalData(raw)
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		again := []byte(file(d.Fields...))
		if len(raw) < len(again) || !bytes.EqualFold(again, raw[:len(again)]) {
			t.Errorf("%q reads as %q", raw, d.Fields)
		}
		for _, s := range append([]string{d.Surname, d.Name, d.CodiceFiscale, d.Address}, d.Warnings...) {
			if s != printable(s) {
				t.Errorf("%q is not fit to be shown", s)
			}
		}
		if d.Issued.IsZero() && len(d.Fields) > 1 && len(d.Fields[1]) == 8 && len(d.Warnings) == 0 {
			t.Error("a wrong date without a warning")
		}
		if (CommonName{Hash: "xUeY5byGcuq7nltNYQERMv2Gu4E="}).MatchHash(raw) == HashOfContent && string(raw[:101]) != rossi {
			t.Error("the hash of another file matches")
		}
	})
}
