// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pectoken/pectoken/sign/timestamp"
)

// LostStampsError says that timestamps were received, and maybe paid for, for a file that
// could not be finished. What they are of stands in that file alone, so that they serve
// for no other.
type LostStampsError struct {
	Tokens []*timestamp.Token
	Err    error
}

// Error implements error.
func (e *LostStampsError) Error() string {
	var which []string
	for _, t := range e.Tokens {
		which = append(which, fmt.Sprintf("number %X of %s", t.Info.SerialNumber, t.Info.Time.UTC().Format("2006-01-02T15:04:05Z07:00")))
	}
	return fmt.Sprintf("%v (lost with the file, received already: time stamp %s)", e.Err, strings.Join(which, ", "))
}

// Unwrap returns why the file could not be finished.
func (e *LostStampsError) Unwrap() error { return e.Err }

// Receipts is a Stamper that remembers what it handed out for one file. Functions that
// write a file name what is lost with it themselves; who gives the file its place
// afterwards, and fails, does with [Receipts.Lost]. It is for one goroutine.
type Receipts struct {
	Stamper // REQUIRED
	tokens  []*timestamp.Token
}

// Stamp implements [Stamper].
func (r *Receipts) Stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error) {
	t, err := r.Stamper.Stamp(ctx, digests)
	if err == nil {
		r.tokens = append(r.tokens, t)
	}
	return t, err
}

// Tokens returns the timestamps that were received, in that order.
func (r *Receipts) Tokens() []*timestamp.Token {
	if r == nil {
		return nil
	}
	return slices.Clone(r.tokens)
}

// Lost adds to the error of a file, as a [*LostStampsError], the timestamps that were
// received for it. An error that names them already stays as it is, and so does one of a
// file for which there are none, as with a nil Receipts.
func (r *Receipts) Lost(err error) error {
	if err == nil || r == nil || len(r.tokens) == 0 || errors.As(err, new(*LostStampsError)) {
		return err
	}
	return &LostStampsError{r.tokens, err}
}

// keepingReceipts runs what writes a file, and adds to its error what is lost with it.
func (o Options) keepingReceipts(write func(Options) error) error {
	if o.Stamper == nil {
		return write(o)
	}
	r := &Receipts{Stamper: o.Stamper}
	o.Stamper = r
	return r.Lost(write(o))
}
