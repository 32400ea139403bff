// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pectoken/pectoken/sign/cms"
)

// Extend writes the file to dst with what raises all signatures in it to o.Level:
// timestamps, and validation data. Files of any program will do; every octet that is
// signed or stamped stays as it was. Of o only Level, Stamper, ValidationData,
// ValidationDataTime, Settle and Password are looked at.
//
// At [LevelT] a signature without a timestamp gets one. At [LevelLT] the validation data
// of the signers and of their timestamps is added, or, if there are archive timestamps,
// that of the last of these; newer values stand beside older ones. At [LevelLTA] there follows a further archive timestamp,
// which covers everything that is there: extending to LevelLTA again renews a
// signature before its last timestamp ends. Counter-signatures are covered by that,
// and get no timestamp of their own. In a PDF document timestamps take the place of
// archive timestamps, and of those that a signature made without one can't get any more.
//
// Signatures that are not intact are refused before anything is asked for. Whether
// they are to be trusted is not looked at. A file without any is an [ErrNoSignature].
// When there is nothing to add the error is [ErrReached]; when the level can't be reached
// it is a [*LevelError], see Options.Settle. After an error dst may hold a part of a file,
// to be thrown away; timestamps that are lost with it are named in a [*LostStampsError].
func Extend(ctx context.Context, dst io.Writer, existing Existing, o Options) error {
	switch {
	case existing.File == nil:
		return errNoFile
	case o.Level == LevelB:
		return ErrReached
	}
	if err := o.checkLevel(); err != nil {
		return err
	}
	return o.withinTime().keepingReceipts(func(o Options) error { return o.extend(ctx, dst, existing) })
}

func (o Options) extend(ctx context.Context, dst io.Writer, existing Existing) error {
	format, err := Detect(existing.File, existing.File.Size())
	if err != nil {
		return err
	}
	if format == PAdES {
		return o.extendPDF(ctx, dst, io.NewSectionReader(cancelable{ctx, existing.File}, 0, existing.File.Size()))
	}
	sd, err := existing.read(ctx, o)
	if err != nil {
		return err
	}
	r := &raising{Options: o, sd: sd}
	if err := o.expectValidationData(ctx, r.unstamped(), certificatesOf(sd)); err != nil {
		return err
	}
	if err := r.raise(ctx); err != nil {
		return err
	}
	if r.nothing() {
		return ErrReached
	}
	return cms.Extend(dst, existing.amended(ctx), r.added)
}

// read reads a file to extend, and makes sure that its signatures are intact.
func (e Existing) read(ctx context.Context, o Options) (*cms.SignedData, error) {
	file := e.amended(ctx)
	reader := func() io.Reader { return io.NewSectionReader(file.Source, 0, file.Size) }
	if !cms.Recognize(reader()) {
		return nil, ErrNoSignature
	}
	hashes := o.Stamper.Hashes()
	sd, err := cms.Read(reader(), cms.ReadOptions{Hashes: hashes})
	if err != nil {
		return nil, err
	}
	missing := append(sd.MissingHashes(), archiveHashes(sd)...)
	switch {
	case sd.Attached && len(missing) > 0:
		sd, err = cms.Read(reader(), cms.ReadOptions{Hashes: slices.Concat(hashes, missing)})
	case !sd.Attached && e.Content == nil:
		err = errors.New("the content of the detached signature is needed")
	case !sd.Attached:
		err = sd.DigestContent(file.Detached, slices.Concat(hashes, missing)...)
	}
	if err != nil {
		return nil, err
	}
	return sd, intact(sd)
}

// intact refuses signatures with which anything is wrong: a timestamp would be wasted.
func intact(sd *cms.SignedData) error {
	if len(sd.Signers) == 0 {
		return ErrNoSignature
	}
	for i, s := range sd.Signers {
		if c := sd.Check(s); len(c.Findings) > 0 {
			return fmt.Errorf("signature %d is not good: %s", i+1, c.Findings[0].Detail)
		}
	}
	return nil
}

// cades signs src with CAdES at a level above B-B. The signature is made and raised apart
// from its content, which is read twice, and once more for [LevelLTA].
func (o Options) cades(ctx context.Context, dst io.Writer, src *io.SectionReader, signer cms.Signer) error {
	if err := o.expectValidationData(ctx, o.subject(), signer.Chain); err != nil {
		return err
	}
	content := func() *io.SectionReader { return io.NewSectionReader(cancelable{ctx, src}, 0, src.Size()) }
	var signature bytes.Buffer
	if err := cms.Sign(&signature, content(), cms.Options{Signers: []cms.Signer{signer}, Detached: true}); err != nil {
		return err
	}
	sd, err := cms.Read(bytes.NewReader(signature.Bytes()), cms.ReadOptions{})
	if err != nil {
		return err
	}
	if o.Level == LevelLTA {
		if err := sd.DigestContent(content(), o.Stamper.Hashes()...); err != nil {
			return err
		}
	}
	r := &raising{Options: o, sd: sd}
	if err := r.raise(ctx); err != nil {
		return err
	}
	if o.Detached {
		return cms.Extend(dst, inMemory(signature.Bytes()), r.added)
	}
	var raised bytes.Buffer
	if err := cms.Extend(&raised, inMemory(signature.Bytes()), r.added); err != nil {
		return err
	}
	return cms.Attach(dst, inMemory(raised.Bytes()), content(), src.Size())
}

// expectValidationData finds out before the key is used and a timestamp paid for whether
// the certificates of signers can be proven good.
func (o Options) expectValidationData(ctx context.Context, signers []subject, others []*x509.Certificate) error {
	if o.Level < LevelLT || o.Settle != nil {
		return nil
	}
	for _, q := range signers {
		if _, err := o.ValidationData.ValidationData(ctx, q.certificate, others, q.at); err != nil {
			return &LevelError{Reached: LevelB, Wanted: o.Level, Err: fmt.Errorf("%s: %w", q.whose, err)}
		}
	}
	return nil
}

// subject is the certificate to sign with.
func (o Options) subject() []subject {
	if o.Signer.Certificate == nil {
		return nil
	}
	return []subject{{o.Signer.Certificate, o.Time, "the certificate to sign with"}}
}

func inMemory(file []byte) cms.Amended {
	return cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}
}
