// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Answers to reset that were published, and one that our virtual card gives.
const (
	atrSTIncard = "3bff1800008131fe55006b02090703010101434e5310318066"
	atrVirtual  = "3bff1800ff8131fe55006b05050101011101434e5311318087"
	atrCosmoV9  = "3bff1800008131fe45006b05052000012101434e5310318079"
	atrCosmoV91 = "3bff1800008131fe45006b0505912001f101434e5310318038"
	atrACe      = "3bff1800ff8131fe4d006b0404b85b01f101434e531031809d"
	atrFirstCIE = "3bf418 00ff8131805500318000c7"
	atrBare     = "3b80800101" // contactless, with nothing to say
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", ".", "0").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustATR(t testing.TB, s string) *ATR {
	t.Helper()
	a, err := ParseATR(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// itid is an ATR with the historical bytes of a CIE v2, and its TCK.
func itid() string {
	raw := append([]byte{0x3b, 0x8f, 0x01, 0x00, 0x6b, 0x02, 0x09, 0x01, 0x02}, "\x02ITID  1\x80"...)
	sum := byte(0)
	for _, b := range raw[1:] {
		sum ^= b
	}
	return hex.EncodeToString(append(raw, sum))
}

func TestParseATR(t *testing.T) {
	cases := []struct {
		name, atr string
		want      string // mark, IC maker, mask maker, firmware, version, TCK, protocols
	}{
		{"STIncard", atrSTIncard, "CNS/STMicroelectronics/STIncard/[7 3]/10/good/[1]"},
		{"virtual", atrVirtual, "CNS/Infineon/IDEMIA (Oberthur)/[1 1]/11/good/[1]"},
		{"Cosmo V9", atrCosmoV9, "CNS/Infineon/IDEMIA (Oberthur)/[32 0]/10/good/[1]"},
		{"ACe 2025", atrACe, "CNS/NXP/Giesecke+Devrient/[184 91]/10/good/[1]"},
		{"first CIE", atrFirstCIE, "CIEv1//" + "/[0 0]/0/good/[1]"},
		{"second CIE", itid(), "CIEv2/STMicroelectronics/STIncard/[1 2]/0/good/[1]"},
		{"signature device", "3bff1800ff8131fe55006b0209030301010144534410318090", "DSD/STMicroelectronics/STIncard/[3 3]/10/good/[1]"},
		{"health card", "3bff1800ffc10a31fe55006b0508c80501010248504310318000", "HPC/Infineon/Siemens/[200 5]/10/wrong/[1]"},
		{"makers unknown to us", "3bff1800008131fe55006bEEEE0703010101434e5310318066", "CNS///[7 3]/10/wrong/[1]"},
		{"T=0, no TCK", "3b9f94401e0067164346495345105266ff819000", "//" + "/[0 0]/0/absent/[0]"},
		{"contactless", atrBare, "///[0 0]/0/good/[0 1]"},
		{"shortest", "3b00", "///[0 0]/0/absent/[0]"},
		{"inverse convention", "3f00", "///[0 0]/0/absent/[0]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := mustATR(t, c.atr)
			got := fmt.Sprintf("%s/%s/%s/%v/%x/%v/%v", a.Mark, a.ICMakerName(), a.MaskMakerName(), a.Firmware, a.CNSVersion, a.Check, a.Protocols)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestParseATRRefuses(t *testing.T) {
	cases := []struct{ name, atr, want string }{
		{"nothing", "", "shorter"},
		{"one byte", "3b", "shorter"},
		{"not an ATR", "6f38", "TS is 6F"},
		{"cut among the interface characters", atrSTIncard[:10], "interface"},
		{"cut at a TD", "3bf0110000", "interface"},
		{"cut in the historical bytes", atrSTIncard[:40], "historical"},
		{"no TCK", atrSTIncard[:48], "no TCK"},
		{"a byte too many", atrSTIncard + "00", "too many"},
		{"too long", "3b" + strings.Repeat("80", 33), "longer than 33"},
		{"interface characters without end", "3b" + strings.Repeat("80", 32), "interface"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseATR(unhex(t, c.atr))
			if err == nil || a != nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

func TestChipOf(t *testing.T) {
	cases := []struct {
		atr, name, module string
		drives            bool
	}{
		{atrSTIncard, chipJSign, "/usr/lib/bit4id/libbit4xpki.so", true},
		{atrSTIncard, chipJSign, `C:\Windows\System32\BIT4XPKI.dll`, true},
		{atrSTIncard, chipJSign, "/usr/lib/opensc-pkcs11.so", false},
		{atrSTIncard, chipJSign, "", false},
		{atrCosmoV9, chipCosmoV9, "libbit4xpki.so", false},
		{atrVirtual, "CNS by IDEMIA (Oberthur) on a chip of Infineon", "libbit4xpki.so", false},
		{"3bff1800ff8131fe55006b05052101011101434e5311318087", "IDEMIA 2021", "", false},
		{"3bff1800ff8131fe55006b020903030144 01434e53103180 00", "Touch&Sign2048 (InfoCert CNS4)", "libbit4xpki.so", true},
		{"3bdf18008131fe7d006b150c0181 010203040506070809 00", "Athena ASEPCOS", "/usr/lib/x64-athena/libASEP11.so", true},
		{"3b8b80010031c164 0867 3212 9000 00 00", "IDEMIA, contactless", "", false},
		{atrFirstCIE, "CIE v1", "opensc-pkcs11.so", true},
	}
	for _, c := range cases {
		chip, ok := ChipOf(mustATR(t, c.atr))
		if !ok || chip.Name != c.name || chip.Drives(c.module) != c.drives {
			t.Errorf("%s: %+v drives %q: %t", c.atr, chip, c.module, chip.Drives(c.module))
		}
	}
	for _, a := range []*ATR{nil, mustATR(t, atrBare), mustATR(t, "3b00")} {
		if chip, ok := ChipOf(a); ok || chip.Name != "" {
			t.Errorf("%v is taken for %+v", a, chip)
		}
	}
}

// TestChipTable makes an ATR of every row: it must be one, and lead back to the
// row's name, so that no row hides behind another.
func TestChipTable(t *testing.T) {
	for _, row := range chips {
		pattern, open := strings.CutSuffix(row.pattern, "*")
		if open {
			continue // the beginning of an ATR is none
		}
		chip, ok := ChipOf(mustATR(t, pattern))
		if !ok || chip.Name != row.name {
			t.Errorf("%s is %q instead of %q", row.pattern, chip.Name, row.name)
		}
		for _, m := range row.modules {
			if m != strings.ToLower(m) || strings.ContainsAny(m, "./") || strings.HasPrefix(m, "lib") {
				t.Errorf("%s: module %q is not the bare name of a file", row.pattern, m)
			}
		}
	}
	chip, _ := ChipOf(mustATR(t, atrSTIncard))
	chip.Modules[0] = "changed"
	if again, _ := ChipOf(mustATR(t, atrSTIncard)); again.Modules[0] == "changed" {
		t.Error("a caller can change the table")
	}
}

func TestLimitsOpenSC(t *testing.T) {
	for atr, want := range map[string]bool{atrSTIncard: true, atrVirtual: false, atrFirstCIE: false, atrBare: false} {
		if got := mustATR(t, atr).LimitsOpenSC(); got != want {
			t.Errorf("%s: %t", atr, got)
		}
	}
}

func TestCertificationOf(t *testing.T) {
	end2025, jSign := day(2025, time.December, 31), day(2026, time.June, 29)
	cases := []struct {
		atr   string
		until time.Time
		doubt bool
	}{{atrCosmoV9, end2025, false}, {atrCosmoV91, end2025, true}, {atrSTIncard, jSign, true}}
	for _, c := range cases {
		got, ok := CertificationOf(mustATR(t, c.atr))
		if !ok || !got.Until.Equal(c.until) || (got.Doubt != "") != c.doubt || got.Source == "" {
			t.Errorf("%s: %+v, %t", c.atr, got, ok)
		}
	}
	for _, a := range []*ATR{nil, mustATR(t, atrVirtual), mustATR(t, atrBare)} {
		if got, ok := CertificationOf(a); ok {
			t.Errorf("%v: %+v", a, got)
		}
	}
	for name := range certifications {
		if !slices.ContainsFunc(chips, func(row chipRow) bool { return row.name == name }) {
			t.Errorf("no ATR leads to the certification of %q", name)
		}
	}
}

// FuzzParseATR wants the parts of what is taken to be in it, and any card to be
// looked up.
func FuzzParseATR(f *testing.F) {
	for _, s := range []string{atrSTIncard, atrVirtual, atrACe, atrFirstCIE, atrBare, itid(), "3b00", "3b9f94401e0067164346495345105266ff819000"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseATR(raw)
		if err != nil {
			return
		}
		if len(raw) > maxATR || !bytes.Equal(a.Raw, raw) || !bytes.Contains(raw, a.Historical) || len(a.Historical) != int(raw[1]&15) {
			t.Errorf("%X: %+v", raw, a)
		}
		if a.Check == CheckUnknown || len(a.Protocols) == 0 {
			t.Errorf("%X: %+v", raw, a)
		}
		chip, known := ChipOf(a)
		if a.Mark != "" && (!known || chip.Name == "") {
			t.Errorf("%X: marked %q and not known", raw, a.Mark)
		}
		CertificationOf(a)
	})
}
