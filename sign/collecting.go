// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// defaultValidationDataTime is how long the validation data of one file may take to
// collect.
const defaultValidationDataTime = time.Minute

// collecting is a ValidationDataSource with the time that is left for one file. A file may
// have a hundred certificates, each of which names places that never answer.
type collecting struct {
	ValidationDataSource
	all, left time.Duration
}

// withinTime gives the source of validation data the time that there is for a file.
func (o Options) withinTime() Options {
	all := o.ValidationDataTime
	if all == 0 {
		all = defaultValidationDataTime
	}
	if o.ValidationData != nil {
		o.ValidationData = &collecting{o.ValidationData, all, all}
	}
	return o
}

// ValidationData implements [ValidationDataSource].
func (c *collecting) ValidationData(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate, at time.Time) (*cms.ValidationData, error) {
	limited, stop := context.WithTimeout(ctx, c.left)
	defer stop()
	start := time.Now()
	data, err := c.ValidationDataSource.ValidationData(limited, certificate, others, at)
	c.left -= time.Since(start)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("collecting validation data took longer than the %v that there are for one file: %w", c.all, err)
	}
	return data, err
}
