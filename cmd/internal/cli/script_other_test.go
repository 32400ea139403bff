// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package cli

import "github.com/rogpeppe/go-internal/testscript"

func tmpfs(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("tmpfs is for Linux") }
func ended(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("ended is for Linux") }
