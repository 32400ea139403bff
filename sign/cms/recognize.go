// SPDX-License-Identifier: Apache-2.0

package cms

import "io"

// Recognize tells whether r begins like CMS SignedData, in any encoding that
// [Read] takes. It reads a few kilobytes at the most.
func Recognize(r io.Reader) bool {
	plain, _, err := Unarmor(io.LimitReader(r, armorPeek))
	if err != nil {
		return false
	}
	p := &parser{stream: newStream(plain, armorPeek)}
	seq, err := p.open(outside, tagSequence)
	if err != nil {
		return false
	}
	id, err := p.oid(seq)
	return err == nil && id.Equal(oidSignedData)
}
