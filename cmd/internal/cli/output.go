// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign"
)

// output is a result on its way to a file or to standard output.
type output interface {
	io.Writer
	Commit() error
	Discard()
}

// createOutput begins an output at path, or on standard output.
func (a *app) createOutput(path string, mode outfile.Mode) (output, error) {
	if path == stdio {
		return stream{bufio.NewWriterSize(a.out, 64<<10)}, nil
	}
	return outfile.Create(path, mode)
}

// stream is standard output: what was written can't be taken back.
type stream struct{ *bufio.Writer }

func (s stream) Commit() error {
	if err := s.Flush(); err != nil {
		return fmt.Errorf("writing standard output: %w", bare(err))
	}
	return nil
}

func (s stream) Discard() {}

// outputFlags say where a result goes.
type outputFlags struct {
	path      string
	folder    string
	overwrite bool
}

func (f *outputFlags) register(c *cobra.Command) {
	c.Flags().StringVarP(&f.path, "output", "o", "", "write the result to `FILE`; - is standard output")
	c.Flags().BoolVar(&f.overwrite, "overwrite", false, "replace an output that exists (never an input)")
}

// registerFolder is for commands that take several files.
func (f *outputFlags) registerFolder(c *cobra.Command) {
	c.Flags().StringVar(&f.folder, "output-dir", "", "write the results into `FOLDER`")
	_ = c.MarkFlagDirname("output-dir")
}

func (f *outputFlags) mode() outfile.Mode {
	if f.overwrite {
		return outfile.ReplaceExisting
	}
	return outfile.KeepExisting
}

// checkBatch refuses ways of naming outputs that don't go together, and sends the
// result of standard input to standard output.
func (f *outputFlags) checkBatch(c *cobra.Command, files []string) error {
	fromInput, several := slices.Contains(files, stdio), len(files) > 1
	switch {
	case fromInput && several:
		return usageError(helpHint(c), "standard input (-) can't be taken together with other files")
	case f.path != "" && several:
		return usageError(helpHint(c), "--output is for one file; for %d use --output-dir", len(files))
	case f.path != "" && f.folder != "":
		return usageError(helpHint(c), "--output and --output-dir exclude each other")
	case fromInput && f.folder != "":
		return usageError(helpHint(c), "standard input has no name to use in --output-dir: name a file with --output")
	case fromInput && f.path == "":
		f.path = stdio
	}
	return nil
}

// checkStream refuses standard output where a document would do harm.
func (a *app) checkStream(c *cobra.Command, path string) error {
	switch {
	case path != stdio:
		return nil
	case a.json:
		return usageError(helpHint(c), "standard output can't carry the document and --json: name a file with --output")
	case a.outIsTerminal:
		return usageError(helpHint(c), "standard output is a terminal, which is no place for a document: name a file with --output")
	}
	return nil
}

// notInput refuses to write to a file that is read, under whatever name.
func notInput(output string, inputs ...os.FileInfo) error {
	return newFileSet(inputs).refuse(output)
}

// fileSet is files that are told by what they are, under whatever name.
type fileSet struct {
	known  map[fileID]bool
	others []os.FileInfo // that the system has no short name for
}

// fileID is what the system calls a file itself.
type fileID struct{ device, number uint64 }

func newFileSet(files []os.FileInfo) fileSet {
	s := fileSet{known: map[fileID]bool{}}
	for _, info := range files {
		if info == nil {
			continue
		}
		if id, ok := idOf(info); ok {
			s.known[id] = true
		} else {
			s.others = append(s.others, info)
		}
	}
	return s
}

func (s fileSet) has(info os.FileInfo) bool {
	if id, ok := idOf(info); ok && s.known[id] {
		return true
	}
	return slices.ContainsFunc(s.others, func(other os.FileInfo) bool { return os.SameFile(info, other) })
}

// refuse says why an output can't be made: it is one of the files.
func (s fileSet) refuse(output string) error {
	if output == stdio {
		return nil
	}
	if existing, err := os.Stat(output); err != nil || !s.has(existing) {
		return nil
	}
	return &problem{exit: exitUsage, code: "outputIsInput", err: fmt.Errorf("%q is an input, and an input is never written over", output)}
}

// signedName is the default name of a signed file.
func signedName(input string, format sign.Format, detached bool) string {
	extension := filepath.Ext(input)
	switch {
	case format == sign.PAdES && strings.EqualFold(extension, ".pdf"):
		return strings.TrimSuffix(input, extension) + "-signed" + extension
	case format == sign.PAdES:
		return input + "-signed.pdf"
	case detached:
		return input + ".p7s"
	}
	return input + ".p7m"
}

// envelopes are the extensions that signing and stamping add to a document's name.
var envelopes = []string{".p7m", ".p7s", ".p7e", ".tsd", ".m7m", ".tsr", ".tst"}

// withoutEnvelope takes such an extension off a name.
func withoutEnvelope(name string) (string, error) {
	extension := filepath.Ext(name)
	for _, known := range envelopes {
		if strings.EqualFold(extension, known) && filepath.Base(name) != extension {
			return strings.TrimSuffix(name, extension), nil
		}
	}
	return "", errors.New("the name of the document can't be told from that of the file")
}

// contentName is what the document in an envelope is called. A signature has the name of
// one, also where the envelope around contract.pdf.p7m is called contract.pdf.m7m.
func contentName(envelope string, signature bool) (string, error) {
	name, err := withoutEnvelope(envelope)
	if err != nil || !signature {
		return name, err
	}
	if _, err := withoutEnvelope(name); err != nil {
		name += ".p7m"
	}
	return name, nil
}
