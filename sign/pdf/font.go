// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// typeface is a font with the glyphs of it that are used.
type typeface struct {
	face   *font.Face
	tables trueType
	used   []font.GID // by the number that the embedded font gives them; .notdef first
	number map[font.GID]int
	reads  map[int][]rune // what a glyph stands for
	width  map[int]int    // in thousandths of the font size
}

// maxFont bounds the length of a font.
const maxFont = 64 << 20

// openFont reads a TrueType font; nothing stands for the one that is built in.
func openFont(data []byte) (*typeface, error) {
	if len(data) == 0 {
		data = goregular.TTF
	}
	if len(data) > maxFont {
		return nil, unshown("a font of more than %d bytes", maxFont)
	}
	face, err := font.ParseTTF(bytes.NewReader(data))
	if err != nil {
		return nil, unshown("reading the font: %v", err)
	}
	loader, err := opentype.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, unshown("reading the font: %v", err)
	}
	tables, err := readTrueType(loader)
	if err != nil {
		return nil, err
	}
	t := &typeface{face: face, tables: tables}
	t.forget()
	return t, nil
}

// forget drops the glyphs that were used, but for .notdef.
func (t *typeface) forget() {
	t.used, t.number = []font.GID{0}, map[font.GID]int{0: 0}
	t.reads, t.width = map[int][]rune{}, map[int]int{}
}

// glyph is one glyph of a line, in thousandths of the font size.
type glyph struct{ number, advance, x, y int }

// line is a line of text, set in glyphs from left to right.
type line struct {
	glyphs  []glyph
	width   int
	toRight bool // it is read from the right, where it begins
}

// em is the size at which text is set: PDF measures glyphs in its thousandths.
const em = 1000

// set sets a line: glyphs are chosen, joined and put in order as the script
// wants it.
func (t *typeface) set(text string) (line, error) {
	runes := []rune(strings.Map(printable, text))
	for _, r := range runes {
		if g, ok := t.face.NominalGlyph(r); (!ok || g == 0) && !unicode.Is(unicode.Cf, r) {
			return line{}, &AppearanceError{
				Why:  fmt.Sprintf("the font does not have the letter %q", r),
				hint: "name a TrueType font that has it: pectoken sign --font FILE",
			}
		}
	}
	in := shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction(runes),
		Face: t.face, Size: fixed.I(em), Language: language.NewLanguage("und"),
	}
	var segmenter shaping.Segmenter
	var shaper shaping.HarfbuzzShaper
	l := line{toRight: in.Direction == di.DirectionRTL}
	for _, run := range visual(segmenter.Split(in, oneFace{t.face}), in.Direction) {
		out := shaper.Shape(run)
		for _, g := range out.Glyphs {
			l.add(t.use(g, runes), g)
		}
	}
	return l, nil
}

// printable makes white space of what cannot be printed.
func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.IsSpace(r) {
		return ' '
	}
	return r
}

// oneFace implements [shaping.Fontmap].
type oneFace struct{ face *font.Face }

// ResolveFace implements [shaping.Fontmap].
func (o oneFace) ResolveFace(rune) *font.Face { return o.face }

// direction is that of the first letter that has one (UAX #9, rules P2 and P3).
func direction(text []rune) di.Direction {
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}

// visual orders runs from left to right: the line is turned round when it reads
// from right to left, and so is what goes against it (UAX #9, rule L2, for two
// levels).
func visual(runs []shaping.Input, line di.Direction) []shaping.Input {
	if line == di.DirectionRTL {
		slices.Reverse(runs)
	}
	for from := 0; from < len(runs); from++ {
		to := from
		for to < len(runs) && runs[to].Direction != line {
			to++
		}
		slices.Reverse(runs[from:to])
		from = max(from, to-1)
	}
	return runs
}

func (l *line) add(number int, g shaping.Glyph) {
	l.glyphs = append(l.glyphs, glyph{number, g.Advance.Round(), g.XOffset.Round(), g.YOffset.Round()})
	l.width += g.Advance.Round()
}

// use returns the number of a glyph in the embedded font.
func (t *typeface) use(g shaping.Glyph, text []rune) int {
	if n, ok := t.number[g.GlyphID]; ok {
		return n
	}
	n := len(t.used)
	t.used, t.number[g.GlyphID] = append(t.used, g.GlyphID), n
	t.width[n] = int(t.face.HorizontalAdvance(g.GlyphID)*em/float32(t.face.Upem()) + 0.5)
	from := min(g.TextIndex(), len(text))
	t.reads[n] = text[from:min(from+max(g.RunesCount(), 1), len(text))]
	return n
}

