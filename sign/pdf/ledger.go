// SPDX-License-Identifier: Apache-2.0

package pdf

// purpose says what part an object plays in a document, which decides how it may
// change. An object with two purposes is frozen.
type purpose int

const (
	unused      purpose = iota
	frozen              // anything that may never change
	catalogue           // the document catalog
	pageNode            // a node of the page tree that is no page
	pageLeaf            // a page
	annotList           // the array under /Annots of a page
	annotation          // an annotation that is no widget, and what it refers to
	formDict            // the interactive form
	fieldList           // the array under /Fields of the form
	formField           // a field, a widget, or both merged
	fieldValue          // the value of a field that can be filled in
	appearance          // the appearance of such a field
	resources           // /DR of the form
	resourceSet         // a category in it, such as /Font
	dss                 // /DSS of the catalog and what it refers to
	extensions          // /Extensions of the catalog
	metadata            // /Metadata of the catalog
	info                // /Info of the trailer
	structRoot          // the root of the structure tree
	tag                 // an element of it, or a list of elements
	tagNumbers          // what leads from content to elements
)

// use is the purpose of an object and how a reader gets to it.
type use struct {
	purpose
	owner int64 // of a fieldValue or an appearance: the field; the purposes of two fields differ
	page  int   // for people: number of the page it is on, 0 for none
	via   name  // for people: the key of page, catalog or field that leads to it
}

func (u use) same(v use) bool { return u.purpose == v.purpose && u.owner == v.owner }

// as is u with another purpose.
func (u use) as(p purpose) use {
	u.purpose = p
	return u
}

// ledger knows what every object of a document is for. That is found out by a
// walk through the oldest revision that matters, and brought up to date with
// each step from there. A purpose once found is kept when a later revision drops
// the object.
type ledger struct {
	*Document           // the view walked last
	newest    *Document // all of the file
	updated   map[int64]bool
	oldest    int   // index of the section that the walk began with
	highest   int64 // object number that the sections up to the view speak of

	uses   map[int64]use
	pages  int
	sheets []int64 // the pages, by number
	fields map[int64]*fieldFacts
	names  map[string]bool // of all fields
	late   []int64         // objects that only bytes of later revisions complete

	stamped map[stampPlace]int // the round after that of the last stamp there

	structure []visit // to be done first, so that all fields and pages are known
	rest      []visit
	round     int                    // counts the steps
	inspect   func(*indirect, visit) // sees every object; nil for nobody
	skip      map[name]bool          // keys under which nothing is looked for
	permissions
}

// visit is a reference that a walk has to follow.
type visit struct {
	ref
	use
	key    name        // that leads there
	parent *fieldFacts // of a field
}

// newLedger begins with an empty ledger for view.
func newLedger(view, newest *Document) *ledger {
	return &ledger{
		Document: view, newest: newest, oldest: view.first,
		updated: map[int64]bool{}, uses: map[int64]use{}, fields: map[int64]*fieldFacts{}, names: map[string]bool{},
		stamped:     map[stampPlace]int{},
		permissions: permissions{level: formFilling},
	}
}

// open walks through all of the view.
func (l *ledger) open() error {
	if err := l.indexUpdates(); err != nil {
		return err
	}
	l.raise(l.sections[l.oldest:])
	trailer, err := l.trailerDict()
	if err != nil {
		return err
	}
	for _, e := range trailer.entries {
		l.trailerEntry(e)
	}
	return l.drain()
}

// raise takes the numbers of further sections into highest.
func (l *ledger) raise(sections []*section) {
	for _, s := range sections {
		l.highest = max(l.highest, s.highest())
	}
}

func (l *ledger) trailerEntry(e entry) {
	switch {
	case e.key == "Root":
		l.refer(e.value, use{purpose: catalogue}, e.key)
	case e.key == "Info":
		l.mark(e.value, use{purpose: info, via: e.key}, e.key)
	case !officeKeys[e.key]:
		l.mark(e.value, use{purpose: frozen, via: e.key}, e.key)
	}
}

// officeKeys are entries of LibreOffice, which embeds the source of a document with
// them. Only it reads them, and only as long as the checksum is that of the whole
// file. Others who update the file renumber them into nonsense.
var officeKeys = map[name]bool{"AdditionalStreams": true, "DocChecksum": true}

// trailerDict parses the trailer of the view.
func (d *Document) trailerDict() (*dict, error) {
	at := d.newest().trailer.start
	o, _, err := newParser(d.src, at, d.size).object()
	if err != nil {
		return nil, err
	}
	t, ok := o.(*dict)
	if !ok {
		return nil, damaged(at, "a trailer dictionary was expected")
	}
	return t, nil
}

