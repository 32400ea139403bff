// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/verify/report"

	"crypto"
)

// cmsFile verifies a .p7m or .p7s.
func cmsFile(src *io.SectionReader, o Options) (*report.Report, error) {
	head := &beginning{}
	sd, err := readCMS(src, o, head)
	if err != nil {
		if stop := stopped(err); stop != nil {
			return nil, stop
		}
		return damagedFile("cades", "CAdES", err), nil
	}
	if err := digestContent(sd, o, head); err != nil {
		return nil, err
	}
	r := &report.Report{Format: "cades", Content: content(sd, o, head)}
	if sd.Trailing > 0 {
		r.Warnings = append(r.Warnings, report.Warning{
			Code:    "trailingBytes",
			Message: fmt.Sprintf("%d bytes after the end of the signature are signed by nobody", sd.Trailing),
		})
	}
	for i, info := range sd.Signers {
		s := judge(sd, sd.Check(info), o)
		s.ID = fmt.Sprintf("S%d", i+1)
		if sd.Attached && o.Content != nil {
			warn(s, "contentIgnored", "the signature carries its content; the content given beside it was not looked at")
		}
		r.Signatures = append(r.Signatures, s)
	}
	return finish(r), nil
}

// readCMS reads the signature, and once more if a signer uses a digest that
// the file didn't announce before its content.
func readCMS(src *io.SectionReader, o Options, head *beginning) (*cms.SignedData, error) {
	sink := io.Writer(head)
	if o.ExtractTo != nil {
		sink = io.MultiWriter(head, o.ExtractTo)
	}
	hashes := []crypto.Hash{crypto.SHA256} // for the report
	sd, err := cms.Read(rewound(src), cms.ReadOptions{Content: sink, Hashes: hashes})
	if err != nil || !sd.Attached {
		return sd, err
	}
	if missing := sd.MissingHashes(); len(missing) > 0 {
		return cms.Read(rewound(src), cms.ReadOptions{Hashes: append(hashes, missing...)})
	}
	return sd, nil
}

// digestContent reads the content of a detached signature, if it was given.
func digestContent(sd *cms.SignedData, o Options, head *beginning) error {
	if sd.Attached || o.Content == nil {
		return nil
	}
	return sd.DigestContent(io.TeeReader(rewound(o.Content), head))
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
	case ".p7m", ".p7s":
		return strings.TrimSuffix(name, ext)
	}
	return ""
}

// beginning keeps the first bytes of a content to tell its media type.
type beginning struct{ kept []byte }

// Write implements [io.Writer]; it never fails.
func (b *beginning) Write(p []byte) (int, error) {
	const enough = 512 // what http.DetectContentType looks at
	b.kept = append(b.kept, p[:min(len(p), enough-len(b.kept))]...)
	return len(p), nil
}

func (b *beginning) mediaType() string {
	if strings.HasPrefix(string(b.kept), "%PDF-") {
		return "application/pdf"
	}
	return http.DetectContentType(b.kept)
}
