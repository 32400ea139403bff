// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify/report"
)

// cmsFile verifies a .p7m or .p7s.
func cmsFile(src *io.SectionReader, o Options, depth int) (*report.Report, error) {
	sd, err := readCMS(src)
	if err != nil {
		if stop := stopped(err); stop != nil {
			return nil, stop
		}
		return damagedFile("cades", "CAdES", err), nil
	}
	if err := digestContent(sd, o); err != nil {
		return nil, err
	}
	head := &beginning{}
	_, _ = head.Write(sd.ContentStart())
	r := &report.Report{Format: "cades", Content: content(sd, o, head)}
	if sd.Trailing > 0 {
		r.Warnings = append(r.Warnings, report.Warning{
			Code:    "trailingBytes",
			Message: fmt.Sprintf("%d bytes after the end of the signature are signed by nobody", sd.Trailing),
		})
	}
	another, err := o.anotherContent(sd.Attached, func(dst io.Writer) error {
		_, err := cms.Read(rewound(src), cms.ReadOptions{Content: dst})
		return err
	})
	if err != nil {
		return nil, err
	}
	m := materialOf(sd)
	for i, info := range sd.Signers {
		s, stamps := judgeSigner(sd, sd.Check(info), m, o)
		s.ID = fmt.Sprintf("S%d", i+1)
		s.CounterSignatures = counterSignatures(sd, info, s.ID, m, o, stamps, maxCounters)
		if another && s.Verdict != report.Invalid {
			fail(s, report.HashFailure, errAnother.Error())
			s.Integrity = report.Broken
		}
		r.Signatures = append(r.Signatures, s)
	}
	if err := nested(r, src, sd, head, o, depth); err != nil {
		return nil, err
	}
	return finish(r), nil
}

// errAnother is why a signature of one document is none of the document that was asked
// about. Saying valid would let a .p7s be replaced by one that carries anything.
var errAnother = errors.New("the file carries a document of its own, which is not the one that was given")

// anotherContent tells whether a document was given that differs from the one that the
// file carries, as extract writes it.
func (o Options) anotherContent(carried bool, extract func(io.Writer) error) (bool, error) {
	if !carried || o.Content == nil {
		return false, nil
	}
	own, given := sha256.New(), sha256.New()
	if _, err := cms.Copy(io.Discard, given, rewound(o.Content)); err != nil {
		return false, fmt.Errorf("reading content: %w", err)
	}
	if err := extract(own); err != nil {
		return false, err
	}
	return !bytes.Equal(own.Sum(nil), given.Sum(nil)), nil
}

// judgeSigner judges a signer, or a counter-signer, with the timestamps that it carries,
// which it returns.
func judgeSigner(sd *cms.SignedData, c *cms.Check, m *material, o Options) (*report.Signature, []*stamp) {
	own := m.with(c.Signer)
	stamps := o.cmsStamps(sd, c.Signer)
	s := judge(sd, c, own, o.within(stamps, own), o)
	raiseLevel(s, c.Certificate, stamps, own)
	return s, stamps
}

// maxCounters is how deep counter-signatures of counter-signatures are
// followed.
const maxCounters = 8

// counterSignatures judges the counter-signatures of a signer, and theirs. Archive
// timestamps of the signer prove those too that their index names.
func counterSignatures(sd *cms.SignedData, signed *cms.SignerInfo, id string, m *material, o Options, stamps []*stamp, depth int) []*report.Signature {
	var list []*report.Signature
	outside := o.outer
	for i, info := range signed.CounterSignatures() {
		s, own := &report.Signature{}, []*stamp(nil)
		o.outer = slices.Concat(outside, archiving(stamps, info))
		if depth == 0 {
			leaveOpen(s, report.SigConstraintsFailure, fmt.Sprintf("more than %d levels of counter-signatures", maxCounters))
		} else {
			s, own = judgeSigner(sd, sd.CheckCounter(signed, info), m, o)
		}
		s.ID, s.Covers = fmt.Sprintf("%s.%d", id, i+1), ""
		if depth > 0 {
			s.CounterSignatures = counterSignatures(sd, info, s.ID, m, o, own, depth-1)
		}
		list = append(list, s)
	}
	return list
}

// maxNesting is how many envelopes inside each other are opened.
const maxNesting = 8

// nested verifies the content if it is signed or stamped itself: a .p7m or .tsd in a .p7m,
// or a signed PDF in one.
func nested(r *report.Report, src *io.SectionReader, sd *cms.SignedData, head *beginning, o Options, depth int) error {
	if !sd.Attached || !head.maySigned() && !isContainer(head.section()) {
		return nil
	}
	content, err := contentOf(src, sd)
	if err != nil || isMessage(head, content) {
		return err
	}
	if content == nil || depth == maxNesting {
		r.Warnings = append(r.Warnings, report.Warning{
			Code: "nestedNotChecked", Message: "the content is signed itself, and too deep or too large in base64 to be looked into",
		})
		r.Nested = []*report.Report{{Format: "unknown"}}
		return nil
	}
	inner := o
	inner.Content, inner.Name = nil, contentName(o.Name)
	found, err := file(content, inner, depth+1)
	if err != nil {
		return err
	}
	if isSigned(head, found) {
		found.File = inner.Name
		r.Nested = []*report.Report{found}
	}
	return nil
}

