// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/verify/report"
)

// tstInfo is the beginning of what a timestamp authority signs (RFC 3161, section
// 2.4.2).
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
}

// imprintDigests are those that a timestamp can have the digest of.
var imprintDigests = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// judgeTimestamp finds out whether a document timestamp is intact: its token is a
// CMS whose content names the digest of the signed bytes (ISO 32000-2, 12.8.5).
// Whether a timestamp authority made it is left open.
func judgeTimestamp(sig *pdf.Signature, o Options) (*report.Signature, error) {
	var content bytes.Buffer
	sd, err := readCMS(io.NewSectionReader(bytes.NewReader(sig.Contents), 0, int64(len(sig.Contents))), &content)
	if err != nil {
		return malformedPDF(o, fmt.Sprintf("the timestamp token can't be read: %v", err)), nil
	}
	info, problem := readToken(sd, content.Bytes())
	if problem != "" {
		return malformedPDF(o, problem), nil
	}
	s := judge(sd, sd.Check(sd.Signers[0]), o)
	s.Format, s.Level = "PDF", ""
	if s.Verdict != report.Invalid {
		leaveOpen(s, report.SigConstraintsFailure, "document timestamps can't be judged yet")
	}
	h, known := imprintDigests[info.Imprint.Algorithm.Algorithm.String()]
	if !known {
		s.Integrity = report.IntegrityUnknown
		return s, nil
	}
	sum := h.New()
	if _, err := io.Copy(sum, sig.SignedBytes()); err != nil {
		return nil, fmt.Errorf("reading content: %w", err)
	}
	if !bytes.Equal(sum.Sum(nil), info.Imprint.Digest) {
		fail(s, report.HashFailure, "the document does not have the digest that the timestamp names")
		s.Integrity = report.Broken
	}
	return s, nil
}

// readToken takes a timestamp token apart, or says why it is none.
func readToken(sd *cms.SignedData, content []byte) (info tstInfo, problem string) {
	switch {
	case !sd.Attached || !sd.ContentType.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}):
		return info, "the value of the document timestamp is no timestamp token"
	case len(sd.Signers) != 1:
		return info, notOneSigner(sd)
	}
	if rest, err := asn1.Unmarshal(content, &info); err != nil || len(rest) > 0 {
		return info, "the timestamp token names no digest"
	}
	return info, ""
}
