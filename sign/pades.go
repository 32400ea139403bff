// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// pades signs src with PAdES at a level above B-B: with a timestamp in the signature, and
// with what comes after it in updates of their own (ETSI EN 319 142-1, clause 6.3).
func (o Options) pades(ctx context.Context, dst io.Writer, src *io.SectionReader) error {
	if err := o.expectValidationData(ctx, o.subject(), o.Signer.Chain); err != nil {
		return err
	}
	short := false // of level B-T
	options := o.pdf()
	options.Complete = func(signature []byte) ([]byte, error) {
		stamped, err := o.stampSignature(ctx, signature)
		if err != nil {
			short = true
			return signature, o.fallShort(ctx, LevelB, err)
		}
		return stamped, nil
	}
	file := &grown{base: src}
	err := file.grow(func(w io.Writer) error { return pdf.Sign(ctx, w, src, src.Size(), options) })
	if err != nil {
		return err
	}
	if !short {
		if err := o.raisePDF(ctx, file, LevelLT, newest); err != nil {
			return err
		}
	}
	return file.copyTo(ctx, dst)
}

// newest is the signature that was just made. Those before it stay as they are, whatever
// they lack: that is no reason to refuse a signature whose stamp is paid for, and [Extend]
// raises them.
func newest(s *pdf.Signature) bool { return s.Covers == pdf.CoversWholeFile }

// everyone is all signatures and document timestamps.
func everyone(*pdf.Signature) bool { return true }

// stampSignature adds a timestamp to a signature.
func (o Options) stampSignature(ctx context.Context, signature []byte) ([]byte, error) {
	sd, err := cms.Read(bytes.NewReader(signature), cms.ReadOptions{})
	if err != nil {
		return nil, err
	}
	r := &raising{Options: o, sd: sd}
	if err := r.stampSignatures(ctx); err != nil {
		return nil, err
	}
	var stamped bytes.Buffer
	err = cms.Extend(&stamped, inMemory(signature), r.added)
	return stamped.Bytes(), err
}

// extendPDF is [Extend] for a PDF.
func (o Options) extendPDF(ctx context.Context, dst io.Writer, src *io.SectionReader) error {
	file := &grown{base: src}
	if err := o.raisePDF(ctx, file, LevelT, everyone); err != nil {
		return err
	}
	if len(file.tail) == 0 {
		return ErrReached
	}
	return file.copyTo(ctx, dst)
}

// raisePDF adds what the levels from one on need for those signatures that it is about.
func (o Options) raisePDF(ctx context.Context, file *grown, from Level, about func(*pdf.Signature) bool) error {
	steps := []func(context.Context, *grown) error{
		LevelT:   o.stampPDF,
		LevelLT:  func(ctx context.Context, file *grown) error { return o.proveData(ctx, file, about) },
		LevelLTA: o.archivePDF,
	}
	for level := from; level <= o.Level; level++ {
		if err := steps[level](ctx, file); err != nil {
			if errors.As(err, new(*refusedError)) {
				return err
			}
			return o.fallShort(ctx, level-1, err)
		}
	}
	return nil
}

// refusedError is a document that no level can be reached with.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// stampPDF adds a document timestamp if a signature has no timestamp.
func (o Options) stampPDF(ctx context.Context, file *grown) error {
	d, err := o.inspect(file, everyone)
	if err != nil {
		return &refusedError{err}
	}
	unstamped := d.unstamped()
	if len(unstamped) == 0 {
		return nil
	}
	if err := o.expectValidationData(ctx, unstamped, d.certificates); err != nil {
		return &refusedError{err}
	}
	return o.archivePDF(ctx, file)
}

// archivePDF adds a document timestamp.
func (o Options) archivePDF(ctx context.Context, file *grown) error {
	return o.extendFile(ctx, file, pdf.ExtendOptions{Hashes: o.Stamper.Hashes(), StampAny: func(digests map[crypto.Hash][]byte) ([]byte, error) {
		token, err := o.stamp(ctx, digests)
		if err != nil {
			return nil, err
		}
		return token.Raw, nil
	}})
}

func (o Options) extendFile(ctx context.Context, file *grown, e pdf.ExtendOptions) error {
	e.Password, e.Rand = o.Password, o.Signer.Rand
	return file.grow(func(w io.Writer) error { return pdf.Extend(ctx, w, file, file.size(), e) })
}

