// SPDX-License-Identifier: Apache-2.0

package outfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// direct writes the rest of a long file straight to the disk (O_DIRECT), in whole blocks.
// The memory that the system would hold it in meanwhile takes longer to find, fill and free
// again than the disk takes to write.
type direct struct {
	to       *os.File // the same file as temp, opened for this
	temp     *os.File // for what is no whole block
	at       int64    // where in the file block goes
	block    []byte
	gathered int // octets in block
}

// alignment is what every disk wants offsets, lengths and memory to be a multiple of, and
// blockSize how much is written at once.
const (
	alignment = 4 << 10
	blockSize = 1 << 20
)

// startDirect returns a writer of what comes after the first octets of a file, or nil if
// the file system has no such thing.
func startDirect(temp *os.File, written int64) *direct {
	to, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", temp.Fd()), os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return nil
	}
	block, err := unix.Mmap(-1, 0, blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE) // whole pages
	if err != nil {
		_ = to.Close()
		return nil
	}
	d := &direct{to: to, temp: temp, at: written - written%alignment, block: block}
	d.gathered = int(written - d.at)
	if _, err := temp.ReadAt(block[:d.gathered], d.at); err != nil && err != io.EOF {
		d.close()
		return nil
	}
	return d
}

// Write implements [io.Writer].
func (d *direct) Write(p []byte) (int, error) {
	for left := p; len(left) > 0; {
		n := copy(d.block[d.gathered:], left)
		d.gathered, left = d.gathered+n, left[n:]
		if d.gathered == blockSize {
			if err := d.put(d.to); err != nil {
				return len(p) - len(left), err
			}
		}
	}
	return len(p), nil
}

// put writes what was gathered. A disk that is not served this way after all gets it the
// common way.
func (d *direct) put(to *os.File) error {
	_, err := to.WriteAt(d.block[:d.gathered], d.at)
	if errors.Is(err, unix.EINVAL) {
		_, err = d.temp.WriteAt(d.block[:d.gathered], d.at)
	}
	d.at, d.gathered = d.at+int64(d.gathered), 0
	return err
}

// flush writes what is left, which may end within a block.
func (d *direct) flush() error { return d.put(d.temp) }

func (d *direct) close() {
	_ = d.to.Close() // temp is synced before it is closed
	_ = unix.Munmap(d.block)
}
