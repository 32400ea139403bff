// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// Extract writes the content of a .p7m to dst, or with depth 1 the content of
// the .p7m inside it, and so on. It checks nothing: [File] does, and the
// SHA-256 and size in its report tell whether what comes out here is what was
// judged there.
//
// Content of a base64 file beyond 32 MiB can't be looked into for another.
func Extract(ctx context.Context, src *io.SectionReader, depth int, dst io.Writer) error {
	src = io.NewSectionReader(watched{ctx, src}, 0, src.Size())
	for ; depth > 0; depth-- {
		sd, err := cms.Read(rewound(src), cms.ReadOptions{})
		if err != nil {
			return fmt.Errorf("extracting: %w", err)
		}
		inner, err := contentOf(src, sd)
		if err != nil {
			return fmt.Errorf("extracting: %w", err)
		}
		if inner == nil {
			return errors.New("extracting: no content to look into")
		}
		src = inner
	}
	if _, err := cms.Read(rewound(src), cms.ReadOptions{Content: dst}); err != nil {
		return fmt.Errorf("extracting: %w", err)
	}
	return nil
}
