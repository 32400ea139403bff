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

// AddSigner writes the file to dst with one more signer of the same content,
// in parallel to those that are there (firma congiunta), whose octets are
// kept. Of o only Signer and Time are looked at.
//
// Whether the signatures that are there are any good is not asked.
func AddSigner(ctx context.Context, dst io.Writer, existing Existing, o Options) error {
	signer, err := o.signer()
	if err != nil {
		return err
	}
	return cms.AddSigner(dst, existing.amended(ctx), signer)
}

// CounterSign writes the file to dst with a counter-signature (controfirma) of
// its signer number index, counted from zero in the order of the file. Of o
// only Signer and Time are looked at.
func CounterSign(ctx context.Context, dst io.Writer, existing Existing, index int, o Options) error {
	signer, err := o.signer()
	if err != nil {
		return err
	}
	return cms.CounterSign(dst, existing.amended(ctx), index, signer)
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
