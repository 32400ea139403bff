// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sort"
	"time"
)

// Signature is a signature dictionary that a signature field has as its value
// (ISO 32000-2, 12.8.1) with what this package knows about it. Nothing here is
// a verdict: the CMS in Contents is not opened and no digest is computed. In an
// encrypted document that was opened without the password it needs, the strings
// (Field, Name, Reason, Location, ContactInfo, Time, Certificates) are left empty.
type Signature struct {
	Field       string // fully qualified field name
	Type        string // "Sig", "DocTimeStamp" or as found; absent means Sig
	Filter      string
	SubFilter   string // for example "ETSI.CAdES.detached"
	Name        string // /Name: whoever wrote the dictionary says who signed
	Reason      string
	Location    string
	ContactInfo string
	Time        time.Time // /M: what the writer's clock said; zero when absent or no date

	ByteRange []int64 // as found; nil when it is no array of integers
	Contents  []byte  // the BER value in /Contents, without the padding
	// Certificates are those of /Cert, which only adbe.x509.rsa_sha1 has (ISO
	// 32000-2, table 255), the signer's first. They are DER, or whatever stands
	// there.
	Certificates [][]byte

	Covers        Coverage
	Revision      int   // index in [Document.Revisions] of the revision covered, -1 when none is
	AppendedBytes int64 // bytes of the file after what is covered, the line end after %%EOF not counted
	// Removed says that the newest revision does not have this signature any
	// more, or another one under its number.
	Removed  bool
	Problems []Problem // see [Problem]

	src    io.ReaderAt
	size   int64  // of the file
	field  string // as Field, but encrypted where that is left empty
	id     identity
	home   identity // of the field
	stray  ref
	span   span   // of /Contents
	octets []byte // of /Contents, padding included
}

// SignedBytes reads exactly the bytes that /ByteRange names, in one pass;
// nothing when there is no reading it.
func (sig *Signature) SignedBytes() io.Reader { return signedBytes(sig.src, sig.ByteRange) }

// SignedRevision reads the document as it was when sig was made: the file up to
// the end of what /ByteRange names, /Contents included. It is nil when the ranges
// don't begin at the first byte of the file and end within it. Nothing is checked
// beyond that.
func (sig *Signature) SignedRevision() *io.SectionReader {
	r, problem := readRanges(sig.ByteRange)
	if problem != 0 || r.start != 0 || r.resume < r.gap || r.end > sig.size {
		return nil
	}
	return io.NewSectionReader(sig.src, 0, r.end)
}

func (sig *Signature) note(problems ...Problem) {
	for _, p := range problems {
		if !slices.Contains(sig.Problems, p) {
			sig.Problems = append(sig.Problems, p)
		}
	}
}

// Signatures lists the signatures of the document, ordered by the end of what
// they sign: those that the field tree of the newest revision leads to, those
// that only an earlier revision has (Removed), and those that an update put on a
// page but not in the field tree (ProblemNotInForm). A document without
// signatures has none and no error. The error is a *DamagedError when the newest
// field tree cannot be read or the file asks for too much work, an
// *EncryptedError, or a *PasswordError, when it is inside object streams that
// cannot be decrypted.
func (d *Document) Signatures() ([]*Signature, error) {
	s := &survey{Document: d, byID: map[identity]*Signature{}, in: make([]map[identity]bool, len(d.revisions))}
	s.trace = &footprint{numbers: map[int64]bool{}}
	defer func() { s.trace = nil }()
	newest, err := d.signed()
	if err != nil {
		return nil, err
	}
	s.newest = identities(newest)
	if err := s.add(d, newest, false); err != nil {
		return nil, err
	}
	if err := s.lookBack(); err != nil {
		return nil, err
	}
	if err := s.addStrays(); err != nil {
		return nil, err
	}
	s.findShared()
	for _, sig := range s.list {
		s.cover(sig)
	}
	sort.SliceStable(s.list, func(i, j int) bool { return s.list[i].rangeEnd() < s.list[j].rangeEnd() })
	if s.exhausted != nil {
		return nil, s.exhausted
	}
	return s.list, nil
}