// proveData adds the validation data of signatures and timestamps to the document
// security store.
func (o Options) proveData(ctx context.Context, file *grown, about func(*pdf.Signature) bool) error {
	d, err := o.inspect(file, about)
	if err != nil {
		return &refusedError{err}
	}
	subjects, err := d.subjects()
	if err != nil {
		return err
	}
	var all cms.ValidationData
	for _, q := range subjects {
		data, err := o.ValidationData.ValidationData(ctx, q.certificate, d.certificates, q.at)
		if err != nil {
			return fmt.Errorf("%s: %w", q.whose, err)
		}
		all.Certificates = append(all.Certificates, data.Certificates...)
		all.CRLs, all.OCSP = append(all.CRLs, data.CRLs...), append(all.OCSP, data.OCSP...)
	}
	return o.extendFile(ctx, file, pdf.ExtendOptions{ValidationData: all})
}

// inspectedPDF is what is known of a PDF with signatures that are intact.
type inspectedPDF struct {
	signatures   []*signedPDF
	stamps       []*stampedPDF // the good document timestamps
	certificates []*x509.Certificate
}

type signedPDF struct {
	*pdf.Signature
	sd *cms.SignedData
}

type stampedPDF struct {
	*pdf.Signature
	token *timestamp.Token
	data  bool // the document had validation data when it was made
}

// inspect reads the signatures of a PDF that it is about, and refuses those that are not
// intact.
func (o Options) inspect(file *grown, about func(*pdf.Signature) bool) (*inspectedPDF, error) {
	doc, err := pdf.OpenWith(file, file.size(), pdf.OpenOptions{Password: o.Password})
	if err != nil {
		return nil, err
	}
	list, err := doc.Signatures()
	if err != nil {
		return nil, err
	}
	d := &inspectedPDF{}
	store, err := doc.SecurityStore()
	if err != nil {
		return nil, err
	}
	d.addStore(store)
	for _, sig := range list {
		if !about(sig) {
			continue
		}
		if sig.Type == "DocTimeStamp" {
			err = d.addStamp(doc, sig)
		} else {
			err = d.addSignature(sig)
		}
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", sig.Field, err)
		}
	}
	if len(d.signatures)+len(d.stamps) == 0 {
		return nil, ErrNoSignature
	}
	return d, nil
}

// addStore adds the certificates of a document that has a security store.
func (d *inspectedPDF) addStore(store *pdf.SecurityStore) {
	if store == nil {
		return
	}
	for _, der := range store.Certificates {
		if c, err := x509.ParseCertificate(der); err == nil {
			d.certificates = append(d.certificates, c)
		}
	}
}

func (d *inspectedPDF) addSignature(sig *pdf.Signature) error {
	for _, p := range sig.Problems {
		if !p.Harmless() {
			return errors.New(p.String())
		}
	}
	sd, err := cms.Read(bytes.NewReader(sig.Contents), cms.ReadOptions{})
	if err != nil {
		return err
	}
	if err := sd.DigestContent(sig.SignedBytes()); err != nil {
		return err
	}
	if err := intact(sd); err != nil {
		return err
	}
	d.signatures = append(d.signatures, &signedPDF{sig, sd})
	d.certificates = append(d.certificates, certificatesOf(sd)...)
	return nil
}

// addStamp adds a document timestamp. One that is not good is as none.
func (d *inspectedPDF) addStamp(doc *pdf.Document, sig *pdf.Signature) error {
	token, err := timestamp.Parse(sig.Contents)
	if err != nil || slices.ContainsFunc(sig.Problems, func(p pdf.Problem) bool { return !p.Harmless() }) {
		return nil
	}
	covers, err := token.Covers(sig.SignedBytes())
	if err != nil && !errors.Is(err, timestamp.ErrHash) {
		return err
	}
	if !covers || token.Check(d.certificates...).Err() != nil || sig.Revision < 0 {
		return nil
	}
	store, err := doc.SecurityStoreOf(sig.Revision)
	if err != nil {
		return err
	}
	data := store != nil && len(store.CRLs)+len(store.OCSP) > 0
	d.stamps = append(d.stamps, &stampedPDF{sig, token, data})
	d.certificates = append(d.certificates, certificatesOf(token.SignedData)...)
	return nil
}

