// SPDX-License-Identifier: Apache-2.0

package pdf

import "io"

// Preflight tells whether [Sign] would refuse the file, without a key: with the
// same errors, and before anybody is asked for a PIN. fieldName is as in
// [SignOptions].
func Preflight(src io.ReaderAt, size int64, fieldName string) error {
	d, err := Open(src, size)
	if err != nil {
		return err
	}
	u, err := newUpdate(d)
	if err != nil {
		return err
	}
	name, err := d.chooseField(fieldName)
	if err != nil {
		return err
	}
	value := u.allocate()
	if _, err := u.put(value, []byte("<< >>")); err != nil {
		return err
	}
	return u.addField(name, value)
}