// indexUpdates notes where the sections newer than the base put their objects,
// in one pass over them all. Without it each object would be looked for in
// every section.
func (l *ledger) indexUpdates() error {
	for i, s := range l.sections[:l.oldest] {
		for num := range s.numbers {
			if err := l.indexRow(i, num); err != nil {
				return err
			}
		}
	}
	for num := range l.updated {
		if err := l.findInBase(num); err != nil {
			return err
		}
	}
	return nil
}

// maxUpdated bounds the objects that all updates together may speak of.
const maxUpdated = 1 << 19

func (l *ledger) indexRow(section int, num int64) error {
	if !l.updated[num] {
		if len(l.updated) == maxUpdated {
			return damaged(l.sections[section].start, "updates of more than %d objects", maxUpdated)
		}
		l.updated[num] = true
		delete(l.places, num)
	}
	if err := l.spend(16); err != nil {
		return err
	}
	at, err := l.sections[section].lookup(num)
	if err != nil {
		return err
	}
	list := l.places[num]
	if at.kind != nowhere && (len(list) == 0 || list[len(list)-1].section != section) {
		l.places[num] = append(list, place{section, at})
	}
	return nil
}

// findInBase notes where the base and older sections have an object.
func (l *ledger) findInBase(num int64) error {
	if err := l.spend(4 * int64(len(l.sections)-l.oldest)); err != nil {
		return err
	}
	list := l.places[num]
	for i := l.oldest; i < len(l.sections); i++ {
		at, err := l.sections[i].lookup(num)
		if err != nil {
			return err
		}
		if at.kind != nowhere {
			list = append(list, place{i, at})
		}
	}
	l.places[num] = list
	return nil
}

// look reads an object. Of one that cannot be read nothing is known, but it must
// stay so: when later bytes complete it, it is late.
func (l *ledger) look(r ref) (*indirect, error) {
	if _, known := l.places[r.num]; !known && !l.updated[r.num] {
		if err := l.findInBase(r.num); err != nil {
			return nil, err
		}
	}
	o, err := l.object(r)
	if l.exhausted != nil {
		return nil, l.exhausted
	}
	if hard(err) != nil || err == nil {
		return o, err
	}
	if later, err := l.newest.object(r); err == nil && later != nil {
		l.late = append(l.late, r.num)
	}
	return nil, nil
}

// mark gives o, the value of key, its use: when it is a reference the object it
// names, otherwise what it is made of.
func (l *ledger) mark(o object, u use, key name) {
	if l.skip[key] {
		return
	}
	switch o := o.(type) {
	case ref:
		l.rest = append(l.rest, visit{ref: o, use: u, key: key})
	case *array:
		for _, item := range o.items {
			l.mark(item, u, key)
		}
	case *dict:
		for _, e := range o.entries {
			l.mark(e.value, u, e.key)
		}
	}
}

// refer is mark for what makes up the structure.
func (l *ledger) refer(o object, u use, key name) {
	if r, ok := o.(ref); ok {
		l.structure = append(l.structure, visit{ref: r, use: u, key: key})
		return
	}
	l.mark(o, u.as(frozen), key)
}

// drain follows the references that were noted.
func (l *ledger) drain() error {
	for {
		if err := l.drainStructure(); err != nil || len(l.rest) == 0 {
			return err
		}
		v := l.rest[len(l.rest)-1]
		l.rest = l.rest[:len(l.rest)-1]
		if err := l.follow(v); err != nil {
			return err
		}
	}
}

// drainStructure follows those of them that make up the structure.
func (l *ledger) drainStructure() error {
	for len(l.structure) > 0 {
		v := l.structure[len(l.structure)-1]
		l.structure = l.structure[:len(l.structure)-1]
		if err := l.follow(v); err != nil {
			return err
		}
	}
	return nil
}

// follow gives the object of a visit its use, and goes on from there.
func (l *ledger) follow(v visit) error {
	if err := l.spend(fieldEffort); err != nil {
		return err
	}
	old, known := l.uses[v.num]
	switch {
	case known && old.purpose == frozen:
		return nil
	case known && v.purpose == annotation && old.purpose == formField:
		l.showField(v)
		return nil
	case known && v.purpose == formField && old.purpose == formField && l.fields[v.num].again(l.round, v.parent):
	case known && (old.same(v.use) && v.purpose != formField || l.mentioned(old, v)):
		return nil
	case known: // two purposes
		v.use = old.as(frozen)
	}
	l.uses[v.num] = v.use
	o, err := l.look(v.ref)
	if err != nil || o == nil {
		return err
	}
	return l.expand(o, v)
}