// provenAt is the earliest time at which a signature was there, zero if none is proven.
func (d *inspectedPDF) provenAt(s *signedPDF) (at time.Time) {
	earlier := func(t *timestamp.Token) {
		if at.IsZero() || t.Info.Time.Before(at) {
			at = t.Info.Time
		}
	}
	for _, info := range s.sd.Signers {
		for _, t := range signatureStamps(info) {
			earlier(t)
		}
	}
	for _, stamp := range d.stamps {
		if stamp.CoversSignature(s.Signature) {
			earlier(stamp.token)
		}
	}
	return at
}

// unstamped returns the certificates of signatures without a timestamp.
func (d *inspectedPDF) unstamped() (list []subject) {
	for _, s := range d.signatures {
		if !d.provenAt(s).IsZero() {
			continue
		}
		for _, info := range s.sd.Signers {
			if c := s.sd.Check(info).Certificate; c != nil {
				list = append(list, subject{certificate: c, whose: fmt.Sprintf("the certificate of signature %q", s.Field)})
			}
		}
	}
	return list
}

// subjects returns the certificates to prove good: those of the last document timestamp,
// and of signatures whose proof no document timestamp covers yet.
func (d *inspectedPDF) subjects() (list []subject, err error) {
	add := func(check *timestamp.Check, whose string) {
		if check.Signature != nil && check.Signature.Certificate != nil {
			list = append(list, subject{certificate: check.Signature.Certificate, whose: "the certificate of " + whose})
		}
	}
	for _, s := range d.signatures {
		if slices.ContainsFunc(d.stamps, func(t *stampedPDF) bool { return t.data && t.CoversSignature(s.Signature) }) {
			continue
		}
		at := d.provenAt(s)
		if at.IsZero() {
			return nil, fmt.Errorf("signature %q has no time stamp", s.Field)
		}
		for _, info := range s.sd.Signers {
			list = append(list, subject{s.sd.Check(info).Certificate, at, fmt.Sprintf("the certificate of signature %q", s.Field)})
			for _, t := range signatureStamps(info) {
				add(t.Check(d.certificates...), fmt.Sprintf("a time stamp of signature %q", s.Field))
			}
		}
	}
	if n := len(d.stamps); n > 0 {
		last := d.stamps[n-1]
		add(last.token.Check(d.certificates...), fmt.Sprintf("time stamp %q", last.Field))
	}
	return list, nil
}

// grown is a document and what was appended to it: updates are small, and stay in memory
// until all of them are made.
type grown struct {
	base *io.SectionReader
	tail []byte
}

func (g *grown) size() int64 { return g.base.Size() + int64(len(g.tail)) }

// ReadAt implements [io.ReaderAt].
func (g *grown) ReadAt(p []byte, off int64) (n int, err error) {
	if off < g.base.Size() {
		if n, err = g.base.ReadAt(p[:min(int64(len(p)), g.base.Size()-off)], off); err != nil && !errors.Is(err, io.EOF) || n == len(p) {
			return n, err
		}
		if off+int64(n) < g.base.Size() {
			return n, io.ErrUnexpectedEOF
		}
	}
	m, err := bytes.NewReader(g.tail).ReadAt(p[n:], off+int64(n)-g.base.Size())
	return n + m, err
}

// grow appends what a writer of a whole file writes after what is there.
func (g *grown) grow(write func(io.Writer) error) error {
	w := &tailWriter{skip: g.size()}
	if err := write(w); err != nil {
		return err
	}
	if w.skip > 0 {
		return io.ErrShortWrite
	}
	g.tail = append(g.tail, w.tail...)
	return nil
}

func (g *grown) copyTo(ctx context.Context, dst io.Writer) error {
	if _, err := io.Copy(dst, io.NewSectionReader(cancelable{ctx, g}, 0, g.size())); err != nil {
		return fmt.Errorf("writing signed PDF: %w", err)
	}
	return nil
}

// tailWriter keeps what is written after the first octets.
type tailWriter struct {
	skip int64
	tail []byte
}

// Write implements [io.Writer]; it never fails.
func (w *tailWriter) Write(p []byte) (int, error) {
	n := min(w.skip, int64(len(p)))
	w.skip -= n
	w.tail = append(w.tail, p[n:]...)
	return len(p), nil
}
