// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"errors"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// Existing is a .p7m or .p7s that gets a signature added to it.
type Existing struct {
	File    *io.SectionReader // REQUIRED
	Content *io.SectionReader // what a detached signature is about; nil when the content is inside
}

var errNoFile = errors.New("Existing.File is not set")

// AddSigner writes the file to dst with one more signer of the same content,
// in parallel to those that are there (firma congiunta), whose octets are
// kept. Of o only Signer, Time, Level, Stamper and Settle are looked at.
//
// At [LevelT] the new signature gets a timestamp. Higher levels are those of a whole
// file: with them the error is [ErrAmendedLevel], and [Extend] reaches them afterwards.
//
// Whether the signatures that are there are any good is not asked. After an error dst may
// hold a part of a file; a timestamp that is lost with it is named in a
// [*LostStampsError].
func AddSigner(ctx context.Context, dst io.Writer, existing Existing, o Options) error {
	if existing.File == nil {
		return errNoFile
	}
	return o.amend(ctx, func(signer cms.Signer) error { return cms.AddSigner(dst, existing.amended(ctx), signer) })
}

// CounterSign writes the file to dst with a counter-signature (controfirma) of
// its signer number index, counted from zero in the order of the file. Of o the same is
// looked at as by [AddSigner], and the levels are the same.
func CounterSign(ctx context.Context, dst io.Writer, existing Existing, index int, o Options) error {
	if existing.File == nil {
		return errNoFile
	}
	return o.amend(ctx, func(signer cms.Signer) error { return cms.CounterSign(dst, existing.amended(ctx), index, signer) })
}

// ErrAmendedLevel is returned when a signature that is added to others is to reach a level
// that only all of them can have.
var ErrAmendedLevel = errors.New("a signature that is added to a file can have level B-B or B-T; the file is extended afterwards")

// amend has a signature added that has its level.
func (o Options) amend(ctx context.Context, add func(cms.Signer) error) error {
	signer, err := o.signer()
	if err != nil {
		return err
	}
	if err := o.checkLevel(); err != nil {
		return err
	}
	switch o.Level {
	case LevelB:
		return add(signer)
	case LevelT:
		return o.keepingReceipts(func(o Options) error {
			signer.Unsigned = func(value []byte) ([]cms.Attribute, error) { return o.stampAdded(ctx, value) }
			return add(signer)
		})
	}
	return ErrAmendedLevel
}

// stampAdded returns the timestamp of a signature that was made, or nothing if the caller
// is content without.
func (o Options) stampAdded(ctx context.Context, value []byte) ([]cms.Attribute, error) {
	stamp, err := o.stampValue(ctx, value)
	if err != nil {
		return nil, o.fallShort(ctx, LevelB, err)
	}
	return []cms.Attribute{stamp}, nil
}

// signer is the Signer with the claimed time in it.
func (o Options) signer() (cms.Signer, error) {
	if o.Time.IsZero() {
		return cms.Signer{}, errors.New("signing: Options.Time is not set")
	}
	signer := o.Signer
	signer.SigningTime = o.Time
	return signer, nil
}

func (e Existing) amended(ctx context.Context) cms.Amended {
	a := cms.Amended{Source: cancelable{ctx, e.File}, Size: e.File.Size()}
	if e.Content != nil {
		a.Detached = io.NewSectionReader(cancelable{ctx, e.Content}, 0, e.Content.Size())
	}
	return a
}
