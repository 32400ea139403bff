// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"hash"
	"io"

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

// pieceSize is how much content is handled at once, and pieces is how many may be
// waiting to be written.
const (
	pieceSize = 256 << 10
	pieces    = 8
)

// Copy copies src to dst, and to digest on the way, and returns how many octets it
// read. Long content is written to dst by a goroutine of its own, some pieces behind, so
// that neither the digest nor the disk waits for the other; none is running any more
// when Copy returns. The digest must not fail, as those of package hash don't.
func Copy(dst, digest io.Writer, src io.Reader) (int64, error) {
	first := make([]byte, firstPiece(src))
	n, err := io.ReadFull(src, first)
	if dst == io.Discard || err != nil {
		return copyAlone(dst, digest, src, first, n, err)
	}
	w := startWriter(dst)
	var total int64
	for piece := first; n > 0; n, err = io.ReadFull(src, piece) {
		_, _ = digest.Write(piece[:n])
		total += int64(n)
		if stopped := w.write(piece[:n]); stopped != nil {
			return total, stopped
		}
		if err != nil {
			break
		}
		piece = w.piece()
	}
	if stopped := w.end(); stopped != nil {
		return total, stopped
	}
	if isEOF(err) {
		return total, nil
	}
	return total, err
}

// firstPiece is how much to read at first: most files are short, and some say how
// short. One octet more than that finds the end.
func firstPiece(src io.Reader) int64 {
	const most = pieceSize / 8
	if sized, ok := src.(interface{ Size() int64 }); ok {
		return max(1, min(most, sized.Size()+1))
	}
	return most
}

// copyAlone is Copy without a goroutine. The first n octets were read into buf, with
// this error.
func copyAlone(dst, digest io.Writer, src io.Reader, buf []byte, n int, err error) (int64, error) {
	for total := int64(0); ; n, err = io.ReadFull(src, buf) {
		if n > 0 {
			total += int64(n)
			_, _ = digest.Write(buf[:n])
			if _, failed := dst.Write(buf[:n]); failed != nil {
				return total, failed
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

// writer writes pieces in the order given, in a goroutine of its own.
type writer struct {
	full  chan []byte
	empty chan []byte // pieces to be used again
	made  int
	done  chan error // one element, when nothing will be written any more
}

func startWriter(dst io.Writer) *writer {
	w := &writer{full: make(chan []byte, pieces), empty: make(chan []byte, pieces+2), done: make(chan error, 1)}
	go w.run(dst)
	return w
}

func (w *writer) run(dst io.Writer) {
	for piece := range w.full {
		if _, err := dst.Write(piece); err != nil {
			w.done <- err
			return
		}
		if cap(piece) == pieceSize {
			w.empty <- piece[:pieceSize]
		}
	}
	w.done <- nil
}

// write hands over a piece. The error is the one that an earlier piece met.
func (w *writer) write(piece []byte) error {
	select {
	case w.full <- piece:
		return nil
	case err := <-w.done:
		return err
	}
}

// piece returns one to fill.
func (w *writer) piece() []byte {
	select {
	case piece := <-w.empty:
		return piece
	default:
	}
	if w.made < pieces+2 {
		w.made++
		return make([]byte, pieceSize)
	}
	select {
	case piece := <-w.empty:
		return piece
	case err := <-w.done:
		w.done <- err // for the next call of write or end
		return make([]byte, pieceSize)
	}
}

// end waits until everything is written.
func (w *writer) end() error {
	close(w.full)
	return <-w.done
}
