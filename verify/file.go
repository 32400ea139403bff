// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

// Options say how to verify.
type Options struct {
	Trust *trust.Anchors // whom to rely on; nil: nobody, so that nothing is valid
	Now   time.Time      // REQUIRED: the caller's clock
	Time  time.Time      // judge as of this moment, when the file was there: the caller's word; zero: Now

	Name    string            // of the file, for the report
	Content *io.SectionReader // what a detached signature is about; nil: not given. A file of another document is invalid

	Password string // of an encrypted PDF; not needed where everybody may read it

	// Revocation finds out whether certificates were revoked. With nil it is not
	// checked, which is said in a warning.
	Revocation *revocation.Checker

	// NetworkTime is how long all asking for this file may take together. Default: a
	// minute. What is not answered by then is not known.
	NetworkTime time.Duration

	ctx     context.Context // of the call of [File] or [Revision]
	fetches *int            // how many issuers may still be looked for on the network
	chains  *chains         // what was found out about certificates
	outer   []*stamp        // timestamps of the file that this one stands in
	proven  *existence      // what is proven of certificates and revocation values
	network *network        // the time that is left for asking
	work    *work           // what may still be done
}

// maxFetches is for how many certificates of a file the issuer is looked for on the
// network. Whoever made the file says where, and how often, and is not trusted.
const maxFetches = 16

// begin returns the options for a call with this context.
func (o Options) begin(ctx context.Context) Options {
	left := maxFetches
	o.ctx, o.fetches, o.proven = ctx, &left, (*existence)(nil).within()
	o.network = newNetwork(o.NetworkTime)
	o.chains, o.work = newChains(), newWork()
	return o
}

// at returns the moment the verdict is about, and how it is known.
func (o Options) at() *report.BestTime {
	if o.Time.IsZero() {
		return &report.BestTime{Time: o.Now.UTC(), Source: report.FromNow}
	}
	return &report.BestTime{Time: o.Time.UTC(), Source: report.FromGiven}
}

// File verifies every signature in a file.
//
// Everything about the file itself is in the report, be it forged, damaged or
// of an unknown format. The error is for what stopped the work: a failing
// reader or writer, a cancelled context, a missing Now.
func File(ctx context.Context, src *io.SectionReader, o Options) (*report.Report, error) {
	if o.Now.IsZero() {
		return nil, errors.New("verifying: Options.Now is not set")
	}
	o = o.begin(ctx)
	src = io.NewSectionReader(watched{ctx, src}, 0, src.Size())
	r, err := file(src, o, 0)
	if err != nil {
		return nil, fmt.Errorf("verifying: %w", err)
	}
	r.File = o.Name
	return r, nil
}

// file verifies a file that stands at a depth inside others.
func file(src *io.SectionReader, o Options, depth int) (*report.Report, error) {
	isPDF, err := startsPDF(src)
	switch stamped := timestamp.Recognize(rewound(src)); {
	case err != nil:
		return nil, err
	case stamped == timestamp.TSR || stamped == timestamp.TST && readableToken(src):
		return tokenFile(src, o, depth)
	case stamped == timestamp.TSD || stamped == timestamp.M7M:
		return containerFile(src, o, depth)
	case cms.Recognize(rewound(src)):
		return cmsFile(src, o, depth)
	case isPDF:
		return pdfFile(src, o)
	}
	if headless, err := headlessPDF(src); headless || err != nil {
		return damagedFile("pades", "PAdES", pdf.ErrNotPDF), err
	}
	return unsupported("neither a PDF nor a CMS signature (.p7m, .p7s) nor a timestamp (.tsr, .tst, .tsd, .m7m)"), nil
}

// unsupported is the report on a file of another format.
func unsupported(message string) *report.Report {
	return &report.Report{Error: &report.Error{Code: report.UnsupportedFormat, Message: message}}
}

// readableToken tells a timestamp from a signature that only says that its content is
// one.
func readableToken(src *io.SectionReader) bool {
	_, _, err := timestamp.ReadToken(rewound(src))
	return err == nil
}

// headerWindow is where readers look for %PDF- (ISO 32000-2, annex I.3.2).
const headerWindow = 1024

func startsPDF(src *io.SectionReader) (bool, error) {
	start := make([]byte, min(headerWindow, src.Size()))
	if _, err := src.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading file: %w", err)
	}
	return bytes.Contains(start, []byte("%PDF-")), nil
}

// headlessPDF tells whether a file ends as a signed PDF does, though its header
// is gone.
func headlessPDF(src *io.SectionReader) (bool, error) {
	tail := make([]byte, min(headerWindow, src.Size()))
	if _, err := src.ReadAt(tail, src.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading file: %w", err)
	}
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return false, nil
	}
	return pdf.LooksSigned(src, src.Size())
}

// rewound returns an independent reader of the whole file.
func rewound(src *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(src, 0, src.Size())
}

// watched stops reading when a context is cancelled, and tells failures of
// the reader from what a file says.
type watched struct {
	ctx context.Context
	r   io.ReaderAt
}

// ReadAt implements [io.ReaderAt].
func (w watched) ReadAt(p []byte, off int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, &readError{err}
	}
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// readError is a failure of the medium, not of the file's format.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// stopped returns the error if it isn't about the file itself.
func stopped(err error) error {
	var read *readError
	var write *cms.WriteError
	if errors.As(err, &read) || errors.As(err, &write) {
		return err
	}
	return nil
}

// damagedFile is the report on a file of a known format that can't be read as
// such: one signature, about which only that is known.
func damagedFile(format, signature string, err error) *report.Report {
	s := &report.Signature{ID: "S1", Format: signature}
	fail(s, report.FormatFailure, fmt.Sprintf("the file is damaged or cut short: %v", err))
	s.Integrity = report.Broken
	return finish(&report.Report{Format: format, Signatures: []*report.Signature{s}})
}

// finish gives a report the worst verdict of its signatures, of those that
// counter-sign them, and of what is signed inside it. A timestamp of the file counts
// beside signatures only when it is broken: one that proves nothing takes nothing away.
func finish(r *report.Report) *report.Report {
	if len(r.Signatures)+len(r.Timestamps) == 0 {
		r.Error = &report.Error{Code: report.NoSignature, Message: "the file holds no signature"}
		return r
	}
	r.Verdict = worst(r.Signatures)
	for _, t := range r.Timestamps {
		if len(r.Signatures) == 0 || t.Verdict == report.Invalid {
			r.Verdict = report.Worst(r.Verdict, t.Verdict)
		}
	}
	for _, inner := range r.Nested {
		r.Verdict = report.Worst(r.Verdict, inner.Verdict)
	}
	return r
}

func worst(signatures []*report.Signature) report.Verdict {
	v := report.Valid
	for _, s := range signatures {
		v = report.Worst(v, report.Worst(s.Verdict, worst(s.CounterSignatures)))
	}
	return v
}
