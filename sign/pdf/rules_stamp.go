// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// A further signature may have a stamp, which stands over what others signed. One
// that takes most of a page is another page in its place ("sneaky signature"). What
// the stamp shows cannot be judged, so its size is.

const (
	// maxStampShare is how much of a page the stamps of one revision may cover, and
	// those of all revisions that are not small, in fields that were not there when
	// somebody signed.
	maxStampShare = 0.5
	// smallStampShare is that of a stamp with a name and a date. Where many sign on one
	// page, such stamps may take more of it than half.
	smallStampShare = 0.05
	// maxStampedShare is how much of a page all these stamps may cover, the small ones too.
	maxStampedShare = 0.75
)

// stampShare is how much of a page a stamp covers.
type stampShare struct {
	page  int
	share float64
	born  int // the round in which its field was found; that of the first walk is 0
	twin  int // the round of the stamp before in the very same place, counted as with born
}

// stampPlace is where a stamp stands.
type stampPlace struct {
	page int
	box  box
}

// stampTally adds up the stamps on a page, as if none lay over another.
type stampTally struct{ big, all float64 }

func (t *stampTally) add(share float64) {
	t.all += share
	if share > smallStampShare {
		t.big += share
	}
}

func (t *stampTally) full() bool { return t.big > maxStampShare || t.all > maxStampedShare }

// compareStamps forbids stamps that cover too much of a page. Those on one page are
// added up, as if none lay over another.
func (s *step) compareStamps() error {
	covered := map[int]float64{}
	for _, num := range slices.Sorted(maps.Keys(s.stamps)) {
		widget, err := s.is.dictAt(num)
		if err != nil {
			return err
		}
		if widget == nil || !rectangle(widget).visible() {
			continue
		}
		for _, page := range s.pagesOf(num, widget) {
			if err := s.spend(fieldEffort); err != nil {
				return err
			}
			share, err := s.share(page, widget)
			if err != nil {
				return err
			}
			covered[page] += share
			s.covered = append(s.covered, stampShare{page, share, s.birth(num), s.twin(page, widget)})
		}
	}
	for _, page := range slices.Sorted(maps.Keys(covered)) {
		if share := covered[page]; share > maxStampShare {
			s.forbid(ChangeSignature, "page %d: the stamp of a further signature covers %.3g %% of it; more than half could be another page in its place",
				page, 100*min(share, 1))
		}
	}
	return nil
}

// twin is the round of the stamp before that stands in the place of this one, 0 for none.
func (s *step) twin(page int, widget *dict) int {
	if fixedInLook(widget) {
		return 0
	}
	place := stampPlace{page, rectangle(widget).box()}
	before := s.stamped[place]
	s.stamped[place] = s.round + 1
	return before
}

// birth is the round in which a field was found.
func (s *step) birth(num int64) int {
	if f := s.fields[num]; f != nil {
		return f.born
	}
	return s.round + 1
}

// stampedOver lists the pages of which the stamps of all revisions from the one of
// that index on cover too much, though those of no single revision do. A place that
// was there before is one that the signer saw; one that got a stamp since is covered.
func (c *comparison) stampedOver(revision int) []Change {
	var list []Change
	tallies, start := map[int]stampTally{}, revision-c.from
	for i, stamps := range c.covered[start:] {
		for _, stamp := range stamps {
			tally := tallies[stamp.page]
			if stamp.born <= start || stamp.twin > start || tally.full() {
				continue
			}
			tally.add(stamp.share)
			tallies[stamp.page] = tally
			if tally.full() {
				list = append(list, Change{ChangeSignature, false, fmt.Sprintf(
					"page %d: the stamps of further signatures cover too much of it together, which could be another page in its place", stamp.page), revision + i + 1})
			}
		}
	}
	return list
}

// overStamped reports whether one more stamp would make a signature of the document
// invalid that its stamps have left valid. The place is on a page, that of a widget or of
// none yet, 0. Of a document that cannot be compared no signature is valid.
func (d *Document) overStamped(page ref, place box, share float64, widget int64) (bool, error) {
	list, err := d.Signatures()
	if err != nil {
		return false, hard(err)
	}
	list = slices.DeleteFunc(list, func(s *Signature) bool { return s.Revision < 0 })
	if len(list) == 0 {
		return false, nil
	}
	oldest := slices.MinFunc(list, func(a, b *Signature) int { return cmp.Compare(a.Revision, b.Revision) })
	c, l := d.follow(oldest.Revision)
	if c.err != nil {
		return false, hard(c.err)
	}
	number := slices.Index(l.sheets, page.num) + 1
	more := stampShare{number, share, len(c.covered) + 1, l.stamped[stampPlace{number, place}]}
	if f := l.fields[widget]; f != nil {
		more.born = f.born
	}
	c.covered = append(c.covered, []stampShare{more})
	return slices.ContainsFunc(list, func(s *Signature) bool {
		over := c.stampedOver(s.Revision)
		return len(over) > 0 && over[len(over)-1].Revision == c.from+len(c.covered)
	}), nil
}

// pagesOf returns the numbers of the pages that show a widget, each once: those that
// list it, or the one it names.
func (s *step) pagesOf(num int64, widget *dict) []int {
	pages := s.showing[num]
	if f := s.fields[num]; f != nil && f.page > 0 {
		pages = slices.AppendSeq(append(slices.Clone(pages), f.page), maps.Keys(f.elsewhere))
	}
	if r, ok := widget.get("P").(ref); ok && len(pages) == 0 && s.uses[r.num].page > 0 {
		pages = []int{s.uses[r.num].page}
	}
	return slices.Compact(slices.Sorted(slices.Values(pages)))
}

// fixedLook are the flags NoZoom and NoRotate, by which readers draw an annotation in
// another place than its rectangle (ISO 32000-2, table 167).
const fixedLook = 1<<3 | 1<<4

// fixedInLook reports whether readers may draw a widget in another place than its rectangle.
func fixedInLook(widget *dict) bool {
	flags, ok := widget.integer("F")
	return flags&fixedLook != 0 || !ok && widget.get("F") != nil
}

// share is how much of a page a widget covers: all of it when that cannot be told.
func (s *step) share(page int, widget *dict) (float64, error) {
	if page > len(s.sheets) {
		return 1, nil
	}
	p, err := s.is.pageAt(s.sheets[page-1])
	if err != nil || p.dict == nil {
		return 1, err
	}
	_, told, err := s.is.box(p.mediaBox)
	if err != nil || !told && p.mediaBox != nil {
		return 1, hard(err)
	}
	seen, err := s.is.sight(p)
	if err != nil {
		return 1, hard(err)
	}
	place := rectangle(widget).box()
	if fixedInLook(widget) {
		return place.width() * place.height() / (seen.box.width() * seen.box.height()), nil
	}
	return seen.share(place), nil
}

// share is how much of the page a rectangle covers, from 0 to 1.
func (s sight) share(b box) float64 {
	all := s.box.width() * s.box.height()
	in := b.within(s.box)
	if !(all > 0) {
		return 1
	}
	return max(in.width(), 0) * max(in.height(), 0) / all
}

// box is the rectangle with its corners in order.
func (r rect) box() box {
	return box{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
}

// everywhere is the place of what does not tell it.
var everywhere = rect{math.Inf(-1), math.Inf(-1), math.Inf(1), math.Inf(1)}
