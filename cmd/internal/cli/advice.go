// SPDX-License-Identifier: Apache-2.0

package cli

import "runtime"

// advice is what to do, by operating system. The empty key is for all others.
type advice map[string]string

// onThisSystem returns the advice for the system the program runs on.
func onThisSystem(a advice) string {
	if text, ok := a[runtime.GOOS]; ok {
		return text
	}
	return a[""]
}

var installOpenSC = advice{
	"linux":  " (Debian, Ubuntu: apt install opensc; Fedora: dnf install opensc)",
	"darwin": " (brew install opensc)",
}
