// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionJSON is the line of --json of version.
type versionJSON struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // commit, where the build knows it
	Modified bool   `json:"modified"`           // built from a changed tree
	Go       string `json:"go"`
	CGO      bool   `json:"cgo"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which pectoken this is",
		Long: `Version says which pectoken this is and how it was built. One built without cgo
verifies and extracts, and can't use tokens.`,
		Example: `  pectoken version --json`,
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return a.showVersion() },
	}
}

func (a *app) showVersion() error {
	info, _ := debug.ReadBuildInfo()
	v := versionOf(info)
	if a.json {
		return a.printJSON(v)
	}
	return a.print(v.text())
}

// versionOf reads what the go command put into the program; info may be nil.
func versionOf(info *debug.BuildInfo) versionJSON {
	v := versionJSON{Version: "(devel)", Go: runtime.Version(), CGO: hasCgo, OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

func (v versionJSON) text() string {
	cgo := "with cgo"
	if !v.CGO {
		cgo = "without cgo: no tokens"
	}
	text := "pectoken " + v.Version
	if v.Revision != "" {
		text += " " + v.Revision
	}
	if v.Modified {
		text += " (changed)"
	}
	return fmt.Sprintf("%s\n%s, %s/%s, %s\n", text, v.Go, v.OS, v.Arch, cgo)
}
