// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/timestamp"
)

// Of hundreds of timestamps the level is told by the first, which are the signature's, and
// by the last, which hold what there is.
func TestFirstAndLast(t *testing.T) {
	day := func(n int) *stamp {
		return &stamp{token: &timestamp.Token{Info: &timestamp.Info{Time: time.Unix(0, 0).AddDate(0, 0, n)}}}
	}
	for _, many := range []int{1, maxLevelStamps, maxLevelStamps + 1, 300} {
		var list []*stamp
		for n := range many {
			list = append(list, day(many-1-n))
		}
		first, last := list[many-1], list[0]
		got := firstAndLast(list)
		if want := min(many, maxLevelStamps); len(got) != want {
			t.Fatalf("%d of %d, want %d", len(got), many, want)
		}
		if many > maxLevelStamps && (got[0] != first || got[len(got)-1] != last) {
			t.Errorf("of %d: from %v to %v", many, got[0].token.Info.Time, got[len(got)-1].token.Info.Time)
		}
	}
}
