// SPDX-License-Identifier: Apache-2.0

package pdf

import ()

// judgeCatalog compares the document catalog key by key. The form is compared
// later, by what it holds.
func (s *step) judgeCatalog(d *delta, _ use) {
	was, is, ok := d.dicts()
	if !ok {
		s.forbid(ChangeDocument, "the document catalog was removed")
		return
	}
	s.compareCatalogs(was, is)
}

func (s *step) compareCatalogs(was, is *dict) {
	for _, key := range differing(was, is) {
		switch key {
		case "AcroForm":
			s.form = true
		case "DSS":
			s.judgeDSS(nil, use{})
		case "Extensions":
			s.judgeExtensions(nil, use{})
		case "Metadata":
			s.judgeMetadata(nil, use{})
		case "StructTreeRoot":
			s.compareStructRoots(was, is)
		case "Version":
			s.judgeVersion(was, is)
		case "Perms":
			s.judgePerms(was, is)
		case "Pages":
			s.forbid(ChangePage, "the page tree was replaced")
		default:
			s.forbid(ChangeDocument, "the document's /%s %s", clip([]byte(key)), verb(was, is, key))
		}
	}
}

// compareStructRoots is for a root of the structure that stands in the catalog.
func (s *step) compareStructRoots(was, is *dict) {
	before, ok := was.get("StructTreeRoot").(*dict)
	after, ok2 := is.get("StructTreeRoot").(*dict)
	if !ok || !ok2 {
		s.forbid(ChangeDocument, "the document's /StructTreeRoot %s", verb(was, is, "StructTreeRoot"))
		return
	}
	s.judgeStructRoot(&delta{was: &indirect{value: before}, is: &indirect{value: after}}, use{})
}

// verb says what became of a key.
func verb(was, is *dict, key name) string {
	switch {
	case was.get(key) == nil:
		return "was added"
	case is.get(key) == nil:
		return "was removed"
	}
	return "was replaced"
}

var versionPattern = pattern(`^[0-9]\.[0-9]$`)

// judgeVersion lets the version of the document rise (ISO 32000-2, 7.7.2).
func (s *step) judgeVersion(was, is *dict) {
	before, _ := was.get("Version").(name)
	after, ok := is.get("Version").(name)
	if !ok || !versionPattern().MatchString(string(after)) || after < before {
		s.forbid(ChangeDocument, "the document's version was lowered")
		return
	}
	s.allow(ChangeExtension, "version raised to %s", after)
}

// judgePerms: a certification must be the first signature, and stays
// (ISO 32000-2, 12.8.2.2.1).
func (s *step) judgePerms(was, is *dict) {
	if was.get("Perms") == nil {
		s.forbid(ChangeDocument, "the document was certified after it had been signed")
		return
	}
	s.forbid(ChangeDocument, "the permissions of the document (/Perms) %s", verb(was, is, "Perms"))
}

func (s *step) judgePageNode(*delta, use) {
	s.forbid(ChangePage, "the page tree changed: pages were added, removed, moved, or inherit something else")
}

// compareTrailers compares what the trailers say of the document.
func (s *step) compareTrailers() error {
	was, err := s.was.trailerDict()
	if err != nil {
		return err
	}
	is, err := s.is.trailerDict()
	if err != nil {
		return err
	}
	if key, found := repeatedKey(is); found && s.was.first != s.is.first {
		s.forbid(ChangeFile, "the trailer has the key /%s twice", clip([]byte(key)))
	}
	for _, key := range differing(was, is) {
		switch {
		case bookkeeping[key]:
		case key == "Info":
			s.judgeInfo(nil, use{})
		case key == "ID":
			s.judgeID(was, is)
		case key == "Root":
			if err := s.judgeRoot(was, is); err != nil {
				return err
			}
		case officeKeys[key]:
			s.allow(ChangeOther, "the trailer's /%s changed, which only LibreOffice reads", key)
		case key == "Encrypt":
			s.forbid(ChangeDocument, "the trailer's /%s %s", key, verb(was, is, key))
		case is.get(key) != nil:
			s.forbid(ChangeDocument, "the trailer's /%s %s", clip([]byte(key)), verb(was, is, key))
		}
	}
	return nil
}

// bookkeeping are the keys of a trailer or a cross-reference stream that speak of
// the section itself.
var bookkeeping = map[name]bool{
	"Size": true, "Prev": true, "XRefStm": true, "Type": true, "W": true, "Index": true, "Length": true,
	"Filter": true, "DecodeParms": true, "DL": true,
}

// judgeRoot lets a new object take the place of the catalog, when it says the same.
func (s *step) judgeRoot(was, is *dict) error {
	r, ok := is.get("Root").(ref)
	d := s.deltas[r.num]
	if !ok || d == nil || d.existed || s.uses[r.num].purpose != unused {
		s.forbid(ChangeDocument, "the trailer's /Root was replaced")
		return nil
	}
	before, err := as[*dict](s.was, was.get("Root"))
	if err != nil {
		return err
	}
	s.compareCatalogs(before, dictOf(d.is))
	return nil
}

// judgeID lets the file identifier change, though its first part should stay
// (ISO 32000-2, 14.4): it means something only where there is encryption.
func (s *step) judgeID(was, is *dict) {
	if was.get("Encrypt") != nil && !samePermanentID(was, is) {
		s.forbid(ChangeDocument, "the trailer's /ID %s", verb(was, is, "ID"))
	}
}

// samePermanentID compares the first identifiers of two trailers, which stay
// with a document for ever and go into its keys; the second is of the revision
// (ISO 32000-2, 14.4).
func samePermanentID(was, is *dict) bool {
	before, _ := was.get("ID").(*array)
	after, _ := is.get("ID").(*array)
	return before != nil && after != nil && len(before.items) > 0 && len(after.items) > 0 && equal(before.items[0], after.items[0])
}