// embed writes the font with the glyphs that are used (ISO 32000-2, 9.7 and
// 9.9), whole enough for PDF/A: widths, a map to Unicode, and /CIDSet, which
// PDF/A-1 asks for.
func (p *plan) embed(t *typeface) (ref, error) {
	program, err := t.tables.subset(t.used)
	if err != nil {
		return ref{}, err
	}
	var refs [5]ref
	for i := range refs {
		refs[i] = p.allocate()
	}
	whole, descendant, descriptor, file, unicodes := refs[0], refs[1], refs[2], refs[3], refs[4]
	set := p.allocate()
	registry, err := p.text(descendant, "Adobe")
	if err != nil {
		return whole, err
	}
	ordering, err := p.text(descendant, "Identity")
	if err != nil {
		return whole, err
	}
	family := t.baseFont()
	for _, o := range []struct {
		at    ref
		value string
	}{
		{whole, fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%v] /ToUnicode %v >>",
			family, descendant, unicodes)},
		{descendant, fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry %s /Ordering %s /Supplement 0 >> "+
			"/FontDescriptor %v /CIDToGIDMap /Identity /DW 0 /W [0 [%s]] >>", family, registry, ordering, descriptor, t.widths())},
		{descriptor, fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 4 %s /ItalicAngle 0 /StemV 80 /FontFile2 %v /CIDSet %v >>",
			family, t.metrics(), file, set)},
	} {
		if _, err := p.put(o.at, []byte(o.value)); err != nil {
			return whole, err
		}
	}
	if err := p.putStream(file, fmt.Sprintf("/Length1 %d", len(program)), program); err != nil {
		return whole, err
	}
	if err := p.putStream(set, "", t.cidSet()); err != nil {
		return whole, err
	}
	return whole, p.putStream(unicodes, "", t.toUnicode())
}

// baseFont is the name of a subset: six letters that tell it from others.
func (t *typeface) baseFont() string {
	sum := uint64(len(t.used))
	for _, g := range t.used {
		sum = sum*31 + uint64(g)
	}
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(sum%26)
		sum /= 26
	}
	family := strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, t.face.Describe().Family)
	return string(tag) + "+" + family + "Regular"
}

// widths writes the widths of all glyphs, which all are numbered in a row.
func (t *typeface) widths() string {
	t.width[0] = int(t.face.HorizontalAdvance(0)*em/float32(t.face.Upem()) + 0.5)
	var b strings.Builder
	for n := range t.used {
		fmt.Fprintf(&b, "%d ", t.width[n])
	}
	return b.String()
}

func (t *typeface) metrics() string {
	scale := func(n float32) int { return int(n * em / float32(t.face.Upem())) }
	ascent, descent := scale(float32(t.tables.int16("hhea", 4))), scale(float32(t.tables.int16("hhea", 6)))
	var b [4]int
	for i := range b {
		b[i] = scale(float32(t.tables.int16("head", 36+2*i)))
	}
	return fmt.Sprintf("/FontBBox [%d %d %d %d] /Ascent %d /Descent %d /CapHeight %d",
		b[0], b[1], b[2], b[3], ascent, descent, ascent)
}

// cidSet has a bit for each glyph that is there, from the highest of the first
// byte on.
func (t *typeface) cidSet() []byte {
	set := make([]byte, (len(t.used)+7)/8)
	for n := range t.used {
		set[n/8] |= 0x80 >> (n % 8)
	}
	return set
}

// maxMapped is how many lines a block of a CMap has at the most.
const maxMapped = 100

// toUnicode writes the CMap that gives glyphs their meaning, ISO 32000-2, 9.10.3.
func (t *typeface) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	var rows []string
	for n := range t.used {
		if len(t.reads[n]) == 0 {
			continue
		}
		row := fmt.Sprintf("<%04X> <", n)
		for _, u := range utf16.Encode(t.reads[n]) {
			row += fmt.Sprintf("%04X", u)
		}
		rows = append(rows, row+">")
	}
	for block := range slices.Chunk(rows, maxMapped) {
		fmt.Fprintf(&b, "%d beginbfchar\n%s\nendbfchar\n", len(block), strings.Join(block, "\n"))
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
