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
	u, fieldName, err := d.begin(fieldName)
	if err != nil {
		return err
	}
	value := u.allocate()
	if _, err := u.put(value, []byte("<< >>")); err != nil {
		return err
	}
	if err := u.addField(fieldName, value); err != nil {
		return err
	}
	_, err = u.finish(nil)
	return err
}

// begin begins the update that adds a signature field, once all who can forbid
// it were asked, and settles the field's name.
func (d *Document) begin(asked string) (*update, string, error) {
	u, err := newUpdate(d)
	if err != nil {
		return nil, "", err
	}
	fieldName, err := d.chooseField(asked)
	return u, fieldName, err
}
