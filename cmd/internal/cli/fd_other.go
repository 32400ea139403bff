// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package cli

func (f *secretFlags) closeOnExec() {}
