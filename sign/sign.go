// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// Format is a kind of signature.
type Format int

// The formats. Auto is PAdES for a PDF and CAdES for anything else and for
// whatever is to be signed detached.
const (
	Auto Format = iota
	PAdES
	CAdES
)

// String returns "auto", "PAdES" or "CAdES".
func (f Format) String() string {
	switch f {
	case PAdES:
		return "PAdES"
	case CAdES:
		return "CAdES"
	}
	return "auto"
}

// Options say who signs and how.
type Options struct {
	Signer cms.Signer // REQUIRED; its SigningTime is replaced by Time
	Time   time.Time  // REQUIRED: the claimed signing time, to the second
	Format Format

	// Level is how long the signature is to last, whatever those before it in a PDF lack.
	// What it needs is asked for after signing.
	Level          Level
	Stamper        Stamper              // REQUIRED from LevelT on
	ValidationData ValidationDataSource // REQUIRED from LevelLT on
	// ValidationDataTime is how long collecting it for all certificates of a file may take
	// together; zero means a minute.
	ValidationDataTime time.Duration
	// Settle is asked when the level can't be reached, and accepts the one that is
	// reached by returning nil. Default: the error is returned, and nothing is of use.
	Settle func(*LevelError) error

	// CAdES.
	Detached bool // the signature alone, without the document

	// PAdES; all optional.
	Field                           string // an empty field of the document, or the name of a new one; empty: the first free SignatureN
	Name, Reason, Location, Contact string
	Password                        string            // of an encrypted PDF
	Certify                         pdf.Certification // what others may do with the document from now on
	Lock                            *pdf.FieldLock    // the fields that nobody may change any more
	Appearance                      *pdf.Appearance   // nil: an invisible signature
}

// ErrDetachedPDF is returned when [PAdES] and Detached are asked for together.
var ErrDetachedPDF = errors.New("a PAdES signature stands inside its document and can't be detached; CAdES can")

// Detect returns the format that [Auto] stands for: PAdES when the file has
// the header of a PDF in its first 1024 bytes (ISO 32000-2, annex I.3.2) and is
// no CMS signature, .tsd or .m7m around one.
func Detect(src io.ReaderAt, size int64) (Format, error) {
	start := make([]byte, min(1024, size))
	if _, err := src.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return Auto, fmt.Errorf("reading document: %w", err)
	}
	if bytes.Contains(start, []byte("%PDF-")) && !isEnvelope(start) {
		return PAdES, nil
	}
	return CAdES, nil
}

// isEnvelope says whether a file begins like one around a document.
func isEnvelope(start []byte) bool {
	return cms.Recognize(bytes.NewReader(start)) || timestamp.Recognize(bytes.NewReader(start)) != timestamp.Unknown
}

// Document signs src and writes the signed document to dst: for PAdES the PDF
// with an incremental update, for CAdES a .p7m with the document inside or,
// detached, a .p7s without it. Memory doesn't grow with the document.
//
// Errors of package pdf say what about a PDF was refused, before the key is
// used. After an error dst may hold a part of a file, which must be thrown
// away; timestamps that are lost with it are named in a [*LostStampsError].
func Document(ctx context.Context, dst io.Writer, src *io.SectionReader, o Options) error {
	signer, err := o.signer()
	if err != nil {
		return err
	}
	format, err := o.format(src)
	if err != nil {
		return err
	}
	switch {
	case format == PAdES && o.Level > LevelB:
		return o.withinTime().keepingReceipts(func(o Options) error { return o.pades(ctx, dst, src) })
	case format == PAdES:
		return pdf.Sign(ctx, dst, src, src.Size(), o.pdf())
	case o.Level > LevelB:
		return o.withinTime().keepingReceipts(func(o Options) error { return o.cades(ctx, dst, src, signer) })
	}
	content := io.NewSectionReader(cancelable{ctx, src}, 0, src.Size())
	return cms.Sign(dst, content, cms.Options{Signers: []cms.Signer{signer}, Detached: o.Detached})
}

// Preflight tells whether [Document] would refuse src, with the same errors,
// without a key. Of o.Signer only the certificates and the digest are looked at,
// where they are given: a form can ask for certain ones.
func Preflight(src *io.SectionReader, o Options) error {
	format, err := o.format(src)
	if err != nil || format != PAdES {
		return err
	}
	return pdf.Preflight(src, src.Size(), o.pdf())
}

// Preview draws the visible signature that [Document] would put into the PDF src,
// on white paper, with so many pixels an inch. No key is needed and nothing is
// signed; what Document would refuse is refused. See [pdf.Preview].
func Preview(src *io.SectionReader, o Options, resolution float64) (image.Image, error) {
	return pdf.Preview(src, src.Size(), o.pdf(), resolution)
}

// format decides what Auto means for src.
func (o Options) format(src *io.SectionReader) (Format, error) {
	if err := o.checkLevel(); err != nil {
		return Auto, err
	}
	switch {
	case o.Format < Auto || o.Format > CAdES:
		return Auto, fmt.Errorf("signing: there is no format %d", int(o.Format))
	case o.Format == PAdES && o.Detached:
		return Auto, ErrDetachedPDF
	case o.Format != Auto:
		return o.Format, nil
	case o.Detached:
		return CAdES, nil
	}
	return Detect(src, src.Size())
}

func (o Options) pdf() pdf.SignOptions {
	return pdf.SignOptions{
		Signer: o.Signer, SigningTime: o.Time, FieldName: o.Field,
		Name: o.Name, Reason: o.Reason, Location: o.Location, ContactInfo: o.Contact,
		Password: o.Password, Certify: o.Certify, Lock: o.Lock, Appearance: o.Appearance,
	}
}

// cancelable stops reading when its context is done.
type cancelable struct {
	ctx context.Context
	r   io.ReaderAt
}

// ReadAt implements [io.ReaderAt].
func (c cancelable) ReadAt(p []byte, off int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.ReadAt(p, off)
}
