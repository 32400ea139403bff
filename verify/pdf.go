// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/verify/report"
)

// pdfFile verifies the signatures of a PDF.
func pdfFile(src *io.SectionReader, o Options) (*report.Report, error) {
	doc, signatures, err := pdfSignatures(src, o)
	if err != nil {
		if stop := stopped(err); stop != nil {
			return nil, stop
		}
		return unreadablePDF(src, err)
	}
	r := &report.Report{Format: "pdf"}
	proof, err := proofOf(doc, signatures, o)
	if err != nil {
		return nil, err
	}
	proof.report(r)
	for _, sig := range signatures {
		if isTimestamp(sig) {
			continue
		}
		s, err := pdfSignature(doc, sig, proof, o)
		if err != nil {
			return nil, err
		}
		s.ID = fmt.Sprintf("S%d", len(r.Signatures)+1)
		r.Format = "pades"
		r.Signatures = append(r.Signatures, s)
	}
	for _, repair := range doc.Repaired() {
		r.Warnings = append(r.Warnings, report.Warning{Code: "repaired", Message: "the file is damaged and was read around it: " + repair})
	}
	if err := warnOfRisks(r, doc); err != nil {
		return nil, err
	}
	if err := refuseAnother(r, src, o); err != nil {
		return nil, err
	}
	return finish(r), nil
}

// refuseAnother fails all signatures and timestamps of a PDF when it is not the document
// that was given: a PDF is what it signs, and is a signature of nothing beside it.
func refuseAnother(r *report.Report, src *io.SectionReader, o Options) error {
	another, err := o.anotherContent(true, func(dst io.Writer) error {
		_, err := io.Copy(dst, rewound(src))
		return err
	})
	if err != nil || !another {
		return err
	}
	for _, s := range r.Signatures {
		if s.Verdict != report.Invalid {
			fail(s, report.HashFailure, errAnother.Error())
			s.Integrity = report.Broken
		}
	}
	for _, t := range r.Timestamps {
		t.Verdict, t.SubIndication, t.Reason = report.Invalid, report.HashFailure, errAnother.Error()
	}
	return nil
}

// isTimestamp tells a document timestamp from a signature (ISO 32000-2, 12.8.5).
func isTimestamp(sig *pdf.Signature) bool {
	return sig.Type == "DocTimeStamp" || sig.SubFilter == "ETSI.RFC3161"
}

func pdfSignatures(src *io.SectionReader, o Options) (*pdf.Document, []*pdf.Signature, error) {
	doc, err := pdf.OpenWith(src, src.Size(), pdf.OpenOptions{Password: o.Password, Repair: true})
	if err != nil {
		return nil, nil, err
	}
	list, err := doc.Signatures()
	if err == nil && len(list) == 0 {
		err = lostSignature(src)
	}
	return doc, list, err
}

// warnOfRisks says what can make a signed document look different without being
// changed.
func warnOfRisks(r *report.Report, doc *pdf.Document) error {
	if len(r.Signatures) == 0 {
		return nil
	}
	risks, err := doc.Risks()
	if stop := stopped(err); stop != nil {
		return stop
	}
	if err != nil {
		r.Warnings = append(r.Warnings, report.Warning{
			Code: "risksNotChecked", Message: fmt.Sprintf("whether the document can look different without being changed is not known: %v", err),
		})
	}
	for _, risk := range risks {
		r.Warnings = append(r.Warnings, report.Warning{Code: string(risk.Kind), Message: "the document holds " + risk.What})
	}
	return nil
}

// lostSignature looks for traces of a signature in a document that leads to
// none: a signed file that was cut short shows the document as it was before,
// and one changed byte can hide the field. Neither may pass for a document
// that nobody signed.
func lostSignature(src *io.SectionReader) error {
	traces, err := pdf.LooksSigned(src, src.Size())
	if err == nil && traces {
		err = &pdf.DamagedError{What: "it holds a signature that no field of the document leads to"}
	}
	return err
}

