// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// trueType is the tables of a TrueType font that PDF wants, ISO 32000-2, 9.9.
type trueType map[string][]byte

// needed says how long each table is at least. Those of length 0 are optional.
var needed = map[string]int{
	"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4, "loca": 4, "glyf": 1, "cvt ": 0, "fpgm": 0, "prep": 0,
}

func readTrueType(loader *opentype.Loader) (trueType, error) {
	t := trueType{}
	for tag, length := range needed {
		table, err := loader.RawTable(opentype.MustNewTag(tag))
		if length > 0 && (err != nil || len(table) < length) {
			return nil, unshown("the font does not have TrueType outlines (no table %q)", tag)
		}
		if err == nil {
			t[tag] = table
		}
	}
	return t, nil
}

func (t trueType) int16(tag string, at int) int16 {
	return int16(binary.BigEndian.Uint16(t[tag][at:]))
}

// outline returns the outline of a glyph; nothing for none.
func (t trueType) outline(g font.GID) []byte {
	loca, glyf := t["loca"], t["glyf"]
	var at [2]int64
	for i := range at {
		n := int64(g) + int64(i)
		switch long := t.int16("head", 50) != 0; {
		case long && 4*n+4 <= int64(len(loca)):
			at[i] = int64(binary.BigEndian.Uint32(loca[4*n:]))
		case !long && 2*n+2 <= int64(len(loca)):
			at[i] = 2 * int64(binary.BigEndian.Uint16(loca[2*n:]))
		default:
			return nil
		}
	}
	if at[0] >= at[1] || at[1] > int64(len(glyf)) {
		return nil
	}
	return glyf[at[0]:at[1]]
}

// The flags of a part of a composite glyph (OpenType, table glyf).
const (
	partWords   = 1 << 0
	partScale   = 1 << 3
	partMore    = 1 << 5
	partScaleXY = 1 << 6
	partMatrix  = 1 << 7
)

// parts returns where the numbers of the parts of a composite glyph stand.
func parts(outline []byte) []int {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return nil
	}
	var list []int
	for at := 10; at+4 <= len(outline); {
		flags := binary.BigEndian.Uint16(outline[at:])
		list = append(list, at+2)
		at += 4 + 2
		if flags&partWords != 0 {
			at += 2
		}
		switch {
		case flags&partScale != 0:
			at += 2
		case flags&partScaleXY != 0:
			at += 4
		case flags&partMatrix != 0:
			at += 8
		}
		if flags&partMore == 0 {
			break
		}
	}
	return list
}

// maxGlyphs is what the number of a glyph can say.
const maxGlyphs = 0xffff

// subset returns a font with the glyphs of used, numbered in that order, and
// after them those that they are made of.
func (t trueType) subset(used []font.GID) ([]byte, error) {
	glyphs := slices.Clone(used)
	number := map[font.GID]int{}
	for n, g := range glyphs {
		number[g] = n
	}
	var glyf, loca, hmtx bytes.Buffer
	for n := 0; n < len(glyphs); n++ {
		put32(&loca, glyf.Len())
		outline := bytes.Clone(t.outline(glyphs[n]))
		for _, at := range parts(outline) {
			part := font.GID(binary.BigEndian.Uint16(outline[at:]))
			if _, ok := number[part]; !ok {
				number[part] = len(glyphs)
				glyphs = append(glyphs, part)
			}
			binary.BigEndian.PutUint16(outline[at:], uint16(number[part]))
		}
		glyf.Write(outline)
		glyf.Write(make([]byte, -glyf.Len()&3))
		hmtx.Write(t.metric(glyphs[n]))
	}
	if len(glyphs) > maxGlyphs {
		return nil, unshown("its text needs too many glyphs")
	}
	put32(&loca, glyf.Len())
	return t.with(len(glyphs), glyf.Bytes(), loca.Bytes(), hmtx.Bytes()).file(), nil
}

// metric returns the advance width and left side bearing of a glyph.
func (t trueType) metric(g font.GID) []byte {
	hmtx, full := t["hmtx"], int(uint16(t.int16("hhea", 34)))
	row := make([]byte, 4)
	switch n := int(g); {
	case n < full && 4*n+4 <= len(hmtx):
		copy(row, hmtx[4*n:])
	case full > 0 && 4*full <= len(hmtx): // the last width holds for all others
		copy(row, hmtx[4*full-4:4*full-2])
		if at := 4*full + 2*(n-full); at+2 <= len(hmtx) {
			copy(row[2:], hmtx[at:at+2])
		}
	}
	return row
}

// with returns the tables of a font that has so many glyphs.
func (t trueType) with(glyphs int, glyf, loca, hmtx []byte) trueType {
	out := trueType{}
	for tag, table := range t {
		out[tag] = bytes.Clone(table)
	}
	out["glyf"], out["loca"], out["hmtx"] = glyf, loca, hmtx
	binary.BigEndian.PutUint16(out["maxp"][4:], uint16(glyphs))
	binary.BigEndian.PutUint16(out["hhea"][34:], uint16(glyphs))
	binary.BigEndian.PutUint16(out["head"][50:], 1) // offsets of 4 bytes in loca
	binary.BigEndian.PutUint32(out["head"][8:], 0)  // the checksum, see file
	return out
}

// file puts the tables together (OpenType, "Font file").
func (t trueType) file() []byte {
	var tags []string
	for tag := range t {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	var head, body bytes.Buffer
	put32(&head, 0x00010000)
	power, log := 1, 0
	for 2*power <= len(tags) {
		power, log = 2*power, log+1
	}
	for _, n := range []int{len(tags), 16 * power, log, 16 * (len(tags) - power)} {
		head.Write(binary.BigEndian.AppendUint16(nil, uint16(n)))
	}
	start, adjust := 12+16*len(tags), 0
	for _, tag := range tags {
		if tag == "head" {
			adjust = start + body.Len() + 8
		}
		head.WriteString(tag)
		put32(&head, int(checksum(t[tag])))
		put32(&head, start+body.Len())
		put32(&head, len(t[tag]))
		body.Write(t[tag])
		body.Write(make([]byte, -body.Len()&3))
	}
	out := append(head.Bytes(), body.Bytes()...)
	binary.BigEndian.PutUint32(out[adjust:], 0xb1b0afba-checksum(out))
	return out
}

func put32(b *bytes.Buffer, n int) { b.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// checksum sums 32-bit words; a last one cut short is filled up with zeros.
func checksum(table []byte) (sum uint32) {
	for ; len(table) >= 4; table = table[4:] {
		sum += binary.BigEndian.Uint32(table)
	}
	var last [4]byte
	copy(last[:], table)
	return sum + binary.BigEndian.Uint32(last[:])
}
