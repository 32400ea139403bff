// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"maps"
	"slices"
)

// RiskKind says what sort of content can make a document look different without
// being changed.
type RiskKind string

// The kinds of risk.
const (
	RiskScript   RiskKind = "javaScript"   // programs that readers run
	RiskAction   RiskKind = "action"       // what happens by itself, or starts a program, or sends the form away
	RiskLayers   RiskKind = "hiddenLayers" // optional content that can be shown and hidden
	RiskExternal RiskKind = "external"     // content that stands in another file
	RiskXFA      RiskKind = "xfa"          // a second form in XML, drawn in the place of the pages
	RiskOverlay  RiskKind = "overlay"      // an annotation or another field on top of a form field
)

// Risk is content of a document that can change what is shown without changing a
// byte. It is worth a warning before signing, and when a signature is verified.
type Risk struct {
	Kind RiskKind
	What string // for a person, with the page where one is known
}

// Risks lists what there is of each kind, once, in the newest revision. Links that
// a reader has to click are no risk. Not found is what a page hides by drawing
// over it, and what its resources take from other files. The error is a
// *DamagedError or an *EncryptedError when the document cannot be walked through.
func (d *Document) Risks() ([]Risk, error) {
	if err := d.locked(); err != nil {
		return nil, fmt.Errorf("looking for hidden content: %w", err)
	}
	l := newLedger(d, d)
	f := &riskFinder{ledger: l, count: map[RiskKind]int{}, first: map[RiskKind]string{},
		seen: map[int64]bool{}, boxes: map[int64]rect{}, areas: map[int][]area{}}
	l.inspect, l.skip = f.object, drawn
	if err := l.open(); err != nil {
		return nil, err
	}
	if err := f.overlays(); err != nil {
		return nil, err
	}
	return f.list(), nil
}

// drawn are the keys under which there is what pages are drawn with. Nothing in it
// acts by itself, and it is most of a document.
var drawn = map[name]bool{"Resources": true, "Contents": true, "AP": true, "StructTreeRoot": true, "Thumb": true, "B": true, "DSS": true}

// riskFinder looks at every object of a walk.
type riskFinder struct {
	*ledger
	count map[RiskKind]int
	first map[RiskKind]string
	seen  map[int64]bool
	boxes map[int64]rect // of widgets
	areas map[int][]area // of each page
}

// area is where an annotation is.
type area struct {
	rect
	field bool
}

func (f *riskFinder) note(kind RiskKind, page int, what string) {
	if f.count[kind]++; f.count[kind] > 1 {
		return
	}
	if page > 0 {
		what = fmt.Sprintf("page %d: %s", page, what)
	}
	f.first[kind] = what
}

// list puts the findings in the order of the kinds.
func (f *riskFinder) list() []Risk {
	var list []Risk
	for _, kind := range []RiskKind{RiskScript, RiskAction, RiskLayers, RiskExternal, RiskXFA, RiskOverlay} {
		switch n := f.count[kind]; {
		case n == 1:
			list = append(list, Risk{kind, f.first[kind]})
		case n > 1:
			list = append(list, Risk{kind, fmt.Sprintf("%s (the first of %d)", f.first[kind], n)})
		}
	}
	return list
}

// object looks at one object of the walk.
func (f *riskFinder) object(o *indirect, v visit) {
	if f.seen[o.num] {
		return
	}
	f.seen[o.num] = true
	d := dictOf(o)
	switch v.purpose {
	case pageLeaf:
		v.page = f.pages + 1 // it is counted after this
	case catalogue:
		f.catalogRisks(d)
	case formDict:
		f.formRisks(d)
	case annotation, formField:
		f.annotationRisks(d, v)
	}
	if d != nil && d.data > 0 && d.get("F") != nil {
		f.note(RiskExternal, v.page, "a stream that stands in another file")
	}
	f.actions(o.value, v.page, v.key)
}

func (f *riskFinder) catalogRisks(root *dict) {
	if root.get("OCProperties") != nil {
		f.note(RiskLayers, 0, "layers that can be shown and hidden")
	}
	if form, ok := root.get("AcroForm").(*dict); ok {
		f.formRisks(form)
	}
}

func (f *riskFinder) formRisks(form *dict) {
	if form.get("XFA") != nil {
		f.note(RiskXFA, 0, "an XFA form, which some readers draw in the place of the pages")
	}
}

// annotationRisks notes where things lie that can cover each other.
func (f *riskFinder) annotationRisks(d *dict, v visit) {
	kind, _ := d.get("Subtype").(name)
	r := rectangle(d)
	switch {
	case !r.visible() || kind == "Popup" || kind == "Link":
	case kind == "Widget":
		f.boxes[v.num] = r
	case v.page > 0 && v.key == "Annots":
		f.areas[v.page] = append(f.areas[v.page], area{r, false})
	}
}

// actions looks for actions (ISO 32000-2, 12.6) and references to other files in
// an object and what stands in it.
func (f *riskFinder) actions(o object, page int, key name) {
	switch o := o.(type) {
	case *array:
		for _, item := range o.items {
			f.actions(item, page, key)
		}
	case *dict:
		f.action(o, page, key)
		for _, e := range o.entries {
			f.actions(e.value, page, e.key)
		}
	}
}

// automatic are the keys of actions that nobody clicks.
var automatic = []name{"OpenAction", "AA", "O", "C"}

func (f *riskFinder) action(d *dict, page int, key name) {
	switch kind, _ := d.get("S").(name); kind {
	case "JavaScript":
		f.note(RiskScript, page, "a JavaScript program")
	case "Launch", "ImportData", "SubmitForm", "ResetForm", "Hide", "SetOCGState", "Rendition":
		f.note(RiskAction, page, fmt.Sprintf("an action of the kind %s", kind))
	case "GoToR", "GoToE":
		f.note(RiskExternal, page, "a link into another document")
	case "URI":
		if slices.Contains(automatic, key) {
			f.note(RiskAction, page, "an address that is opened by itself")
		}
	}
}

// overlays looks for what lies on top of form fields.
func (f *riskFinder) overlays() error {
	for _, num := range slices.Sorted(maps.Keys(f.boxes)) {
		if page := f.pageOf(num); page > 0 {
			f.areas[page] = append(f.areas[page], area{f.boxes[num], true})
		}
	}
	for _, page := range slices.Sorted(maps.Keys(f.areas)) {
		areas := f.areas[page]
		if err := f.spend(int64(len(areas)) * int64(len(areas))); err != nil {
			return err
		}
		f.overlaysOn(page, areas)
	}
	return nil
}

func (f *riskFinder) pageOf(num int64) int {
	if facts := f.fields[num]; facts != nil {
		return facts.page
	}
	return 0
}

func (f *riskFinder) overlaysOn(page int, areas []area) {
	for i, a := range areas {
		for _, b := range areas[:i] {
			if (a.field || b.field) && a.overlaps(b.rect) {
				f.note(RiskOverlay, page, fmt.Sprintf("a form field has something else on top of it, at %v", b.rect))
			}
		}
	}
}

// overlaps reports whether two rectangles have more than an edge in common.
func (r rect) overlaps(q rect) bool {
	return min(r[0], r[2]) < max(q[0], q[2]) && min(q[0], q[2]) < max(r[0], r[2]) &&
		min(r[1], r[3]) < max(q[1], q[3]) && min(q[1], q[3]) < max(r[1], r[3])
}
