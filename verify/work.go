// SPDX-License-Identifier: Apache-2.0

package verify

import "errors"

// work is how much more may be done for one file. Signers, timestamps, certificates and
// revocation values are limited in number each, but a file may hold many of all, and each
// may have to be looked at for each: minutes, for a few megabytes. A unit takes some
// microseconds: to compare one certificate or revocation value, or to digest a kilobyte.
type work struct{ left int }

// What real files take is a hundredth of it.
const (
	maxWork   = 250_000
	stampWork = 50 // units: to read a timestamp and check its signature
	unitBytes = 1 << 10
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
