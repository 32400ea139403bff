// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"io"
	"sort"
)

// segments is where the octets of a content stand in a file.
type segments struct {
	list []segment
	size int64
	full bool // there were more than are kept
}

// segment is a stretch of the content without a gap.
type segment struct {
	at   int64 // in the content
	from int64 // in the file
}

// maxSegments bounds the table; a content in more pieces can be read past, but
// not looked into.
const maxSegments = 1 << 20

func (s *segments) add(from, length int64) {
	if length == 0 {
		return
	}
	if s.full = s.full || len(s.list) == maxSegments; !s.full {
		s.list = append(s.list, segment{s.size, from})
	}
	s.size += length
}

// ContentAt returns the encapsulated content as it stands in src, the file that
// was read, without copying it. It is nil when there is none, when the file is
// base64, or when it is in more than a million pieces. What it reads is as
// unproven as what [ReadOptions.Content] received.
func (sd *SignedData) ContentAt(src io.ReaderAt) *io.SectionReader {
	if !sd.Attached || sd.Armor != Binary || sd.located.full {
		return nil
	}
	return io.NewSectionReader(&gathered{sd.located, src}, 0, sd.ContentSize)
}

// gathered reads the segments as one.
type gathered struct {
	segments
	src io.ReaderAt
}

// ReadAt implements [io.ReaderAt].
func (g *gathered) ReadAt(p []byte, off int64) (int, error) {
	next := sort.Search(len(g.list), func(i int) bool { return g.list[i].at > off })
	read := 0
	for len(p) > 0 && off < g.size {
		current, end := g.list[next-1], g.size
		if next < len(g.list) {
			end = g.list[next].at
		}
		n, err := g.src.ReadAt(p[:min(int64(len(p)), end-off)], current.from+off-current.at)
		p, off, read = p[n:], off+int64(n), read+n
		if err != nil && off < end {
			return read, err
		}
		next++
	}
	if len(p) > 0 {
		return read, io.EOF
	}
	return read, nil
}
