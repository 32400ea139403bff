// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// closestFirst orders words by how much of another one they begin with.
func closestFirst(words []string, meant string) {
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(inCommon(b, meant), inCommon(a, meant)) })
}

// inCommon is how many letters two words begin with alike.
func inCommon(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// flagError guesses what was meant by a flag there isn't.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError(helpHint(c), "%w", err)
	}
	name := unknown.GetSpecifiedName()
	var guesses []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if len(name) > 2 && strings.HasPrefix(f.Name, name) {
			guesses = append(guesses, "--"+f.Name)
		}
	})
	hint := helpHint(c)
	switch file := "-" + unknown.GetSpecifiedShortnames(); {
	case strings.HasPrefix(name, "pin"):
		hint = "pectoken help pin says where a PIN can come from; there is no flag for it"
	case len(guesses) > 0:
		hint = fmt.Sprintf("did you mean %s?", strings.Join(guesses, " or "))
	case file != "-" && isThere(file):
		hint = fmt.Sprintf("a file whose name begins with - is named ./%s", file)
	}
	return usageError(hint, "%w", err)
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
