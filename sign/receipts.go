// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"fmt"
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

// receipts is a Stamper that remembers what it handed out.
type receipts struct {
	Stamper
	tokens []*timestamp.Token
}

// Stamp implements [Stamper].
func (r *receipts) Stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error) {
	t, err := r.Stamper.Stamp(ctx, digests)
	if err == nil {
		r.tokens = append(r.tokens, t)
	}
	return t, err
}

// keepingReceipts runs what writes a file, and adds to its error what is lost with it.
func (o Options) keepingReceipts(write func(Options) error) error {
	if o.Stamper == nil {
		return write(o)
	}
	r := &receipts{Stamper: o.Stamper}
	o.Stamper = r
	err := write(o)
	if err == nil || len(r.tokens) == 0 {
		return err
	}
	return &LostStampsError{r.tokens, err}
}
