// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
)

// Chip is a family of cards that share an ATR.
type Chip struct {
	Name string

	// Modules are the PKCS#11 modules that are known to drive it, best first, by
	// the part of their file name that is the same on all systems: bit4xpki stands
	// for libbit4xpki.so, libbit4xpki.dylib and bit4xpki.dll. Empty is not known.
	Modules []string
}

// ChipOf finds the family of a card by its ATR, in a table compiled in November
// 2026. An unlisted card of an Italian kind is named by its makers, without
// modules. The second result is false if nothing is known.
//
// The table was put together from lists that others published, not from cards;
// see [ParseATR] on what an ATR proves.
func ChipOf(a *ATR) (Chip, bool) {
	if a == nil {
		return Chip{}, false
	}
	for _, row := range chips {
		if matchesATR(row.pattern, a.Raw) {
			return Chip{row.name, slices.Clone(row.modules)}, true
		}
	}
	switch {
	case a.Mark == "":
		return Chip{}, false
	case a.isIDEMIA2021():
		return Chip{Name: "IDEMIA 2021"}, true
	}
	return Chip{Name: a.makers()}, true
}

// isIDEMIA2021 recognises the generation that keeps its authentication
// certificate in another place, as OpenSC does: makers 5 and firmware 32 or later.
func (a *ATR) isIDEMIA2021() bool {
	const idemia, infineon, firmware = 5, 5, 0x20
	return a.Mark == MarkCNS && a.MaskMaker == idemia && a.ICMaker == infineon && a.Firmware[0] >= firmware
}

// LimitsOpenSC says whether OpenSC, up to 0.23, would take the card's keys for
// RSA-1024 because its ATR says CNS 1.0: logging in works there, and signing with
// a longer key does not. Later ones know better for the IDEMIA cards of 2021.
func (a *ATR) LimitsOpenSC() bool {
	const version1 = 0x10
	return a.Mark == MarkCNS && a.CNSVersion == version1
}

