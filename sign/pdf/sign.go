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
	// the time in the dictionary and not in the CMS (EN 319 142-1, 6.3).
	Signer cms.Signer
	// SigningTime becomes /M. REQUIRED.
	SigningTime time.Time
	// FieldName is the name of the new signature field, without a full stop
	// in it. Default: the first of Signature1, Signature2, … that is free.
	FieldName string
	// Name, Reason, Location and ContactInfo are left out when empty.
	Name, Reason, Location, ContactInfo string
}

// Sign copies the PDF src, of the given size, to dst and adds an invisible
// PAdES B-B signature (EN 319 142-1, SubFilter ETSI.CAdES.detached) on page 1 as
// an incremental update: not a byte of src changes, and earlier signatures stay
// as they are.
//
// The file is read and hashed once while it is copied, in memory that does not
// grow with it. Everything that can be refused is refused before dst or the key
// is touched: [ErrNotPDF], *[DamagedError], *[EncryptedError], *[PermissionError]
// when an earlier signature forbids changes, *[FieldError] for the name. After
// any other error dst may hold a part of a file, to be thrown away.
//
// Sign does not look at what the document shows, and does not check the
// certificate.
func Sign(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, o SignOptions) error {
	d, err := Open(src, size)
	if err != nil {
		return err
	}
	p, err := prepare(d, o)
	if err != nil {
		return err
	}
	return p.write(ctx, dst)
}

// prepared is an update that lacks only the signature value.
type prepared struct {
	doc      *Document
	signer   cms.Signer
	hash     crypto.Hash
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
	o.Signer.SigningTime = time.Time{}
	p := &prepared{doc: d, signer: o.Signer, hash: o.Signer.Hash}
	if p.hash == 0 {
		p.hash = crypto.SHA256
	}
	if !p.hash.Available() {
		return nil, fmt.Errorf("signing PDF: no hash function %v", p.hash)
	}
	u, fieldName, err := d.begin(o.FieldName)
	if err != nil {
		return nil, err
	}
	room, err := p.signer.MaxDetachedSize()
	if err != nil {
		return nil, fmt.Errorf("signing PDF: %w", err)
	}
	return p, p.render(u, fieldName, o.dictionary(room))
}

// render writes the update around the signature dictionary and fills in the
// byte range, since then all lengths are known.
func (p *prepared) render(u *update, fieldName string, dictionary template) error {
	value := u.allocate()
	at, err := u.put(value, dictionary.text)
	if err != nil {
		return err
	}
	if err := u.addField(fieldName, value); err != nil {
		return err
	}
	if p.update, err = u.finish(p.fileID(dictionary.text)); err != nil {
		return err
	}
	p.contents = span{at.start + dictionary.contents.start, at.start + dictionary.contents.end}
	gap, resume, end := u.at+p.contents.start, u.at+p.contents.end, u.at+int64(len(p.update))
	copy(p.update[at.start+dictionary.byteRange:], fmt.Sprintf("[0 %d %d %d]", gap, resume, end-resume))
	return nil
}

// template is a signature dictionary with two places to fill in.
type template struct {
	text      []byte
	byteRange int64 // where byteRangeLen bytes are free
	contents  span  // of the hexadecimal string
}

// dictionary writes the signature dictionary, ISO 32000-2, table 255, with room
// for a signature of that many bytes.
func (o SignOptions) dictionary(room int) template {
	var t template
	var b bytes.Buffer
	b.WriteString("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached\n/ByteRange ")
	t.byteRange = int64(b.Len())
	b.WriteString(strings.Repeat(" ", byteRangeLen))
	fmt.Fprintf(&b, "\n/M %s", encodeDate(o.SigningTime))
	for _, e := range []struct{ key, value string }{
		{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}, {"ContactInfo", o.ContactInfo},
	} {
		if e.value != "" {
			fmt.Fprintf(&b, "\n/%s %s", e.key, encodeText(e.value))
		}
	}
	b.WriteString("\n/Contents ")
	t.contents.start = int64(b.Len())
	b.WriteString("<" + strings.Repeat("0", 2*room) + ">")
	t.contents.end = int64(b.Len())
	b.WriteString(" >>")
	t.text = b.Bytes()
	return t
}

// fileID makes the part of /ID that changes with every update out of what makes
// this one different (ISO 32000-2, 14.4).
func (p *prepared) fileID(dictionary []byte) []byte {
	h := crypto.SHA256.New()
	fmt.Fprintf(h, "%d\n", p.doc.size)
	h.Write(dictionary)
	if c := p.signer.Certificate; c != nil {
		h.Write(c.Raw)
	}
	return h.Sum(nil)[:16]
}

