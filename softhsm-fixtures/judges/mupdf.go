// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	_ "embed" // for the script
	"os"
	"path/filepath"
)

//go:embed mupdf/fill.js
var fillScript []byte

// MuPDFFill has mutool enter a new value in every text field on the first page of
// the PDF in that has the old one, and write it to out as an incremental update.
func MuPDFFill(ctx context.Context, in, out, before, after string) error {
	return inTemp(func(dir string) error {
		script := filepath.Join(dir, "fill.js")
		if err := os.WriteFile(script, fillScript, 0o600); err != nil {
			return err
		}
		_, err := run(ctx, "mutool", "run", script, in, out, before, after)
		return err
	})
}
