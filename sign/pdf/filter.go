// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// Limits of inflated data. Only cross-reference and object streams, appearances of
// comments and validation data are ever inflated; real ones hold less than a megabyte,
// but for revocation lists.
const (
	maxInflated      = 32 << 20  // one stream
	maxInflatedTotal = 256 << 20 // all streams that one Document inflates
)

// predictor holds the /DecodeParms of FlateDecode, ISO 32000-2, 7.4.4.
type predictor struct {
	kind    int64
	colors  int64
	bits    int64
	columns int64
}

// inflate decodes the data of a stream, and counts what comes out of every filter,
// though the next one may fail. When the last one does it returns what came out of it.
func (f *file) inflate(data []byte, filters []name, parms []predictor, at int64) ([]byte, error) {
	for i, filter := range filters {
		if filter == "Crypt" {
			continue
		}
		if filter != "FlateDecode" && filter != "Fl" {
			return nil, damaged(at, "filter %q on a stream, which is not supported there", clip([]byte(filter)))
		}
		var err error
		data, err = flate(data, at)
		if full := f.unpacked(at, data); full != nil {
			return nil, full
		}
		if err != nil && i == len(filters)-1 && parms[i].kind <= 1 {
			return data, err
		}
		if err != nil {
			return nil, err
		}
		if data, err = parms[i].undo(data, at); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// unpacked counts the data of streams and fails when they are too much.
func (f *file) unpacked(at int64, data []byte) error {
	if f.inflated += int64(len(data)); f.inflated > maxInflatedTotal {
		return damaged(at, "more than %d bytes of streams to inflate", maxInflatedTotal)
	}
	return nil
}

// flate returns what it could inflate with an error, too.
func flate(raw []byte, at int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, damaged(at, "inflating a stream: %v", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxGuess))
	if err == nil && len(data) == maxGuess {
		data, err = flateLong(z, raw, int64(len(data)))
	}
	if err != nil {
		return data, damaged(at, "inflating a stream: %v", err)
	}
	if len(data) > maxInflated {
		return data, damaged(at, "a stream of more than %d bytes", maxInflated)
	}
	return data, nil
}

// maxGuess is up to where room for inflated data is made as they come. For longer
// ones their length is found out first, since growing room takes twice as much.
const maxGuess = 1 << 20

// flateLong inflates data of which z has given the first read bytes.
func flateLong(z io.Reader, raw []byte, read int64) ([]byte, error) {
	more, failed := io.Copy(io.Discard, io.LimitReader(z, maxInflated+1-read))
	again, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	data := make([]byte, read+more)
	if n, err := io.ReadFull(again, data); err != nil {
		return data[:n], err
	}
	return data, failed
}

// undo takes the prediction back, in place.
func (p predictor) undo(data []byte, at int64) ([]byte, error) {
	if p.kind <= 1 {
		return data, nil
	}
	if err := p.check(); err != nil {
		return nil, damaged(at, "%v", err)
	}
	pixel := int(max(1, p.colors*p.bits/8))
	row := int((p.colors*p.bits*p.columns + 7) / 8)
	if p.kind == 2 {
		return undoTIFF(data, row, pixel), nil
	}
	return undoPNG(data, row, pixel, at)
}

func (p predictor) check() error {
	switch {
	case p.kind != 2 && (p.kind < 10 || p.kind > 15):
		return fmt.Errorf("unknown predictor %d", p.kind)
	case p.kind == 2 && p.bits != 8:
		return fmt.Errorf("TIFF predictor with %d bits", p.bits)
	case p.colors < 1 || p.colors > 64 || p.bits < 1 || p.bits > 16:
		return fmt.Errorf("predictor with %d colours of %d bits", p.colors, p.bits)
	case p.columns < 1 || p.columns > 1<<20:
		return fmt.Errorf("predictor with %d columns", p.columns)
	}
	return nil
}

func undoTIFF(data []byte, row, pixel int) []byte {
	for start := 0; start < len(data); start += row {
		end := min(start+row, len(data))
		for i := start + pixel; i < end; i++ {
			data[i] += data[i-pixel]
		}
	}
	return data
}

// undoPNG reverses the row filters of PNG (W3C PNG, 9.2). Each row is led by
// a byte that names its filter. A last row cut short is kept, as readers do.
func undoPNG(data []byte, row, pixel int, at int64) ([]byte, error) {
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for len(data) > 0 {
		kind := data[0]
		now := data[1:min(1+row, len(data))]
		if kind > 4 {
			return nil, damaged(at, "unknown PNG row filter %d", kind)
		}
		for i := range now {
			now[i] += pngGuess(kind, now, above, i, pixel)
		}
		out = append(out, now...)
		copy(above, now)
		data = data[1+len(now):]
	}
	return out, nil
}

func pngGuess(kind byte, now, above []byte, i, pixel int) byte {
	var left, corner byte
	if i >= pixel {
		left, corner = now[i-pixel], above[i-pixel]
	}
	switch kind {
	case 1:
		return left
	case 2:
		return above[i]
	case 3:
		return byte((int(left) + int(above[i])) / 2)
	case 4:
		return paeth(left, above[i], corner)
	}
	return 0
}

func paeth(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	dl, du, dc := distance(p, left), distance(p, up), distance(p, corner)
	switch {
	case dl <= du && dl <= dc:
		return left
	case du <= dc:
		return up
	}
	return corner
}

func distance(p int, b byte) int {
	return max(p-int(b), int(b)-p)
}