// isSigned tells whether what was found inside an envelope belongs into its report: not if
// nobody signed it. A text may talk of the header of a PDF where a damaged one has it.
func isSigned(head *beginning, found *report.Report) bool {
	switch {
	case found.Error == nil:
		return true
	case found.Error.Code == report.Unreadable:
		return bytes.HasPrefix(head.kept, []byte("%PDF-"))
	}
	return found.Error.Code != report.NoSignature
}

// maxUnarmored is how much content of a base64 file is held in memory to look
// into it. Only binary files can be looked into where they are.
const maxUnarmored = 32 << 20

func contentOf(src *io.SectionReader, sd *cms.SignedData) (*io.SectionReader, error) {
	if view := sd.ContentAt(src); view != nil {
		return view, nil
	}
	if sd.ContentSize > maxUnarmored {
		return nil, nil
	}
	var content bytes.Buffer
	if _, err := cms.Read(rewound(src), cms.ReadOptions{Content: &content}); err != nil {
		return nil, err
	}
	return io.NewSectionReader(bytes.NewReader(content.Bytes()), 0, int64(content.Len())), nil
}

// maxDigests is how many kinds of digest of a content are computed because signers use
// them without having been announced. Signers who use more are not judged.
const maxDigests = 3

// readCMS reads the signature, and once more if a signer uses a digest that
// the file didn't announce before its content.
func readCMS(src *io.SectionReader) (*cms.SignedData, error) {
	hashes := []crypto.Hash{crypto.SHA256} // for the report
	sd, err := cms.Read(rewound(src), cms.ReadOptions{Hashes: hashes})
	if err != nil || !sd.Attached {
		return sd, err
	}
	if missing := append(sd.MissingHashes(), stampHashes(sd)...); len(missing) > 0 {
		return cms.Read(rewound(src), cms.ReadOptions{Hashes: append(hashes, missing[:min(len(missing), maxDigests)]...)})
	}
	return sd, nil
}

// digestContent reads the content of a detached signature, if it was given.
func digestContent(sd *cms.SignedData, o Options) error {
	if sd.Attached || o.Content == nil {
		return nil
	}
	return sd.DigestContent(rewound(o.Content), append(stampHashes(sd), crypto.SHA256)...)
}

// content describes the signed document, if it is here.
func content(sd *cms.SignedData, o Options, head *beginning) *report.Content {
	if !sd.Attached && o.Content == nil {
		return nil
	}
	c := &report.Content{Name: contentName(o.Name), Size: sd.ContentSize, MediaType: head.mediaType()}
	if sum := sd.ContentDigest(crypto.SHA256); sum != nil {
		c.SHA256 = fmt.Sprintf("%x", sum)
	}
	return c
}

// contentName takes the extension of the signature off a file name: by
// Deliberazione CNIPA 45/2009, art. 21, .p7m was added to the document's own.
func contentName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".p7m", ".p7s", ".tsd", ".m7m", ".tsr", ".tst":
		return strings.TrimSuffix(name, ext)
	}
	return ""
}

// beginning keeps the first bytes of a content to tell its media type.
type beginning struct{ kept []byte }

// Write implements [io.Writer]; it never fails.
func (b *beginning) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), headerWindow-len(b.kept))]...)
	return len(p), nil
}

// maySigned tells whether the content is of a kind that holds signatures.
func (b *beginning) maySigned() bool {
	return cms.Recognize(bytes.NewReader(b.kept)) || bytes.Contains(b.kept, []byte("%PDF-"))
}

func (b *beginning) section() *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b.kept), 0, int64(len(b.kept)))
}

// isMessage tells whether a document, with this beginning, looks like a .m7m and is a MIME
// message without a timestamp, such as an e-mail: one like any other. Where it can't be
// looked into it is taken for that.
func isMessage(head *beginning, document *io.SectionReader) bool {
	if timestamp.Recognize(head.section()) != timestamp.M7M {
		return false
	}
	if document == nil {
		return true
	}
	_, err := timestamp.Read(rewound(document), timestamp.ReadOptions{})
	return errors.Is(err, timestamp.ErrNotContainer) && stopped(err) == nil
}

func (b *beginning) mediaType() string {
	if strings.HasPrefix(string(b.kept), "%PDF-") {
		return "application/pdf"
	}
	return http.DetectContentType(b.kept)
}