// survey collects the signatures of all revisions.
type survey struct {
	*Document
	list []*Signature
	byID map[identity]*Signature
	in   []map[identity]bool // signatures of each revision; nil when it cannot be read
	// newest are the signatures of the whole file, which the last revision has
	// when it is all of it.
	newest map[identity]bool
}

func identities(list []found) map[identity]bool {
	ids := map[identity]bool{}
	for _, f := range list {
		ids[f.id] = true
	}
	return ids
}

// lookBack visits the revisions, the newest first. One that cannot be read
// alone has no signatures: what claims to sign it will be told so.
func (s *survey) lookBack() error {
	defer func() { s.trace = nil }()
	last := len(s.revisions) - 1
	if last >= 0 && s.revisions[last].section == s.first && s.trace.reach <= s.revisions[last].End {
		s.in[last] = s.newest
		last--
	} else {
		s.trace = nil
	}
	for i := last; i >= 0; i-- {
		if s.trace != nil && s.same(i, s.trace) {
			s.in[i] = s.in[i+1]
			continue
		}
		s.trace = &footprint{numbers: map[int64]bool{}}
		view := s.at(s.revisions[i])
		list, err := view.signed()
		if hard(err) != nil {
			return err
		} else if err != nil {
			continue
		}
		s.in[i] = identities(list)
		if err := s.add(view, list, true); err != nil {
			return err
		}
	}
	return nil
}

// addStrays adds what pages show and the form does not list.
func (s *survey) addStrays() error {
	list, err := s.strays()
	if err != nil {
		return err
	}
	return s.add(s.Document, list, false)
}

// add reads the signatures that are not known yet.
func (s *survey) add(view *Document, list []found, removed bool) error {
	for _, f := range list {
		if sig := s.byID[f.id]; sig != nil {
			if !removed && sig.field != f.name && sig.home != f.home {
				sig.note(ProblemFieldShared)
			}
			continue
		}
		sig := &Signature{Removed: removed, Revision: -1, src: s.src, size: s.size, field: f.name, id: f.id, home: f.home, stray: f.stray}
		signed, err := sig.read(view, f)
		if err != nil {
			return err
		}
		if signed {
			s.byID[f.id] = sig
			s.list = append(s.list, sig)
		}
	}
	return nil
}

// findShared notes dictionaries that have their /Contents in common.
func (s *survey) findShared() {
	first := map[int64]*Signature{}
	for _, sig := range s.list {
		if sig.span.end == 0 {
			continue
		}
		if other := first[sig.span.start]; other != nil {
			other.note(ProblemContentsShared)
			sig.note(ProblemContentsShared)
		}
		first[sig.span.start] = sig
	}
}

// read fills sig from its dictionary. A field whose value is null is not signed.
func (sig *Signature) read(view *Document, f found) (signed bool, err error) {
	o, err := view.resolve(f.value)
	if hard(err) != nil || err == nil && o == nil {
		return false, err
	}
	if view.locked() == nil {
		sig.Field = f.name
	}
	if f.stray != (ref{}) {
		sig.note(ProblemNotInForm)
	}
	value, ok := o.(*dict)
	if !ok {
		sig.note(ProblemUnreadable)
		return true, nil
	}
	if value.repeats("ByteRange", "Contents", "SubFilter", "Cert") || f.dict.repeats("V", "FT", "T", "Kids") {
		sig.note(ProblemRepeatedKey)
	}
	sig.ByteRange, _ = integers(value.get("ByteRange"))
	sig.readContents(value, value.src == view.src)
	return true, sig.describe(view, value)
}

// describe reads what is there for people and programs to know.
func (sig *Signature) describe(view *Document, value *dict) error {
	for key, into := range map[name]*string{"Type": &sig.Type, "Filter": &sig.Filter, "SubFilter": &sig.SubFilter} {
		n, err := as[name](view, value.get(key))
		if hard(err) != nil {
			return err
		}
		*into = string(n)
	}
	if view.locked() != nil {
		return nil
	}
	var date string
	for key, into := range map[name]*string{"Name": &sig.Name, "Reason": &sig.Reason, "Location": &sig.Location, "ContactInfo": &sig.ContactInfo, "M": &date} {
		s, err := view.plainString(value.get(key))
		if hard(err) != nil {
			return err
		}
		*into = s
	}
	sig.Time = decodeDate(date)
	return sig.readCertificates(view, value)
}

