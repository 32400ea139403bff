// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// Level is how long a signature can be validated (ETSI EN 319 122-1, clause 6.1; EN
// 319 142-1, clause 6.1).
type Level int

// The levels. Each includes those before it.
const (
	LevelB   Level = iota // as long as the certificate is valid
	LevelT                // a timestamp proves when it was made: valid though the certificate ends or is revoked later
	LevelLT               // the proof that certificates were good is inside: valid though nobody can be asked any more
	LevelLTA              // a timestamp covers all of that: valid until it ends, and can be renewed before
)

// String returns the level's name in the standards: B-B, B-T, B-LT or B-LTA.
func (l Level) String() string {
	switch l {
	case LevelB:
		return "B-B"
	case LevelT:
		return "B-T"
	case LevelLT:
		return "B-LT"
	case LevelLTA:
		return "B-LTA"
	}
	return fmt.Sprintf("level %d", int(l))
}

// Stamper asks for timestamps. A [*timestamp.Client] is one.
type Stamper interface {
	// Hashes returns the digests that Stamp needs.
	Hashes() []crypto.Hash
	// Stamp returns a token of what has these digests, one for each of Hashes. It is
	// called once for each timestamp.
	Stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error)
}

// ValidationDataSource collects what a signature needs to be validated when nobody can be
// asked any more. A verify.Collector is one.
type ValidationDataSource interface {
	// ValidationData returns the chain of a certificate and the proof that none of it was
	// revoked at a moment; zero is now. Others are certificates that may belong to
	// the chain. It is an error if something is missing, or was revoked.
	ValidationData(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate, at time.Time) (*cms.ValidationData, error)
}

// ErrReached is returned by [Extend] when nothing has to be added for the level.
var ErrReached = errors.New("the signatures have that level already")

// ErrNoSignature is returned by [Extend] for a file that holds no signature of CMS, and is
// no PDF with one.
var ErrNoSignature = errors.New("there is no signature in it")

// ErrNoStamper and ErrNoValidationData are returned for options that lack what a level
// needs.
var (
	ErrNoStamper        = errors.New("levels from B-T on need Options.Stamper")
	ErrNoValidationData = errors.New("levels from B-LT on need Options.ValidationData")
)

// LevelError says why a level was not reached.
type LevelError struct {
	Reached Level
	Wanted  Level
	Err     error
}

// Error implements error.
func (e *LevelError) Error() string {
	return fmt.Sprintf("reaching level %v (%v is reached): %v", e.Wanted, e.Reached, e.Err)
}

// Unwrap returns the cause.
func (e *LevelError) Unwrap() error { return e.Err }

// checkLevel finds options that can't lead to the level.
func (o Options) checkLevel() error {
	switch {
	case o.Level < LevelB || o.Level > LevelLTA:
		return fmt.Errorf("signing: there is no level %d", int(o.Level))
	case o.Level >= LevelT && o.Stamper == nil:
		return ErrNoStamper
	case o.Level >= LevelLT && o.ValidationData == nil:
		return ErrNoValidationData
	}
	return nil
}

// fallShort decides what becomes of a level that can't be reached.
func (o Options) fallShort(ctx context.Context, reached Level, why error) error {
	failed := &LevelError{Reached: reached, Wanted: o.Level, Err: why}
	if o.Settle == nil || ctx.Err() != nil {
		return failed
	}
	return o.Settle(failed)
}
