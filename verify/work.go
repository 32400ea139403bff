// SPDX-License-Identifier: Apache-2.0

package verify

import "errors"

// work is how much more may be done for one file. Signers, timestamps, certificates and
// revocation values are limited in number each, but a file may hold many of all, and each
// may have to be looked at for each: minutes, for a few megabytes. It is counted in units
// of some microseconds.
type work struct{ left int }

// maxWork is how many units there are for a file. What real files take is a hundredth of it.
const maxWork = 250_000

// stampWork is how many units it takes to read a timestamp and check its signature.
const stampWork = 50

// A unit is enough to compare one certificate or revocation value, or so many
const (
	unitBytes = 1 << 10 // bytes to digest,
	unitSteps = 16      // values to step over in search of one,
	unitNames = 4       // names of certificates to compare with that of a responder.
)

func newWork() *work { return &work{maxWork} }

// allows says whether so many units may still be done, and counts them. Nil has no limit.
func (w *work) allows(units int) bool {
	if w == nil {
		return true
	}
	w.left = max(w.left-units, -1)
	return w.left >= 0
}

// errWork is why something of a file was not looked at.
var errWork = errors.New("the file holds so many certificates, revocation values and timestamps that not all are looked at")
