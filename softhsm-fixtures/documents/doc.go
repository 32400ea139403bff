// SPDX-License-Identifier: Apache-2.0

// Package documents makes PDF files, most of them small, each with one of the shapes that a
// program which adds to a PDF has to cope with: how the cross-reference is
// written (a table, a stream, both), and where the catalog, the pages, the
// form and the annotations keep their parts.
//
//	for _, d := range documents.All() {
//		t.Run(d.Name, func(t *testing.T) { sign(d.PDF) })
//	}
//
// [WriteAttachment], [WriteScanned] and [Refill] make long ones, to measure with.
//
// The files are the same at every call, byte by byte, are valid under
// `qpdf --check`, and show a line of text.
package documents
