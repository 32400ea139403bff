// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"math"
	"slices"
)

// What readers draw for a comment without an appearance, by its entries.

// maxLetter is the height in points up to which what is marked is taken for a line
// of text: readers draw marks that grow with it, as thick as a pen for this one.
const maxLetter = 144

// smallMarks reports whether what a reader draws for a comment without appearance
// is of the size of an icon, or of text: an insertion mark fills its rectangle, and
// lines under and through text are as thick as the text is high (/QuadPoints,
// ISO 32000-2, 12.5.6.10).
func smallMarks(d *Document, annot *dict) bool {
	area := rectangle(annot)
	if annot.get("Subtype") == name("Caret") {
		return area.width() <= maxIcon && area.height() <= maxIcon
	}
	points, err := soft[*array](d, annot.get("QuadPoints"))
	if err != nil || points == nil {
		return err == nil && annot.get("QuadPoints") == nil
	}
	for i := 0; i+8 <= len(points.items); i += 8 {
		x, y := extent(points.items[i:i+8:i+8], 0), extent(points.items[i:i+8:i+8], 1)
		if !(min(x, y) <= maxLetter) {
			return false
		}
	}
	return true
}

// extent is how far the coordinates at every second place from the first are apart.
func extent(points []object, first int) float64 {
	least, most := math.Inf(1), math.Inf(-1)
	for i := first; i < len(points); i += 2 {
		n, ok := numberOf(points[i])
		if !ok {
			return math.NaN()
		}
		least, most = math.Min(least, n), math.Max(most, n)
	}
	return most - least
}

// borderWidths returns how wide the lines are that a reader draws where there is no
// appearance (ISO 32000-2, 12.5.4), and the radii of corners; not ok when that cannot be
// told.
func borderWidths(d *Document, annot *dict) (widths []float64, ok bool) {
	style, err := soft[*dict](d, annot.get("BS"))
	if err != nil || style == nil && annot.get("BS") != nil {
		return nil, false
	}
	border, err := soft[*array](d, annot.get("Border"))
	if err != nil || border == nil && annot.get("Border") != nil {
		return nil, false
	}
	named := []object{style.get("W")}
	if border != nil {
		named = append(named, border.items...)
	}
	for _, o := range named {
		switch w, isNumber := numberOf(o); o.(type) {
		case nil, *array: // an array is of dashes
		default:
			if !isNumber {
				return nil, false
			}
			widths = append(widths, w)
		}
	}
	return widths, true
}

// thinBorder reports whether the lines that a reader draws where there is no
// appearance are those of a pen.
func thinBorder(d *Document, annot *dict) bool { return bordersUpTo(d, annot, maxPen) }

func bordersUpTo(d *Document, annot *dict, most float64) bool {
	widths, ok := borderWidths(d, annot)
	return ok && !slices.ContainsFunc(widths, func(w float64) bool { return w > most })
}

// darkMarks reports whether readers draw a comment in colours that no paper has.
// They multiply those of a highlight with what is below.
func darkMarks(d *Document, annot *dict) bool {
	for _, key := range []name{"C", "IC"} {
		held, err := soft[*array](d, annot.get(key))
		if err != nil || held == nil && annot.get(key) != nil {
			return false
		}
		if held != nil && pale(held.items) && annot.get("Subtype") != name("Highlight") {
			return false
		}
	}
	return true
}

// maxEnding is the width in points up to which a line may have endings: readers draw
// them up to nine times as large, and fill them in.
const maxEnding = 3

// smallEndings reports whether the ends of a line (/LE, ISO 32000-2, table 179) are
// of the size of an icon.
func smallEndings(d *Document, annot *dict) bool {
	return annot.get("LE") == nil || bordersUpTo(d, annot, maxEnding)
}
