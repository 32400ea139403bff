// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// ExtendOptions say what [Extend] adds to a document.
type ExtendOptions struct {
	// ValidationData go into the document security store. A value that it has
	// already is not added again.
	cms.ValidationData
	// VRI are values for one signature, by [Signature.VRIKey]. They go into the
	// store too, and are named there as those of the signature. Optional: validators
	// look through the whole store (EN 319 142-1, 5.4.2.3).
	VRI map[string]cms.ValidationData
	// VRITime is when the entries of VRI were put together. Left out when zero.
	VRITime time.Time
	// Stamp returns a TimeStampToken (RFC 3161) of a digest made with Hash. With it a
	// document timestamp is added over all of the file, what the other options add
	// included. It is called once at the most, after everything was checked and the
	// document copied, since tokens cost money.
	Stamp func(digest []byte) ([]byte, error)
	// Hash digests the document for the timestamp. Default: SHA-256.
	Hash crypto.Hash
	// StampAny takes the place of Stamp where several authorities may be asked that want
	// different digests: it gets one for each of Hashes.
	StampAny func(digests map[crypto.Hash][]byte) ([]byte, error)
	// Hashes are those of StampAny, and REQUIRED with it.
	Hashes []crypto.Hash
	// Room is how many bytes to reserve for the token. Default: 16 KiB.
	Room int
	// Password opens an encrypted document. The update is encrypted as the rest of
	// the file is, with the same key.
	Password string
	// Rand serves to encrypt. Default: crypto/rand.
	Rand io.Reader
}

// Extend copies the PDF src, of the given size, to dst and adds what makes its
// signatures last, as one incremental update: validation data in the document
// security store (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4.2), an invisible document
// timestamp (12.8.5; 5.4.3), or both. With the validation data of all signatures and
// timestamps that is level B-LT, with a timestamp after it B-LTA; doing both again
// before the timestamp's certificate ends renews it.
//
// Not a byte of src changes. The update is one that no certification or field lock
// forbids (ISO 32000-2, table 257); Acrobat is known to take additions to a document
// that permits no changes for changes all the same. When all values are there
// already and no Stamp is given, dst becomes a copy.
//
// The file is read once, in memory that does not grow with it. Everything that can
// be refused is refused before dst is touched and Stamp called: [ErrNotPDF],
// *[DamagedError], *[PasswordError] and *[EncryptedError], *[PermissionError] when the
// encryption forbids the field that a timestamp needs. After any other error dst may
// hold a part of a file, to be thrown away: one of dst or of Stamp, or a *[RoomError]
// when the token is too long. Stamp is never called again.
//
// Not checked is whether the values are what they should be, whether they are enough
// for a level, and whether the token is of the digest.
func Extend(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, o ExtendOptions) error {
	d, err := OpenWith(src, size, OpenOptions{Password: o.Password})
	if err != nil {
		return err
	}
	p, err := d.prepareExtension(o)
	if err != nil {
		return err
	}
	return p.write(ctx, dst)
}

// prepareExtension writes the update, with room for a token if there is to be one.
func (d *Document) prepareExtension(o ExtendOptions) (*prepared, error) {
	if err := o.settle(); err != nil {
		return nil, err
	}
	u, err := newUpdate(d, o.Rand)
	if err != nil {
		return nil, err
	}
	if err := u.addToStore(&o); err != nil {
		return nil, err
	}
	p := &prepared{doc: d}
	if o.StampAny == nil && len(u.edits) == 0 {
		return p, nil
	}
	if err := u.declareExtension(); err != nil {
		return nil, err
	}
	if o.StampAny == nil {
		p.update, err = u.finish(u.fileID(u.buf.Bytes()))
		return p, err
	}
	plan, err := u.timestampPlan()
	if err != nil {
		return nil, err
	}
	p.hashes, p.value = o.Hashes, o.token
	return p, p.render(plan, o.Room)
}

// settle checks the options and fills in what was left open.
func (o *ExtendOptions) settle() error {
	if err := o.settleStamp(); err != nil {
		return err
	}
	if o.StampAny == nil && len(o.Certificates)+len(o.CRLs)+len(o.OCSP)+len(o.VRI) == 0 {
		return errors.New("extending PDF: no validation data to add, and nothing that asks for a timestamp (Stamp)")
	}
	if o.Room == 0 {
		o.Room = defaultRoom
	}
	return checkRoom("timestamping PDF", o.Room)
}

// settleStamp makes one of the two ways to ask for a timestamp out of the other.
func (o *ExtendOptions) settleStamp() error {
	if o.Stamp != nil && o.StampAny != nil {
		return errors.New("timestamping PDF: Stamp and StampAny are both given")
	}
	if o.Hash == 0 {
		o.Hash = crypto.SHA256
	}
	if one := o.Stamp; one != nil {
		o.StampAny = func(digests map[crypto.Hash][]byte) ([]byte, error) { return one(digests[o.Hash]) }
	}
	if o.Stamp != nil || o.StampAny == nil {
		o.Hashes = []crypto.Hash{o.Hash}
	}
	if len(o.Hashes) == 0 {
		return errors.New("timestamping PDF: StampAny without Hashes")
	}
	for _, h := range o.Hashes {
		if !h.Available() {
			return fmt.Errorf("timestamping PDF: no hash function %v", h)
		}
	}
	return nil
}

func (o *ExtendOptions) token(digests map[crypto.Hash][]byte) ([]byte, error) {
	token, err := o.StampAny(digests)
	if err != nil {
		return nil, fmt.Errorf("timestamping PDF: %w", err)
	}
	return token, nil
}

// timestampPlan plans a document timestamp in a new field. Certifications and locks
// let it be, ISO 32000-2, 12.8.2.2 and table 257; what encrypts the document may not.
func (u *update) timestampPlan() (*plan, error) {
	s := &standing{Document: u.doc, taken: map[string]bool{}}
	err := u.doc.eachField(func(f field) error {
		s.taken[f.name] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	if u.doc.Encrypted() {
		if err := u.doc.security.permitsSigning(true); err != nil {
			return nil, err
		}
	}
	return &plan{update: u, kind: timestampKind, target: &target{name: s.free("Timestamp")}}, nil
}

// etsiExtension declares the additions of ETSI to ISO 32000-1: the store and the
// document timestamp, which PDF 2.0 has of its own.
const etsiExtension = "<< /BaseVersion /1.7 /ExtensionLevel 5 >>"

// declareExtension enters the extension in the catalog, ISO 32000-2, 7.12. It is one
// of PDF 1.7, and so of no use in a file of another version.
func (u *update) declareExtension() error {
	root, rootAt, err := u.doc.catalog()
	if err != nil {
		return err
	}
	version, err := u.doc.version(root)
	if err != nil || version != "1.7" {
		return err
	}
	declared, err := as[*dict](u.doc, root.get("Extensions"))
	if err != nil || declared.get("ESIC") != nil {
		return err
	}
	changes, err := u.within(root, "Extensions", []change{{"ESIC", []byte(etsiExtension)}})
	u.edit(rootAt, root, changes...)
	return err
}

// version is that of the header, or of the catalog when that is later (ISO 32000-2,
// 7.5.2).
func (d *Document) version(root *dict) (string, error) {
	b, err := readSpan(d.src, span{d.base + int64(len("%PDF-")), d.base + int64(len("%PDF-1.7"))})
	if err != nil {
		return "", err
	}
	later, err := as[name](d, root.get("Version"))
	return max(string(b), string(later)), err
}
