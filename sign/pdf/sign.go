// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha256" // the digests of cms.Signer
	_ "crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// SignOptions say who signs and what stands in the signature dictionary.
type SignOptions struct {
	// Signer makes the CMS. REQUIRED. Its SigningTime is not used: PAdES wants
	// the time in the dictionary and not in the CMS (EN 319 142-1, 6.3). Its
	// Rand also serves to encrypt.
	Signer cms.Signer
	// SigningTime becomes /M. REQUIRED.
	SigningTime time.Time
	// Password opens an encrypted document. The update is encrypted as the rest
	// of the file is, with the same key.
	Password string
	// FieldName is the fully qualified name of an empty signature field of the
	// document, which then is filled in, or the name of a new one, without a full
	// stop in it. Default: the first of Signature1, Signature2, … that is free.
	FieldName string
	// Name, Reason, Location and ContactInfo are left out when empty.
	Name, Reason, Location, ContactInfo string
	// Certify makes the signature one that certifies the document and says what
	// others may do with it. Only the first signature can.
	Certify Certification
	// Lock names the fields that nobody may change after this signature. An
	// existing field can bring a lock of its own; then none can be given.
	Lock *FieldLock
	// Appearance makes the signature visible. Default: invisible, on page 1.
	Appearance *Appearance
	// Complete is given the finished CMS, once, and returns what is written in its
	// place: the same with unsigned attributes added, such as a signature timestamp,
	// which makes level B-T of it (cms.Extend). Default: the CMS is written as it is.
	Complete func(cms []byte) ([]byte, error)
	// Room is how many bytes to reserve for what Complete adds. Default: 16 KiB with
	// Complete, nothing without.
	Room int
}

// Sign copies the PDF src, of the given size, to dst and adds a PAdES B-B
// signature (EN 319 142-1, SubFilter ETSI.CAdES.detached) as an incremental
// update: not a byte of src changes, and earlier signatures stay as they are.
//
// The file is read and hashed once while it is copied, in memory that does not
// grow with it. Everything that can be refused is refused before dst or the key
// is touched: [ErrNotPDF], *[DamagedError], *[PasswordError] and
// *[EncryptedError], *[PermissionError] when an earlier signature or the
// encryption forbids the change, *[FieldError] for the field or its lock,
// *[SeedError] when the field asks for another signature, *[AppearanceError].
// After any other error dst may hold a part of a file, to be thrown away: one of dst,
// of the key or of Complete, or a *[RoomError] when what Complete returned is too long.
//
// Sign does not look at what the document shows, and does not check the
// certificate, nor what Complete made of the signature.
func Sign(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, o SignOptions) error {
	d, err := OpenWith(src, size, OpenOptions{Password: o.Password})
	if err != nil {
		return err
	}
	p, err := prepare(d, o)
	if err != nil {
		return err
	}
	return p.write(ctx, dst)
}

// plan is a signature that nobody forbids, in its update.
type plan struct {
	*update
	kind   valueKind
	o      SignOptions
	target *target
	signed bool // by others, before

	certified bool // by one of them
}

// valueKind is what the value of a signature field is.
type valueKind struct{ kind, subFilter name }

// The kinds that are written: ISO 32000-2, tables 255 and 12.8.5.
var (
	signatureKind = valueKind{"Sig", sigSubFilter}
	timestampKind = valueKind{"DocTimeStamp", "ETSI.RFC3161"}
)

// plan asks all who can forbid the signature, and settles what was left open.
func (d *Document) plan(o SignOptions) (*plan, error) {
	if o.Certify < NotCertified || o.Certify > Annotations {
		return nil, fmt.Errorf("signing PDF: no certification level %d", o.Certify)
	}
	if err := checkRoom("signing PDF", o.Room); err != nil {
		return nil, err
	}
	u, err := newUpdate(d, o.Signer.Rand)
	if err != nil {
		return nil, err
	}
	s, err := d.stand(o.FieldName)
	if err != nil {
		return nil, err
	}
	if o.Certify != NotCertified {
		if err := s.permitsCertification(); err != nil {
			return nil, err
		}
	}
	t, err := s.target(o)
	if err != nil {
		return nil, err
	}
	if t.existing != nil {
		if err := d.obeySeed(t.existing, &o); err != nil {
			return nil, err
		}
	}
	p, err := newPlan(u, o, t)
	if err == nil {
		p.signed, p.certified = s.signed, s.certified
	}
	return p, err
}

func newPlan(u *update, o SignOptions, t *target) (*plan, error) {
	o.Signer.SigningTime = time.Time{}
	if o.Signer.Hash == 0 {
		o.Signer.Hash = crypto.SHA256
	}
	if !o.Signer.Hash.Available() {
		return nil, fmt.Errorf("signing PDF: no hash function %v", o.Signer.Hash)
	}
	if o.Complete != nil && o.Room == 0 {
		o.Room = defaultRoom
	}
	return &plan{update: u, kind: signatureKind, o: o, target: t}, nil
}

