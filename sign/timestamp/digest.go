// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"crypto"
	"hash"

	// The digests that stamps are over.
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// digester computes several digests of the same octets.
type digester map[crypto.Hash]hash.Hash

// newDigester begins digests, each over the prefix first.
func newDigester(hashes []crypto.Hash, prefix ...[]byte) digester {
	d := digester{}
	for _, h := range hashes {
		if h == 0 || d[h] != nil {
			continue
		}
		d[h] = h.New()
		for _, p := range prefix {
			d[h].Write(p)
		}
	}
	return d
}

// Write implements [io.Writer]; it never fails.
func (d digester) Write(p []byte) (int, error) {
	for _, h := range d {
		h.Write(p)
	}
	return len(p), nil
}

func (d digester) sums() Digests {
	sums := make(Digests, len(d))
	for algorithm, h := range d {
		sums[algorithm] = h.Sum(nil)
	}
	return sums
}
