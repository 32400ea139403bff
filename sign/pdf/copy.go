// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// copy copies the document to dst and h.
func (d *Document) copy(ctx context.Context, dst, h io.Writer) error {
	src := &original{ctx: ctx, r: io.NewSectionReader(d.src, 0, d.size)}
	n, err := cms.Copy(dst, h, src)
	switch {
	case err != nil && src.err == nil:
		return fmt.Errorf("writing signed PDF: %w", err)
	case err != nil:
		return fmt.Errorf("copying PDF: %w", err)
	case n != d.size:
		return fmt.Errorf("copying PDF: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// original reads a document until a context ends, and keeps what went wrong: it is not
// the writer's fault.
type original struct {
	ctx context.Context
	r   *io.SectionReader
	err error
}

// Size tells [cms.Copy] how much there is to read.
func (s *original) Size() int64 { return s.r.Size() }

// Read implements [io.Reader].
func (s *original) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
