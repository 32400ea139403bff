// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/bench"
)

func newBench() *cobra.Command {
	size := byteSize(1 << 30)
	var o bench.Options
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure pectoken beside openssl on a big file",
		Long: "Measure how long pectoken and openssl take to sign and verify a big file, and how much memory.\n\n" +
			"PDFs are measured beside hashing the same bytes, a small one beside pdfsig, and a token in SoftHSM\n" +
			"beside bare PKCS#11 calls. Many files are signed with a time stamp each, and big ones stamped and made to\n" +
			"last, by authorities of its own. Files with more and more content, signers and segments tell how it grows.\n\n" +
			"It fails if pectoken takes more than 64 MiB, for a PDF or with time stamps 96 MiB, and never for being slow. It needs seven times\n" +
			"the size on disk, and twice that of the large file.",
		Example: "  pectoken-fixtures bench --size 100MiB --runs 5",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Large < 0 || o.Large > maxLarge {
				return fmt.Errorf("--large %d: want 0 to %d", o.Large, maxLarge)
			}
			o.Size, o.Signer = int64(size), signatures
			o.Progress = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
			result, err := bench.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			return errors.Join(result.Write(cmd.OutOrStdout()), result.Err())
		},
	}
	cmd.Flags().Var(&size, "size", "size of the file, as in 100MiB")
	cmd.Flags().Int64Var(&o.Large, "large", 4, "size of the large file, in times of --size; 0 for none")
	cmd.Flags().IntVar(&o.Runs, "runs", 3, "how often each task is run")
	cmd.Flags().StringVar(&o.Only, "only", "", "measure only what has this `TEXT` in its name: a PDF, time stamps, a token; no .p7m")
	cmd.Flags().StringVar(&o.Program, "program", "", "pectoken to measure; built when not given")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder for the files; one for temporary files when not given")
	return cmd
}

// byteSize is a flag: a number of bytes with an optional unit.
type byteSize int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// maxSize and maxLarge keep what is computed from a size in an int64.
const (
	maxSize  = 1 << 50
	maxLarge = 1000
)

// Set reads a size such as "1GiB", "100MiB" or "4096".
func (s *byteSize) Set(text string) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n <= 0 || n > maxSize/unit.bytes {
			break
		}
		*s = byteSize(n * unit.bytes)
		return nil
	}
	return errors.New("want a number of bytes, KiB, MiB or GiB")
}

// String writes the size with the biggest unit that divides it.
func (s *byteSize) String() string {
	for _, unit := range units {
		if int64(*s)%unit.bytes == 0 {
			return strconv.FormatInt(int64(*s)/unit.bytes, 10) + unit.suffix
		}
	}
	return ""
}

// Type names the flag's value in the help.
func (s *byteSize) Type() string { return "size" }
