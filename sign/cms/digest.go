// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"hash"
	"io"
	"sync"

	// The digests a signature in the field may use.
	_ "crypto/md5"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
)

// digestAlgorithms are the digests this package computes. MD5 and SHA-1 are
// computed to tell what a file says, not because they can be relied on.
var digestAlgorithms = []struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{oidSHA256, crypto.SHA256}, {oidSHA384, crypto.SHA384}, {oidSHA512, crypto.SHA512},
	{oidSHA1, crypto.SHA1}, {oidSHA224, crypto.SHA224}, {oidMD5, crypto.MD5},
	{oidSHA3_224, crypto.SHA3_224}, {oidSHA3_256, crypto.SHA3_256},
	{oidSHA3_384, crypto.SHA3_384}, {oidSHA3_512, crypto.SHA3_512},
}

// hashOf returns the digest an identifier names, or zero.
func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	for _, a := range digestAlgorithms {
		if a.oid.Equal(oid) {
			return a.hash
		}
	}
	return 0
}

// oidOf returns the identifier of a digest, or nil.
func oidOf(h crypto.Hash) asn1.ObjectIdentifier {
	for _, a := range digestAlgorithms {
		if a.hash == h {
			return a.oid
		}
	}
	return nil
}

// digester computes several digests of the same bytes.
type digester map[crypto.Hash]hash.Hash

func (d digester) add(h crypto.Hash) {
	if h != 0 && d[h] == nil {
		d[h] = h.New()
	}
}

// Write implements [io.Writer]; it never fails.
func (d digester) Write(p []byte) (int, error) {
	for _, h := range d {
		h.Write(p)
	}
	return len(p), nil
}

func (d digester) sums() map[crypto.Hash][]byte {
	sums := make(map[crypto.Hash][]byte, len(d))
	for algorithm, h := range d {
		sums[algorithm] = h.Sum(nil)
	}
	return sums
}

// equal tells whether two digesters saw the same bytes.
func (d digester) equal(other digester) bool {
	sums := other.sums()
	for algorithm, sum := range d.sums() {
		if !bytes.Equal(sum, sums[algorithm]) {
			return false
		}
	}
	return true
}

// pieceSize is how much content is in the air at once.
const pieceSize = 256 << 10

// pump copies src to dst and digests what it copies, both at the same time,
// since on most machines either alone would keep the other waiting.
func pump(dst io.Writer, d digester, src io.Reader) (int64, error) {
	buf := make([]byte, pieceSize)
	var total int64
	for {
		n, err := io.ReadFull(src, buf)
		if n > 0 {
			total += int64(n)
			if err := both(dst, d, buf[:n]); err != nil {
				return total, err
			}
		}
		if isEOF(err) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// both digests and writes one piece: side by side, unless it is so small that
// starting a second thread of work would cost more.
func both(dst io.Writer, d digester, piece []byte) error {
	if dst == io.Discard || len(piece) < pieceSize/16 {
		_, _ = d.Write(piece)
		_, err := dst.Write(piece)
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = d.Write(piece) })
	_, err := dst.Write(piece)
	wg.Wait()
	return err
}
