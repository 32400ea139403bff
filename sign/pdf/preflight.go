// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"io"
)

// Preflight tells whether [Sign] would refuse the file, without a key: with the
// same errors, and before anybody is asked for a PIN. Of o.Signer it uses the
// certificates and the digest, where they are given: a form can ask for certain
// ones. A nil certificate, like a zero SigningTime, is no reason to refuse.
func Preflight(src io.ReaderAt, size int64, o SignOptions) error {
	d, err := OpenWith(src, size, OpenOptions{Password: o.Password})
	if err != nil {
		return err
	}
	p, err := d.plan(o)
	if err != nil {
		return err
	}
	return new(prepared).render(p, p.o.Room)
}
