// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// Extract writes the document in a .p7m, .tsd or .m7m to dst, or with depth 1 the one in
// the envelope of such a kind inside it, and so on. It checks nothing: [File] does, and
// the SHA-256 and size in its report tell whether what comes out here is what was
// judged there.
//
// Content of a base64 file or a .m7m beyond 32 MiB can't be looked into for another.
func Extract(ctx context.Context, src *io.SectionReader, depth int, dst io.Writer) error {
	src = io.NewSectionReader(watched{ctx, src}, 0, src.Size())
	for ; depth > 0; depth-- {
		inner, err := opened(src)
		if err != nil {
			return fmt.Errorf("extracting: %w", err)
		}
		if inner == nil {
			return errors.New("extracting: no content to look into")
		}
		src = inner
	}
	if err := copyDocument(dst, src); err != nil {
		return fmt.Errorf("extracting: %w", err)
	}
	return nil
}

// opened returns what is in an envelope, nil if it can't be looked into.
func opened(src *io.SectionReader) (*io.SectionReader, error) {
	if isContainer(src) {
		c, err := timestamp.Read(rewound(src), timestamp.ReadOptions{})
		if err != nil || !c.Attached {
			return nil, err
		}
		return containedIn(src, c)
	}
	sd, err := cms.Read(rewound(src), cms.ReadOptions{})
	if err != nil {
		return nil, err
	}
	return contentOf(src, sd)
}

// copyDocument writes what is in an envelope.
func copyDocument(dst io.Writer, src *io.SectionReader) error {
	if isContainer(src) {
		_, err := timestamp.Read(rewound(src), timestamp.ReadOptions{Content: dst})
		return err
	}
	_, err := cms.Read(rewound(src), cms.ReadOptions{Content: dst})
	return err
}

// isContainer tells whether a file is a document with timestamps around it.
func isContainer(src *io.SectionReader) bool {
	format := timestamp.Recognize(rewound(src))
	return format == timestamp.TSD || format == timestamp.M7M
}
