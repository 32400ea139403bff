// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// pieceLen is how much of a document is in memory at a time, twice.
const pieceLen = 512 << 10

// copy copies the document to dst and h, which never fails. While a piece is hashed it is written,
// and the next one is read.
func (d *Document) copy(ctx context.Context, dst io.Writer, h io.Writer) error {
	var hashing sync.WaitGroup
	defer hashing.Wait()
	src := io.NewSectionReader(d.src, 0, d.size)
	n := min(d.size, pieceLen)
	buffers := [2][]byte{make([]byte, n), make([]byte, n)}
	for i, left := 0, d.size; left > 0; i++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("copying PDF: %w", err)
		}
		piece := buffers[i%2][:min(left, pieceLen)]
		if _, err := io.ReadFull(src, piece); err != nil {
			return fmt.Errorf("copying PDF: %w", err)
		}
		hashing.Wait()
		hashing.Go(func() { _, _ = h.Write(piece) })
		if _, err := dst.Write(piece); err != nil {
			return fmt.Errorf("writing signed PDF: %w", err)
		}
		left -= int64(len(piece))
	}
	return nil
}