// unreadablePDF reports on a PDF whose structure can't be followed. If it
// shows traces of a signature, that signature failed.
func unreadablePDF(src *io.SectionReader, cause error) (*report.Report, error) {
	var encrypted *pdf.EncryptedError
	if errors.As(cause, &encrypted) {
		return &report.Report{Format: "pdf", Error: &report.Error{Code: report.Encrypted, Message: cause.Error()}}, nil
	}
	signed, err := pdf.LooksSigned(src, src.Size())
	switch {
	case err != nil:
		return nil, err
	case signed:
		return damagedFile("pades", "PAdES", cause), nil
	}
	return &report.Report{Format: "pdf", Error: &report.Error{Code: report.Unreadable, Message: cause.Error()}}, nil
}

// pdfSignature judges one signature of a PDF: first what it covers, which
// needs no cryptography, then the CMS in it (ETSI EN 319 142-1, clause 6.3), then
// what was changed after it.
func pdfSignature(doc *pdf.Document, sig *pdf.Signature, proof *pdfProof, o Options) (*report.Signature, error) {
	s, err := judgePDF(sig, proof, o)
	if err != nil {
		return nil, err
	}
	s.Field = sig.Field
	s.Covers = coverage(sig.Covers)
	s.ModifiedAfterSigning = sig.Removed || sig.Revision < 0 && sig.AppendedBytes > 0
	if s.ClaimedTime == nil && !sig.Time.IsZero() {
		claimed := sig.Time.UTC()
		s.ClaimedTime = &claimed
	}
	if problem, found := structureProblem(s, sig); found {
		fail(s, report.FormatFailure, problem)
		return s, nil
	}
	return s, judgeChanges(s, doc, sig)
}

// judgeChanges judges what was changed after the signature. What no rule permits
// makes it invalid, whatever it looks like; what can't be found out leaves it
// open.
func judgeChanges(s *report.Signature, doc *pdf.Document, sig *pdf.Signature) error {
	changes, err := doc.Changes(sig)
	if err != nil {
		s.ModifiedAfterSigning = true
		if s.Verdict == report.Valid {
			leaveOpen(s, report.SigConstraintsFailure,
				fmt.Sprintf("%d bytes were added to the document after this signature, and what they change can't be told: %v", sig.AppendedBytes, err))
		}
		return stopped(err)
	}
	s.Changes = describeChanges(changes)
	i := slices.IndexFunc(changes, func(c pdf.Change) bool { return !c.Allowed })
	if i < 0 && !sig.Removed {
		return nil
	}
	s.ModifiedAfterSigning = true
	if s.Verdict == report.Invalid {
		return nil
	}
	what := "the signature was removed from the document"
	if i >= 0 {
		what = changes[i].What
	}
	fail(s, report.FormatFailure, "the document was changed after this signature in a way that is not permitted: "+what)
	return nil
}

// maxChanges bounds how many changes are listed, so that a thousand signatures of
// one document don't list a thousand changes each. The forbidden ones come first.
const maxChanges = 200

func describeChanges(changes []pdf.Change) []report.Change {
	var list []report.Change
	left := 0
	for _, allowed := range []bool{false, true} {
		for _, c := range changes {
			switch {
			case c.Allowed != allowed:
			case len(list) == maxChanges:
				left++
			default:
				list = append(list, report.Change{Kind: string(c.Kind), Allowed: c.Allowed, What: c.What})
			}
		}
	}
	if left > 0 {
		list = append(list, report.Change{Kind: "other", Allowed: list[len(list)-1].Allowed, What: fmt.Sprintf("and %d more", left)})
	}
	return list
}

// structureProblem returns the first way in which the signature isn't tied to
// the document as ISO 32000-2 asks. What can mislead no reader is only worth a
// warning.
func structureProblem(s *report.Signature, sig *pdf.Signature) (string, bool) {
	for _, p := range sig.Problems {
		if !p.Harmless() {
			return p.String(), true
		}
		warn(s, "structure", p.String())
	}
	if sig.Covers != pdf.CoversWholeFile && sig.Covers != pdf.CoversRevision {
		return "the signature covers neither the file nor a revision of it", true
	}
	return "", false
}

