// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// ChangeKind says what sort of thing was changed.
type ChangeKind string

// The kinds of change that can be permitted, from the least that a document
// may allow to the most (ISO 32000-2, table 257).
const (
	ChangeDSS               ChangeKind = "dss"               // certificates and revocation data for long-term validation
	ChangeDocumentTimestamp ChangeKind = "documentTimestamp" // an invisible document timestamp
	ChangeMetadata          ChangeKind = "metadata"          // XMP metadata of the document
	ChangeInfo              ChangeKind = "info"              // the document information dictionary
	ChangeExtension         ChangeKind = "extension"         // version and developer extensions
	ChangeFormFill          ChangeKind = "formFill"          // the value of a form field and how it looks
	ChangeSignature         ChangeKind = "signature"         // a further signature
	ChangeSignatureField    ChangeKind = "signatureField"    // a field for one
	ChangeStructure         ChangeKind = "structure"         // the tag of a new signature field, in a tagged document
	ChangeAnnotation        ChangeKind = "annotation"        // a comment
)

// The kinds of change that no rule permits.
const (
	ChangePage     ChangeKind = "page"     // what a page shows, or which pages there are
	ChangeForm     ChangeKind = "form"     // the form, beyond the values of its fields
	ChangeDocument ChangeKind = "document" // anything else that the document is made of
	ChangeFile     ChangeKind = "file"     // bytes of the file that readers may take differently
)

// ChangeOther is what changes nothing that a reader shows: objects that nothing
// refers to, white space.
const ChangeOther ChangeKind = "other"

// Change is one difference between two revisions of a document.
type Change struct {
	Kind     ChangeKind
	Allowed  bool
	What     string // for a person: "page 2: content replaced"
	Revision int    // index in [Document.Revisions] of the revision that made it, or their number for what follows the last
}

// Changes lists what was changed after s signed, in the order of the revisions,
// and says of each change whether it was allowed. None and no error means that
// nothing was.
//
// Every step from one revision to the next is judged, so that a change which a
// later one takes back is seen. The objects that differ are found by number and
// content. Each must be explained by a rule; whatever none explains is forbidden,
// whatever it looks like. The rules allow what ISO 32000-2, 12.8.2.2 does at the
// DocMDP level in force: at 1 long-term validation data and document timestamps,
// at 2 form filling and further signatures as well, at 3 comments too. Without a
// certification the level is 2. The field locks of all signatures made before
// the step are obeyed (ISO 32000-2, 12.8.2.4). Stricter than the standard, in a
// certified document no new signature field may be visible, and a comment must
// be of a kind, and look, that cannot cover what was signed; only lines can cross
// it out, in colours that white paper does not have. In any document the stamps of a
// revision must leave half of each page uncovered, and so must those of all revisions
// in fields that the signer did not see. Of the latter, a stamp in the place of another
// counts once, and those that take a twentieth of the page or less may bring all of them
// to three quarters, since many sign contracts on one page.
//
// An object that has a permitted use and any other is held to the other. Bytes
// of an update that belong to none of its objects are forbidden, and so is what
// readers may take differently: a lower /Size, cross-reference data that are not
// written to the letter of the standard, what looks like an object inside a stream.
// A field must say something else to look different.
//
// Not checked is whether the look of a field that was filled in agrees with its
// value, nor whether the signatures that allow a change are valid themselves.
//
// The result shares memory with that for other signatures and is not to be
// changed. Asking for the signatures in the order of [Document.Signatures] costs
// one comparison of the whole. The error is a *DamagedError or an *EncryptedError
// when the revisions cannot be compared: then anything may have been changed.
func (d *Document) Changes(s *Signature) ([]Change, error) {
	switch {
	case s.Covers == CoversWholeFile:
		return nil, nil
	case s.Revision < 0 || s.Revision >= len(d.revisions):
		return nil, errors.New("comparing revisions: the signature covers none")
	}
	if err := d.locked(); err != nil {
		return nil, fmt.Errorf("comparing revisions: %w", err)
	}
	if d.compared == nil || d.compared.from > s.Revision {
		d.compared = d.compare(s.Revision)
	}
	return d.compared.since(s.Revision)
}

// comparison holds the changes made since a revision. They do not depend on the
// signature that asks: what is permitted is said by the document before each step.
type comparison struct {
	from   int
	list   []Change
	starts []int // where in list the changes after revision from+i begin
	// covered are the stamps that each step brought.
	covered [][]stampShare
	err     error
}

func (c *comparison) since(revision int) ([]Change, error) {
	if c.err != nil {
		return nil, c.err
	}
	list := slices.Clip(c.list[c.starts[revision-c.from]:])
	over := c.stampedOver(revision)
	if len(over) == 0 {
		return list, nil
	}
	list = append(list, over...)
	slices.SortStableFunc(list, func(a, b Change) int { return cmp.Compare(a.Revision, b.Revision) })
	return list, nil
}

// compare finds the changes made since the revision from.
func (d *Document) compare(from int) *comparison {
	c, _ := d.follow(from)
	return c
}

// follow walks through the revision from, and then from step to step. The ledger is that
// of the last one.
func (d *Document) follow(from int) (*comparison, *ledger) {
	c := &comparison{from: from}
	views := d.views(from)
	l := newLedger(views[0], views[len(views)-1])
	if c.err = l.open(); c.err != nil {
		return c, l
	}
	for i, view := range views[1:] {
		c.starts = append(c.starts, len(c.list))
		s := &step{ledger: l, was: views[i], is: view, revision: from + i + 1}
		if c.err = s.run(); c.err != nil {
			return c, l
		}
		c.list = append(c.list, s.changes...)
		c.covered = append(c.covered, s.covered)
	}
	c.starts = append(c.starts, len(c.list))
	return c, l
}

// views returns the states of the document since a revision. The last one is
// all of the file, with what follows the last revision.
func (d *Document) views(from int) []*Document {
	var list []*Document
	for _, r := range d.revisions[from:] {
		list = append(list, d.at(r))
	}
	if last := list[len(list)-1]; last.first > 0 || last.limit < d.size {
		list = append(list, &Document{file: d.file, limit: d.size})
	}
	return list
}
