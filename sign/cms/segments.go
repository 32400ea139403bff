// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"io"
	"sort"
)

// segments is where the octets of a content stand in a file.
type segments struct {
	runs []run
	size int64
	full bool // there were more than are kept
}

// run is a number of segments of the same length and the same distance. A
// program that splits a content makes all of its segments alike but the last,
// so that two runs tell where a gigabyte is.
type run struct {
	at     int64 // where the first one begins in the content
	from   int64 // and in the file
	length int64 // of each
	stride int64 // from one to the next in the file; zero for a single one
	count  int64
}

// maxRuns bounds the table; a content in more can be read past, but not looked
// into.
const maxRuns = 1 << 18

func (s *segments) add(from, length int64) {
	if length == 0 {
		return
	}
	if n := len(s.runs); n == 0 || !s.runs[n-1].extend(from, length) {
		if s.full = s.full || n == maxRuns; !s.full {
			s.runs = append(s.runs, run{at: s.size, from: from, length: length, count: 1})
		}
	}
	s.size += length
}

// extend takes one more segment in, if it continues the run.
func (r *run) extend(from, length int64) bool {
	if length != r.length {
		return false
	}
	if r.count == 1 {
		r.stride = from - r.from
	}
	if from != r.from+r.count*r.stride {
		return false
	}
	r.count++
	return true
}

// locate says where in the file an octet of the content stands, and how many
// of its segment are left from there.
func (r run) locate(off int64) (from, left int64) {
	n, inside := (off-r.at)/r.length, (off-r.at)%r.length
	return r.from + n*r.stride + inside, r.length - inside
}

// ContentAt returns the encapsulated content as it stands in src, the file that
// was read, without copying it. It is nil when there is none, when the file is
// base64, or when it is in too many pieces of different lengths. What it reads is
// as unproven as what [ReadOptions.Content] received.
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
	read := 0
	for len(p) > 0 && off < g.size {
		next := sort.Search(len(g.runs), func(i int) bool { return g.runs[i].at > off })
		from, left := g.runs[next-1].locate(off)
		want := int(min(int64(len(p)), left))
		n, err := g.src.ReadAt(p[:want], from)
		p, off, read = p[n:], off+int64(n), read+n
		if n < want {
			return read, err
		}
	}
	if len(p) > 0 {
		return read, io.EOF
	}
	return read, nil
}