// addField writes the field, merged with its widget, and enters it in the form
// and on page 1.
func (u *update) addField(fieldName string, value ref) error {
	page, pageAt, err := u.doc.firstPage()
	if err != nil {
		return err
	}
	field := u.allocate()
	if _, err := u.put(field, fmt.Appendf(nil,
		"<< /FT /Sig /T %s /V %v /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 /P %v >>",
		encodeText(fieldName), value, pageAt)); err != nil {
		return err
	}
	if err := u.addToForm(field); err != nil {
		return err
	}
	changes, err := u.appendTo(page, "Annots", field)
	if err != nil {
		return err
	}
	return u.edit(pageAt, page, changes...)
}

// sigFlags says that there are signatures and that only appending keeps them
// valid, ISO 32000-2, table 225.
const sigFlags = 3

// addToForm enters field in the interactive form. Whatever else the form has
// stays as it is.
func (u *update) addToForm(field ref) error {
	root, rootAt, err := u.doc.catalog()
	if err != nil {
		return err
	}
	held := root.get("AcroForm")
	form, err := as[*dict](u.doc, held)
	if err != nil {
		return err
	}
	if form == nil {
		return u.edit(rootAt, root, change{"AcroForm", fmt.Appendf(nil, "<< /Fields [%v] /SigFlags %d >>", field, sigFlags)})
	}
	changes, err := u.appendTo(form, "Fields", field)
	if err != nil {
		return err
	}
	flags, err := as[int64](u.doc, form.get("SigFlags"))
	if err != nil {
		return err
	}
	if flags&sigFlags != sigFlags {
		changes = append(changes, change{"SigFlags", fmt.Append(nil, flags|sigFlags)})
	}
	if r, ok := held.(ref); ok {
		return u.edit(r, form, changes...)
	}
	if len(changes) == 0 {
		return nil
	}
	value, err := form.edited(changes...)
	if err != nil {
		return err
	}
	return u.edit(rootAt, root, change{"AcroForm", value})
}

// chooseField checks the asked name, or finds a free one, and asks the earlier
// signatures for permission.
func (d *Document) chooseField(asked string) (string, error) {
	if strings.Contains(asked, ".") {
		return "", &FieldError{asked, "a full stop separates the parts of a field name"}
	}
	taken := map[string]bool{}
	err := d.eachField(func(f field) error {
		taken[f.name] = true
		return d.permits(f)
	})
	if err == nil {
		err = d.permitsByCatalog()
	}
	switch {
	case err != nil:
		return "", err
	case asked != "" && taken[asked]:
		return "", &FieldError{asked, "the document already has a field of that name"}
	case asked != "":
		return asked, nil
	}
	for i := 1; ; i++ {
		if free := fmt.Sprintf("Signature%d", i); !taken[free] {
			return free, nil
		}
	}
}

// write copies the document, signs it, and writes the update after it.
func (p *prepared) write(ctx context.Context, dst io.Writer) error {
	h := p.hash.New()
	if err := p.copy(ctx, dst, h); err != nil {
		return err
	}
	h.Write(p.update[:p.contents.start])
	h.Write(p.update[p.contents.end:])
	signature, err := p.signer.SignDigest(h.Sum(nil))
	if err != nil {
		return fmt.Errorf("signing PDF: %w", err)
	}
	room := p.update[p.contents.start+1 : p.contents.end-1]
	if hex.EncodedLen(len(signature)) > len(room) {
		return fmt.Errorf("signing PDF: a signature of %d bytes in a room of %d", len(signature), len(room)/2)
	}
	hex.Encode(room, signature)
	if _, err := dst.Write(p.update); err != nil {
		return fmt.Errorf("writing signed PDF: %w", err)
	}
	return nil
}

// copy copies the document to dst and h.
func (p *prepared) copy(ctx context.Context, dst io.Writer, h hash.Hash) error {
	src := io.NewSectionReader(p.doc.src, 0, p.doc.size)
	buf := make([]byte, 256<<10)
	for left := p.doc.size; left > 0; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("copying PDF: %w", err)
		}
		n, err := io.ReadFull(src, buf[:min(left, int64(len(buf)))])
		if err != nil {
			return fmt.Errorf("copying PDF: %w", err)
		}
		h.Write(buf[:n])
		if _, err := dst.Write(buf[:n]); err != nil {
			return fmt.Errorf("writing signed PDF: %w", err)
		}
		left -= int64(n)
	}
	return nil
}
