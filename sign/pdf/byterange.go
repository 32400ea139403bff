// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"io"
	"math"
)

// Coverage says how much of the file the bytes of a signature are.
type Coverage int

const (
	// CoversUnknown: the /ByteRange cannot be read.
	CoversUnknown Coverage = iota
	// CoversWholeFile: every byte of the file but the /Contents of the signature.
	CoversWholeFile
	// CoversRevision: every byte of one revision but the /Contents of the
	// signature; something was appended later.
	CoversRevision
	// CoversPart: anything else. What a reader shows may not be what is signed.
	CoversPart
)

var coverageNames = [...]string{"unknown", "wholeFile", "revision", "part"}

// String returns the word that the JSON report uses.
func (c Coverage) String() string {
	if c < 0 || int(c) >= len(coverageNames) {
		return coverageNames[0]
	}
	return coverageNames[c]
}

// Problem is one way in which a signature is not tied to the bytes around it as
// ISO 32000-2, 12.8.1 and 12.8.3 ask. A signature with a problem covers a part at
// best and must not be taken for a signature of the document, unless the problem
// is [Problem.Harmless].
type Problem int

// The problems.
const (
	ProblemUnknown          Problem = iota
	ProblemByteRange                // /ByteRange is missing or is not four direct integers
	ProblemStart                    // the signed bytes do not begin at the first byte of the file
	ProblemNegative                 // a negative number in /ByteRange, or a sum that overflows
	ProblemOverlap                  // the second range begins before the first one ends
	ProblemPastEnd                  // the signed bytes reach past the end of the file
	ProblemGap                      // the bytes left out are not exactly the /Contents of this signature
	ProblemContentsForm             // /Contents is not a hexadecimal string standing in the dictionary itself
	ProblemContentsEmpty            // /Contents holds no signature
	ProblemContentsEncoding         // /Contents is not one complete BER value
	ProblemPadding                  // what follows the signature in /Contents is not zeros
	ProblemEnd                      // the signed bytes do not end where a revision of the document ends
	ProblemNotInRevision            // the revision that is signed does not have this signature
	ProblemContentsShared           // another signature dictionary has the same /Contents
	ProblemFieldShared              // several fields have this signature
	ProblemRepeatedKey              // a key that matters stands twice in the signature dictionary or in its field
	ProblemUnreadable               // the signature dictionary cannot be read
	ProblemNotInForm                // the field is on a page but not in the form
	ProblemRebuilt                  // the file is damaged and was opened by a search for objects
)

var problemWords = [...]string{
	"unknown problem",
	"/ByteRange is missing or is not four integers",
	"/ByteRange does not begin at the start of the file",
	"/ByteRange has a number out of bounds",
	"the ranges of /ByteRange overlap",
	"/ByteRange reaches past the end of the file",
	"/ByteRange leaves out something else than the /Contents of the signature",
	"/Contents is not a hexadecimal string in the signature dictionary",
	"/Contents is empty",
	"/Contents is not one BER value",
	"/Contents has more than zeros after the signature",
	"/ByteRange does not end where a revision of the document ends",
	"the signed revision does not have this signature",
	"two signatures have the same /Contents",
	"several fields have the same signature",
	"a key stands twice in the signature dictionary or its field",
	"the signature dictionary cannot be read",
	"the form does not list the field, only a page does",
	"the file is damaged, and what it shows depends on the program that reads it",
}

// String says the problem in words.
func (p Problem) String() string {
	if p < 0 || int(p) >= len(problemWords) {
		return problemWords[0]
	}
	return problemWords[p]
}

// Harmless reports whether the bytes are tied to the signature in spite of the
// problem: it is a blemish that real signing programs leave, in bytes outside
// the signed ranges and the CMS or in the form.
func (p Problem) Harmless() bool {
	return p == ProblemPadding || p == ProblemNotInForm
}

// ranges is a well formed /ByteRange: two ranges of which the second ends
// without overflow.
type ranges struct{ start, gap, resume, end int64 }

// readRanges takes the four numbers apart.
func readRanges(numbers []int64) (ranges, Problem) {
	if len(numbers) != 4 {
		return ranges{}, ProblemByteRange
	}
	for _, n := range numbers {
		if n < 0 {
			return ranges{}, ProblemNegative
		}
	}
	if numbers[1] > math.MaxInt64-numbers[0] || numbers[3] > math.MaxInt64-numbers[2] {
		return ranges{}, ProblemNegative
	}
	return ranges{numbers[0], numbers[0] + numbers[1], numbers[2], numbers[2] + numbers[3]}, 0
}

// problems compares the ranges with the file and with where /Contents stands.
func (r ranges) problems(size int64, contents span) []Problem {
	var list []Problem
	if r.start != 0 {
		list = append(list, ProblemStart)
	}
	if r.resume < r.gap {
		list = append(list, ProblemOverlap)
	}
	if max(r.gap, r.end) > size {
		list = append(list, ProblemPastEnd)
	}
	if (span{r.gap, r.resume}) != contents {
		list = append(list, ProblemGap)
	}
	return list
}

// signedBytes reads one or two ranges of src; nothing when the numbers are not
// one or two pairs.
func signedBytes(src io.ReaderAt, numbers []int64) io.Reader {
	if len(numbers) != 2 && len(numbers) != 4 {
		return io.MultiReader()
	}
	var parts []io.Reader
	for ; len(numbers) > 0; numbers = numbers[2:] {
		if numbers[0] < 0 || numbers[1] < 0 {
			return io.MultiReader()
		}
		parts = append(parts, io.NewSectionReader(src, numbers[0], numbers[1]))
	}
	return io.MultiReader(parts...)
}