// readCertificates takes the byte strings of /Cert, one or an array.
func (sig *Signature) readCertificates(view *Document, value *dict) error {
	items, err := oneOrMany(value.get("Cert"), view.resolve)
	if err != nil {
		return hard(err)
	}
	for _, item := range items {
		if t, ok := item.(*text); ok {
			der, err := view.plaintext(t)
			if hard(err) != nil {
				return err
			}
			sig.Certificates = append(sig.Certificates, der)
		}
	}
	return nil
}

// readContents takes the signature value out of /Contents. Only a hexadecimal
// string of a dictionary that stands in the file itself can be left out of the
// digest, so its place must be known.
func (sig *Signature) readContents(value *dict, inFile bool) {
	t, ok := value.get("Contents").(*text)
	if !ok || !t.hex || !inFile {
		sig.note(ProblemContentsForm)
	}
	if !ok {
		return
	}
	if inFile {
		sig.span = t.span
	}
	sig.Contents, sig.octets = t.bytes, t.bytes
	if len(bytes.TrimLeft(t.bytes, "\x00")) == 0 {
		sig.note(ProblemContentsEmpty)
		return
	}
	n, ok := berLen(t.bytes)
	if !ok {
		sig.note(ProblemContentsEncoding)
		return
	}
	sig.Contents = t.bytes[:n]
	if len(bytes.TrimLeft(t.bytes[n:], "\x00")) > 0 {
		sig.note(ProblemPadding)
	}
}

// cover settles how much of the file sig covers.
func (s *survey) cover(sig *Signature) {
	sig.AppendedBytes = max(0, s.size-sig.rangeEnd())
	if s.repaired != nil {
		sig.note(ProblemRebuilt)
	}
	r, problem := readRanges(sig.ByteRange)
	if problem != 0 {
		sig.note(problem)
		return
	}
	sig.note(r.problems(s.size, sig.span)...)
	i := sort.Search(len(s.revisions), func(i int) bool { return s.revisions[i].End >= r.end })
	switch {
	case i == len(s.revisions) || !s.revisions[i].holds(r.end):
		sig.note(ProblemEnd)
	case !s.in[i][sig.id] && !s.strayIn(i, sig):
		sig.note(ProblemNotInRevision)
	}
	if sig.untied() {
		sig.Covers = CoversPart
		return
	}
	sig.Covers, sig.Revision = CoversRevision, i
	if sig.AppendedBytes = max(0, s.size-s.revisions[i].End); sig.AppendedBytes == 0 {
		sig.Covers = CoversWholeFile
	}
}

// untied reports whether sig has a problem that takes its meaning away.
func (sig *Signature) untied() bool {
	return slices.ContainsFunc(sig.Problems, func(p Problem) bool { return !p.Harmless() })
}

// strayIn reports whether revision i shows sig as the same stray field.
func (s *survey) strayIn(i int, sig *Signature) bool {
	if sig.stray == (ref{}) {
		return false
	}
	f, ok, err := s.at(s.revisions[i]).stray(sig.stray)
	return err == nil && ok && f.id == sig.id
}

// rangeEnd returns the end of the last range, 0 when there is no reading it.
func (sig *Signature) rangeEnd() int64 {
	r, problem := readRanges(sig.ByteRange)
	if problem != 0 {
		return 0
	}
	return r.end
}

// LooksSigned reports whether the word /ByteRange stands anywhere in the file,
// for files that Open refuses: such a file was signed, or made to look so. It
// reads the whole file in constant memory.
func LooksSigned(r io.ReaderAt, size int64) (bool, error) {
	word := []byte("/ByteRange")
	buf := make([]byte, 64<<10)
	for at := int64(0); at < size; at += int64(len(buf) - len(word)) {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if bytes.Contains(buf[:n], word) {
			return true, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
	}
	return false, nil
}
