// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/verify/report"
)

// UnknownSignatureError says that a PDF has no such signature.
type UnknownSignatureError struct {
	Which string
	Known []string // what it has: identifier and field
}

func (e *UnknownSignatureError) Error() string {
	has := "it has none"
	if len(e.Known) > 0 {
		has = "it has " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("no signature %q in the file: %s", e.Which, has)
}

// Revision finds a PDF as it was when one of its signatures was made: the first
// bytes of the file, up to the end of what that signature covers. Which one is
// said by its number in the report of [File], 2 or S2, or by the name of its
// field, as for a document timestamp.
//
// The report has that signature alone, judged as if nothing had been appended
// after it, and the revision is the Content. Of a document timestamp no more is
// found out than whether it is intact. The revision is nil when the signature
// does not say which bytes it covers; whoever hands on one whose signature is
// not intact hands on what nobody signed.
//
// The error is an *UnknownSignatureError, or one that [File] could give.
func Revision(ctx context.Context, src *io.SectionReader, which string, o Options) (*io.SectionReader, *report.Report, error) {
	if o.Now.IsZero() {
		return nil, nil, errors.New("extracting: Options.Now is not set")
	}
	o = o.begin(ctx)
	src = io.NewSectionReader(watched{ctx, src}, 0, src.Size())
	revision, r, err := signedRevision(src, which, o)
	if err != nil {
		return nil, nil, fmt.Errorf("extracting: %w", err)
	}
	r.File = o.Name
	return revision, r, nil
}

func signedRevision(src *io.SectionReader, which string, o Options) (*io.SectionReader, *report.Report, error) {
	_, list, err := pdfSignatures(src, o)
	if err != nil {
		if stop := stopped(err); stop != nil {
			return nil, nil, stop
		}
		r, err := unreadablePDF(src, err)
		return nil, r, err
	}
	sig, id, err := choose(list, which)
	if err != nil {
		return nil, nil, err
	}
	revision := sig.SignedRevision()
	if revision != nil {
		if sig, err = alone(revision, sig, o); err != nil {
			return nil, nil, err
		}
	}
	s, err := judgeAlone(sig, o)
	if err != nil {
		return nil, nil, err
	}
	s.ID, s.Field, s.Covers = id, sig.Field, coverage(sig.Covers)
	r := &report.Report{Format: "pades", Signatures: []*report.Signature{s}}
	if revision != nil {
		if r.Content, err = describeRevision(revision); err != nil {
			return nil, nil, err
		}
	}
	return revision, finish(r), nil
}

// choose finds a signature by its number or field, and returns its identifier.
func choose(list []*pdf.Signature, which string) (*pdf.Signature, string, error) {
	unknown := &UnknownSignatureError{Which: which}
	var byField *pdf.Signature
	number := 0
	for _, sig := range list {
		id := ""
		if isTimestamp(sig) {
			unknown.Known = append(unknown.Known, fmt.Sprintf("a document timestamp (field %s)", sig.Field))
		} else {
			number++
			id = fmt.Sprintf("S%d", number)
			unknown.Known = append(unknown.Known, fmt.Sprintf("%s (field %s)", id, sig.Field))
		}
		if id != "" && (which == id || which == id[1:]) {
			return sig, id, nil
		}
		if which != "" && which == sig.Field && byField == nil {
			byField = sig
			unknown.Which = id
		}
	}
	if byField != nil {
		return byField, unknown.Which, nil
	}
	return nil, "", unknown
}

// alone finds sig again in its revision, where nothing that was appended later
// can speak about it. What the revision does not have stays as it was found.
func alone(revision *io.SectionReader, sig *pdf.Signature, o Options) (*pdf.Signature, error) {
	_, list, err := pdfSignatures(revision, o)
	if err != nil {
		return sig, stopped(err)
	}
	for _, s := range list {
		if s.AppendedBytes == 0 && bytes.Equal(s.Contents, sig.Contents) && isTimestamp(s) == isTimestamp(sig) {
			return s, nil
		}
	}
	return sig, nil
}

// judgeAlone judges a signature without what came after it.
func judgeAlone(sig *pdf.Signature, o Options) (*report.Signature, error) {
	judge := func() (*report.Signature, error) { return judgePDF(sig, &pdfProof{m: &material{}}, o) }
	if isTimestamp(sig) {
		judge = func() (*report.Signature, error) { return judgeTimestamp(sig, o) }
	}
	s, err := judge()
	if err != nil {
		return nil, err
	}
	if problem, found := structureProblem(s, sig); found {
		fail(s, report.FormatFailure, problem)
	}
	return s, nil
}

// describeRevision computes what the report says of a document.
func describeRevision(revision *io.SectionReader) (*report.Content, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, rewound(revision)); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	return &report.Content{SHA256: fmt.Sprintf("%x", sum.Sum(nil)), Size: revision.Size(), MediaType: "application/pdf"}, nil
}