// prepared is an update that lacks only the value of a signature or a timestamp, if
// that.
type prepared struct {
	doc      *Document
	hashes   []crypto.Hash
	value    func(digests map[crypto.Hash][]byte) ([]byte, error) // makes the value; nil when the update lacks none
	update   []byte
	contents span // of /Contents in update, angle brackets included
}

// byteRangeLen leaves room for a /ByteRange of any file: three numbers of 19
// digits.
const byteRangeLen = 64

func prepare(d *Document, o SignOptions) (*prepared, error) {
	if o.SigningTime.IsZero() {
		return nil, errors.New("signing PDF: no signing time given")
	}
	plan, err := d.plan(o)
	if err != nil {
		return nil, err
	}
	h := plan.o.Signer.Hash
	p := &prepared{doc: d, hashes: []crypto.Hash{h}, value: func(digests map[crypto.Hash][]byte) ([]byte, error) { return plan.o.signature(digests[h]) }}
	room, err := plan.o.Signer.MaxDetachedSize()
	if err != nil {
		return nil, fmt.Errorf("signing PDF: %w", err)
	}
	return p, p.render(plan, room+plan.o.Room)
}

// signature makes the CMS of a document with this digest, and has it completed.
func (o SignOptions) signature(digest []byte) ([]byte, error) {
	signature, err := o.Signer.SignDigest(digest)
	if err != nil {
		return nil, fmt.Errorf("signing PDF: %w", err)
	}
	if o.Complete == nil {
		return signature, nil
	}
	if signature, err = o.Complete(signature); err != nil {
		return nil, fmt.Errorf("completing signature: %w", err)
	}
	return signature, nil
}

// render writes the update around the signature dictionary, with room for a
// signature of that many bytes, and fills in the byte range, since then all
// lengths are known.
func (p *prepared) render(plan *plan, room int) error {
	value := plan.allocate()
	dictionary, err := plan.dictionary(value, room)
	if err != nil {
		return err
	}
	at, err := plan.put(value, dictionary.text)
	if err != nil {
		return err
	}
	if err := plan.enterPermissions(value); err != nil {
		return err
	}
	if err := plan.enterField(value); err != nil {
		return err
	}
	if p.update, err = plan.finish(plan.fileID(dictionary.text, plan.signerRaw())); err != nil {
		return err
	}
	p.contents = span{at.start + dictionary.contents.start, at.start + dictionary.contents.end}
	gap, resume, end := plan.at+p.contents.start, plan.at+p.contents.end, plan.at+int64(len(p.update))
	copy(p.update[at.start+dictionary.byteRange:], fmt.Sprintf("[0 %d %d %d]", gap, resume, end-resume))
	return nil
}

// template is a signature dictionary with two places to fill in.
type template struct {
	text      []byte
	byteRange int64 // where byteRangeLen bytes are free
	contents  span  // of the hexadecimal string
}

// dictionary writes the signature dictionary, ISO 32000-2, table 255, as object
// at, with room for a signature of that many bytes.
func (p *plan) dictionary(at ref, room int) (template, error) {
	var t template
	var b bytes.Buffer
	fmt.Fprintf(&b, "<< /Type /%s /Filter /%s /SubFilter /%s\n/ByteRange ", p.kind.kind, sigFilter, p.kind.subFilter)
	t.byteRange = int64(b.Len())
	b.WriteString(strings.Repeat(" ", byteRangeLen))
	if p.kind == signatureKind {
		if err := p.claims(&b, at); err != nil {
			return t, err
		}
	}
	b.WriteString("\n/Contents ")
	t.contents.start = int64(b.Len())
	b.Grow(2*room + len("<> >>"))
	b.WriteByte('<')
	for range room {
		b.WriteString("00")
	}
	b.WriteByte('>')
	t.contents.end = int64(b.Len())
	b.WriteString(" >>")
	t.text = b.Bytes()
	return t, nil
}

// claims writes what the signer says, which a timestamp has nothing of.
func (p *plan) claims(b *bytes.Buffer, at ref) error {
	for _, e := range []struct{ key, value string }{
		{"M", encodeDate(p.o.SigningTime)},
		{"Name", p.o.Name}, {"Reason", p.o.Reason}, {"Location", p.o.Location}, {"ContactInfo", p.o.ContactInfo},
	} {
		if e.value == "" {
			continue
		}
		value, err := p.text(at, e.value)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n/%s %s", e.key, value)
	}
	references, err := p.references(at)
	b.Write(references)
	return err
}

// signerRaw returns the signer's certificate, nil when none is known.
func (p *plan) signerRaw() []byte {
	if c := p.o.Signer.Certificate; c != nil {
		return c.Raw
	}
	return nil
}

