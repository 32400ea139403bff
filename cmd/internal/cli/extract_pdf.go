// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pectoken/pectoken/verify"
)

// extractRevision writes the revision of a PDF that one signature covers.
func (a *app) extractRevision(ctx context.Context, in *input, o *extractOptions) error {
	output, err := o.revisionName()
	if err != nil {
		return err
	}
	if err := o.creatable(in, output); err != nil {
		return err
	}
	revision, r, err := verify.Revision(ctx, in.section(), o.which, o.judge)
	if unknown := new(verify.UnknownSignatureError); errors.As(err, &unknown) {
		return &problem{
			exit: exitFailed, code: "unknownSignature", err: fmt.Errorf("extracting from %q: %w", o.file, unknown),
			hint: []string{"pectoken verify " + shellWord(o.file)},
		}
	}
	if err != nil {
		return fmt.Errorf("extracting from %q: %w", o.file, err)
	}
	if err := o.accept(r); err != nil {
		return err
	}
	err = a.write(o, envelope{output: output, report: r}, func(w io.Writer) error {
		_, err := io.Copy(w, revision)
		return err
	})
	if err != nil {
		return err
	}
	return a.extracted(o, r)
}

// revisionName names the output after the file and the number of the signature.
// The name of a field can be anything, and names no file.
func (o *extractOptions) revisionName() (string, error) {
	if o.output.path != "" {
		return o.output.path, nil
	}
	number := strings.TrimPrefix(o.which, "S")
	if n, err := strconv.ParseUint(number, 10, 31); err != nil || fmt.Sprint(n) != number {
		hint := fmt.Sprintf("pectoken extract --signature %s --output FILE %s", shellWord(o.which), shellWord(o.file))
		return "", usageError(hint, "extracting from %q: the name of the output can't be told from that of a field", o.file)
	}
	extension := filepath.Ext(o.file)
	return strings.TrimSuffix(o.file, extension) + "-S" + number + extension, nil
}
