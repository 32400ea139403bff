// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	info := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "pectoken (devel)\n"},
		{&debug.BuildInfo{}, "pectoken (devel)\n"},
		{info, "pectoken v1.2.3 abc (changed)\n"},
	} {
		if got := versionOf(c.info).text(); !strings.HasPrefix(got, c.want) {
			t.Errorf("the text is %q, want it to begin with %q", got, c.want)
		}
	}
}
