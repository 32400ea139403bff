// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
)

// tokenFile verifies a timestamp that stands alone (.tsr, .tst), of a document that
// has to be given.
func tokenFile(src *io.SectionReader, o Options, depth int) (*report.Report, error) {
	token, format, err := timestamp.ReadToken(rewound(src))
	if err != nil {
		return damagedStamp("tsr", err)
	}
	r := &report.Report{Format: format.String()}
	s := &stamp{kind: report.FileTimestamp, token: token}
	switch {
	case o.Content == nil:
		s.err = &missingError{"the document that it is of was not given"}
	default:
		covers, err := token.Covers(rewound(o.Content))
		if stop := stopped(err); stop != nil {
			return nil, stop
		}
		if s.err = err; err == nil && !covers {
			s.err = errImprint
		}
	}
	o.judgeFile(r, []*stamp{s}, &material{})
	if o.Content == nil {
		return finish(r), nil
	}
	return finish(r), o.inside(r, o.Content, []*stamp{s}, depth)
}

// missingError is why a timestamp could not be compared with what it is of.
type missingError struct{ reason string }

func (e *missingError) Error() string { return e.reason }

// containerFile verifies a .tsd or .m7m: its timestamps, and the document in it at the
// time that they prove.
func containerFile(src *io.SectionReader, o Options, depth int) (*report.Report, error) {
	head := &beginning{}
	c, err := readContainer(src, head)
	if err == nil && !c.Attached && o.Content != nil {
		err = c.DigestContent(rewound(o.Content))
	}
	switch {
	case errors.Is(err, timestamp.ErrNotContainer) && stopped(err) == nil:
		return unsupported("a MIME message, such as an e-mail, in which no timestamp was found"), nil
	case err != nil:
		return damagedStamp("tsd", err)
	}
	r := &report.Report{Format: c.Format.String()}
	if r.Content, err = stampedContent(src, c, head, o); err != nil {
		return nil, err
	}
	if c.Trailing > 0 {
		r.Warnings = append(r.Warnings, report.Warning{
			Code: "trailingBytes", Message: fmt.Sprintf("%d bytes after the end of the file are stamped by nobody", c.Trailing),
		})
	}
	stamps, m := containerStamps(c)
	if err := o.refuseStamped(stamps, src, c); err != nil {
		return nil, err
	}
	o.judgeFile(r, stamps, m)
	content := o.Content
	if c.Attached {
		content, err = containedIn(src, c)
	}
	switch {
	case err != nil:
		return nil, err
	case content != nil:
		err = o.inside(r, content, stamps, depth)
	case head.maySigned() || isContainer(head.section()):
		leaveUnopened(r)
	}
	return finish(r), err
}

// stampedContent describes the document in a container or the one that was given for it;
// nil without either.
func stampedContent(src *io.SectionReader, c *timestamp.Container, head *beginning, o Options) (*report.Content, error) {
	if !c.Attached && o.Content == nil {
		return nil, nil
	}
	digest := c.ContentDigest(crypto.SHA256)
	if digest == nil { // the timestamp is of the document's name as well
		var err error
		if digest, err = documentDigest(src, c, o); err != nil {
			return nil, err
		}
	}
	return &report.Content{
		Name: containerName(c, o), Size: c.ContentSize, MediaType: head.mediaType(), SHA256: hex.EncodeToString(digest),
	}, nil
}

// documentDigest reads the document once more for its SHA-256.
func documentDigest(src *io.SectionReader, c *timestamp.Container, o Options) ([]byte, error) {
	sum := sha256.New()
	if c.Attached {
		_, err := timestamp.Read(rewound(src), timestamp.ReadOptions{Content: sum})
		return sum.Sum(nil), err
	}
	if _, err := cms.Copy(io.Discard, sum, rewound(o.Content)); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	return sum.Sum(nil), nil
}

// readContainer reads it, and once more if a token needs a digest of another kind.
func readContainer(src *io.SectionReader, head *beginning) (*timestamp.Container, error) {
	hashes := []crypto.Hash{crypto.SHA256}
	c, err := timestamp.Read(rewound(src), timestamp.ReadOptions{Content: head, Hashes: hashes})
	if err != nil || !c.Attached {
		return c, err
	}
	if missing := c.MissingHashes(); len(missing) > 0 {
		return timestamp.Read(rewound(src), timestamp.ReadOptions{Hashes: append(hashes, missing...)})
	}
	return c, nil
}

// containedIn returns the document in a container: where it is, or in memory if it is in
// base64 and not too large; else nil.
func containedIn(src *io.SectionReader, c *timestamp.Container) (*io.SectionReader, error) {
	if view := c.ContentAt(src); view != nil || c.ContentSize > maxUnarmored {
		return view, nil
	}
	var content bytes.Buffer
	if _, err := timestamp.Read(rewound(src), timestamp.ReadOptions{Content: &content}); err != nil {
		return nil, err
	}
	return io.NewSectionReader(bytes.NewReader(content.Bytes()), 0, int64(content.Len())), nil
}

// refuseStamped fails all stamps of a container that carries another document than the one
// that was given.
func (o Options) refuseStamped(stamps []*stamp, src *io.SectionReader, c *timestamp.Container) error {
	another, err := o.anotherContent(c.Attached, func(dst io.Writer) error {
		_, err := timestamp.Read(rewound(src), timestamp.ReadOptions{Content: dst})
		return err
	})
	for _, s := range stamps {
		if another && s.err == nil {
			s.err = errAnother
		}
	}
	return err
}