// Drives says whether the PKCS#11 module in the file is one of those known for
// this chip.
func (c Chip) Drives(module string) bool {
	file := strings.ToLower(filepath.Base(strings.ReplaceAll(module, `\`, "/")))
	name, _, _ := strings.Cut(strings.TrimPrefix(file, "lib"), ".")
	return slices.ContainsFunc(c.Modules, func(m string) bool { return strings.EqualFold(m, name) })
}

// makers describes a card that is in no row.
func (a *ATR) makers() string {
	name := string(a.Mark)
	if maker := a.MaskMakerName(); maker != "" {
		name += " by " + maker
	}
	if maker := a.ICMakerName(); maker != "" {
		name += " on a chip of " + maker
	}
	return name
}

// matchesATR compares an ATR with a pattern in hexadecimal, in which a dot stands
// for any digit, and a star at the end for anything that may follow.
func matchesATR(pattern string, atr []byte) bool {
	digits := hex.EncodeToString(atr)
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		pattern, digits = prefix, digits[:min(len(digits), len(prefix))]
	}
	if len(pattern) != len(digits) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != '.' && pattern[i] != digits[i] {
			return false
		}
	}
	return true
}

// chipRow is a row of the table: a pattern for [matchesATR], and the chip.
type chipRow struct {
	pattern string
	name    string
	modules []string
}

// Names that stand in several tables.
const (
	chipCosmoV9  = "ID-One CNS V2 on Cosmo V9"
	chipCosmoV91 = "ID-One CNS V2 on Cosmo V9.1"
	chipJSign    = "Incard J-Sign 2048"
)

// chips is the table of ATRs, as published by November 2026 in the card
// database of j4sign-revisited (sc.properties), smartcard_list.txt of pcsc-tools,
// the card lists of webcrypto-local and BISS, OpenSC's drivers and installer, and
// OpenSC#3804 on ACe 2025. The first row that matches counts.
var chips = []chipRow{
	// InfoCamere and other cards from before the CNS.
	{"3b9f94401e0067164346495345105266ff819000", "InfoCamere 1201", []string{"ipmpki32"}},
	{"3bb794008131fe6553504b32339000d1", "InfoCamere 1202", []string{"ipmpkilc", "incryptoki2"}},
	{"3bf29800ffc11031fe55c80412", "InfoCamere 1203", []string{"ipmpki32", "incryptoki2"}},
	{"3bfc9800ffc11031fe55c803496e666f63616d65726528", "InfoCamere on Siemens 140 or 150", []string{"si_pkcs11"}},
	{"3bf29800ffc11031fe55c80315", "Notaries' card (Actalis)", []string{"cardos_pkcs11"}},
	{"3be200ffc11031fe55c8029c", "Postecom or RTRT", []string{"gclib"}},
	{"3ba70040188065a208010152", "Postecom or RTRT", []string{"gclib"}},
	{"3bff1100ff81318055006802001010494e43525950544f001a", "Incrypto V1 32K", []string{"ipmpki32"}},
	{"3bf49800ffc11031fe554d346376b4", "CryptoVision", []string{"cvp11_m4"}},
	{"3bf4180002c10a31fe5856346376c5", "Eutron CardOS M4.3B", []string{"cmp11"}},
	{"3be900ffc11031fe5500640500c80231800047", "CIE v1 or Postecert on CardOS", []string{"opensc-pkcs11"}},
	{"3bfb9800ffc11031fe550064052047033180009000f3", "InfoCamere on CardOS", []string{"opensc-pkcs11"}},

	// STIncard, with the operating systems of Bit4id's kits.
	{"3bff1800ff8131fe55006b0209020001..01434e53..3180..", "Incrypto34 V2", []string{"bit4ipki", "incryptoki2"}},
	{"3bff1800ff8131fe55006b0209030301..01434e53..3180..", "Touch&Sign2048 (InfoCert CNS4)", []string{"bit4ipki", "bit4xpki"}},
	{"3bff1800ff8131fe55006b0209030301010144534410318090", "Touch&Sign2048, signature device", []string{"bit4ipki"}},
	{"3bff1800008131fe55006b0209040301..01434e53103180..", chipJSign, []string{"bit4xpki"}},
	{"3bff1800008131fe55006b0209060301..01434e53103180..", chipJSign, []string{"bit4xpki"}},
	{"3bff1800008131fe55006b0209070301..01434e53103180..", chipJSign, []string{"bit4xpki"}},
	{"3bff9600ff8131fe55006b0209040301................14", chipJSign, []string{"bit4xpki"}},

	// IDEMIA, before that Oberthur.
	{"3bff1800008131fe45006b0405010001..01434e53..3180..", "Oberthur CNS", []string{"bit4opki"}},
	{"3bff1800008131fe45006b0505912001f101434e5310318038", chipCosmoV91, []string{"bit4xpki"}},
	{"3bff1800008131fe45006b05052000012101434e5310318079", chipCosmoV9, nil},
	{"3b8b80010031c164*", "IDEMIA, contactless", nil},

	// Siemens and Athena.
	{"3bff1800ffc10a31fe55006b0508c80501..01434e53..3180..", "Siemens CNS", []string{"cnspkcs11"}},
	{"3bff1800ffc10a31fe55006b0508c80501..02485043..3180..", "Siemens SISS", []string{"sissp11"}},
	{"3bdf18008131fe7d006b020c0182..1101434e53103180..", "Athena ASEPCOS", []string{"asep11", "asepkcs"}},
	{"3bdf18008131fe7d006b040c0182..1101434e53103180..", "Athena ASEPCOS", []string{"asep11", "asepkcs"}},
	{"3bdf18008131fe7d006b150c0180*", "Athena ASEPCOS", []string{"asep11", "asepkcs"}},
	{"3bdf18008131fe7d006b150c0181*", "Athena ASEPCOS", []string{"asep11", "asepkcs"}},

	// Others.
	{"3bff1800ff8131fe4d006b0404b85b01f101434e531031809d", "ACe 2025 (Actalis), NXP with Giesecke+Devrient", nil},
	{"3b9f118131fe9f006b42495434494420332e30009000cf", "Bit4id TokenME", nil},
	{"3bf41800ff8131805500318000c7", "CIE v1", []string{"opensc-pkcs11"}},
}
