// SPDX-License-Identifier: Apache-2.0

package outfile_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
)

func ExampleCreate() {
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "report.txt")

	f, err := outfile.Create(path, outfile.KeepExisting)
	if err != nil {
		panic(err)
	}
	defer f.Discard() // does nothing after Commit
	fmt.Fprintln(f, "all of it, or nothing")
	_, err = os.Stat(path)
	fmt.Println("there before Commit:", err == nil)
	if err := f.Commit(); err != nil {
		panic(err)
	}
	_, err = os.Stat(path)
	fmt.Println("there after Commit:", err == nil)
	// Output:
	// there before Commit: false
	// there after Commit: true
}