// leaveUnopened says that the document in a container is not looked into.
func leaveUnopened(r *report.Report) {
	r.Warnings = append(r.Warnings, report.Warning{
		Code: "nestedNotChecked", Message: "the document is signed itself, and can't be looked into where it is: extract it first",
	})
	r.Nested = []*report.Report{{Format: "unknown"}}
}

func containerName(c *timestamp.Container, o Options) string {
	if c.MetaData != nil && c.MetaData.HashProtected && c.MetaData.FileName != "" {
		return path.Base(strings.ReplaceAll(c.MetaData.FileName, `\`, "/")) // a name, and no way out of a folder
	}
	return contentName(o.Name)
}

// errOtherEvidence is why a document with proof of another kind than timestamps is not
// judged.
var errOtherEvidence = errors.New("the proof is no timestamp, but an evidence record (RFC 4998) or of another kind, and was not checked")

// containerStamps are the tokens of a chain: each is of the one before it, so that the
// last one proves them all (RFC 5544, section 2.4), as far as every link holds.
func containerStamps(c *timestamp.Container) ([]*stamp, *material) {
	var stamps []*stamp
	var before [][]byte
	m := &material{}
	if c.Other != nil {
		stamps = []*stamp{{kind: report.FileTimestamp, err: errOtherEvidence}}
	}
	for i, e := range c.Evidence {
		s := &stamp{kind: report.FileTimestamp, token: e.Token, err: e.Err}
		if e.Err == nil {
			switch c.Link(i) {
			case timestamp.Unlinked:
				s.err, before = errImprint, nil
			case timestamp.LinkUnknown:
				s.err = &missingError{"the document that it is of is not here, or its digest is of an unknown kind"}
			}
			s.wraps = before
			before = append(before[:len(before):len(before)], e.Token.Raw)
		}
		if l, err := revocation.ParseCRL(e.CRL); e.CRL != nil && err == nil {
			m.revocation.CRLs = append(m.revocation.CRLs, l)
		}
		stamps = append(stamps, s)
	}
	for i, s := range stamps { // what the first token is not of, no other one proves
		if i > 0 && stamps[i-1].err != nil && s.err == nil {
			s.err = &missingError{"it is of a timestamp that is not of this document"}
		}
	}
	return stamps, m
}

// judgeFile judges the timestamps of a file and reports them.
func (o Options) judgeFile(r *report.Report, stamps []*stamp, m *material) {
	r.Timestamps = o.judgeStamps(stamps, m)
	for _, s := range stamps {
		if older := s.olderThan(stamps); older != nil {
			s.open(report.TimestampOrderFailure, fmt.Sprintf("it states %s, and covers a timestamp of %s", day(s.answer.Time), day(older.answer.Time)))
		}
	}
	r.BestTime = proven(stamps)
}

// olderThan returns a timestamp that s covers and that is newer all the same, by more than
// the clocks of two authorities differ; nil when there is none.
func (s *stamp) olderThan(stamps []*stamp) *stamp {
	for _, other := range stamps {
		if s.proves() && other.proves() && s.covers(other) && s.answer.Time.Add(clockSkew).Before(other.answer.Time) {
			return other
		}
	}
	return nil
}

// inside verifies a document that timestamps are of, as of the time that they prove.
func (o Options) inside(r *report.Report, content *io.SectionReader, stamps []*stamp, depth int) error {
	head := make([]byte, min(headerWindow, content.Size()))
	if _, err := content.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading content: %w", err)
	}
	begin := &beginning{kept: head}
	signed := begin.maySigned() || timestamp.Recognize(begin.section()) != timestamp.Unknown
	if !signed || isMessage(begin, content) {
		return nil
	}
	if depth == maxNesting {
		r.Warnings = append(r.Warnings, report.Warning{Code: "nestedNotChecked", Message: "the document is signed itself, and too deep to be looked into"})
		r.Nested = []*report.Report{{Format: "unknown"}}
		r.Verdict = report.Worst(r.Verdict, report.Indeterminate)
		return nil
	}
	inner := o
	inner.Content, inner.Name = nil, contentName(o.Name)
	inner.outer = append(inner.outer[:len(inner.outer):len(inner.outer)], stamps...)
	found, err := file(rewound(content), inner, depth+1)
	if err != nil {
		return err
	}
	if isSigned(begin, found) {
		found.File = inner.Name
		r.Nested = []*report.Report{found}
		r.Verdict = report.Worst(r.Verdict, found.Verdict)
	}
	return nil
}

// damagedStamp is the report on a timestamp that can't be read.
func damagedStamp(format string, err error) (*report.Report, error) {
	if stop := stopped(err); stop != nil {
		return nil, stop
	}
	return finish(&report.Report{Format: format, Timestamps: []*report.Timestamp{{
		ID: "T1", Kind: report.FileTimestamp, Verdict: report.Invalid, Integrity: report.Broken, SubIndication: report.FormatFailure,
		Reason: fmt.Sprintf("the file is damaged or cut short: %v", err),
	}}}), nil
}