func coverage(c pdf.Coverage) report.Coverage {
	switch c {
	case pdf.CoversWholeFile:
		return report.WholeFile
	case pdf.CoversRevision:
		return report.Revision
	case pdf.CoversPart:
		return report.Part
	}
	return ""
}

// judgePDF judges what stands in /Contents over the bytes of /ByteRange.
func judgePDF(sig *pdf.Signature, proof *pdfProof, o Options) (*report.Signature, error) {
	switch sig.SubFilter {
	case "adbe.pkcs7.sha1":
		return judgeDigestSigned(sig, proof, o)
	case "adbe.x509.rsa_sha1":
		return judgePKCS1(sig, proof, o)
	}
	s, err := judgeDetached(sig, proof, o)
	if err == nil && !detachedKinds[sig.SubFilter] && s.Verdict != report.Invalid {
		leaveOpen(s, report.SigConstraintsFailure, fmt.Sprintf("signatures of the kind %q can't be checked", sig.SubFilter))
	}
	return s, err
}

// detachedKinds are the SubFilters whose /Contents is a detached CMS over the
// signed ranges (ISO 32000-2, 12.8.3; ETSI EN 319 142-1; ICP-Brasil). Another
// is judged like one, so that a changed SubFilter hides no broken signature.
var detachedKinds = map[string]bool{"ETSI.CAdES.detached": true, "adbe.pkcs7.detached": true, "PBAD.PAdES": true}

func judgeDetached(sig *pdf.Signature, proof *pdfProof, o Options) (*report.Signature, error) {
	sd, err := cms.Read(bytes.NewReader(sig.Contents), cms.ReadOptions{})
	if err != nil {
		return malformedPDF(o, fmt.Sprintf("the signature value can't be read: %v", err)), nil
	}
	if problem := notDetached(sd); problem != "" {
		return malformedPDF(o, problem), nil
	}
	if err := sd.DigestContent(sig.SignedBytes()); err != nil {
		return nil, err
	}
	return proof.judge(sd, sig, o), nil
}

// judge judges the only signer of a SignedData that stands in a PDF.
func (p *pdfProof) judge(sd *cms.SignedData, sig *pdf.Signature, o Options, besides ...crypto.Hash) *report.Signature {
	c := sd.Check(sd.Signers[0])
	m := materialOf(sd).with(c.Signer)
	stamps := o.cmsStamps(sd, c.Signer)
	stamps = append(stamps, p.after(sig, stamps, m.all())...)
	m.add(p.m)
	s := judge(sd, c, m, o.within(stamps, m), o, besides...)
	describePDFProfile(s, sig)
	raiseLevel(s, c.Certificate, stamps, m)
	return s
}

// malformedPDF is what can be said of a /Contents that holds no signature of
// the kind that its dictionary says.
func malformedPDF(o Options, problem string) *report.Signature {
	s := &report.Signature{Format: "PDF", BestTime: o.at(), Integrity: report.Broken}
	fail(s, report.FormatFailure, problem)
	return s
}

// notDetached says why a SignedData can't be a signature of a PDF: it needs
// one signer (ETSI EN 319 142-1, clause 6.2.1) and no content of its own, or
// the document would not be what was signed (ISO 32000-2, 12.8.3.3.1).
func notDetached(sd *cms.SignedData) string {
	if sd.Attached {
		return "the signature carries a content of its own in place of the document"
	}
	return notOneSigner(sd)
}

func notOneSigner(sd *cms.SignedData) string {
	if len(sd.Signers) != 1 {
		return fmt.Sprintf("the signature value has %d signers, a PDF signature has one", len(sd.Signers))
	}
	return ""
}

// describePDFProfile names what describeProfile called CAdES: PAdES by its
// SubFilter, whose B-B level wants the time in the dictionary and not in the
// CMS (ETSI EN 319 142-1, clause 6.3).
func describePDFProfile(s *report.Signature, sig *pdf.Signature) {
	s.Level = ""
	if sig.SubFilter != "ETSI.CAdES.detached" || s.Format != "CAdES" {
		s.Format = "PDF"
		return
	}
	s.Format = "PAdES"
	if s.ClaimedTime == nil && !sig.Time.IsZero() {
		s.Level = "B-B"
	}
}
