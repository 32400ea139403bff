// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/verify/report"
)

// pdfProof is what speaks about all signatures of a PDF: its document timestamps, and
// what it keeps to judge them with.
type pdfProof struct {
	m      *material
	stamps []*stamp // document timestamps, in the order of the file
	covers []int    // the revision that each covers
}

// proofOf finds the document timestamps of a PDF and judges them, the last one first.
func proofOf(doc *pdf.Document, signatures []*pdf.Signature, o Options) (*pdfProof, error) {
	p := &pdfProof{m: &material{}}
	for _, sig := range signatures {
		if !isTimestamp(sig) {
			continue
		}
		s, err := documentStamp(doc, sig)
		if err != nil {
			return nil, err
		}
		s.wraps = p.before(sig.Revision)
		if s.data, err = coversData(doc, sig); err != nil {
			return nil, err
		}
		p.stamps, p.covers = append(p.stamps, s), append(p.covers, sig.Revision)
	}
	if err := p.addStore(doc); err != nil {
		return nil, err
	}
	o.judgeStamps(p.stamps, p.m)
	return p, nil
}

// coversData says whether a document timestamp is of a revision that has revocation values.
func coversData(doc *pdf.Document, sig *pdf.Signature) (bool, error) {
	if sig.Revision < 0 {
		return false, nil
	}
	store, err := doc.SecurityStoreOf(sig.Revision)
	if err != nil || store == nil {
		return false, stopped(err)
	}
	return len(store.CRLs)+len(store.OCSP) > 0, nil
}

// addStore adds what the document keeps in its security store. One that can't be read
// proves nothing, and its absence is said when it is missed.
func (p *pdfProof) addStore(doc *pdf.Document) error {
	store, err := doc.SecurityStore()
	if err != nil || store == nil {
		return stopped(err)
	}
	for _, der := range store.Certificates {
		p.m.addCertificates([]*cms.Certificate{{Raw: der}})
	}
	p.m.addRevocation(cms.Revocation{CRLs: store.CRLs, OCSP: store.OCSP})
	return nil
}

// before returns the tokens of the document timestamps that stand in earlier revisions
// than this one, which a timestamp of it covers. Where it is not of a whole revision, or
// shares it with another, that proves nothing of the other.
func (p *pdfProof) before(revision int) (tokens [][]byte) {
	for i, s := range p.stamps {
		if s.token != nil && p.covers[i] >= 0 && p.covers[i] < revision {
			tokens = append(tokens, s.token.Raw)
		}
	}
	return tokens
}

// documentStamp reads a document timestamp, whose token is of the signed bytes (ISO
// 32000-2, 12.8.5). One that is not tied to the document as it should be, or after
// which something was changed that may not be, is broken.
func documentStamp(doc *pdf.Document, sig *pdf.Signature) (*stamp, error) {
	var failed error
	s := newStamp(report.DocumentTimestamp, sig.Contents, func(h crypto.Hash) ([]byte, error) {
		sum := h.New()
		_, failed = io.Copy(sum, sig.SignedBytes())
		return sum.Sum(nil), failed
	})
	if failed != nil {
		return nil, fmt.Errorf("reading content: %w", failed)
	}
	if s.err != nil {
		return s, nil
	}
	tied := &report.Signature{}
	if problem, found := structureProblem(tied, sig); found {
		s.err = &brokenError{problem}
		return s, nil
	}
	tied.Verdict = report.Valid
	if doc == nil {
		return s, nil
	}
	if err := judgeChanges(tied, doc, sig); err != nil {
		return nil, err
	}
	if tied.Verdict == report.Invalid {
		s.err = &brokenError{tied.Reason}
	}
	return s, nil
}

// brokenError is why a timestamp that is of the right bytes is worth nothing all the
// same.
type brokenError struct{ reason string }

func (e *brokenError) Error() string { return e.reason }

// after returns the document timestamps that cover a signature with its own
// timestamps.
func (p *pdfProof) after(sig *pdf.Signature, own []*stamp) []*stamp {
	var list []*stamp
	for i, s := range p.stamps {
		if sig.Revision >= 0 && p.covers[i] > sig.Revision {
			list = append(list, s.around(own))
		}
	}
	return list
}

// report adds the document timestamps to a report.
func (p *pdfProof) report(r *report.Report) {
	for i, s := range p.stamps {
		s.answer.ID = fmt.Sprintf("T%d", i+1)
		r.Timestamps = append(r.Timestamps, s.answer)
	}
}

// judgeTimestamp says of a document timestamp alone whether it is intact.
func judgeTimestamp(sig *pdf.Signature, o Options) (*report.Signature, error) {
	t, err := documentStamp(nil, sig)
	if err != nil {
		return nil, err
	}
	o.judgeStamps([]*stamp{t}, &material{})
	s := &report.Signature{Format: "PDF", BestTime: o.at(), Integrity: report.Intact}
	switch {
	case t.answer.Verdict == report.Invalid:
		fail(s, t.answer.SubIndication, t.answer.Reason)
		s.Integrity = report.Broken
	case t.answer.Verdict == report.Valid:
		s.Verdict, s.Indication = report.Valid, report.TotalPassed
	default:
		leaveOpen(s, t.answer.SubIndication, t.answer.Reason)
		if t.err != nil {
			s.Integrity = report.IntegrityUnknown
		}
	}
	return s, nil
}