// enterField makes value that of the field, and enters a new field in the form
// and on its page.
func (p *plan) enterField(value ref) error {
	if p.target.existing != nil {
		return p.fillField(value)
	}
	page, err := p.doc.page(p.o.Appearance.page())
	if err != nil {
		return err
	}
	look, err := p.stampOn(page)
	if err != nil {
		return err
	}
	at := p.allocate()
	tags, changes, err := p.tagged(at, page)
	if err != nil {
		return err
	}
	field, err := p.target.dictionary(p.update, at, value, page.at, look.entries()+tags)
	if err != nil {
		return err
	}
	if _, err := p.put(at, field); err != nil {
		return err
	}
	if err := p.addToForm(&at); err != nil {
		return err
	}
	p.edit(page.at, page.dict, changes...)
	changes, err = p.appendTo(page.dict, "Annots", at.String())
	p.edit(page.at, page.dict, changes...)
	return err
}

// fillField sets the value of a field that the document has. Its place stays;
// how it looks changes only when a look was asked for.
func (p *plan) fillField(value ref) error {
	f := p.target.existing
	p.edit(f.at, f.dict, change{"V", []byte(value.String())})
	if err := p.stampField(f); err != nil {
		return err
	}
	return p.addToForm(nil)
}

// sigFlags says that there are signatures and that only appending keeps them
// valid, ISO 32000-2, table 225.
const sigFlags = 3

// addToForm enters a new field in the interactive form, and that there are
// signatures. Whatever else the form has stays as it is.
func (u *update) addToForm(field *ref) error {
	root, rootAt, err := u.doc.catalog()
	if err != nil {
		return err
	}
	form, err := as[*dict](u.doc, root.get("AcroForm"))
	if err != nil {
		return err
	}
	changes, err := u.formChanges(form, field)
	if err != nil {
		return err
	}
	changes, err = u.within(root, "AcroForm", changes)
	u.edit(rootAt, root, changes...)
	return err
}

// formChanges says what changes in the form, nil when there is none yet.
func (u *update) formChanges(form *dict, field *ref) (changes []change, err error) {
	if field != nil {
		if changes, err = u.appendTo(form, "Fields", field.String()); err != nil {
			return nil, err
		}
	}
	flags, err := as[int64](u.doc, form.get("SigFlags"))
	if flags&sigFlags != sigFlags {
		changes = append(changes, change{"SigFlags", fmt.Append(nil, flags|sigFlags)})
	}
	return changes, err
}

// write copies the document, has the value made, and writes the update after it.
func (p *prepared) write(ctx context.Context, dst io.Writer) error {
	if p.value == nil {
		return p.writeFilled(ctx, dst)
	}
	sums, digests := map[crypto.Hash]hash.Hash{}, map[crypto.Hash][]byte{}
	var all []io.Writer
	for _, h := range p.hashes {
		sums[h] = h.New()
		all = append(all, sums[h])
	}
	signed := io.MultiWriter(all...)
	if err := p.doc.copy(ctx, dst, signed); err != nil {
		return err
	}
	for _, part := range [][]byte{p.update[:p.contents.start], p.update[p.contents.end:]} {
		_, _ = signed.Write(part) // hashes take everything
	}
	for h, sum := range sums {
		digests[h] = sum.Sum(nil)
	}
	value, err := p.value(digests)
	if err != nil {
		return err
	}
	if err := p.fill(value); err != nil {
		return err
	}
	return p.writeUpdate(dst)
}

// writeFilled writes the document and an update that lacks nothing.
func (p *prepared) writeFilled(ctx context.Context, dst io.Writer) error {
	if err := p.doc.copy(ctx, dst, io.Discard); err != nil {
		return err
	}
	return p.writeUpdate(dst)
}

func (p *prepared) writeUpdate(dst io.Writer) error {
	if _, err := dst.Write(p.update); err != nil {
		return fmt.Errorf("writing signed PDF: %w", err)
	}
	return nil
}

// fill puts the value in the room kept for it.
func (p *prepared) fill(value []byte) error {
	if n, ok := berLen(value); !ok || n != len(value) {
		return fmt.Errorf("writing signature: %d bytes that are not one BER value", len(value))
	}
	room := p.update[p.contents.start+1 : p.contents.end-1]
	if hex.EncodedLen(len(value)) > len(room) {
		return &RoomError{Size: len(value), Room: len(room) / 2}
	}
	hex.Encode(room, value)
	return nil
}

// How many bytes are reserved for a timestamp, and how many at the most.
const (
	defaultRoom = 16 << 10
	maxRoom     = 4 << 20
)

// checkRoom refuses rooms that make no sense.
func checkRoom(doing string, room int) error {
	if room < 0 || room > maxRoom {
		return fmt.Errorf("%s: room for %d bytes was asked for; it can be 0 to %d", doing, room, maxRoom)
	}
	return nil
}
