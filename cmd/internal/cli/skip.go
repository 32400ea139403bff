// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// skipSigned leaves out the jobs whose output is there and is what signing would
// make. Another file in the place of an output is a mistake, as without the flag.
func (b *batch) skipSigned(ctx context.Context, signer *x509.Certificate) {
	for _, j := range b.jobs {
		if j.err != nil || !j.exists {
			continue
		}
		done, err := b.isSigned(ctx, j, signer)
		switch {
		case err != nil:
			j.err = err
		case done:
			j.skipped, j.result.level = true, b.signing.Level
		default:
			j.err = b.folders.Check(j.output, b.options.output.mode())
		}
	}
}

// isSigned says whether the output of a job holds an intact signature over this very
// document by the certificate's key.
func (b *batch) isSigned(ctx context.Context, j *job, signer *x509.Certificate) (bool, error) {
	document, err := b.open(ctx, j)
	if err != nil {
		return false, err
	}
	defer b.done(document)
	signed, err := b.app.openInput(ctx, j.output)
	if err != nil {
		return false, err
	}
	defer signed.close()
	if j.format == sign.PAdES && !beginsWith(signed.section(), document.section()) {
		return false, nil
	}
	options := verify.Options{Now: b.app.now(), Name: j.output}
	if b.signing.Detached {
		options.Content = document.section()
	}
	found, err := verify.File(ctx, signed.section(), options)
	if err != nil {
		return false, fmt.Errorf("verifying %q: %w", j.output, err)
	}
	if j.format == sign.CAdES && !b.signing.Detached {
		same, err := isContent(document.section(), found.Content)
		return same && holds(found, signer, "", b.signing.Level), err
	}
	if j.format == sign.PAdES && b.signing.Level >= sign.LevelLT {
		// What makes it last was put behind the signature, which covers less than the file.
		before, err := verify.File(ctx, document.section(), verify.Options{Now: b.app.now(), Name: j.file})
		if err != nil {
			return false, fmt.Errorf("verifying %q: %w", j.file, err)
		}
		found.Signatures = slices.DeleteFunc(found.Signatures, func(s *report.Signature) bool {
			return slices.ContainsFunc(before.Signatures, func(old *report.Signature) bool { return old.Field == s.Field })
		})
		return holds(found, signer, "", b.signing.Level), nil
	}
	if j.format == sign.PAdES {
		return holds(found, signer, report.WholeFile, b.signing.Level), nil // and so is not one that the document had before
	}
	return holds(found, signer, "", b.signing.Level), nil
}

// holds says whether there is an intact signature of the certificate that covers
// so much, if that matters, and has this level or a higher one.
func holds(r *report.Report, signer *x509.Certificate, covers report.Coverage, least sign.Level) bool {
	for _, s := range r.Signatures {
		if s.Integrity == report.Intact && s.Certificate != nil && s.Certificate.SHA256 == fingerprint(signer.Raw) &&
			(covers == "" || s.Covers == covers) && levelOf(s) >= least {
			return true
		}
	}
	return false
}

// beginsWith says whether a file is longer than another, and begins with it.
func beginsWith(file, beginning *io.SectionReader) bool {
	if file.Size() <= beginning.Size() {
		return false
	}
	a, b := sha256.New(), sha256.New()
	_, errA := io.CopyN(a, file, beginning.Size())
	_, errB := io.Copy(b, beginning)
	return errA == nil && errB == nil && bytes.Equal(a.Sum(nil), b.Sum(nil))
}

// isContent says whether a document is what a signature was found to hold.
func isContent(document *io.SectionReader, content *report.Content) (bool, error) {
	if content == nil || content.Size != document.Size() {
		return false, nil
	}
	own := sha256.New()
	if _, err := io.Copy(own, document); err != nil {
		return false, err
	}
	return hex.EncodeToString(own.Sum(nil)) == content.SHA256, nil
}