// mentions are the keys under which objects name fields, annotations and pages
// that belong somewhere else. Nothing is drawn through them, and a field or an
// annotation under such a key cannot be taken for a font, a picture, or another
// object in which the entries that may change have a meaning.
var mentions = map[name]bool{
	"Parent": true, "Kids": true, "Fields": true, "Annots": true, "Obj": true, "CO": true,
	"T": true, "Popup": true, "IRT": true, "P": true, "Pg": true,
}

// mentioned reports whether the visit is to something that is only named there.
// Of a page nothing but /Annots may change, which means nothing elsewhere.
func (l *ledger) mentioned(old use, v visit) bool {
	switch old.purpose {
	case pageLeaf, pageNode:
		return v.purpose != pageLeaf
	case formField:
		return mentions[v.key] && v.purpose != formField
	case annotation:
		return mentions[v.key]
	case structRoot, tag:
		return v.key == "P" || v.purpose == tagNumbers
	case catalogue, formDict:
		return v.key == "Data" // of a signature reference, ISO 32000-2, table 256
	}
	return false
}

// expand goes on from an object according to its use.
func (l *ledger) expand(o *indirect, v visit) error {
	l.holdContainer(o)
	if l.inspect != nil {
		l.inspect(o, v)
	}
	d, _ := o.value.(*dict)
	if err := l.checkStream(o.num, d); err != nil {
		return err
	}
	switch v.purpose {
	case catalogue:
		return l.expandCatalog(d)
	case pageLeaf:
		l.expandPageNode(d, v)
	case formDict:
		l.expandForm(d)
	case annotList, fieldList:
		l.expandList(o.value, v)
	case annotation:
		return l.expandAnnotation(d, v)
	case formField:
		return l.expandField(d, v)
	case resources:
		l.markEntries(d, v.use.as(resourceSet))
	case appearance:
		l.expandAppearance(d, v)
	case resourceSet:
		l.mark(o.value, v.use.as(frozen), v.key)
	case structRoot:
		l.expandStructRoot(d, v.use)
	case tag:
		l.expandTag(o.value, v.use)
	case tagNumbers:
		l.mark(o.value, v.use, "Nums")
	default:
		l.mark(o.value, v.use, v.key)
	}
	return nil
}

// holdContainer freezes the object stream around an object.
func (l *ledger) holdContainer(o *indirect) {
	if !o.packed {
		return
	}
	at, err := l.whereIs(o.num)
	if err == nil && at.kind == packed && l.uses[at.offset].purpose != frozen {
		l.rest = append(l.rest, visit{ref: ref{num: at.offset}, use: use{purpose: frozen, via: "ObjStm"}, key: "ObjStm"})
	}
}

func (l *ledger) markEntries(d *dict, u use) {
	if d == nil {
		return
	}
	for _, e := range d.entries {
		l.mark(e.value, u, e.key)
	}
}

// expandAppearance goes through the dictionary of appearances (ISO 32000-2,
// 12.5.5) down to the streams. What these refer to, fonts and pictures, was not
// made for the field alone and stays.
func (l *ledger) expandAppearance(d *dict, v visit) {
	if d == nil || d.data == 0 {
		l.markEntries(d, v.use)
		return
	}
	for _, e := range d.entries {
		if e.key == "Length" {
			l.mark(e.value, v.use, e.key)
		} else {
			l.mark(e.value, v.use.as(frozen), e.key)
		}
	}
}

// maxTailSearch bounds the search for the end of a stream without a usable length.
const maxTailSearch = 1 << 20

// checkStream notes a stream as late when the view does not see its end.
func (l *ledger) checkStream(num int64, d *dict) error {
	if d == nil || d.data == 0 {
		return nil
	}
	n, err := l.streamLen(d)
	if hard(err) != nil {
		return err
	}
	from := d.data + max(n, 0)
	end := make([]byte, min(int64(len("\r\nendstream")), max(0, l.limit-from)))
	if _, err := l.src.ReadAt(end, from); err != nil {
		return err
	}
	if n >= 0 && containsWord(end, "endstream") {
		return nil
	}
	rest := make([]byte, min(maxTailSearch, max(0, l.limit-d.data)))
	if err := l.spend(int64(len(rest))); err != nil {
		return err
	}
	if _, err := l.src.ReadAt(rest, d.data); err != nil {
		return err
	}
	if !containsWord(rest, "endstream") {
		l.late = append(l.late, num)
	}
	return nil
}
